"""Fits the thin-file pool: one cautious PD for customers with too little history to be told apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.errors import MissingInputError
from pipeline.score.thin_file import ThinFile, ThinFileRule
from pipeline.statistics.proportions import jeffreys_upper

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from pipeline.train.sample import Sample

DUE_COLUMN = "invoices_due_12m_count"
HISTORY_COLUMN = "history_months"
NOBODY = ThinFileRule(min_invoices_due_12m=0, min_history_months=0)


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


def fit_thin_file(sample: Sample, rule: ThinFileRule | None, confidence: float) -> ThinFile:
    """Upper bound of the pool's default rate at `confidence` (one-sided Jeffreys), with customers as the evidence.

    The rate is that of the pool's rows; months of one customer are one witness, so the bound counts customers. An empty
    pool takes the bound of the whole sample. Without a rule (a table of one's own tells no invoices and no history) the
    pool is empty and its rule one that nobody meets: every row is rated by the model.
    """
    if rule is None:
        rule, is_thin = NOBODY, np.zeros(len(sample.is_bad), dtype=bool)
    else:
        is_thin = thin_rows(sample.rows, rule)
    pool = sample.part(is_thin)
    source = pool if len(pool.is_bad) else sample
    rate = float(source.is_bad.sum()) / len(source.is_bad)
    bound = jeffreys_upper(rate * source.customers, source.customers, confidence)
    return ThinFile(min(max(bound, rate), 0.999), pool.bad_customers, pool.customers, confidence, rule)
