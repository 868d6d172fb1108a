"""The collections worklist and the alerts to look into as tables for other systems, whole and in order."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv

from pipeline.score.csv_text import escaped
from pipeline.score.position_columns import decimals

if TYPE_CHECKING:
    import datetime as dt

    import pandas as pd

    from pipeline.score.portfolio.sections import CollectionsSection

_MONEY = pa.decimal128(18, 2)
_SHARED = (
    ("as_of", pa.date32()), ("collector", pa.string()), ("rank", pa.int64()), ("is_in_budget", pa.bool_()),
    ("customer_id", pa.string()),
)  # fmt: skip
WORKLIST_SCHEMA = pa.schema([
    *_SHARED, ("step", pa.string()), ("step_en", pa.string()), ("step_zh", pa.string()), ("expected_recovery", _MONEY),
    ("overdue_amount", _MONEY), ("disputed_amount", _MONEY), ("items", pa.int64()), ("max_days_past_due", pa.int64()),
    ("grade", pa.string()), ("segment", pa.string()), ("alert_severity", pa.string()),
])  # fmt: skip
REVIEWS_SCHEMA = pa.schema([
    *_SHARED, ("is_due", pa.bool_()), ("alert_state", pa.string()), ("opened_on", pa.date32()),
    ("alert_severity", pa.string()), ("alert_count", pa.int64()), ("expected_loss", _MONEY), ("grade", pa.string()),
])  # fmt: skip
_CENTS = {
    "expected_recovery": "recovery_cents", "overdue_amount": "overdue_cents", "disputed_amount": "disputed_cents",
    "expected_loss": "loss_cents",
}  # fmt: skip
_SAME = {"max_days_past_due": "days", "alert_severity": "severity", "alert_count": "alerts", "alert_state": "state"}


def worklist_table(cases: pd.DataFrame, policy: CollectionsSection, as_of: dt.date) -> pa.Table:
    """One row per overdue customer, best first, with its step in both languages; amounts in the base currency."""
    words = {step.code: step for step in policy.steps}
    texts = {f"step_{lang}": [getattr(words[code], lang) for code in cases["step"]] for lang in ("en", "zh")}
    return _table(cases.assign(**texts), WORKLIST_SCHEMA, as_of)


def reviews_table(reviews: pd.DataFrame, as_of: dt.date) -> pa.Table:
    """One row per customer with an alert and nothing overdue: new before due before waiting, then gravest first."""
    return _table(reviews, REVIEWS_SCHEMA, as_of)


def parquet_bytes(table: pa.Table) -> bytes:
    """The table as a Parquet file with checksums, the same bytes for the same rows."""
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd", version="2.6", write_page_checksum=True, store_schema=False)
    return buffer.getvalue()


def csv_bytes(table: pa.Table) -> bytes:
    """The table as CSV that a spreadsheet opens without running a formula (score/csv_text.py)."""
    buffer = io.BytesIO()
    csv.write_csv(escaped(table), buffer)
    return buffer.getvalue()


def _table(rows: pd.DataFrame, schema: pa.Schema, as_of: dt.date) -> pa.Table:
    days = np.full(len(rows), np.datetime64(as_of, "D"))
    return pa.Table.from_arrays([_array(rows.assign(as_of=days), field) for field in schema], schema=schema)


def _array(rows: pd.DataFrame, field: pa.Field) -> pa.Array:
    if field.name in _CENTS:
        return decimals(rows[_CENTS[field.name]].to_numpy(dtype=np.float64) / 100.0)
    column = rows[_SAME.get(field.name, field.name)]
    return pa.array(column.to_numpy(dtype=object) if field.type == pa.string() else column.to_numpy(),
                    type=field.type, from_pandas=True)  # fmt: skip
