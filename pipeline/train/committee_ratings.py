"""The book as a model would have rated it on a day: what stability and process are judged on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pipeline.score.position_columns import age_in_months, number, text
from pipeline.score.rating import Answers, rate

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from pipeline.score.model import Model
    from pipeline.score.policy import Policy

MOMENTS = ("now", "year_before", "two_years_before", "development")
_YEAR = 12


def moments(days: Sequence[dt.date], last_training: dt.date | None) -> dict[str, dt.date]:
    """The snapshot dates looked at: the newest, those a year and two before it, and the last one of the training.

    A moment without a snapshot of that very day is left out.
    """
    if not days:
        return {}
    newest = max(days)
    asked = {"now": newest, "year_before": _before(newest, _YEAR), "two_years_before": _before(newest, 2 * _YEAR)}
    if last_training is not None:
        asked["development"] = last_training
    known = {(day.year, day.month): day for day in sorted(set(days))}
    found = {name: known.get((day.year, day.month)) for name, day in asked.items()}
    return {name: day for name, day in found.items() if day is not None}


def rated(rows: pd.DataFrame, positions: pd.DataFrame, model: Model, policy: Policy, as_of: dt.date) -> pd.DataFrame:
    """customer_id, status, grade (None without one), pd, is_overridden, has_open (something is owed) and
    accounts_age_months (NaN without accounts) of the rows of one day, positions in their order."""
    answers = Answers(model.pd(rows), model.thin_file.pd_of(rows))
    rating = rate(positions, answers, model, policy, as_of)
    told = pd.DataFrame({"customer_id": rows["customer_id"].to_numpy(), "status": rating.status, "pd": rating.pd})
    told["grade"] = rating.grade
    told["is_overridden"] = np.array([value is not None for value in text(positions["grade_override"])])
    told["has_open"] = number(positions["open_amount"]) > 0
    told["accounts_age_months"] = age_in_months(positions["accounts_end_on"], as_of)
    return told


def is_new(positions: pd.DataFrame, below_months: int) -> np.ndarray:
    """`new` for customers with less history than that, `old` for the others; None where it is not known."""
    months = pd.to_numeric(positions["history_months"], errors="coerce").to_numpy(dtype=float)
    told = np.where(months < below_months, "new", "old").astype(object)
    told[np.isnan(months)] = None
    return told


def _before(day: dt.date, months: int) -> dt.date:
    month = day.year * 12 + day.month - 1 - months
    return day.replace(year=month // 12, month=month % 12 + 1, day=1)
