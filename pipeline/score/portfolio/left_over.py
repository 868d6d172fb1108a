"""Alerts that no list had room for yet: the lists of the weeks before, made again from the runs of their days."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.score.portfolio.reviews import WEEK, alert_keys, alerts_due, days_looked_at, reviews_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

    from pipeline.score.portfolio.reviews import AlertKey
    from pipeline.score.portfolio.sections import CollectionsSection


@dataclass(frozen=True)
class EarlierDay:
    """A published day before the report's. `book`: customer_id, collector, grade, severity, alerts, loss_cents and
    overdue_cents; `alerts`: customer_id, rule, severity, state, opened_on."""

    book: pd.DataFrame
    alerts: pd.DataFrame


def days_of_lists(as_of: dt.date, runs: Iterable[dt.date], again_days: int) -> list[dt.date]:
    """Days of the lists before the one of `as_of`, oldest first: of the newest run at least a week before it, of the
    newest a week before that, and so on, as long as an alert of then has not come back.

    >>> import datetime as dt
    >>> nights = [dt.date(2025, 6, 1) + dt.timedelta(days=n) for n in range(30)]
    >>> [day.day for day in days_of_lists(dt.date(2025, 6, 30), nights, 20)]
    [16, 23]
    """
    days, found = sorted(set(runs)), [as_of]
    while earlier := [day for day in days if (found[-1] - day).days >= WEEK]:
        if (as_of - earlier[-1]).days >= again_days:
            break
        found.append(earlier[-1])
    return found[:0:-1]


def left_over(
    lists: Mapping[dt.date, EarlierDay], runs: Sequence[dt.date], policy: CollectionsSection
) -> frozenset[AlertKey]:
    """Alerts that were due on one of the lists and have fitted into none since.

    `lists` by day, oldest first; `runs`: the days of all runs. A customer who is told in the budget of its collector is
    told with all of its alerts. Who was overdue on a day, by the amount of the run, was no review then: its alerts
    keep their state. Budgets are those of today's policy.
    """
    left: frozenset[AlertKey] = frozenset()
    for day, told in lists.items():
        looked_at = days_looked_at(day, runs)
        cases = told.book[told.book["overdue_cents"] >= policy.amount_from * 100]
        found = reviews_of(told.book, told.alerts, cases, policy, as_of=day, looked_at=looked_at, left=left)
        shown, listed = set(found.loc[found["is_in_budget"], "customer_id"]), set(found["customer_id"])
        due = alerts_due(told.alerts, policy, as_of=day, looked_at=looked_at)
        waits = {key for key in left if key[0] not in shown} | {key for key in due if key[0] in listed - shown}
        left = frozenset(waits & alert_keys(told.alerts))
    return left
