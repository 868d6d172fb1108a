"""Published PDs against what became of the customers; and, before that is known, what the PDs themselves expect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.statistics.bootstrap import discrimination_intervals, ratio_interval, resamples
from pipeline.statistics.discrimination import ordered
from pipeline.statistics.proportions import jeffreys_interval, jeffreys_too_low

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    from pipeline.night_params import MonitorParams


def matured(rows: pd.DataFrame, settings: MonitorParams) -> dict[str, Any]:
    """How the PDs of one run came out: level with intervals, Jeffreys tests in total and by grade, order.

    `rows`: pd, grade, is_bad (0 or 1), group_key, one per customer that was not in default. Observed over expected is
    the default rate over the mean PD; its interval is Jeffreys' over the mean PD, for a cohort of one day in which
    every customer stands once. `p_too_low` is the ECB's test (2019, section 2.5.3.1): small when PDs were too low. The
    Gini's interval resamples groups. With fewer bad customers than the settings ask for there is no Gini.
    """
    pds, bad = rows["pd"].to_numpy(float), rows["is_bad"].to_numpy(float)
    n, bads, expected = len(rows), int(bad.sum()), float(pds.sum())
    if not n or expected <= 0:
        return {"customers": n, "bads": bads, "expected": expected, "level": None, "gini": None, "grades": []}
    low, high = (end * n / expected for end in jeffreys_interval(bads, n, settings.confidence))
    return {
        "customers": n,
        "bads": bads,
        "expected": expected,
        "level": {"value": bads / expected, "low": low, "high": high},
        "p_too_low": jeffreys_too_low(expected / n, bads, n),
        "gini": _gini(rows, settings) if settings.min_bad_customers <= bads < n else None,
        "grades": _by_grade(rows),
    }


def expected_gini(pd: ArrayLike) -> float | None:
    """The Gini that the PDs themselves expect: a pair is right when the riskier of a bad and a good has the higher PD.

    Each customer is a bad with weight p and a good with weight 1 - p; no customer is paired with itself. Null where
    there is no pair. What the model believes of itself: a model that is wrong is wrong here too. Idea: confidence-based
    performance estimation (Kivimäki et al. 2024).

    >>> expected_gini([0.5, 0.5]), expected_gini([0.0, 1.0])
    (0.0, 1.0)
    """
    p = np.asarray(pd, dtype=float)
    return _expected_order(p)[0] if len(p) else None


def _expected_order(p: NDArray[np.float64]) -> tuple[float | None, float]:
    """The expected Gini, and the standard error of the one that comes when defaults fall as the PDs say.

    The AUC is won over pairs, both sums of independent defaults; to first order its variance is the sum over customers
    of p (1 - p) times the square of how much it moves when that customer defaults (delta method).
    """
    rows = ordered(p, np.zeros(len(p)))
    falling = p[rows.order]
    bads, goods = np.cumsum(falling)[rows.ends], np.cumsum(1.0 - falling)[rows.ends]
    more = np.diff(bads, prepend=0.0)
    ties = np.diff(goods, prepend=0.0)
    own = float(np.sum(p * (1.0 - p)))
    won = float(np.sum(more * (goods[-1] - goods + 0.5 * ties))) - 0.5 * own
    pairs = float(bads[-1] * goods[-1]) - own
    if pairs <= 1e-12:
        return None, 0.0
    # By customer, the riskiest first: goods of lower PD, won when it is bad; bads of higher PD, won when it is good.
    sizes = np.diff(rows.ends, prepend=-1)
    beaten = np.repeat(goods[-1] - goods + 0.5 * ties, sizes) - 0.5 * (1.0 - falling)
    lost = np.repeat(bads - more + 0.5 * more, sizes) - 0.5 * falling
    auc = won / pairs
    moves = beaten - lost - auc * ((goods[-1] - (1.0 - falling)) - (bads[-1] - falling))
    spread = float(np.sqrt(np.sum(falling * (1.0 - falling) * moves**2))) / pairs
    return 2.0 * auc - 1.0, 2.0 * spread


def believed(pd: ArrayLike, confidence: float) -> dict[str, Any]:
    """What a run expects of itself before anything is known: defaults and Gini, each with its range.

    The ranges are those of the number of defaults and of the Gini that come when every PD is right and customers
    default independently (normal approximations); in a bad year more fall together, and what is wrong in the PDs
    themselves is in neither.
    """
    from scipy.stats import norm

    p = np.asarray(pd, dtype=float)
    z = float(norm.ppf(0.5 + confidence / 2))
    spread = z * float(np.sqrt(np.sum(p * (1.0 - p))))
    gini, error = _expected_order(p) if len(p) else (None, 0.0)
    expected = float(p.sum())
    return {
        "customers": len(p),
        "expected": expected,
        "low": max(0.0, expected - spread),
        "high": min(float(len(p)), expected + spread),
        "gini": gini,
        "gini_low": None if gini is None else max(-1.0, gini - z * error),
        "gini_high": None if gini is None else min(1.0, gini + z * error),
    }


def yearly(days: Sequence[dt.date], apart: Sequence[dt.date]) -> list[dt.date]:
    """The days whose windows do not overlap, from the last one back: a test that takes customers as independent may
    use these only. `apart` are the ends of the windows, in the order of `days`, oldest first."""
    kept: list[dt.date] = []
    for day, end in sorted(zip(days, apart, strict=True), reverse=True):
        if not kept or end <= kept[-1]:
            kept.append(day)
    return kept[::-1]


def _gini(rows: pd.DataFrame, settings: MonitorParams) -> dict[str, Any]:
    draws = resamples(rows["group_key"], settings.rounds, settings.confidence, settings.seed)
    return discrimination_intervals(rows["pd"], rows["is_bad"], draws)["gini"].as_json()


def _by_grade(rows: pd.DataFrame) -> list[dict[str, Any]]:
    found = []
    for grade, part in rows.groupby("grade", sort=True):
        n, bads, mean = len(part), int(part["is_bad"].sum()), float(part["pd"].mean())
        told = {"grade": str(grade), "customers": n, "bads": bads, "mean_pd": mean}
        found.append({**told, "p_too_low": jeffreys_too_low(mean, bads, n)})
    return found


def pooled_level(rows: pd.DataFrame, settings: MonitorParams) -> dict[str, Any] | None:
    """Observed over expected of several cohorts together, with the interval by group of customers; null without rows.

    `rows` as for `matured`, one per customer and run: the runs of one customer are one witness.
    """
    if not len(rows) or float(rows["pd"].sum()) <= 0:
        return None
    draws = resamples(rows["group_key"], settings.rounds, settings.confidence, settings.seed)
    return ratio_interval(rows["is_bad"].to_numpy(float), rows["pd"].to_numpy(float), draws).as_json()
