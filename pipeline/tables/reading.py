"""Reads what was handed in as text, cell by cell: no type, null or encoding is guessed."""

from __future__ import annotations

import codecs
import gzip
import hashlib
import io
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from pipeline.errors import ContractError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from pipeline.tables.formats import Formats

SUFFIXES = (".parquet", ".csv", ".csv.gz")


@dataclass(frozen=True)
class Extract:
    """One file: `rows` all text, null where Parquet says so; `row_numbers` count from 1 below the header.

    `unreadable` holds (row number, text) of CSV rows whose count of cells is not the header's.
    """

    file: str
    sha256: str
    rows: pa.Table
    row_numbers: NDArray[np.int64]
    unreadable: tuple[tuple[int, str], ...] = ()


def read_extract(path: Path, formats: Formats) -> Extract:
    """The file as text. Raises ContractError when it is empty, damaged, in another encoding or without a header."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ContractError(f"{path.name} cannot be read: {error.strerror}; check the file and its rights") from error
    sha256 = hashlib.sha256(content).hexdigest()
    if not content:
        raise ContractError(f"{path.name} is empty (0 bytes); export it again, or remove it if there is nothing to say")
    if path.name.endswith(".parquet"):
        rows = parquet_rows(content, path.name)
        return Extract(path.name, sha256, rows, np.arange(1, rows.num_rows + 1, dtype=np.int64))
    if path.name.endswith(".gz"):
        content = unzipped(content, path.name)
    return csv_extract(utf8(content, path.name, formats.encoding), path.name, sha256, formats.delimiter)


def parquet_rows(content: bytes, name: str) -> pa.Table:
    """The rows of a Parquet file as text. Raises ContractError when it is damaged."""
    try:
        table = pq.read_table(pa.BufferReader(content), page_checksum_verification=True)
    except (OSError, pa.ArrowException) as error:
        raise ContractError(f"{name} is truncated or damaged ({error}); export or copy it again") from error
    _refuse_repeated_names(list(table.column_names), name)
    return pa.table({field.name: _as_text(table[field.name], name, field) for field in table.schema})


def _as_text(column: pa.ChunkedArray, name: str, field: pa.Field) -> pa.ChunkedArray:
    if pa.types.is_dictionary(field.type):
        column = column.cast(field.type.value_type)
    if pa.types.is_timestamp(column.type):
        days = column.cast(pa.date32(), safe=False)
        # A time of day is kept in the text, so that the rule on dates tells it.
        column = days if pc.all(pc.equal(days.cast(column.type), column)).as_py() is not False else column
    try:
        return column.cast(pa.string())
    except pa.ArrowException as error:
        raise ContractError(
            f"{name}, column {field.name!r} holds {field.type}, which no ledger column can; hand in plain columns"
        ) from error


def unzipped(content: bytes, name: str) -> bytes:
    """The content of a gzip file. Raises ContractError when it is cut short or none."""
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise ContractError(f"{name} is truncated or no gzip file ({error}); export or copy it again") from error


def utf8(content: bytes, name: str, encoding: str) -> bytes:
    """The text as UTF-8 without a mark of its own. Raises ContractError when it is not in the encoding declared."""
    try:
        if codecs.lookup(encoding).name == "utf-8":
            content = content.removeprefix(codecs.BOM_UTF8)
            content.decode("utf-8")
        else:
            content = content.decode(encoding).removeprefix("\ufeff").encode("utf-8")
    except UnicodeError as error:
        position = getattr(error, "start", 0)
        row = content.count(b"\n", 0, position)
        raise ContractError(
            f"{name} is not {encoding}: byte {content[position : position + 1]!r} in line {row + 1} does not fit; "
            "declare the file's encoding in a mapping (such as `encoding: cp1252` or `encoding: gb18030`)"
        ) from error
    if b"\x00" in content:
        raise ContractError(
            f"{name} holds NUL bytes: it is not {encoding} text (perhaps `encoding: utf-16`); "
            "declare the file's encoding in a mapping"
        )
    return content


def csv_extract(content: bytes, name: str, sha256: str, delimiter: str) -> Extract:
    """The rows of a UTF-8 text with a header line. Raises ContractError when it is no CSV with this delimiter."""
    names = _header(content, name, delimiter)
    bad: list[tuple[int, str]] = []

    def keep_aside(row: pacsv.InvalidRow) -> str:
        bad.append((row.number - 1, row.text))
        return "skip"

    try:
        rows = pacsv.read_csv(
            io.BytesIO(content),
            # One thread: only then are the numbers of bad rows known.
            read_options=pacsv.ReadOptions(use_threads=False, block_size=1 << 24),
            parse_options=pacsv.ParseOptions(
                delimiter=delimiter, newlines_in_values=True, invalid_row_handler=keep_aside
            ),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowException as error:
        raise ContractError(
            f"{name} is no CSV file with the delimiter {delimiter!r} ({error}); correct the file"
        ) from error
    numbers = np.arange(1, rows.num_rows + len(bad) + 1, dtype=np.int64)
    numbers = np.setdiff1d(numbers, np.array([number for number, _ in bad], np.int64), assume_unique=True)
    return Extract(name, sha256, rows, numbers, tuple(bad))


def _header(content: bytes, name: str, delimiter: str) -> list[str]:
    try:
        first = pacsv.open_csv(
            io.BytesIO(content.split(b"\n", 1)[0] + b"\n"), parse_options=pacsv.ParseOptions(delimiter=delimiter)
        )
    except pa.ArrowException as error:
        raise ContractError(f"{name} has no header line ({error}); the first line names the columns") from error
    names = list(first.schema.names)
    _refuse_repeated_names(names, name)
    return names


def _refuse_repeated_names(names: list[str], file: str) -> None:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ContractError(
            f"{file}: {len(repeated)} column name(s) stand more than once in the header, "
            f"e.g. {repeated[0]!r}; give every column a name of its own"
        )
