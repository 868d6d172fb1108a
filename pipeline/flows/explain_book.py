"""`creditbook explain --parquet FILE`: what each feature adds to the score of every customer of a published run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.datasets import put_file
from pipeline.durable import told_errors
from pipeline.errors import OutputError
from pipeline.flows import log
from pipeline.flows.explained_run import explained_run, is_explained, require_as_published, scratch_folder
from pipeline.flows.features_of_run import features_of_run
from pipeline.flows.setting import open_setting
from pipeline.score.cores import threads
from pipeline.score.crew import Crew
from pipeline.score.explanation.book import EXPLAINED, AsPublished, explained_schema, parts_of
from pipeline.score.ranges import KEY, ParquetRows
from pipeline.score.run_check import RUNS
from pipeline.score.written_tables import ParquetTable
from pipeline.tables.unchanged import unchanged

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator
    from pathlib import Path

    import pyarrow as pa

    from pipeline.flows.explained_run import ExplainedRun, Sources
    from pipeline.score.crew_line import Tables
    from pipeline.score.explanation.book import Explaining


def explain_book(root: Path, file: Path, sources: Sources, as_of: dt.date | None) -> None:
    """Writes the explained book (score/explanation/book.py) of a day, or of the latest, in place of `file`.

    A reader of `file` sees the old one or the whole new one; equal runs give equal bytes, on any number of cores.
    Raises MissingInputError without the run, the model or its features, DamagedRunError, DamagedModelError,
    ContractError when a customer no longer comes out as it was published, OutputError, StorageError.
    """
    setting = open_setting(root)
    found = explained_run(setting, sources, as_of)
    _require_place(file, found)
    model, book = found.model(), found.run.book([KEY, "model"])
    customers = book.filter(is_explained(book))[KEY].combine_chunks()
    workers = min(setting.params.score.workers, threads())
    with scratch_folder(setting) as folder:
        features = features_of_run(setting, found, model, customers, folder)
        kept, draft = features.rows.path, folder / "explained.parquet"
        rows = ParquetRows(found.run.folder / "scored_book.parquet")
        with unchanged(kept.parent, [kept.name]):
            parts = parts_of(rows, features.rows, model)
            told = _written(draft, explained_schema(model), parts, found.job(model), workers)
        require_as_published(told, found.run)
        put_file(draft, file)
    message = f"{file}: {told.asked:,} of {book.num_rows:,} customers of {found.run.as_of} explained, features"
    log.say(
        "book_explained",
        f"{message} {features.source}",
        as_of=found.run.as_of.isoformat(),
        run_id=found.run.manifest["run_id"],
        customers=book.num_rows,
        explained=told.asked,
        file=str(file),
    )


def _require_place(file: Path, found: ExplainedRun) -> None:
    """Raises OutputError for a folder, and for a place among the published runs, which never change."""
    if file.is_dir():
        raise OutputError(f"{file} cannot be created: a folder is there; name a file, such as explained.parquet")
    place = file.resolve()
    if place.is_relative_to(found.run.folder) or place.is_relative_to((found.out / RUNS).resolve()):
        raise OutputError(f"{file} cannot be created: it lies in a published run, which never changes; choose another")


def _written(path: Path, schema: pa.Schema, parts: Iterator[Tables], job: Explaining, workers: int) -> AsPublished:
    """The table, part by part in the order of customers; tells whether they come out as published."""
    told = AsPublished()
    with told_errors(path):
        table = ParquetTable(path, schema)
    try:
        with Crew(workers) as crew:
            for done in crew.each(job, parts):
                told += done.told
                with told_errors(path):
                    table.add(done.tables[EXPLAINED])
        with told_errors(path):
            table.close()
    finally:
        table.abandon()
    return told
