"""Which revision of its key a row is, and until when it counted: told once at intake, for every day view to read."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.tables.contract import Table

NEVER_SUPERSEDED = dt.date(9999, 12, 31)
"""Stands in `superseded_on` of the last revision of a key."""

REVISION_SCHEMA = pa.schema([pa.field("revision", pa.int16()), pa.field("superseded_on", pa.date32())])


def with_revisions(table: Table, rows: pa.Table) -> pa.Table:
    """The rows, sorted by key and `known_on`, with `revision` (1 is the first of its key) and `superseded_on` added.

    `superseded_on` is the day the key's next revision became known, 9999-12-31 when none did. A null in a key is a
    value like any other: unallocated rows of one payment are revisions of each other.
    """
    follows = _repeats_the_key_before(rows, table.key)
    place = np.arange(len(follows))
    first = np.maximum.accumulate(np.where(follows, 0, place))
    days = rows["known_on"].cast(pa.int32()).to_numpy()
    superseded = np.full(len(follows), (NEVER_SUPERSEDED - dt.date(1970, 1, 1)).days, dtype=np.int32)
    superseded[:-1][follows[1:]] = days[1:][follows[1:]]
    added = (pa.array(place - first + 1, pa.int16()), pa.array(superseded, pa.int32()).cast(pa.date32()))
    for field, values in zip(REVISION_SCHEMA, added, strict=True):
        rows = rows.append_column(field, values)
    return rows


def revisions_in(table: Table, rows: pa.Table) -> int:
    """How many of the rows, sorted by key, are a later revision of a key that stands before them."""
    return int(_repeats_the_key_before(rows, table.key).sum())


def _repeats_the_key_before(rows: pa.Table, key: tuple[str, ...]) -> NDArray[np.bool_]:
    same = np.ones(rows.num_rows, dtype=bool)
    same[:1] = False
    for name in key:
        column = rows[name].combine_chunks()
        if isinstance(column, pa.ChunkedArray):
            column = pa.concat_arrays(column.chunks)
        now, before = column[1:], column[:-1]
        equal = pc.fill_null(pc.equal(now, before), False)  # noqa: FBT003 - a value, not a switch
        both_null = pc.and_(pc.is_null(now), pc.is_null(before))
        same[1:] &= pc.or_(equal, both_null).to_numpy(zero_copy_only=False)
    return same
