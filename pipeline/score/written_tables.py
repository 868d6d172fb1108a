"""Tables that grow on disk part by part; sha256 and size are known when the last part is written."""

from __future__ import annotations

import hashlib
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv

from pipeline.score.csv_text import escaped
from pipeline.score.limit_trace import by_dictionary

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

ROWS_PER_GROUP = 65_536
"""Rows of a row group, whatever the parts are: so the bytes hang on the rows alone."""


@dataclass(frozen=True)
class Written:
    """A file that is whole on the disk."""

    sha256: str
    bytes: int
    rows: int


class TableFile(Protocol):
    """A table being written."""

    def add(self, rows: pa.Table) -> None:
        """Writes further rows."""

    def close(self) -> Written:
        """Writes what is still held back and flushes the file to the disk."""

    def abandon(self) -> None:
        """Closes the file as it is."""


class HashedFile:
    """A file opened for writing whose hash goes along. Once it is given up nothing more is written."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._digest = hashlib.sha256()
        self._bytes = 0
        self.is_given_up = False

    @property
    def closed(self) -> bool:
        """No more can be written."""
        return self._file.closed

    def write(self, content: bytes) -> int:
        """Writes and hashes; gives back how many bytes there were."""
        if self.is_given_up:
            return len(content)
        self._digest.update(content)
        self._bytes += len(content)
        return self._file.write(content)

    def flush(self) -> None:
        """What is held back goes to the disk when the file is settled."""

    @contextmanager
    def closed_on_error(self) -> Iterator[None]:
        """Gives the file up and closes it when the block fails."""
        try:
            yield
        except BaseException:
            self.give_up()
            self.close()
            raise

    def give_up(self) -> None:
        """What a writer still has to say when it ends is not written any more."""
        self.is_given_up = True

    def close(self) -> None:
        """Closes the file as it is."""
        try:
            self._file.close()
        except OSError:
            # The disk that made us give up takes what is held back no better than what came before.
            if not self.is_given_up:
                raise

    def settled(self, rows: int) -> Written:
        """Flushes the file to the disk, closes it and tells what it is."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return Written(self._digest.hexdigest(), self._bytes, rows)


class ParquetTable:
    """A Parquet file with page checksums; equal rows give equal bytes, however they fall into parts.

    `coded` names columns without nulls whose few texts are handed to the writer as numbers of a dictionary, whether
    they come so or plain; who reads the file finds texts.
    """

    def __init__(self, path: Path, schema: pa.Schema, coded: Sequence[str] = ()) -> None:
        self._coded = coded
        self._schema = by_dictionary(schema.remove_metadata(), coded)
        self._file = HashedFile(path)
        options: dict[str, Any] = {"compression": "zstd", "version": "2.6", "write_page_checksum": True}
        # A dictionary pays for what repeats; measurements do not.
        repeating = [field.name for field in schema if not pa.types.is_floating(field.type)]
        with self._file.closed_on_error():
            self._writer = pq.ParquetWriter(
                pa.PythonFile(self._file, "w"), self._schema, store_schema=False, use_dictionary=repeating, **options
            )
        self._waiting = self._schema.empty_table()
        self._rows = 0

    def add(self, rows: pa.Table) -> None:
        """Writes the row groups that are full; the rest waits."""
        for name in self._coded:
            if not pa.types.is_dictionary(rows.schema.field(name).type):
                at = rows.schema.get_field_index(name)
                rows = rows.set_column(at, self._schema.field(name), rows[name].dictionary_encode())
        waiting = pa.concat_tables([self._waiting, rows.replace_schema_metadata(None).cast(self._schema)])
        while waiting.num_rows >= ROWS_PER_GROUP:
            self._write(waiting.slice(0, ROWS_PER_GROUP))
            waiting = waiting.slice(ROWS_PER_GROUP)
        # A copy, so that the part it is a slice of can go.
        self._waiting = waiting.unify_dictionaries().combine_chunks()

    def close(self) -> Written:
        """Writes the last row group, which may be a short one."""
        if self._waiting.num_rows:
            self._write(self._waiting)
        self._writer.close()
        return self._file.settled(self._rows)

    def abandon(self) -> None:
        """Closes the file as it is."""
        self._file.give_up()
        self._writer.close()
        self._file.close()

    def _write(self, group: pa.Table) -> None:
        group = group.unify_dictionaries().combine_chunks()
        for name in self._coded:
            at = group.schema.get_field_index(name)
            group = group.set_column(at, group.schema.field(at), _as_met(group[name].combine_chunks()))
        self._writer.write_table(group, row_group_size=ROWS_PER_GROUP)
        self._rows += group.num_rows


def _as_met(texts: pa.DictionaryArray) -> pa.DictionaryArray:
    """The texts numbered in the order in which they come: so that the bytes do not hang on what else the dictionary
    held."""
    codes, kept = pd.factorize(texts.indices.to_numpy())
    return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), texts.dictionary.take(pa.array(kept)))


class CsvTable:
    """A CSV file that a spreadsheet opens without running a formula (score/csv_text.py)."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._file = HashedFile(path)
        with self._file.closed_on_error():
            self._writer = csv.CSVWriter(pa.PythonFile(self._file, "w"), schema.remove_metadata())
        self._rows = 0

    def add(self, rows: pa.Table) -> None:
        """Writes further lines."""
        self._writer.write_table(escaped(rows))
        self._rows += rows.num_rows

    def close(self) -> Written:
        """Flushes the file to the disk."""
        self._writer.close()
        return self._file.settled(self._rows)

    def abandon(self) -> None:
        """Closes the file as it is."""
        self._file.give_up()
        self._writer.close()
        self._file.close()
