"""What moved a PD or a limit since the run before: features by their points, or the cap of a limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pipeline.score.applied import points_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from pipeline.score.model import Model
    from pipeline.score.policy import Policy

TOP = 3
STATUS = "rating_status"
_BY_MODEL = ("scorecard", "booster")


@dataclass(frozen=True)
class Then:
    """What the run before said of each position row: what rated it, grade, binding cap and status; None without one."""

    model: npt.NDArray[np.object_]
    grade: npt.NDArray[np.object_]
    cap: npt.NDArray[np.object_]
    status: npt.NDArray[np.object_]


@dataclass(frozen=True)
class SameJudge:
    """Which rows the model judged on both days, and which its card of thin files did."""

    by_model: npt.NDArray[np.bool_]
    by_thin_card: npt.NDArray[np.bool_]

    @classmethod
    def on_both_days(cls, then: npt.NDArray[np.object_], now: npt.NDArray[np.object_]) -> SameJudge:
        """From what rated each row then and now: scorecard, booster, thin_file, expert or None."""
        by_model = np.isin(then, _BY_MODEL) & np.isin(now, _BY_MODEL)
        return cls(by_model, (then == "thin_file") & (now == "thin_file"))


@dataclass(frozen=True)
class Before:
    """Points of the day before, and at which of its rows each row of today stands, -1 for none."""

    points: pd.DataFrame
    places: npt.NDArray[np.intp]


@dataclass(frozen=True)
class Movers:
    """Arrays of shape (rows, 3), the strongest first: names (None) and shares of all movement (NaN)."""

    name: npt.NDArray[np.object_]
    share: npt.NDArray[np.float64]

    @classmethod
    def none(cls, rows: int) -> Movers:
        """Nothing that can be named."""
        return cls(np.full((rows, TOP), None, dtype=object), np.full((rows, TOP), np.nan))

    def of(self, rows: npt.NDArray[np.intp]) -> Movers:
        """Those of some rows."""
        return Movers(self.name[rows], self.share[rows])

    def laid_to(self, name: str, where: npt.NDArray[np.bool_]) -> Movers:
        """Where true, all movement is that of one name."""
        names, shares = self.name.copy(), self.share.copy()
        names[where], shares[where] = None, np.nan
        names[where, 0], shares[where, 0] = name, 1.0
        return Movers(names, shares)


def pd_movers(now: pd.DataFrame, model: Model, judged: SameJudge, before: Before) -> Movers:
    """The features that moved the PD of rows: each one's points now less then, both by today's model.

    `now` holds the rows with the points of the model and what its card of thin files reads, `before` the same of the
    day before. Told where the same judged on both days, the model or its card of thin files: a customer that came from
    or went to another status, or whose grade people set, was not moved by features. A feature whose points stayed is
    not named.
    """
    found = Movers.none(len(now))
    points, there = before.points, before.places
    columns, card = points_columns(model), model.thin_file.card
    at = np.flatnonzero(judged.by_model & (there >= 0))
    if len(at):
        here, then = now[columns].to_numpy(np.float64)[at], points[columns].to_numpy(np.float64)[there[at]]
        _put(found, at, here - then, model.features)
    at = np.flatnonzero(judged.by_thin_card & (there >= 0))
    if card is not None and len(at) and set(card.features) <= set(points.columns):
        names = list(card.features)
        rows = now[names].iloc[at], points[names].iloc[there[at]]
        by_card = [card.points_by_characteristic(some).to_numpy() for some in rows]
        _put(found, at, by_card[0] - by_card[1], card.features)
    return found


def limit_movers(  # noqa: PLR0917 - what moved the PD, the run before, the rows, which way, today and the policy
    moved_pd: Movers,
    then: Then,
    row: npt.NDArray[np.intp],
    is_rise: npt.NDArray[np.bool_],
    now: tuple[npt.NDArray[np.object_], npt.NDArray[np.object_]],
    policy: Policy,
) -> Movers:
    """What moved the limit of the rows: the cap that gave way where it rises, the cap that came down where it falls.

    Where that cap moved with the grade and features moved the PD, those features with their shares; else the cap by its
    name in the limit trace with the share 1. `now` are grade and binding cap of today.
    """
    grade, cap_now = now[0][row], now[1][row]
    grade_then, cap = then.grade[row], np.where(is_rise, then.cap[row], cap_now)
    position = policy.scale.position
    first_covered = position([policy.limits.insured_cover.from_grade])[0]
    crossed = (position(grade) >= first_covered) != (position(grade_then) >= first_covered)
    by_grade = (cap == "grade") & (grade != grade_then) | (cap == "insured_cover") & crossed
    is_told = by_grade & pd.notna(moved_pd.name[:, 0])
    named = Movers.none(len(row))
    named.name[:, 0] = cap
    named.share[:, 0] = np.where(pd.isna(cap), np.nan, 1.0)
    named.name[is_told], named.share[is_told] = moved_pd.name[is_told], moved_pd.share[is_told]
    return named


def _put(movers: Movers, at: npt.NDArray[np.intp], change: npt.NDArray[np.float64], names: Sequence[str]) -> None:
    """The features with the largest changes of the rows `at`, each with its share; ties by the order of features."""
    moved = np.abs(change)
    # Feature by feature: a sum along the rows would add in another order for one customer than for many.
    whole = sum(moved.T, start=np.zeros(len(moved)))
    rows, left, name = np.arange(len(at)), moved.copy(), np.array(names, dtype=object)
    for rank in range(min(TOP, moved.shape[1])):
        feature = left.argmax(axis=1)
        movement = left[rows, feature]
        left[rows, feature] = -1.0
        told = movement > 0
        movers.name[at[told], rank] = name[feature[told]]
        movers.share[at[told], rank] = movement[told] / whole[told]
