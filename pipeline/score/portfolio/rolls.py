"""Roll rates: where the amounts of a bucket stand a month later, with intervals by group of customers."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pipeline.score.portfolio.ageing import claims
from pipeline.score.portfolio.amounts import share, told
from pipeline.statistics.bootstrap import Resamples, resamples

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pipeline.score.portfolio.ageing import Buckets

PAID, WRITTEN_OFF = "paid", "written_off"


@dataclass(frozen=True)
class Rounds:
    """Of the bootstrap: how many, at which confidence, from which seed."""

    rounds: int
    confidence: float
    seed: int

    def of(self, clusters: int) -> Resamples:
        """Resamples of clusters numbered from 0."""
        return resamples(np.arange(clusters), self.rounds, self.confidence, self.seed)


def moves(
    items: pd.DataFrame, days: Sequence[dt.date], written_off_on: Mapping[str, dt.date], buckets: Buckets
) -> pd.DataFrame:
    """What became within a month of each amount open on a day: one row per day, customer, bucket and state after.

    Columns: as_of (the later day), customer_id, bucket, state (a bucket's place; then paid, written off), cents, items
    (those of which the larger part went there). What is paid in part moves in part; an amount that grew, after a
    bounced payment, moves as it was.
    """
    off = len(buckets.names) + 1
    frames = []
    for before, after in pairwise(days):
        start = claims(items, before)[["customer_id", "invoice_id", "bucket", "cents"]]
        end = claims(items, after)[["invoice_id", "bucket", "cents"]]
        both = start.merge(end, on="invoice_id", how="left", suffixes=("", "_after"))
        stayed = np.minimum(both["cents_after"].fillna(0).astype(np.int64), both["cents"])
        gone_on = both["invoice_id"].map(written_off_on)
        is_off = np.array([isinstance(on, type(after)) and before < on <= after for on in gone_on], dtype=bool)
        place = both["bucket_after"].fillna(-1).astype(np.int64)
        gone = np.where(is_off, off, off - 1)
        common = {"as_of": after, "customer_id": both["customer_id"], "bucket": both["bucket"]}
        stays = pd.DataFrame({**common, "state": place, "cents": stayed, "items": stayed * 2 > both["cents"]})
        goes = pd.DataFrame({**common, "state": gone, "cents": both["cents"] - stayed})
        goes["items"] = ~stays["items"]
        both_ways = pd.concat([stays[place >= 0], goes])
        frames.append(both_ways[(both_ways["cents"] > 0) | both_ways["items"]])
    keys = ["as_of", "customer_id", "bucket", "state"]
    columns = [*keys, "cents", "items"]
    rows = pd.concat(frames) if frames else pd.DataFrame(columns=columns)
    return rows.astype({"items": np.int64, "cents": np.int64}).groupby(keys, as_index=False, sort=True).sum()[columns]


def roll_matrix(rows: pd.DataFrame, buckets: Buckets) -> list[dict[str, Any]]:
    """By bucket, the shares of its amount in each state a month later, null on an empty bucket."""
    states = (*buckets.names, PAID, WRITTEN_OFF)
    found = []
    for place, name in enumerate(buckets.names):
        part = rows[rows["bucket"] == place]
        total = int(part["cents"].sum())
        by_state = part.groupby("state")["cents"].sum()
        shares = {state: share(int(by_state.get(at, 0)), total) for at, state in enumerate(states)}
        customers = int(part["customer_id"].nunique())
        found.append({
            "bucket": name, "amount": told(total), "items": int(part["items"].sum()), "customers": customers,
            "shares": shares,
        })  # fmt: skip
    return found


def worse_rates(
    rows: pd.DataFrame, groups: Mapping[str, str], buckets: Buckets, rounds: Rounds
) -> list[dict[str, Any]]:
    """By bucket but the last: the share of its amount that stands in a worse one a month later or was written off, over
    all months of `rows`, and the chain of these rates to the last bucket, each with its interval.

    The chain is the flow-rate method: the product of the monthly rates from the bucket on. Groups of customers are
    drawn whole, since the items of one fall behind together.
    """
    n = len(buckets.names)
    cells = _cells(rows, groups, n)
    total, worse = cells.sum(axis=2), np.stack([cells[:, b, _worse(b, n)].sum(axis=1) for b in range(n)], axis=1)
    value = _rates(worse.sum(axis=0)[None, :], total.sum(axis=0)[None, :])
    draws = rounds.of(max(len(cells), 1))
    samples = [
        _rates(np.einsum("rc,cb->rb", w, worse), np.einsum("rc,cb->rb", w, total)) for w in _weights(draws, cells)
    ]
    drawn = np.concatenate(samples) if samples else np.full((1, n - 1), np.nan)
    chain, drawn_chain = _chain(value), _chain(drawn)
    return [
        {
            "bucket": name,
            "rate": draws.interval(float(value[0, b]), drawn[:, b]).as_json(),
            "chain": draws.interval(float(chain[0, b]), drawn_chain[:, b]).as_json(),
            "customers": int((total[:, b] > 0).sum()),
            "customers_worse": int((worse[:, b] > 0).sum()),
        }
        for b, name in enumerate(buckets.names[:-1])
    ]


def _cells(rows: pd.DataFrame, groups: Mapping[str, str], n: int) -> NDArray[np.float64]:
    """Cents by group of customers, bucket and state."""
    names, codes = np.unique([groups.get(c, c) for c in rows["customer_id"]], return_inverse=True)
    cells = np.zeros((len(names), n, n + 2))
    np.add.at(cells, (codes, rows["bucket"].to_numpy(int), rows["state"].to_numpy(int)), rows["cents"].to_numpy(float))
    return cells


def _worse(bucket: int, n: int) -> list[int]:
    return [*range(bucket + 1, n), n + 1]


def _weights(draws: Resamples, cells: NDArray[np.float64]) -> Any:
    return draws.weights() if len(cells) else ()


def _rates(worse: NDArray[np.float64], total: NDArray[np.float64]) -> NDArray[np.float64]:
    out = np.full(worse.shape, np.nan)
    return np.asarray(np.divide(worse, total, out=out, where=total > 0)[:, :-1], dtype=np.float64)


def _chain(rates: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.cumprod(rates[:, ::-1], axis=1)[:, ::-1], dtype=np.float64)
