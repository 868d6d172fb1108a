"""Tables of two engines held against each other: numbers to 1e-9, all else exactly."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def assert_same(one: pa.Table, other: pa.Table) -> None:
    """Equal columns, types, rows and nulls; doubles within 1e-9 of each other, relative above 1."""
    assert one.schema.remove_metadata() == other.schema.remove_metadata()
    assert one.num_rows == other.num_rows > 0
    differing = {name: told for name in one.column_names if (told := _difference(one[name], other[name]))}
    assert differing == {}


def _difference(one: pa.ChunkedArray, other: pa.ChunkedArray) -> str | None:
    if not pa.types.is_floating(one.type):
        return None if one.equals(other) else _example(pc.not_equal(one, other), one, other)
    if not one.is_null().equals(other.is_null()):
        return _example(pc.not_equal(one.is_null(), other.is_null()), one, other)
    left, right = (np.nan_to_num(column.to_numpy(), nan=0.0) for column in (one, other))
    is_far = np.abs(left - right) > 1e-9 * np.maximum(1.0, np.abs(left))
    return _example(pa.chunked_array([is_far]), one, other) if is_far.any() else None


def _example(is_other: pa.ChunkedArray, one: pa.ChunkedArray, other: pa.ChunkedArray) -> str:
    is_other = pc.fill_null(is_other, fill_value=True) if is_other.null_count else is_other
    place = pc.index(is_other, pa.scalar(value=True)).as_py()
    return f"{pc.sum(is_other).as_py()} rows, e.g. row {place}: {one[place].as_py()!r} and {other[place].as_py()!r}"
