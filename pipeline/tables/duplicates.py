"""Finds rows that share a key: repeated word for word, or in conflict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True)
class Duplicates:
    """`repeated`: rows equal in every column to an earlier one. `conflicting`: rows whose key is shared by a row that
    says otherwise; the first of equal rows stands for all."""

    repeated: NDArray[np.bool_]
    conflicting: NDArray[np.bool_]


def duplicates(rows: pa.Table, key: Sequence[str]) -> Duplicates:
    """Rows that share a whole key. A null in the key is a value like any other, except in its first column."""
    repeated, conflicting = np.zeros(rows.num_rows, bool), np.zeros(rows.num_rows, bool)
    positions = np.flatnonzero(_shared(rows, key))
    if len(positions) == 0:
        return Duplicates(repeated, conflicting)
    # Only rows that share their key can be equal; the rest need no comparison of all columns.
    shared = rows.take(pa.array(positions))
    by_key = _first_of_equal(shared, key)
    by_row = _first_of_equal(shared, rows.column_names)
    repeated[positions] = by_row != np.arange(len(positions))
    heads = np.unique(by_key[by_row != by_row[by_key]])
    conflicting[positions] = np.isin(by_key, heads)
    return Duplicates(repeated, conflicting & ~repeated)


def _shared(rows: pa.Table, key: Sequence[str]) -> NDArray[np.bool_]:
    """Rows whose key stands more than once. Rows without the first column of the key are not compared."""
    numbered = rows.select(list(key)).append_column("_at", pa.array(np.arange(rows.num_rows)))
    # Only counted, so that the order of the groups does not matter.
    groups = numbered.group_by(list(key)).aggregate([])
    is_shared = np.zeros(rows.num_rows, bool)
    if groups.num_rows == rows.num_rows:
        return is_shared
    listed = numbered.group_by(list(key), use_threads=False).aggregate([("_at", "list"), ("_at", "count")])
    several = listed.filter(pa.array(listed["_at_count"].to_numpy() > 1))
    positions = several["_at_list"].combine_chunks().flatten().to_numpy()
    is_shared[positions] = True
    has_key: NDArray[np.bool_] = rows[key[0]].is_valid().to_numpy()
    return is_shared & has_key


def _first_of_equal(rows: pa.Table, columns: Sequence[str]) -> NDArray[np.int64]:
    """For every row the position of the first row equal in `columns`; nulls are equal to nulls."""
    numbered = rows.select(list(columns)).append_column("_at", pa.array(np.arange(rows.num_rows)))
    groups = numbered.group_by(list(columns), use_threads=False).aggregate([("_at", "list"), ("_at", "min")])
    lists = groups["_at_list"].combine_chunks()
    first = np.empty(rows.num_rows, np.int64)
    first[lists.flatten().to_numpy()] = np.repeat(groups["_at_min"].to_numpy(), lists.value_lengths().to_numpy())
    return first
