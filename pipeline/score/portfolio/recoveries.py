"""What came in of the amounts given up: the check of the loss given default that policy sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pipeline.history.snapshots import months_before
from pipeline.score.portfolio.ageing import claims
from pipeline.score.portfolio.amounts import told
from pipeline.score.portfolio.rolls import moves
from pipeline.statistics.bootstrap import ratio_interval, resamples

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping, Sequence

    from pipeline.score.portfolio.ageing import Buckets
    from pipeline.score.portfolio.rolls import Rounds


def recoveries(
    items: pd.DataFrame,
    days: Sequence[dt.date],
    written_off_on: Mapping[str, dt.date],
    groups: Mapping[str, str],
    *,
    months: int,
    fewest: int,
    buckets: Buckets,
    rounds: Rounds,
) -> dict[str, Any] | None:
    """Of what entered the last bucket, the share paid, still open and written off `months` later, over all month ends
    that are old enough; null with fewer than `fewest` customers. `recovered` has an interval by group of customers.

    An item is counted once, with what was open of it on the first of the days it stood in the bucket: one that lies
    there long is no more witnesses than one. What stood there on the first day of all entered unseen and is left out.
    Cash and credit notes applied both settle an item: a credit is not money, so that this is the most that came in.
    """
    last = len(buckets.names) - 1
    found, count = [], 0
    for day, entered in _entries(items, days, last):
        end = months_before(day, -months)
        later = next((one for one in days if one >= end and (one - end).days <= 3), None)
        if later is None:
            continue
        followed = items[(items["as_of"] == later) & items["invoice_id"].isin(entered["invoice_id"])]
        count += len(entered)
        found.append(moves(pd.concat([entered, followed]), [day, later], written_off_on, buckets))
    if not found:
        return None
    rows = pd.concat(found)
    customers = int(rows["customer_id"].nunique())
    if customers < fewest:
        return {"customers": customers, "recovered": None}
    keys = np.array([groups.get(c, c) for c in rows["customer_id"]])
    names, codes = np.unique(keys, return_inverse=True)
    cents = rows["cents"].to_numpy(float)
    total = np.bincount(codes, weights=cents)
    paid = np.bincount(codes, weights=cents * (rows["state"].to_numpy() == last + 1))
    off = float(cents[rows["state"].to_numpy() == last + 2].sum())
    draws = resamples(names, rounds.rounds, rounds.confidence, rounds.seed)
    return {
        "customers": customers,
        "items": count,
        "amount": told(total.sum()),
        "recovered": ratio_interval(paid, total, draws).as_json(),
        "written_off": off / total.sum(),
        "open": 1.0 - (off + paid.sum()) / total.sum(),
        "months": months,
    }


def _entries(items: pd.DataFrame, days: Sequence[dt.date], last: int) -> Iterator[tuple[dt.date, pd.DataFrame]]:
    """By day but the first, the claims that stand in the last bucket and stood there on no day before."""
    seen: set[str] = set()
    for place, day in enumerate(days):
        standing = claims(items, day)
        standing = standing[standing["bucket"] == last]
        if place:
            yield day, standing[~standing["invoice_id"].isin(seen)]
        seen |= set(standing["invoice_id"])
