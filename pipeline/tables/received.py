"""From extracts to ledger tables in canonical types: parts applied, misfits marked, the way back to the source kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.errors import ContractError
from pipeline.tables.expressions import Cell, Source, evaluate, joined_texts
from pipeline.tables.formats import Formats, one_chunk
from pipeline.tables.mapping import Part, source_columns
from pipeline.tables.section import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pipeline.tables.contract import Table
    from pipeline.tables.mapping import Condition
    from pipeline.tables.reading import Extract


@dataclass(frozen=True)
class Misfits:
    """Cells of one column whose text does not fit: a mask over the rows, and the texts."""

    mask: NDArray[np.bool_]
    texts: pa.Array


@dataclass(frozen=True)
class Origin:
    """Rows that came from one extract, by position in it, in the order of the received rows."""

    extract: Extract
    positions: NDArray[np.int64]


@dataclass(frozen=True)
class Received:
    """One table as handed in: `values` in the contract's types (a misfit is null), not yet checked.

    `given` are the columns the source fills; `left_out` counts rows that a mapping's filter did not take;
    `used` are the source columns it reads.
    """

    table: Table
    values: pa.Table
    misfits: Mapping[str, Misfits]
    origins: tuple[Origin, ...]
    given: frozenset[str]
    may_be_known_before_event: bool = False
    left_out: int = 0
    used: frozenset[str] = frozenset()

    def source_rows(self, positions: NDArray[np.int64]) -> pa.Table:
        """The source rows behind received rows, as text, with `source_file` and `source_row` (1 below the header)."""
        pieces, start = [], 0
        for origin in self.origins:
            stop = start + len(origin.positions)
            chosen = origin.positions[positions[(positions >= start) & (positions < stop)] - start]
            rows = origin.extract.rows.take(pa.array(chosen))
            rows = rows.append_column("source_file", pa.repeat(pa.scalar(origin.extract.file), len(chosen)))
            pieces.append(rows.append_column("source_row", pa.array(origin.extract.row_numbers[chosen])))
            start = stop
        return pa.concat_tables(pieces, promote_options="default")


def plain_part(table: Table, extract: Extract) -> Part:
    """The part of a file that names its columns as the contract does."""
    names = set(extract.rows.column_names)
    return Part(table.name, {c.name: Cell(c.name) for c in table.columns if c.name in names})


def receive(table: Table, parts: Sequence[tuple[Part, Extract, Formats]]) -> Received:
    """The table's rows from all its parts. Raises ContractError for columns that a file does not have."""
    pieces = [_receive_part(table, part, extract, formats) for part, extract, formats in parts]
    if len(pieces) == 1:
        return pieces[0]
    named = sorted({name for piece in pieces for name in piece.misfits})
    return Received(
        table,
        pa.concat_tables([piece.values for piece in pieces]).combine_chunks(),
        {name: _joined_misfits(pieces, name) for name in named},
        tuple(origin for piece in pieces for origin in piece.origins),
        frozenset.intersection(*(piece.given for piece in pieces)),
        any(piece.may_be_known_before_event for piece in pieces),
        sum(piece.left_out for piece in pieces),
        frozenset().union(*(piece.used for piece in pieces)),
    )


def check_columns(table: Table, part: Part, extract: Extract) -> list[str]:
    """What is wrong with the file's columns, in words: missing ones with the nearest name that is there."""
    header = list(extract.rows.column_names)
    wanted = source_columns(part)
    told = [_missing(table, name, extract, set(header) - set(wanted)) for name in wanted if name not in header]
    is_plain = part.columns and all(isinstance(e, Cell) and e.column == n for n, e in part.columns.items())
    if part.columns and not is_plain:
        return told
    free = [name for name in header if name not in part.columns]
    for column in table.columns:
        if column.name in part.columns:
            continue
        near = nearest(column.name, free)
        if near is not None or not table.may_be_missing(column):
            told.append(_missing(table, column.name, extract, set(free)))
    return told


def _missing(table: Table, name: str, extract: Extract, free: set[str]) -> str:
    near = nearest(name, free)
    hint = f"rename {near!r}, which is no column of the contract" if near else f"add it to {extract.file}"
    return (
        f"{table.name}.{name}: the column is missing from {extract.file} ({extract.rows.num_rows:,} rows; "
        f"columns there: {', '.join(extract.rows.column_names[:12])}); {hint}, or map it"
    )


def _receive_part(table: Table, part: Part, extract: Extract, formats: Formats) -> Received:
    told = check_columns(table, part, extract)
    if told:
        raise ContractError("\n".join(told))
    taken = np.flatnonzero(_taken(part.where, extract.rows, formats))
    rows = extract.rows.take(pa.array(taken)) if part.where else extract.rows
    groups, first = _groups(rows, part.one_row_per)
    source = Source(rows, extract.row_numbers[taken], groups, formats)
    columns: dict[str, pa.Array] = {}
    misfits: dict[str, Misfits] = {}
    keep = pa.array(first)
    for column in table.columns:
        if column.name not in part.columns:
            columns[column.name] = pa.nulls(len(first), column.kind.arrow)
            continue
        parsed = evaluate(part.columns[column.name], source, column.kind)
        columns[column.name] = one_chunk(parsed.values.take(keep) if part.one_row_per else parsed.values)
        if parsed.is_misfit[first].any():
            misfits[column.name] = Misfits(parsed.is_misfit[first], parsed.texts.take(keep))
    return Received(
        table,
        pa.table(columns, schema=table.source_schema),
        misfits,
        (Origin(extract, taken[first]),),
        frozenset(part.columns),
        part.may_be_known_before_event,
        extract.rows.num_rows - len(taken),
        frozenset(source_columns(part)),
    )


def _groups(rows: pa.Table, one_row_per: tuple[str, ...]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The group of every row, numbered by first appearance, and the position of each group's first row."""
    if not one_row_per:
        positions = np.arange(rows.num_rows, dtype=np.int64)
        return positions, positions
    codes = joined_texts(rows, one_row_per).dictionary_encode().indices.to_numpy().astype(np.int64)
    _, first = np.unique(codes, return_index=True)
    return codes, first.astype(np.int64)


def _taken(where: tuple[Condition, ...], rows: pa.Table, formats: Formats) -> NDArray[np.bool_]:
    keep = np.ones(rows.num_rows, bool)
    for condition in where:
        texts = one_chunk(rows[condition.column])
        nulls = pa.array([*formats.null_texts, None], pa.string())
        is_null = pc.is_in(texts, value_set=nulls).to_numpy(zero_copy_only=False)
        listed = pc.is_in(texts, value_set=pa.array(condition.values, pa.string())).to_numpy(zero_copy_only=False)
        match condition.test:
            case "is_null":
                keep &= is_null
            case "is_not_null":
                keep &= ~is_null
            case "equals" | "is_in":
                keep &= listed
            case _:
                keep &= ~listed
    return keep


def _joined_misfits(pieces: Sequence[Received], name: str) -> Misfits:
    masks, texts = [], []
    for piece in pieces:
        found = piece.misfits.get(name)
        masks.append(found.mask if found else np.zeros(piece.values.num_rows, bool))
        texts.append(found.texts if found else pa.nulls(piece.values.num_rows, pa.string()))
    return Misfits(np.concatenate(masks), pa.concat_arrays(texts))
