"""From text to canonical types by declared formats; what does not fit is marked, never guessed."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.tables.contract import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

ISO_DATE = "%Y-%m-%d"
_ISO_PATTERN = re.compile(r"\d{4}-\d{2}-\d{2}")
# DECIMAL(18,2) holds sixteen digits before the point.
_PLAIN_MONEY = r"^-?\d{1,16}(\.\d{1,2})?$"
_PLAIN_NUMBER = r"^-?\d{1,18}(\.\d+)?([eE][+-]?\d{1,2})?$"
_PLAIN_INT = r"^-?\d{1,18}$"


@dataclass(frozen=True)
class Formats:
    """How a source writes its values. Texts in `null_texts` mean null; `dates` is a strptime format.

    `minus` "trailing" reads `12.00-` as negative. `true_texts` and `false_texts` are compared as written.
    """

    encoding: str = "utf-8"
    delimiter: str = ","
    dates: str = ISO_DATE
    decimal_point: str = "."
    thousands: str = ""
    minus: str = "leading"
    null_texts: tuple[str, ...] = ("",)
    true_texts: tuple[str, ...] = ("true", "True", "TRUE")
    false_texts: tuple[str, ...] = ("false", "False", "FALSE")


@dataclass(frozen=True)
class Parsed:
    """One column in its canonical type; `is_misfit` marks cells with a text that does not fit (null in `values`)."""

    values: pa.Array
    is_misfit: NDArray[np.bool_]
    texts: pa.Array


def parse(texts: pa.Array, kind: Kind, formats: Formats) -> Parsed:
    """The texts as values of `kind`; a text of `null_texts` is null, any other that does not fit is a misfit."""
    return parse_known(without_nulls(texts, formats), kind, formats)


def without_nulls(texts: pa.Array, formats: Formats) -> pa.Array:
    """The texts, null where one of `null_texts` stands."""
    is_nothing = pc.is_in(texts, pa.array(formats.null_texts, pa.string()))
    return pc.if_else(is_nothing, pa.scalar(None, pa.string()), texts) if pc.any(is_nothing).as_py() else texts


def parse_known(known: pa.Array, kind: Kind, formats: Formats) -> Parsed:
    """As `parse`, of texts in which nulls are told apart already."""
    values = _PARSERS[kind](known, formats)
    if values.null_count == known.null_count:
        return Parsed(values, np.zeros(len(known), bool), known)
    is_misfit = pc.and_(pc.is_valid(known), pc.is_null(values)).to_numpy(zero_copy_only=False)
    return Parsed(values, is_misfit, known)


def one_chunk(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """The column as one array."""
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def mapped_by_distinct(texts: pa.Array, one: Callable[[str], object], wanted: pa.DataType) -> pa.Array:
    """`one` applied to each distinct text once; columns repeat their values, so a Python call per row is not paid."""
    encoded = texts.dictionary_encode()
    distinct = pa.array([one(text) for text in encoded.dictionary.to_pylist()], wanted)
    return distinct.take(encoded.indices)


def parse_day(text: str, pattern: str) -> dt.date | None:
    """The day the text names in the format; null when it does not fit exactly."""
    try:
        if pattern == ISO_DATE:
            return dt.date.fromisoformat(text) if _ISO_PATTERN.fullmatch(text) else None
        day = dt.datetime.strptime(text, pattern).replace(tzinfo=dt.UTC).date()
    except ValueError:
        return None
    # strptime reads 2019930 as %Y%m%d; without separators only the full width is unambiguous.
    is_ambiguous = re.fullmatch(r"(%[YmdyHMS])+", pattern) is not None and day.strftime(pattern) != text
    return None if is_ambiguous else day


def _dates(texts: pa.Array, formats: Formats) -> pa.Array:
    return mapped_by_distinct(texts, lambda text: parse_day(text, formats.dates), pa.date32())


def _plain(texts: pa.Array, formats: Formats) -> pa.Array:
    """Numbers with a leading minus, a decimal point and no thousands separator; null where they do not fit."""
    if formats.decimal_point == "." and not formats.thousands and formats.minus == "leading":
        return texts
    point, separator = re.escape(formats.decimal_point), re.escape(formats.thousands)
    grouped = rf"\d{{1,3}}({separator}\d{{3}})+|" if formats.thousands else ""
    digits = rf"({grouped}\d+)({point}\d+)?"
    shape = rf"^({digits}-?|-{digits})$" if formats.minus == "trailing" else rf"^-?{digits}$"
    fitting = pc.if_else(pc.match_substring_regex(texts, shape), texts, pa.scalar(None, pa.string()))
    if formats.thousands:
        fitting = pc.replace_substring(fitting, formats.thousands, "")
    fitting = pc.replace_substring(fitting, formats.decimal_point, ".")
    return pc.replace_substring_regex(fitting, r"^([^-].*)-$", r"-\1")


def _matching(texts: pa.Array, shape: str) -> pa.Array:
    fits = pc.match_substring_regex(texts, shape)
    return texts if pc.all(fits).as_py() else pc.if_else(fits, texts, pa.scalar(None, pa.string()))


def _money(texts: pa.Array, formats: Formats) -> pa.Array:
    return _matching(_plain(texts, formats), _PLAIN_MONEY).cast(pa.decimal128(18, 2))


def _number(texts: pa.Array, formats: Formats) -> pa.Array:
    return _matching(_plain(texts, formats), _PLAIN_NUMBER).cast(pa.float64())


def _int(texts: pa.Array, formats: Formats) -> pa.Array:
    return _matching(_plain(texts, formats), _PLAIN_INT).cast(pa.int64())


def _bool(texts: pa.Array, formats: Formats) -> pa.Array:
    meanings = {**dict.fromkeys(formats.false_texts, False), **dict.fromkeys(formats.true_texts, True)}
    return mapped_by_distinct(texts, meanings.get, pa.bool_())


def _text(texts: pa.Array, _formats: Formats) -> pa.Array:
    return texts


_PARSERS: dict[Kind, Callable[[pa.Array, Formats], pa.Array]] = {
    Kind.ID: _text,
    Kind.TEXT: _text,
    Kind.DATE: _dates,
    Kind.MONEY: _money,
    Kind.NUMBER: _number,
    Kind.SHARE: _number,
    Kind.INT: _int,
    Kind.BOOL: _bool,
}
