"""A table made ready for a CSV file that a spreadsheet opens without running a formula."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from pathlib import Path

_LINE_END, _QUOTE, _BLOCK = ord("\n"), ord('"'), 2**22
_BEGINS = np.isin(np.arange(256), np.frombuffer(b"=+-@\t\r", np.uint8))


def escaped(table: pa.Table) -> pa.Table:
    """The table with an apostrophe before every text that begins with =, +, -, @, tab or carriage return.

    (OWASP, CSV injection.) Written as UTF-8 with a header: texts quoted, nulls empty, days ISO 8601, numbers stay
    numbers.
    """
    table = table.combine_chunks()
    columns = [_escaped(column) if pa.types.is_string(column.type) else column for column in table.columns]
    return pa.table(columns, schema=table.schema)


def csv_lines(path: Path) -> int:
    """Lines of a CSV file, its header among them; a line break within quotes ends none."""
    lines, is_quoted = 0, 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            content = np.frombuffer(block, np.uint8)
            breaks = np.flatnonzero(content == _LINE_END)
            quotes = np.flatnonzero(content == _QUOTE)
            # Outside quotes an even number of them went before; doubled quotes within a text change nothing.
            before = np.searchsorted(quotes, breaks) + is_quoted
            lines += int((before % 2 == 0).sum())
            is_quoted = (is_quoted + len(quotes)) % 2
    return lines


def _escaped(column: pa.ChunkedArray) -> pa.ChunkedArray:
    begins = [_begins_formula(chunk) for chunk in column.chunks]
    if not any(found.any() for found in begins):
        return column
    marks = pa.chunked_array([pa.array(found) for found in begins], pa.bool_())
    return pc.if_else(marks, pc.binary_join_element_wise("'", column, ""), column)


def _begins_formula(texts: pa.Array) -> np.ndarray:
    """True where the first byte of a text begins a formula; a null or empty text does not."""
    offsets = np.frombuffer(texts.buffers()[1], np.int32)[texts.offset : texts.offset + len(texts) + 1]
    if texts.buffers()[2] is None or not len(texts):
        return np.zeros(len(texts), dtype=bool)
    content = np.frombuffer(texts.buffers()[2], np.uint8)
    is_text = offsets[1:] > offsets[:-1]
    found = np.zeros(len(texts), dtype=bool)
    found[is_text] = _BEGINS[content[offsets[:-1][is_text]]]
    return found
