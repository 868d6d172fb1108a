"""A run being written: its tables grow part by part in a folder that nobody sees until it is whole."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

from pipeline.durable import told_errors
from pipeline.score.alerts import ALERT_SCHEMA
from pipeline.score.change import CHANGES_SCHEMA
from pipeline.score.columns import BOOK_SCHEMA
from pipeline.score.cores import threads
from pipeline.score.limit_trace import TRACE_SCHEMA, TRACE_TEXTS
from pipeline.score.written_tables import CsvTable, ParquetTable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from concurrent.futures import Future
    from pathlib import Path

    import pyarrow as pa

    from pipeline.score.scored_book import ScoredPart, ScoredRun
    from pipeline.score.written_tables import TableFile, Written

RUN_TABLES: Mapping[str, pa.Schema] = {
    "scored_book": BOOK_SCHEMA, "alerts": ALERT_SCHEMA, "limit_trace": TRACE_SCHEMA, "changes": CHANGES_SCHEMA,
}  # fmt: skip
"""The tables of a run and their columns."""


class Draft:
    """The files of a run in `folder`, all but the manifest.

    While one part is being written the next may be made: compressing and writing run in threads of their own. What
    goes wrong there is raised by the next `add` or by `close`. Raises OutputError or StorageError as the disk fails.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._pool = ThreadPoolExecutor(threads(), "draft")
        self._under_way: list[Future[None]] = []
        self._files: dict[str, TableFile] = {}

    def open(self) -> None:
        """Makes the files, each with what stands at its beginning."""
        with told_errors(self.folder):
            for name, schema in RUN_TABLES.items():
                coded = TRACE_TEXTS if name == "limit_trace" else ()
                self._files[f"{name}.parquet"] = ParquetTable(self.folder / f"{name}.parquet", schema, coded)
            self._files["scored_book.csv"] = CsvTable(self.folder / "scored_book.csv", BOOK_SCHEMA)

    def add(self, part: ScoredPart | ScoredRun) -> None:
        """Writes the tables of further customers, which come after those before."""
        self._settle()
        tables = {
            "scored_book.parquet": part.book,
            "scored_book.csv": part.book,
            "alerts.parquet": part.alerts,
            "limit_trace.parquet": part.limit_trace,
            "changes.parquet": part.changes,
        }
        self._under_way = [self._pool.submit(self._files[name].add, rows) for name, rows in tables.items()]

    def close(self) -> dict[str, Written]:
        """Every file whole on the disk, by name."""
        self._settle()
        closing = {name: self._pool.submit(file.close) for name, file in self._files.items()}
        self._under_way = []
        with told_errors(self.folder):
            return {name: done.result() for name, done in sorted(closing.items())}

    def abandon(self) -> None:
        """Ends the threads and closes the files as they are."""
        wait(self._under_way)
        self._pool.shutdown()
        for file in self._files.values():
            file.abandon()

    def _settle(self) -> None:
        wait(self._under_way)
        with told_errors(self.folder):
            for done in self._under_way:
                done.result()
