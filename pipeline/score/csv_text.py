"""A table as CSV that a spreadsheet opens without running a formula."""

from __future__ import annotations

import io

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

_FORMULA = r"^[=+\-@\t\r]"


def csv_bytes(table: pa.Table) -> bytes:
    """UTF-8 with a header; texts are quoted, nulls empty, days ISO 8601, numbers stay numbers.

    A text that begins with =, +, -, @, tab or carriage return gets an apostrophe before it (OWASP, CSV injection).
    """
    columns = [_escaped(column) if pa.types.is_string(column.type) else column for column in table.columns]
    buffer = io.BytesIO()
    csv.write_csv(pa.table(columns, names=table.column_names), buffer)
    return buffer.getvalue()


def _escaped(column: pa.ChunkedArray) -> pa.ChunkedArray:
    begins = pc.match_substring_regex(column, _FORMULA)
    return pc.if_else(begins, pc.binary_join_element_wise("'", column, ""), column)
