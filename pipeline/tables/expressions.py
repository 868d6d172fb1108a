"""What a mapping may put into a ledger column: a source column, a constant, an id, the earliest of several days."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.tables.contract import Kind
from pipeline.tables.formats import Formats, Parsed, mapped_by_distinct, one_chunk, parse, parse_known, without_nulls

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from numpy.typing import NDArray

_SEPARATOR = "\x1f"


@dataclass(frozen=True)
class Cell:
    """A source column. In order: `extract` keeps the first group of a pattern, `texts` translates whole cells, the
    text is parsed (by `formats` where they differ from the file's), `negate` turns the sign, days are added, the day
    is kept within bounds."""

    column: str
    extract: str | None = None
    texts: Mapping[str, str] = field(default_factory=dict)
    formats: Formats | None = None
    negate: bool = False
    plus_days: int = 0
    no_earlier_than: dt.date | None = None
    no_later_than: dt.date | None = None


@dataclass(frozen=True)
class Constant:
    """One value for every row, in plain text."""

    value: str


@dataclass(frozen=True)
class RowNumber:
    """An id from the row's place in its file, counted from 1 and padded so that text order is file order."""

    prefix: str = ""


@dataclass(frozen=True)
class HashOf:
    """An id from the content of columns: the first 16 hex digits of a sha256. Equal rows get equal ids."""

    columns: tuple[str, ...]
    prefix: str = ""


@dataclass(frozen=True)
class Concatenate:
    """The texts of several columns in one; null when one of them is."""

    columns: tuple[str, ...]
    separator: str = "-"


@dataclass(frozen=True)
class FirstOf:
    """The first of several expressions that is not null."""

    options: tuple[Expression, ...]


@dataclass(frozen=True)
class Extreme:
    """The earliest or latest day of several expressions, over all rows of a group (`one_row_per`)."""

    which: str
    options: tuple[Expression, ...]


Expression = Cell | Constant | RowNumber | HashOf | Concatenate | FirstOf | Extreme


@dataclass(frozen=True)
class Source:
    """The rows of one part: texts, their numbers in the file, and the group of each row (0, 1, … by first row)."""

    rows: pa.Table
    row_numbers: NDArray[np.int64]
    groups: NDArray[np.int64]
    formats: Formats


def columns_of(expression: Expression) -> tuple[str, ...]:
    """The source columns the expression reads."""
    match expression:
        case Cell(column=column):
            return (column,)
        case HashOf(columns=columns) | Concatenate(columns=columns):
            return columns
        case FirstOf(options=options) | Extreme(options=options):
            return tuple(name for option in options for name in columns_of(option))
        case _:
            return ()


def evaluate(expression: Expression, source: Source, kind: Kind) -> Parsed:
    """One value per row of the source. A text that does not fit its format is a misfit, and null."""
    match expression:
        case Cell():
            return _cell(expression, source, kind)
        case Constant(value=value):
            return parse(pa.repeat(pa.scalar(value, pa.string()), source.rows.num_rows), kind, Formats())
        case FirstOf(options=options):
            return _first(tuple(evaluate(option, source, kind) for option in options))
        case Extreme(which=which, options=options):
            return _extreme(which, tuple(evaluate(option, source, kind) for option in options), source.groups)
        case _:
            ids = _ids(expression, source)
            return Parsed(ids, np.zeros(len(ids), bool), ids)


def _ids(expression: RowNumber | HashOf | Concatenate, source: Source) -> pa.Array:
    match expression:
        case RowNumber(prefix=prefix):
            return pa.array([f"{prefix}{number:08d}" for number in source.row_numbers.tolist()], pa.string())
        case HashOf(columns=columns, prefix=prefix):
            joined = joined_texts(source.rows, columns).to_pylist()
            hashes = [prefix + hashlib.sha256(text.encode()).hexdigest()[:16] for text in joined]
            return pa.array(hashes, pa.string())
        case Concatenate(columns=columns, separator=separator):
            texts = [parse(one_chunk(source.rows[name]), Kind.TEXT, source.formats).values for name in columns]
            return pc.binary_join_element_wise(*texts, separator)


def joined_texts(rows: pa.Table, columns: tuple[str, ...]) -> pa.Array:
    """The texts of several columns in one, apart by a character no text holds; null has a mark of its own."""
    texts = [one_chunk(rows[name]) for name in columns]
    return pc.binary_join_element_wise(*texts, _SEPARATOR, null_handling="replace", null_replacement="\x00")


def _cell(cell: Cell, source: Source, kind: Kind) -> Parsed:
    formats = cell.formats or source.formats
    shown = without_nulls(one_chunk(source.rows[cell.column]), formats)
    is_plain = cell.extract is None and not cell.texts
    parsed = parse_known(shown, kind, formats) if is_plain else _translated(cell, shown, kind, formats)
    values = pc.negate(parsed.values).cast(parsed.values.type) if cell.negate else parsed.values
    return Parsed(_moved(values, cell), parsed.is_misfit, shown)


def _translated(cell: Cell, shown: pa.Array, kind: Kind, formats: Formats) -> Parsed:
    texts = shown
    if cell.extract is not None:
        pattern = re.compile(cell.extract)
        texts = mapped_by_distinct(texts, lambda text: _first_group(pattern, text), pa.string())
    if cell.texts:
        texts = mapped_by_distinct(texts, cell.texts.get, pa.string())
    parsed = parse(texts, kind, formats)
    # A text that the pattern or the translation does not know is told as it stood in the source.
    is_lost = pc.and_(pc.is_valid(shown), pc.is_null(texts)).to_numpy(zero_copy_only=False)
    return Parsed(parsed.values, parsed.is_misfit | is_lost, shown)


def _first_group(pattern: re.Pattern[str], text: str) -> str | None:
    found = pattern.fullmatch(text)
    return found.group(1) if found else None


def _moved(values: pa.Array, cell: Cell) -> pa.Array:
    if cell.plus_days:
        days = pc.add(values.cast(pa.int32()), pa.scalar(cell.plus_days, pa.int32()))
        values = days.cast(pa.date32())
    if cell.no_earlier_than is not None:
        bound = pa.scalar(cell.no_earlier_than, pa.date32())
        values = pc.max_element_wise(values, pc.if_else(pc.is_valid(values), bound, None), skip_nulls=False)
    if cell.no_later_than is not None:
        bound = pa.scalar(cell.no_later_than, pa.date32())
        values = pc.min_element_wise(values, pc.if_else(pc.is_valid(values), bound, None), skip_nulls=False)
    return values


def _first(options: tuple[Parsed, ...]) -> Parsed:
    values = pc.coalesce(*(option.values for option in options))
    is_misfit = np.logical_or.reduce([option.is_misfit for option in options])
    return Parsed(values, is_misfit, pc.coalesce(*(option.texts for option in options)))


def _extreme(which: str, options: tuple[Parsed, ...], groups: NDArray[np.int64]) -> Parsed:
    nothing = np.iinfo(np.int32).max if which == "earliest" else np.iinfo(np.int32).min
    choose = np.minimum if which == "earliest" else np.maximum
    found = np.full(int(groups.max(initial=-1)) + 1, nothing, np.int32)
    for option in options:
        days = pc.fill_null(option.values.cast(pa.int32()), int(nothing)).to_numpy()
        choose.at(found, groups, days)
    per_row = found[groups]
    values = pa.array(per_row, pa.int32(), mask=per_row == nothing).cast(pa.date32())
    is_misfit = np.logical_or.reduce([option.is_misfit for option in options])
    return Parsed(values, is_misfit, options[0].texts)
