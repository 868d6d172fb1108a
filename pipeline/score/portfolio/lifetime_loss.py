"""The lifetime expected credit loss of the open items, from the model's PD and the dated scenarios."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pipeline.score.portfolio.amounts import told
from pipeline.score.portfolio.provision_matrix import told_scenarios

if TYPE_CHECKING:
    import datetime as dt

    from numpy.typing import ArrayLike, NDArray

    from pipeline.score.portfolio.ageing import Buckets
    from pipeline.score.portfolio.sections import ProvisionsSection

    Floats = NDArray[np.float64]


def life_days(days_to_due: ArrayLike, past_due_days: int, window_days: int) -> NDArray[np.int64]:
    """Days over which an item is at risk: until it would itself be `past_due_days` past due; once overdue, the window.

    The days that an overdue item has left to its own default grow fewer as the default comes nearer, so they measure no
    risk: it is given the whole window, and more where the policy gives more.

    >>> life_days([30, 0, -1, -60, -89], 90, 365).tolist()
    [120, 90, 365, 365, 365]
    """
    due = np.asarray(days_to_due, dtype=np.int64)
    left = due + past_due_days
    return np.where(due < 0, np.maximum(left, window_days), left)


def scaled_pd(pd_window: ArrayLike, window_days: int, life: ArrayLike, factor: float = 1.0) -> Floats:
    """The PD of the window, scaled to another length at a constant intensity of default times `factor`.

    1 - (1 - PD)^(factor x life / window); a PD of 1 stays 1. Survival under a constant hazard rate.

    >>> [round(float(p), 4) for p in scaled_pd([0.19, 0.19, 1.0], 360, [180, 360, 10])]
    [0.1, 0.19, 1.0]
    """
    pd, days = np.asarray(pd_window, dtype=float), np.asarray(life, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = -np.expm1(np.log1p(-pd) * factor * days / window_days)
    return np.asarray(np.where(pd >= 1.0, 1.0, scaled))


def lifetime_loss(  # noqa: PLR0917 - what the loss is made of
    now: pd.DataFrame,
    customers: pd.DataFrame,
    window_days: int,
    policy: ProvisionsSection,
    buckets: Buckets,
    today: dt.date,
    level: tuple[float, float] | None,
) -> dict[str, Any]:
    """Lifetime expected loss by bucket of the claims open on the day, and by scenario.

    `customers` is indexed by customer_id, with pd (of the window; null: not told) and lgd. An item of a customer in
    default, or past the last bucket, has PD 1. Items of customers without a PD are left out and counted. `level` are
    the ends of the interval of observed over expected defaults: the interval of the loss scales the PDs by them, null
    where there is none. No discounting: lives are below a year (IFRS 15, 63).
    """
    own = customers.reindex(now["customer_id"])
    pds, lgd = own["pd"].to_numpy(float), own["lgd"].to_numpy(float)
    last = len(buckets.names) - 1
    bucket = now["bucket"].to_numpy(int)
    is_default = bucket == last
    is_told = ~np.isnan(np.where(is_default, 1.0, pds)) & ~np.isnan(lgd)
    due = np.array([0 if pd.isna(one) else (one - today).days for one in now["due_on"]])
    life = life_days(due, buckets.ends[-1], window_days)
    stake = np.where(is_told, now["cents"].to_numpy(float) * np.where(np.isnan(lgd), 0.0, lgd), 0.0)

    def losses(factor: float, of_pd: float = 1.0) -> Floats:
        bent = np.where(pds >= 1.0, 1.0, np.minimum(pds * of_pd, 0.999999))
        chance = np.where(is_default, 1.0, scaled_pd(bent, window_days, life, factor))
        return np.asarray(np.where(is_told, np.nan_to_num(chance) * stake, 0.0))

    one = policy.scenarios_on(today)
    cases = [("base", 1.0, 1.0)] if one is None else [(c.name, c.weight, c.factor) for c in one.cases]
    by_case = {name: losses(factor) for name, _, factor in cases}
    mean = np.asarray(sum(weight * by_case[name] for name, weight, _ in cases))
    low, high = (None, None) if level is None else (
        sum(weight * float(losses(factor, end).sum()) for _, weight, factor in cases) for end in level
    )  # fmt: skip
    performing = ~is_default & (pds < 1.0)
    return {
        "as_of": today.isoformat(),
        "total": {"value": told(mean.sum()), "low": told(low), "high": told(high)},
        "of_default": told(mean[~performing].sum()),
        "items": int(is_told.sum()),
        "left_out": {"items": int((~is_told).sum()), "amount": told(int(now["cents"].to_numpy()[~is_told].sum()))},
        "mean_life_days": float(
            np.average(life[performing & is_told], weights=now["cents"].to_numpy()[performing & is_told])
        )
        if (performing & is_told).any()
        else None,
        "window_days": window_days,
        "buckets": [
            {"bucket": name, "loss": told(mean[bucket == at].sum()), "items": int((is_told & (bucket == at)).sum())}
            for at, name in enumerate(buckets.names)
        ],
        "cases": [
            {"name": name, "weight": weight, "factor": factor, "loss": told(by_case[name].sum())}
            for name, weight, factor in cases
        ],
        "scenarios": told_scenarios(policy, today),
    }
