"""Which drift says something: the score's, the customers' own features', and year on year of what runs by calendar."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from pipeline.score.breakers import is_shared
from pipeline.score.drift import SCORE, binned, drift_between, drift_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from pipeline.score.drift import Cuts, Drift, Light
    from pipeline.score.model import Model

Against = Literal["development", "month", "year"]
GROUP = "group_id"
# Accounts are a year's: their age runs up and falls with the calendar, so that one month never looks like all of them.
BY_CALENDAR = frozenset({"accounts_age_months"})


@dataclass(frozen=True)
class Watched:
    """One distribution against another. `why` is empty where the light is the PSI's; otherwise it is grey, and `why`
    says why this comparison judges nothing: shared (many customers share one value of a day), calendar (judged against
    the year before), no_rows."""

    against: Against
    quantity: str
    psi: float | None
    noise: float | None
    rows: int
    light: Light
    why: Literal["", "shared", "calendar", "no_rows"]

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def watched_drift(
    model: Model, now: pd.DataFrame, month: pd.DataFrame | None, year: pd.DataFrame | None, cuts: Cuts
) -> list[Watched]:
    """The score and every feature against development (worst first after the score), the month and the year before.

    Each frame holds the rated rows of a day with the model's answers (score/applied.py), their customer_id and the
    group_id that the run of the day told of them; null where no run of that day is published. Against the year before
    only what follows the calendar is judged and told.
    """
    found = [_judged(model, "development", one) for one in drift_of(model, binned(model, now, now[GROUP]), cuts)]
    if month is not None:
        found += [_judged(model, "month", one) for one in drift_between(model, month, now, _clusters(month, now), cuts)]
    if year is not None:
        then = drift_between(model, year, now, _clusters(year, now), cuts)
        found += [_judged(model, "year", one) for one in then if one.quantity in BY_CALENDAR]
    return found


def worst(found: Sequence[Watched], against: Against, *, score: bool) -> Watched | None:
    """The judged comparison with the largest PSI over its noise, of the score or of the features; null without one."""
    judged = [
        one
        for one in found
        if one.against == against and (one.quantity == SCORE) == score and not one.why and one.psi is not None
    ]
    ranks = {"red": 2, "amber": 1}
    return max(judged, key=lambda one: (ranks.get(one.light, 0), one.psi or 0.0, one.quantity), default=None)


def _clusters(before: pd.DataFrame, now: pd.DataFrame) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The customer group of each row as a number, on both days by what the later one tells; who was there only then
    keeps the group of then, and who has none is one of its own."""
    told = pd.concat([now, before])[["customer_id", GROUP]].drop_duplicates("customer_id").set_index("customer_id")
    names = told[GROUP].fillna(pd.Series(told.index, index=told.index))
    numbers = pd.factorize(names)[0].astype(np.int64)
    then, here = (told.index.get_indexer(pd.Index(rows["customer_id"])) for rows in (before, now))
    return numbers[then], numbers[here]


def _judged(model: Model, against: Against, drift: Drift) -> Watched:
    why = _why_not(model, against, drift)
    light: Light = "grey" if why else drift.light
    return Watched(against, drift.quantity, drift.psi, drift.noise, drift.rows, light, why)


def _why_not(model: Model, against: Against, drift: Drift) -> Literal["", "shared", "calendar", "no_rows"]:
    if drift.psi is None:
        return "no_rows"
    if drift.quantity == SCORE:
        return ""
    if is_shared(model.catalogue_by_name[drift.quantity]):
        return "shared"
    return "calendar" if drift.quantity in BY_CALENDAR and against != "year" else ""
