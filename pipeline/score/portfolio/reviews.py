"""Which alerts of customers who are not overdue to look into: what is new first, then what no list had room for yet,
then what comes back after a while."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd

from pipeline.score.alerts import SEVERITIES
from pipeline.score.portfolio.worklist import collectors, ranked
from pipeline.score.position_columns import days

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet

    import numpy.typing as npt

    from pipeline.score.portfolio.sections import CollectionsSection

REVIEWS = (
    "customer_id", "collector", "rank", "is_in_budget", "is_due", "state", "opened_on", "severity", "alerts",
    "loss_cents", "grade", "is_left_over",
)  # fmt: skip
WEEK = 7

AlertKey: TypeAlias = tuple[str, str, "dt.date"]
"""Customer, rule and day of opening."""


def days_looked_at(as_of: dt.date, runs: Iterable[dt.date]) -> int:
    """Days of alerts that one list is for: a week, or those since the newest run that is at least a week old, of which
    the list before was made."""
    earlier = [day for day in runs if (as_of - day).days >= WEEK]
    return (as_of - max(earlier)).days if earlier else WEEK


def reviews_of(
    book: pd.DataFrame,
    alerts: pd.DataFrame,
    cases: pd.DataFrame,
    policy: CollectionsSection,
    *,
    as_of: dt.date,
    looked_at: int = WEEK,
    left: AbstractSet[AlertKey] = frozenset(),
) -> pd.DataFrame:
    """Customers with an alert who are no case, in the order in which to look into them (`REVIEWS`).

    `book`: as for `cases_of`, with alerts (their number) and loss_cents. `alerts`: of the day (customer_id, rule,
    severity, state, opened_on). An alert is new when it opened in the last `looked_at` days, and due then, as long as
    it is `left` (due on an earlier list, and in the budget of none since; score/portfolio/left_over.py), and when a
    whole multiple of `review_again_days` since its opening fell into these days; between, it waits. A customer is told
    by its foremost alert: new before left before due again before waiting, then the gravest, then the latest opened.
    Customers come in the same order, but within new, left and due again those of whom nothing can be lost come after
    the others; then by expected loss, largest first. Who waits is in no budget.
    """
    foremost = _foremost(alerts, policy, as_of, looked_at, left)
    rows = book.drop(columns="severity").merge(foremost, on="customer_id", how="inner")
    rows = rows[~rows["customer_id"].isin(cases["customer_id"])]
    rows = rows.assign(nothing_to_lose=rows["loss_cents"] <= 0)
    keys = ["place", "nothing_to_lose", "gravity", "loss_cents", "customer_id"]
    order = rows.sort_values(keys, ascending=[True, True, False, False, True], ignore_index=True)
    takes = {name: policy.budget.of(name).reviews_per_week for name in collectors(order)}
    return ranked(order, takes, order["is_due"].to_numpy(dtype=bool))[list(REVIEWS)]


def alert_keys(alerts: pd.DataFrame) -> frozenset[AlertKey]:
    """The alerts that stand."""
    return frozenset(_keys(_standing(alerts)))


def alerts_due(
    alerts: pd.DataFrame, policy: CollectionsSection, *, as_of: dt.date, looked_at: int
) -> frozenset[AlertKey]:
    """The alerts that are new on a list, or come back on it."""
    rows = _standing(alerts)
    is_new, is_back = _moments(rows, policy.review_again_days, as_of, looked_at)
    return frozenset(_keys(rows[is_new | is_back]))


def _foremost(
    alerts: pd.DataFrame, policy: CollectionsSection, as_of: dt.date, looked_at: int, left: AbstractSet[AlertKey]
) -> pd.DataFrame:
    """One row per customer with an alert that stands."""
    rows = _standing(alerts)
    is_new, is_back = _moments(rows, policy.review_again_days, as_of, looked_at)
    is_left = np.array([key in left for key in _keys(rows)], dtype=bool) & ~is_new
    told = pd.DataFrame(
        {
            "customer_id": rows["customer_id"].to_numpy(dtype=object),
            "severity": rows["severity"].to_numpy(dtype=object),
            "gravity": [SEVERITIES.index(one) for one in rows["severity"]],
            "state": np.where(is_new, "new", "open").astype(object),
            "opened_on": days(rows["opened_on"]),
            "is_due": is_new | is_left | is_back,
            "is_left_over": is_left,
            "place": np.select([is_new, is_left, is_back], [0, 1, 2], default=3),
        }
    )
    told = told.astype({"gravity": np.int64})
    first = told.sort_values(["customer_id", "place", "gravity", "opened_on"], ascending=[True, True, False, False])
    return first.drop_duplicates("customer_id")


def _standing(alerts: pd.DataFrame) -> pd.DataFrame:
    return alerts[(alerts["state"] != "closed").to_numpy()]


def _moments(
    rows: pd.DataFrame, again_days: int, as_of: dt.date, looked_at: int
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Where an alert opened in the days that the list is for, and where it came back in them."""
    age = (np.datetime64(as_of, "D") - days(rows["opened_on"])).astype(np.int64)
    is_new = age < looked_at
    return is_new, ~is_new & (age // again_days > (age - looked_at) // again_days)


def _keys(rows: pd.DataFrame) -> list[AlertKey]:
    opened = days(rows["opened_on"]).astype("datetime64[D]").astype(object)
    return list(zip(rows["customer_id"], rows["rule"], opened, strict=True))
