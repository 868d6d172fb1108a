"""What a served model answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from pipeline.score.model import Model


def answers(model: Model, rows: pd.DataFrame) -> pd.DataFrame:
    """One row per feature row: `pd` (probability of the label) and `score` (points, higher is safer)."""
    probability = model.pd(rows)
    return pd.DataFrame({"pd": probability, "score": model.scaling.score(probability)}, index=rows.index)
