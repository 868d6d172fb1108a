"""What a model was fitted on, kept beside it: distributions that drift is measured from, and rows to check it by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.score.drift import score_levels
from pipeline.score.feature_columns import category_column, number_column
from pipeline.score.scorecard import Scorecard
from pipeline.train.splits import hashed_share

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    own = {c.feature: list(c.splits) for c in predictor.characteristics} if isinstance(predictor, Scorecard) else {}
    return {
        **sample.counts(),
        "first_as_of": min(sample.days).isoformat(),
        "last_as_of": max(sample.days).isoformat(),
        "mean_pd": float(pd_of_rows.mean()),
        "score": numbers_distribution(levels, quantile_splits(levels)),
        "features": {name: _feature(sample.rows, name, own.get(name)) for name in predictor.features},
    }


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


def _feature(rows: pd.DataFrame, name: str, splits: list[float] | None) -> dict[str, Any]:
    if _holds_text(rows[name]):
        texts, is_null = category_column(rows, name)
        names, counts = np.unique(texts[~is_null].astype(str), return_counts=True)
        return {"categories": names.tolist(), "counts": [*counts.tolist(), 0], "missing": int(is_null.sum())}
    values = number_column(rows, name)
    return numbers_distribution(values, quantile_splits(values) if splits is None else splits)


def _holds_text(column: pd.Series) -> bool:
    return bool(column.map(lambda value: isinstance(value, str)).any())
