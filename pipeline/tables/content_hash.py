"""A hash of what tables say, whatever chunks, offsets or file format carried them."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Mapping

_FIXED_WIDTH = {"date32[day]": "<i4", "double": "<f8", "int64": "<i8", "bool": "?"}


def content_hash(tables: Mapping[str, pa.Table]) -> str:
    """sha256 in hex over names, columns, types, nulls and values; equal tables in equal row order give equal hashes."""
    digest = hashlib.sha256()
    for name in sorted(tables):
        table = tables[name]
        digest.update(f"{name}\n{table.num_rows}\n".encode())
        for column_name in table.column_names:
            column = table[column_name]
            digest.update(f"{column_name} {column.type}\n".encode())
            _feed(digest, column)
    return digest.hexdigest()


def _feed(digest: hashlib._Hash, column: pa.ChunkedArray) -> None:
    # A running hash over chunks would see their borders; lengths, validity and values go in as three whole blocks.
    digest.update(np.packbits(pc.is_valid(column).to_numpy()).tobytes())
    if pa.types.is_string(column.type):
        texts = pc.fill_null(column, "")
        digest.update(pc.binary_length(texts).to_numpy().astype(np.int32).tobytes())
        for chunk in texts.chunks:
            digest.update(_text_bytes(chunk))
        return
    if pa.types.is_decimal(column.type):
        zero = pa.scalar(Decimal(0), column.type)
        for chunk in pc.fill_null(column, zero).chunks:
            start, stop = 16 * chunk.offset, 16 * (chunk.offset + len(chunk))
            digest.update(memoryview(chunk.buffers()[1])[start:stop])
        return
    plain = column.cast(pa.int32()) if pa.types.is_date32(column.type) else column
    zero_like = False if pa.types.is_boolean(column.type) else 0
    values = pc.fill_null(plain, zero_like).to_numpy()
    digest.update(np.ascontiguousarray(values.astype(_FIXED_WIDTH[str(column.type)])).tobytes())


def _text_bytes(chunk: pa.StringArray) -> bytes | memoryview:
    _, offsets_buffer, data = chunk.buffers()
    if data is None or len(chunk) == 0:
        return b""
    offsets = np.frombuffer(offsets_buffer, np.int32)[chunk.offset : chunk.offset + len(chunk) + 1]
    return memoryview(data)[int(offsets[0]) : int(offsets[-1])]
