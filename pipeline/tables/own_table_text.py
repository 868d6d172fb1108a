"""The columns of a modelling table as text, fitted to the catalogue; and how its breaches are told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.errors import ContractError
from pipeline.tables.formats import one_chunk

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.tables.own_table_catalogue import Catalogue
    from pipeline.tables.reading import Extract

_MOST_TOLD = 20


@dataclass(frozen=True)
class TextColumns:
    """The rows kept, all text; `row_numbers` count from 1 below the header. `repeats` names for each row the first row
    that holds the same in every column but the key and the excluded ones (its own number where there is none)."""

    file: str
    rows: pa.Table
    row_numbers: NDArray[np.int64]
    repeats: NDArray[np.int64]
    target: str
    remarks: tuple[str, ...] = field(default=())

    def column(self, name: str) -> pa.Array:
        """One column as written; null where Parquet says so."""
        return one_chunk(self.rows[name])

    def breach(self, column: str, is_wrong: NDArray[np.bool_], what: str, todo: str) -> str:
        """Where, how many, what, one example, what to do."""
        first = int(np.flatnonzero(is_wrong)[0])
        value = self.column(column)[first].as_py()
        return (
            f"{self.file}, column {column!r}: {int(is_wrong.sum()):,} of {len(is_wrong):,} rows {what}, e.g. row "
            f"{self.row_numbers[first]:,}: {value!r}; {todo}"
        )

    def refuse(self, breaches: list[str]) -> None:
        """Raises ContractError with all breaches, if there is one."""
        if not breaches:
            return
        rest = len(breaches) - _MOST_TOLD
        listed = "\n".join(f"  - {breach}" for breach in breaches[:_MOST_TOLD])
        more = f"\n  and {rest} more of the kind" if rest > 0 else ""
        raise ContractError(
            f"{self.file}: {len(breaches)} breach(es) of its catalogue:\n{listed}{more}\nNothing was taken in."
        )


def columns_of(extract: Extract, catalogue: Catalogue) -> TextColumns:
    """The rows as text. Raises ContractError when columns or rows do not fit the catalogue, naming all of them."""
    breaches = [*_column_breaches(extract, catalogue), *_row_breaches(extract)]
    told = TextColumns(extract.file, extract.rows, extract.row_numbers, extract.row_numbers, catalogue.target.column)
    told.refuse(breaches)
    compared = [name for name in extract.rows.column_names if name not in {*catalogue.key, *catalogue.excluded}]
    repeats = _first_alike(extract.rows.select(compared), extract.row_numbers)
    is_repeat = repeats != extract.row_numbers
    if catalogue.key or (catalogue.entity and catalogue.date) or not is_repeat.any():
        # With a key, or an entity and a date, a row has a name of its own, and repeats are told by it.
        return TextColumns(extract.file, extract.rows, extract.row_numbers, extract.row_numbers, told.target)
    count = f"{int(is_repeat.sum()):,} of {len(is_repeat):,} rows repeat an earlier one in every column"
    if catalogue.identical_rows == "refuse":
        first = int(np.flatnonzero(is_repeat)[0])
        told.refuse(
            [
                f"{count}, e.g. row {extract.row_numbers[first]:,} is row {repeats[first]:,} again; set "
                "identical_rows: drop where they are copies, keep where two rows can be alike, or name a key"
            ]
        )
    if catalogue.identical_rows == "keep":
        remark = f"{count}; they are kept and stand on one side of the split"
        return TextColumns(extract.file, extract.rows, extract.row_numbers, repeats, told.target, (remark,))
    kept = np.flatnonzero(~is_repeat)
    remark = f"{count} and were left out"
    return TextColumns(
        extract.file, extract.rows.take(kept), extract.row_numbers[kept], repeats[kept], told.target, (remark,)
    )


def _column_breaches(extract: Extract, catalogue: Catalogue) -> list[str]:
    there, named = set(extract.rows.column_names), catalogue.named_columns
    found = [
        f"{extract.file}: the catalogue names the column {column!r} as {role}, the file has none of that name "
        f"(its {len(there)} columns begin with {', '.join(map(repr, extract.rows.column_names[:4]))}); correct the name"
        for column, role in named.items()
        if column not in there
    ]
    unnamed = [name for name in extract.rows.column_names if name not in named and name not in catalogue.excluded]
    if unnamed:
        found.append(
            f"{extract.file}: {len(unnamed)} column(s) stand in the file and not in the catalogue, e.g. "
            f"{unnamed[0]!r}; list each under features, or under excluded with the reason: {', '.join(unnamed)}"
        )
    return found


def _row_breaches(extract: Extract) -> list[str]:
    if extract.unreadable:
        number, text = extract.unreadable[0]
        return [
            f"{extract.file}: {len(extract.unreadable):,} row(s) have another count of cells than the header, e.g. row "
            f"{number:,}: {text[:80]!r}; check file.delimiter and quotes, or mend the file"
        ]
    return [] if extract.rows.num_rows else [f"{extract.file}: no rows below the header; export it again"]


def _first_alike(rows: pa.Table, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each row the number of the first row with the same values."""
    code = np.zeros(rows.num_rows, dtype=np.int64)
    for column in rows.columns:
        indices = pc.fill_null(one_chunk(column).dictionary_encode(null_encoding="encode").indices, -1)
        own = indices.to_numpy(zero_copy_only=False).astype(np.int64)
        _, code = np.unique(code * (int(own.max()) + 2) + own + 1, return_inverse=True)
    _, first, inverse = np.unique(code, return_index=True, return_inverse=True)
    return np.asarray(numbers[first[inverse]])
