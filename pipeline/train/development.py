"""What a model was fitted on, kept beside it: distributions that drift is measured from, and rows to check it by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.score.booster import Booster
from pipeline.score.drift import score_levels
from pipeline.score.feature_columns import category_column, number_column, without_codes
from pipeline.score.scorecard import Scorecard
from pipeline.score.segment_shifts import ShiftedBooster
from pipeline.train.splits import hashed_share

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from pipeline.score.model import Predictor
    from pipeline.train.sample import Sample

    Floats = NDArray[np.float64]

_BINS = 10


def development(sample: Sample, predictor: Predictor, pd_of_rows: Floats) -> dict[str, Any]:
    """Counts of the sample, its calibrated log odds over ten bins, and of each feature of the model.

    `score`: `splits` and one count more than splits, cut by `searchsorted(splits, value, side="right")`. A feature
    holds `splits`, or `categories` with a last count for any other; `missing` counts nulls. A scorecard uses its bins.
    """
    levels = score_levels(pd_of_rows)
    own, special = _bins_of(predictor)
    return {
        **sample.counts(),
        **_span(sample),
        "mean_pd": float(pd_of_rows.mean()),
        "score": numbers_distribution(levels, quantile_splits(levels)),
        "features": {
            name: _feature(sample.rows, name, own.get(name), special.get(name, ())) for name in predictor.features
        },
    }


def _bins_of(predictor: Predictor) -> tuple[dict[str, list[float]], Mapping[str, Sequence[float]]]:
    """The splits of a scorecard's features, and the special codes of either kind."""
    if isinstance(predictor, Scorecard):
        own = {c.feature: list(c.splits) for c in predictor.characteristics}
        return own, {c.feature: c.special for c in predictor.characteristics}
    booster = predictor.booster if isinstance(predictor, ShiftedBooster) else predictor
    return {}, booster.special if isinstance(booster, Booster) else {}


def numbers_distribution(values: Floats, splits: Sequence[float]) -> dict[str, Any]:
    """Counts between splits, NaN counted as missing.

    >>> numbers_distribution(np.array([1.0, 2.0, 5.0, np.nan]), [2.0])
    {'splits': [2.0], 'counts': [1, 2], 'missing': 1}
    """
    known = values[~np.isnan(values)]
    codes = np.searchsorted(np.asarray(splits, dtype=float), known, side="right")
    counts = np.bincount(codes, minlength=len(splits) + 1)
    return {"splits": [float(s) for s in splits], "counts": counts.tolist(), "missing": int(len(values) - len(known))}


def quantile_splits(values: Floats) -> list[float]:
    """Inner bounds of ten bins of about equal size; fewer where values repeat."""
    known = values[~np.isnan(values)]
    if not len(known):
        return []
    cuts = np.quantile(known, np.arange(1, _BINS) / _BINS, method="inverted_cdf")
    return [float(c) for c in np.unique(cuts) if c > known.min()]


def golden_rows(sample: Sample, rows: int = 100) -> pd.DataFrame:
    """Rows to check a model by, drawn by a hash of customer and day: the same whatever the order of the sample."""
    keys = [f"{c}|{d}" for c, d in zip(sample.rows["customer_id"], sample.days, strict=True)]
    drawn = np.array([hashed_share(0, f"golden:{key}") for key in keys])
    return sample.rows.iloc[np.argsort(drawn, kind="stable")[:rows]].reset_index(drop=True)


def _span(sample: Sample) -> dict[str, str | None]:
    """First and last day; null for rows without dates."""
    days = [day for day in sample.days if day is not None]
    return {
        "first_as_of": min(days).isoformat() if days else None,
        "last_as_of": max(days).isoformat() if days else None,
    }


def _feature(rows: pd.DataFrame, name: str, splits: list[float] | None, special: Sequence[float]) -> dict[str, Any]:
    """A special code counts as missing, and is named so that drift is counted alike."""
    if _holds_text(rows[name]):
        texts, is_null = category_column(rows, name)
        names, counts = np.unique(texts[~is_null].astype(str), return_counts=True)
        return {"categories": names.tolist(), "counts": [*counts.tolist(), 0], "missing": int(is_null.sum())}
    values = without_codes(number_column(rows, name), special)
    told = numbers_distribution(values, quantile_splits(values) if splits is None else splits)
    return {**told, "special": list(special)} if len(special) else told


def _holds_text(column: pd.Series) -> bool:
    return bool(column.map(lambda value: isinstance(value, str)).any())
