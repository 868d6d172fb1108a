"""Whether bins hold over time: each bin's share and bad rate in the earlier and the later half of the dates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from pipeline.statistics.clustered import rate_ratio, rate_step
from pipeline.train.bin_figures import rate_of_groups

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.score.scorecard import Characteristic
    from pipeline.train.sample import Sample


def bin_stability(
    sample: Sample, characteristics: Sequence[Characteristic], confidence: float = 0.95
) -> list[dict[str, Any]]:
    """One entry per bin with rows: its share and bad rate by half, and what the change is worth.

    `ratio` is the later bad rate over the earlier with its interval at `confidence`, `p_value` (two-sided) tests the
    logarithm of that ratio, so that p is below 1 - `confidence` where the interval leaves out 1 and nowhere else; both
    by customer cluster, null where a half has no bad row. `is_turned`: with the later half alone the bin would change
    places with the one before it. `turn` tests that: see `_turn`. `early_low` to `late_high` are the ends of the
    Jeffreys intervals of both rates, and `error` of the ratio the standard error of its logarithm. Empty for rows
    without dates or of one date.
    """
    days = np.array([day for day in sample.days if day is not None])
    if len(days) < len(sample.days) or len(np.unique(days)) < 2:
        return []
    dates = np.unique(days)
    is_late = sample.days >= dates[len(dates) // 2]
    return [entry for c in characteristics for entry in _of(c, sample, is_late, confidence)]


def _of(characteristic: Characteristic, sample: Sample, is_late: np.ndarray, confidence: float) -> list[dict[str, Any]]:
    codes = characteristic.bin_index(sample.rows)
    told = []
    before: np.ndarray | None = None
    for position, b in enumerate(characteristic.bins):
        is_in = codes == position
        if not is_in.any():
            continue
        entry = _bin(characteristic.feature, b.label, (sample, is_in, is_late), confidence)
        if b.kind == "range":
            if before is not None and characteristic.risk != "either":
                entry["turn"] = _turn(sample, before & is_late, is_in & is_late, characteristic.risk)
                entry["is_turned"] = entry["turn"] is not None and entry["turn"]["against"] > 0
            before = is_in
        told.append(entry)
    return told


def _bin(feature: str, label: str, rows_of: tuple[Sample, np.ndarray, np.ndarray], confidence: float) -> dict[str, Any]:
    sample, is_in, is_late = rows_of
    entry: dict[str, Any] = {"feature": feature, "bin": label, "is_turned": False, "turn": None}
    for name, half in (("early", ~is_late), ("late", is_late)):
        rows = is_in & half
        entry[f"{name}_rows"] = int(rows.sum())
        entry[f"{name}_share"] = float(rows.sum() / half.sum())
        entry |= {f"{name}_{figure}": value for figure, value in _rate(sample, rows, confidence).items()}
    entry |= {"ratio": None, "p_value": None}
    if entry["early_rate"] and entry["late_rate"]:
        ratio, _ = rate_ratio(sample.is_bad[is_in], is_late[is_in], sample.codes[is_in], confidence)
        entry["ratio"] = {"value": ratio.value, "low": ratio.low, "high": ratio.high, "error": ratio.error}
        z = abs(np.log(ratio.value)) / ratio.error if ratio.error > 0 else 0.0
        entry["p_value"] = float(2.0 * stats.norm.sf(z))
    return entry


def _rate(sample: Sample, rows: np.ndarray, confidence: float) -> dict[str, float | None]:
    """Bad rate of some rows with its Jeffreys interval; null without rows."""
    if not rows.any():
        return {"rate": None, "low": None, "high": None}
    _, low, high = rate_of_groups(sample.is_bad[rows], sample.codes[rows], confidence)
    return {"rate": float(sample.is_bad[rows].mean()), "low": low, "high": high}


def _turn(sample: Sample, before: np.ndarray, here: np.ndarray, risk: str) -> dict[str, Any] | None:
    """How far the later bad rates of two neighbours stand against the declared direction; null where one has no rows.

    `against` is above 0 where they stand the wrong way round. `p_value` is one-sided, for the direction was declared
    before any outcome was seen and only its opposite is asked for: a score test by customer cluster with Student's t.
    Null with a single bad or good cluster.
    """
    if not before.any() or not here.any():
        return None
    rows = before | here
    step, error, degrees = rate_step(sample.is_bad[rows], here[rows], sample.codes[rows])
    against = -step if risk == "rises" else step
    is_tested = degrees > 0 and error > 0
    p_value = float(stats.t.sf(against / error, degrees)) if is_tested else None
    return {"against": against, "error": error, "degrees": degrees, "p_value": p_value}
