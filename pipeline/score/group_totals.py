"""What the groups of a book hold and want, in arrays: two whole numbers and a name each, whatever the book's size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

    Whole = npt.NDArray[np.int64]

_AMOUNTS = ("taken", "wanted")
_SCHEMA = pa.schema([("group_id", pa.string()), *((name, pa.int64()) for name in _AMOUNTS)])


@dataclass(frozen=True, eq=False)
class GroupTotals:
    """Cents by group: `taken` by members whose limit is not reckoned, `wanted` by the others by their own caps.

    Totals of parts of a book add up. `tables` have the columns group_id, taken and wanted; what a group has is the sum
    of its rows. A book has groups by the hundred thousand: 16 bytes and the name are held of each, where objects of
    Python would take some 250.
    """

    tables: tuple[pa.Table, ...] = ()

    @classmethod
    def of(cls, names: Sequence[str], taken: Whole, wanted: Whole) -> GroupTotals:
        """Of these groups, each named once."""
        return cls((pa.table([pa.array(names, pa.string()), taken, wanted], schema=_SCHEMA),))

    def __add__(self, other: GroupTotals) -> GroupTotals:
        tables = [*self.tables, *other.tables]
        # A table is joined to one not much larger, never to all there is: each group some log n times over n parts.
        while len(tables) > 1 and 2 * tables[-1].num_rows >= tables[-2].num_rows:
            tables[-2:] = [_joined(tables[-2:])]
        return GroupTotals(tuple(tables))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, GroupTotals):
            return NotImplemented
        mine, theirs = (_joined(one.tables).sort_by("group_id") for one in (self, other))
        return bool(mine.equals(theirs))

    __hash__ = None  # type: ignore[assignment]

    def rows(self, names: Sequence[str]) -> pa.Table:
        """A row for each of the groups, in the order of `names`. Raises KeyError on one that is not among them."""
        asked = pa.array(names, pa.string())
        found = _joined([rows.filter(pc.is_in(rows["group_id"], value_set=asked)) for rows in self.tables])
        places = pc.index_in(asked, value_set=found["group_id"])
        if places.null_count:
            raise KeyError(asked.filter(places.is_null())[0].as_py())
        return found.take(places)

    def cents(self, names: Sequence[str]) -> tuple[Whole, Whole]:
        """`taken` and `wanted` of each of the groups. Raises KeyError on one that is not among them."""
        rows = self.rows(names)
        taken, wanted = (rows[name].to_numpy() for name in _AMOUNTS)
        return taken, wanted


def _joined(tables: Sequence[pa.Table]) -> pa.Table:
    """Their rows added up, a row for each group."""
    rows = pa.concat_tables([_SCHEMA.empty_table(), *tables])
    added = rows.group_by("group_id", use_threads=False).aggregate([(name, "sum") for name in _AMOUNTS])
    return added.select(["group_id", *(f"{name}_sum" for name in _AMOUNTS)]).rename_columns(_SCHEMA.names)
