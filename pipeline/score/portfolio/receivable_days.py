"""Days sales outstanding: how many days of billing stand unpaid, and how few could."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.score.portfolio.ageing import claims
from pipeline.score.portfolio.amounts import share, told

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from pipeline.score.portfolio.ageing import Buckets


def days_outstanding(open_cents: float, billed_cents: float, days: int) -> float | None:
    """Receivables over the billing of a period, times its days; null without billing above 0.

    Both are less credit notes. With all receivables this is the DSO, with those not yet due the best possible DSO;
    their difference is the average days delinquent. Source: Credit Research Foundation, standard receivables measures.

    >>> days_outstanding(300_000, 450_000, 90)
    60.0
    """
    return days * open_cents / billed_cents if billed_cents > 0 else None


def outstanding_over_time(
    items: pd.DataFrame,
    billed: Mapping[dt.date, int],
    starts: Mapping[dt.date, dt.date],
    days: Sequence[dt.date],
    buckets: Buckets,
) -> list[dict[str, Any]]:
    """Per day: receivables, overdue share, DSO, best possible DSO, days delinquent, amounts by ageing bucket.

    `billed` is the billing in cents of the months before each day, less credit notes, as known on it; `starts` the day
    before its first. Receivables and buckets hold no credit notes; the days do, since billing is less them: an open
    one, which has no days past due, lowers what is not yet due.
    """
    places = range(len(buckets.names))
    rows = []
    for day in days:
        standing = claims(items, day)
        total = int(standing["cents"].sum())
        credit = int(items.loc[(items["as_of"] == day) & items["is_credit"], "cents"].sum())
        overdue = int(standing["overdue_cents"].sum())
        period, sold = (day - starts[day]).days, billed.get(day, 0)
        net = total + credit
        dso, best = days_outstanding(net, sold, period), days_outstanding(net - overdue, sold, period)
        rows.append(
            {
                "as_of": day.isoformat(),
                "receivables": told(total),
                "credit_notes": told(credit),
                "overdue": told(overdue),
                "overdue_share": share(overdue, total),
                "billed": told(sold),
                "days": period,
                "dso": dso,
                "best_possible_dso": best,
                "days_delinquent": None if dso is None or best is None else dso - best,
                "by_bucket": [told(int(standing.loc[standing["bucket"] == at, "cents"].sum())) for at in places],
            }
        )
    return rows
