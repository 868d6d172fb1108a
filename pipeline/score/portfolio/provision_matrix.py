"""The provision matrix of IFRS 9's simplified approach: what share of a bucket was lost, and what that means today."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pipeline.history.snapshots import months_before
from pipeline.score.portfolio.ageing import claims
from pipeline.score.portfolio.amounts import share, told

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pipeline.score.portfolio.ageing import Buckets
    from pipeline.score.portfolio.rolls import Rounds
    from pipeline.score.portfolio.sections import ProvisionsSection
    from pipeline.statistics.bootstrap import Resamples

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Cells:
    """Cents by group of customers and bucket: what stood open on the days looked at, what was lost of it, today's
    balance times its loss given default."""

    stood: Floats
    lost: Floats
    at_stake: Floats


def provision_matrix(
    items: pd.DataFrame,
    days: Sequence[dt.date],
    lost_on: Mapping[str, dt.date],
    lgd: Mapping[str, float],
    groups: Mapping[str, str],
    *,
    policy: ProvisionsSection,
    buckets: Buckets,
    rounds: Rounds,
) -> dict[str, Any]:
    """Provision by bucket on the last of `days`, with intervals.

    Of every amount that stood in a bucket on one of `days` at least `outcome_months` old, the lost part is what had
    passed the last bucket or was written off `outcome_months` later (`lost_on`, by item). Provision = balance x lost
    rate x loss given default (`lgd`, by customer) x mean factor of the scenarios; rate times factor is 1 at most. In
    the last bucket the rate is 1. Rates come from whole groups of customers drawn anew. A rate of fewer customers than
    the policy asks for is not told (null); that of the next worse bucket stands in, as `rate_from` tells (null: none
    can, and there is no provision).
    Source: IFRS 9, B5.5.35 and IE74 to IE77; the balances of month ends are used, as it is to one that the rate is
    applied.
    """
    today = days[-1]
    watched = [day for day in days if months_before(day, -policy.outcome_months) <= today]
    cells, customers = _cells(items, today, watched, lost_on, lgd, groups, policy, len(buckets.names))
    scenarios = policy.scenarios_on(today)
    factor = 1.0 if scenarios is None else scenarios.mean_factor
    sources = _sources([here >= policy.fewest_customers for here, _ in customers])
    rates = _rates(cells.lost.sum(axis=0)[None, :], cells.stood.sum(axis=0)[None, :])
    at_stake = cells.at_stake.sum(axis=0)
    draws = rounds.of(max(len(cells.stood), 1))
    drawn = [
        _rates(np.einsum("rc,cb->rb", w, cells.lost), np.einsum("rc,cb->rb", w, cells.stood)) for w in draws.weights()
    ]
    samples = np.concatenate(drawn) if len(cells.stood) else np.full((1, len(buckets.names)), np.nan)
    used, used_drawn = (_used(found, sources, factor) for found in (rates, samples))
    found = _Found(cells, customers, sources, rates, samples, used, used_drawn)
    balances = claims(items, today)
    rows = [_row(place, balances, found, buckets, draws) | {"factor": factor} for place in range(len(buckets.names))]
    total = draws.interval(_total(used, at_stake)[0], _total(used_drawn, at_stake))
    return {
        "as_of": today.isoformat(),
        "buckets": rows,
        "total": _money(total),
        "first_day": watched[0].isoformat() if watched else None,
        "last_day": watched[-1].isoformat() if watched else None,
        "days_seen": len(watched),
        "outcome_months": policy.outcome_months,
        "fewest_customers": policy.fewest_customers,
        "confidence": rounds.confidence,
        "scenarios": told_scenarios(policy, today),
    }


@dataclass(frozen=True)
class _Found:
    """What the history told, by bucket: `customers` seen and of them lost, whose rate is used, rates and used rates on
    the whole (one row) and in every round."""

    cells: _Cells
    customers: Sequence[tuple[int, int]]
    sources: Sequence[int | None]
    rates: Floats
    rates_drawn: Floats
    used: Floats
    used_drawn: Floats


def _row(place: int, balances: pd.DataFrame, found: _Found, buckets: Buckets, draws: Resamples) -> dict[str, Any]:
    """One line of the matrix."""
    here = balances[balances["bucket"] == place]
    balance, at = int(here["cents"].sum()), found.sources[place]
    at_stake, value = float(found.cells.at_stake[:, place].sum()), float(found.used[0, place])
    rate = draws.interval(float(found.rates[0, place]), found.rates_drawn[:, place]).as_json()
    return {
        "bucket": buckets.names[place],
        "balance": told(balance),
        "items": len(here),
        "lost_rate": rate if at == place else None,
        "rate_from": None if at is None else buckets.names[at],
        "by_definition": place == len(buckets.names) - 1,
        "customers_seen": found.customers[place][0],
        "customers_lost": found.customers[place][1],
        "amount_seen": told(found.cells.stood[:, place].sum()),
        "amount_lost": told(found.cells.lost[:, place].sum()),
        "lgd": share(at_stake, balance),
        "used_rate": None if np.isnan(value) else value,
        "provision": _money(draws.interval(value * at_stake, found.used_drawn[:, place] * at_stake)),
    }


def told_scenarios(policy: ProvisionsSection, day: dt.date) -> dict[str, Any] | None:
    """The scenarios in force with whether they are out of date; null when none is dated on or before the day."""
    one = policy.scenarios_on(day)
    if one is None:
        return None
    return {
        "valid_from": one.valid_from.isoformat(),
        "source_en": " ".join(one.source_en.split()),
        "source_zh": " ".join(one.source_zh.split()),
        "mean_factor": one.mean_factor,
        "is_out_of_date": months_before(day, policy.review_months) > one.valid_from,
        "review_months": policy.review_months,
        "cases": [{"name": c.name, "weight": c.weight, "factor": c.factor} for c in one.cases],
    }


def _cells(  # noqa: PLR0917 - what the matrix is made of
    items: pd.DataFrame,
    today: dt.date,
    watched: Sequence[dt.date],
    lost_on: Mapping[str, dt.date],
    lgd: Mapping[str, float],
    groups: Mapping[str, str],
    policy: ProvisionsSection,
    n: int,
) -> tuple[_Cells, list[tuple[int, int]]]:
    """The cells, and by bucket how many customers were seen and how many lost something."""
    seen = items[items["as_of"].isin(list(watched)) & ~items["is_credit"]]
    ends = {day: months_before(day, -policy.outcome_months) for day in watched}
    lost_day = seen["invoice_id"].map(lost_on)
    is_lost = np.array(
        [not pd.isna(on) and on <= ends[day] for on, day in zip(lost_day, seen["as_of"], strict=True)],
        dtype=bool,
    )
    # The last bucket is lost by definition, also where the item stood in it before the books began.
    is_lost |= seen["bucket"].to_numpy() == n - 1
    now = claims(items, today)
    names = np.unique([groups.get(c, c) for c in {*seen["customer_id"], *now["customer_id"]}])
    place = {name: at for at, name in enumerate(names)}
    stood, lost, at_stake = (np.zeros((len(names), n)) for _ in range(3))
    codes = np.array([place[groups.get(c, c)] for c in seen["customer_id"]], dtype=np.int64)
    bucket, cents = seen["bucket"].to_numpy(int), seen["cents"].to_numpy(float)
    np.add.at(stood, (codes, bucket), cents)
    np.add.at(lost, (codes, bucket), cents * is_lost)
    owners = np.array([place[groups.get(c, c)] for c in now["customer_id"]], dtype=np.int64)
    loss = np.array([lgd[c] for c in now["customer_id"]], dtype=float)
    np.add.at(at_stake, (owners, now["bucket"].to_numpy(int)), now["cents"].to_numpy(float) * loss)
    counted = [
        (
            int(seen.loc[bucket == b, "customer_id"].nunique()),
            int(seen.loc[(bucket == b) & is_lost, "customer_id"].nunique()),
        )
        for b in range(n)
    ]
    return _Cells(stood, lost, at_stake), counted


def _sources(enough: Sequence[bool]) -> list[int | None]:
    """The bucket whose rate is used for each: itself, or the next worse one that was seen often enough.

    The last, which is lost by definition, stands in for its neighbour only; of a younger bucket it says nothing (null).

    >>> _sources([True, False, True, False, False]), _sources([False, False, False])
    ([0, 2, 2, 4, 4], [None, 2, 2])
    """
    last = len(enough) - 1
    found = [next((b for b in range(place, last) if enough[b]), None) for place in range(len(enough))]
    return [last if b is None and place >= last - 1 else b for place, b in enumerate(found)]


def _used(rates: Floats, sources: Sequence[int | None], factor: float) -> Floats:
    """The rate of each bucket's source times the factor of the scenarios, 1 at most; NaN without a source."""
    columns = [np.full(len(rates), np.nan) if b is None else rates[:, b] for b in sources]
    return np.asarray(np.minimum(np.stack(columns, axis=1) * factor, 1.0))


def _rates(lost: Floats, stood: Floats) -> Floats:
    out = np.full(lost.shape, np.nan)
    rates: Floats = np.divide(lost, stood, out=out, where=stood > 0)
    rates[:, -1] = 1.0
    return rates


def _total(used: Floats, at_stake: Floats) -> Floats:
    # A bucket without balance needs no rate.
    return np.asarray(np.where(at_stake > 0, used * at_stake, 0.0).sum(axis=1))


def _money(interval: Any) -> dict[str, Any]:
    raw = interval.as_json()
    return {name: told(raw[name]) for name in ("value", "low", "high")}
