"""Fits the thin-file pool: one cautious PD for customers with too little history to be told apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.errors import MissingInputError
from pipeline.score.thin_file import ThinFile
from pipeline.statistics.proportions import jeffreys_upper

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from pipeline.score.thin_file import ThinFileRule
    from pipeline.train.sample import Sample

DUE_COLUMN = "invoices_due_12m_count"
HISTORY_COLUMN = "history_months"


def thin_rows(rows: pd.DataFrame, rule: ThinFileRule) -> NDArray[np.bool_]:
    """True where the rule bites, from `invoices_due_12m_count` and `history_months`.

    Raises MissingInputError when the book lacks one of them.
    """
    missing = [name for name in (DUE_COLUMN, HISTORY_COLUMN) if name not in rows.columns]
    if missing:
        raise MissingInputError(
            f"thin file: the book lacks {', '.join(missing)}, which the rule of the thin pool reads; join them to the "
            "features of each snapshot"
        )
    return rule.is_thin(rows[DUE_COLUMN].to_numpy(dtype=float), rows[HISTORY_COLUMN].to_numpy(dtype=float))


def fit_thin_file(sample: Sample, rule: ThinFileRule, confidence: float) -> ThinFile:
    """Upper bound of the pool's default rate at `confidence` (one-sided Jeffreys), with customers as the evidence.

    The rate is that of the pool's rows; months of one customer are one witness, so the bound counts customers. An empty
    pool takes the bound of the whole sample.
    """
    pool = sample.part(thin_rows(sample.rows, rule))
    source = pool if len(pool.is_bad) else sample
    rate = float(source.is_bad.sum()) / len(source.is_bad)
    bound = jeffreys_upper(rate * source.customers, source.customers, confidence)
    return ThinFile(min(max(bound, rate), 0.999), pool.bad_customers, pool.customers, confidence, rule)
