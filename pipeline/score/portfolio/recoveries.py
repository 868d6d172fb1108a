"""What came in of the amounts given up: the check of the loss given default that policy sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pipeline.history.snapshots import months_before
from pipeline.score.portfolio.amounts import told
from pipeline.score.portfolio.rolls import moves
from pipeline.statistics.bootstrap import ratio_interval, resamples

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

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
    """Of the amounts in the last bucket, the share paid, still open and written off `months` later, over all days that
    are old enough; null with fewer than `fewest` customers. `recovered` has an interval by group of customers.

    Cash and credit notes applied both settle an item: a credit is not money, so that this is the most that came in.
    """
    last = len(buckets.names) - 1
    found = []
    for day in days:
        end = months_before(day, -months)
        later = next((one for one in days if one >= end and (one - end).days <= 3), None)
        if later is None:
            continue
        old = items[(items["as_of"] == day) & (items["bucket"] == last)]
        then = items[(items["as_of"] == later) & (items["bucket"] == last)]
        rows = moves(pd.concat([old, then]), [day, later], written_off_on, buckets)
        found.append(rows[rows["bucket"] == last])
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
        "amount": told(total.sum()),
        "recovered": ratio_interval(paid, total, draws).as_json(),
        "written_off": off / total.sum(),
        "open": 1.0 - (off + paid.sum()) / total.sum(),
        "months": months,
    }
