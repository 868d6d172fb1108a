"""Array types of the economy, its random streams, and how its integers become Arrow columns."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.tables.contract import Table

Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]
Bools: TypeAlias = npt.NDArray[np.bool_]


def stream(seed: int, noun: str) -> np.random.Generator:
    """A random stream of its own for every noun, so that a change in one part leaves the others' draws alone."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, zlib.crc32(noun.encode())])))


def sigmoid(x: Floats) -> Floats:
    """1 / (1 + exp(−x))."""
    return 1.0 / (1.0 + np.exp(-x))


def softplus(x: Floats) -> Floats:
    """ln(1 + exp(x)), the smooth positive part."""
    return np.logaddexp(0.0, x)


def money(cents: Ints, missing: Bools | None = None) -> pa.Array:
    """Whole cents as DECIMAL(18,2); `missing` marks nulls."""
    low = np.ascontiguousarray(cents, dtype=np.int64)
    # A decimal128 is a 16-byte little-endian integer of cents: the value, then its sign extended.
    words = np.stack([low, low >> 63], axis=1)
    whole = pa.Array.from_buffers(pa.decimal128(18, 2), len(low), [None, pa.py_buffer(words.tobytes())])
    return _blank(whole, missing)


def dates(days: Ints, missing: Bools | None = None) -> pa.Array:
    """Days since 1970-01-01 as date32; `missing` marks nulls."""
    return _blank(pa.array(days.astype(np.int32)).view(pa.date32()), missing)


def ids(prefix: str, numbers: Ints, width: int, missing: Bools | None = None) -> pa.Array:
    """Numbers as text with leading zeros behind a prefix; `missing` marks nulls."""
    padded = pc.utf8_lpad(pc.cast(pa.array(numbers), pa.string()), width, "0")
    return _blank(pc.binary_join_element_wise(prefix, padded, ""), missing)


def choice_of(values: Sequence[str | None], index: Ints) -> pa.Array:
    """The text at each index."""
    return pa.array(list(values), pa.string()).take(pa.array(index))


def _blank(values: pa.Array, missing: Bools | None) -> pa.Array:
    if missing is None:
        return values
    return pc.if_else(pa.array(missing), pa.scalar(None, values.type), values)


def as_table(contract: Table, columns: Mapping[str, object], order: Sequence[str]) -> pa.Table:
    """The columns in the contract's source schema and in a total order."""
    schema = contract.source_schema
    arrays = [pa.array(columns[name]) if name in columns else None for name in schema.names]
    rows = max(len(a) for a in arrays if a is not None)
    cast = [
        pa.nulls(rows, field.type) if a is None else a.cast(field.type) for a, field in zip(arrays, schema, strict=True)
    ]
    table = pa.Table.from_arrays(cast, schema=schema)
    return table.sort_by([(name, "ascending") for name in order]).combine_chunks()
