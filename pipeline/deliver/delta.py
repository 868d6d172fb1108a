"""A Delta Lake table as a target: one commit per run replaces its day; which run that was stands in the commit."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.deliver.published import control_of, differences, schema_in_targets
from pipeline.errors import ContractError, LockedError, OutputError, StorageError, TargetUnreachableError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from deltalake import DeltaTable

    from pipeline.deliver.published import PublishedDay

BOOK = "scored_book"


@dataclass(frozen=True)
class DeltaTarget:
    """A table of the scored book, partitioned by `as_of`.

    Delta Lake knows no transaction over several tables, so it holds the book alone. Every commit carries two
    transaction identifiers with one number: the day's, and that of the day with run id and hash of the manifest. The
    table holds a run when both have the same number; an empty book, of which no row tells, is known by it too.
    """

    folder: Path
    name: str = "delta"

    def days(self) -> list[dt.date]:
        """The days it has rows of, in order."""
        table = self._table()
        if table is None:
            return []
        with _told_errors(self.folder):
            days = pa.array([part["as_of"] for part in table.partitions()], pa.string()).cast(pa.date32())
        return sorted(set(days.to_pylist()))

    def in_step(self, runs: Sequence[PublishedDay]) -> frozenset[dt.date]:
        """The days of which it holds this very run."""
        table = self._table()
        if table is None:
            return frozenset()
        with _told_errors(self.folder):
            numbers = {run.as_of: (_number(table, _of_day(run)), _number(table, _of_run(run))) for run in runs}
        return frozenset(day for day, (last, own) in numbers.items() if own is not None and own == last)

    def is_whole(self, run: PublishedDay) -> bool:
        """What it holds of the run has the run's rows, values and sums; what cannot be read has not."""
        table = self._table()
        if table is None or _odd_columns(table):
            return False
        try:
            return not self._gaps(table, run)
        except StorageError:
            # A file that the log names is gone or damaged: the day is written again.
            return False

    def hand_on(self, run: PublishedDay) -> None:
        """Replaces the day in one commit, then reads the day back.

        Raises ContractError (the table has other columns), TargetUnreachableError, LockedError (another commit came
        first), OutputError (rights, or the folder is no table), StorageError (disk, or what is read back differs).
        """
        from deltalake import CommitProperties, Transaction, write_deltalake

        table = self._table()
        number = 1
        if table is not None:
            self._refuse(_odd_columns(table))
            number += _number(table, _of_day(run)) or 0
        rows = pa.RecordBatchReader.from_batches(schema_in_targets(BOOK), run.batches(BOOK))
        properties = CommitProperties(
            custom_metadata={"creditbook_run_id": run.run_id, "creditbook_manifest_sha256": run.manifest_sha256},
            app_transactions=[Transaction(_of_day(run), number), Transaction(_of_run(run), number)],
        )
        with _told_errors(self.folder):
            write_deltalake(
                self.folder if table is None else table,
                rows,
                mode="overwrite",
                predicate=f"as_of = '{run.as_of.isoformat()}'",
                partition_by=["as_of"],
                commit_properties=properties,
            )
        self._require_whole(run)

    def _table(self) -> DeltaTable | None:
        """The table as it stands; null where none is yet. Raises TargetUnreachableError, OutputError."""
        from deltalake import DeltaTable

        if not self.folder.parent.is_dir():
            raise TargetUnreachableError(
                f"delta: {self.folder.parent} is not there; mount or make it, then run creditbook deliver"
            )
        with _told_errors(self.folder):
            if DeltaTable.is_deltatable(str(self.folder)):
                return DeltaTable(self.folder)
            if self.folder.exists() and (not self.folder.is_dir() or any(self.folder.glob("*.*"))):
                raise OutputError(f"delta: {self.folder} is there and is no Delta table; name another folder")
        return None

    def _refuse(self, odd: list[str]) -> None:
        if odd:
            listed = "\n".join(f"  - {breach}" for breach in odd)
            raise ContractError(
                f"delta: {len(odd)} column(s) of {self.folder} are not those handed on:\n{listed}\nNothing was changed "
                "there. Alter the table to match, or name another folder: creditbook deliver hands on every published "
                "day again"
            )

    def _require_whole(self, run: PublishedDay) -> None:
        table = self._table()
        gaps = ["the table is gone"] if table is None else self._gaps(table, run)
        if gaps:
            raise StorageError(
                f"delta: {len(gaps)} figure(s) read back from {self.folder} differ from the run of {run.as_of}, e.g. "
                f"{gaps[0]}; look at the disk, then run creditbook deliver --as-of {run.as_of}"
            )

    def _gaps(self, table: DeltaTable, run: PublishedDay) -> list[str]:
        schema = schema_in_targets(BOOK)
        with _told_errors(self.folder):
            rows = table.to_pyarrow_dataset(file_pruning_predicate=[("as_of", "=", run.as_of.isoformat())])
            is_of_run = (pc.field("as_of") == pa.scalar(run.as_of)) & (pc.field("run_id") == run.run_id)
            found = control_of(rows.to_batches(columns=schema.names, filter=is_of_run), schema)
        return differences(run.control(BOOK), found)


def _odd_columns(table: DeltaTable) -> list[str]:
    told = schema_in_targets(BOOK)
    found = pa.schema(table.schema().to_arrow())
    odd = [f"{field.name}: missing, {field.type} is due" for field in told if field.name not in found.names]
    odd += [f"{name}: not known here" for name in found.names if name not in told.names]
    return odd + [
        f"{field.name}: {found.field(field.name).type} where {field.type} is due"
        for field in told
        if field.name in found.names and found.field(field.name).type != field.type
    ]


def _number(table: DeltaTable, identifier: str) -> int | None:
    """The number of the last commit with that transaction identifier; null without one."""
    number: int | None = table.transaction_version(identifier)
    return number


def _of_day(run: PublishedDay) -> str:
    return f"creditbook as_of={run.as_of.isoformat()}"


def _of_run(run: PublishedDay) -> str:
    return f"creditbook as_of={run.as_of.isoformat()} run={run.run_id} manifest={run.manifest_sha256}"


def delta_target(folder: Path) -> DeltaTarget:
    """The target in a folder. Raises TargetUnreachableError where the writer is not installed."""
    try:
        import deltalake  # noqa: F401 - asked for only
    except ImportError:
        raise TargetUnreachableError(
            "deliver.delta: the writer deltalake is not installed; install creditbook with the extra delta"
        ) from None
    return DeltaTarget(folder)


@contextmanager
def _told_errors(folder: Path) -> Iterator[None]:
    """Turns what the writer raises into the error a user can act on."""
    from deltalake.exceptions import CommitFailedError, DeltaError

    try:
        yield
    except CommitFailedError as error:
        raise LockedError(
            f"delta: another commit to {folder} came first; the table is as that left it; run creditbook deliver again"
        ) from error
    except (DeltaError, OSError, pa.ArrowException) as error:
        text = str(error)
        if "ermission denied" in text or "Read-only" in text:
            raise OutputError(f"delta: {folder} cannot be written; mend its rights") from error
        raise StorageError(
            f"delta: {folder} could not be read or written ({text.splitlines()[0][:300]}); the table is at its last "
            "whole version; mend the disk, then run creditbook deliver"
        ) from error
