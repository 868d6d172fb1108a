"""Spark: the same expressions on a cluster. Rows are exchanged as Parquet, never through pandas: it makes null NaN."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import ibis
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.engine.parquet_files import read_parquet, write_batches
from pipeline.engine.scratch import ScratchFolder
from pipeline.engine.shared_folder import DistantFolder, MountedFolder
from pipeline.engine.shipped_code import ShippedCode
from pipeline.engine.spark_session import open_session, told_by_spark

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import ibis.expr.types as ir
    from pyspark.sql import DataFrame, SparkSession

    from pipeline.engine.protocol import BatchFunction, WhenKept
    from pipeline.engine.shared_folder import SharedFolder
    from pipeline.engine.spark_backend import ArrowBackend
    from pipeline.params import EngineParams

_ROWS_PER_BATCH = 16_384


@dataclass(frozen=True)
class SparkEngine:
    """An open session. What it keeps lies as Parquet in `shared`: that survives the loss of a worker and cuts plans
    short."""

    session: SparkSession
    backend: ArrowBackend
    shared: SharedFolder
    scratch: ScratchFolder
    code: ShippedCode
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def read(self, path: Path, name: str) -> ir.Table:
        """The Parquet file as a table."""
        own = self._own(name)
        place = self.shared.show(path, f"{own}.parquet")
        return self._view(own, place, ibis.Schema.from_pyarrow(pq.read_schema(path)))

    def register(self, name: str, rows: pa.Table) -> ir.Table:
        """An Arrow table as a table of the engine; nulls stay nulls."""
        own = self._own(name)
        return self._view(own, self.shared.put(rows, f"{own}.parquet"), ibis.Schema.from_pyarrow(rows.schema))

    def keep(self, expression: ir.Table, name: str, when_kept: WhenKept | None = None) -> ir.Table:
        """Computes the expression once and gives back the stored rows; use it where many expressions build on one."""
        own, started = self._own(name), time.perf_counter()
        rows = self._stored(self._frame(expression, own), expression.schema(), own)
        if when_kept is not None:
            when_kept(time.perf_counter() - started)
        return rows

    def collect(self, expression: ir.Table, order_by: Sequence[str]) -> pa.Table:
        """All rows in memory, in a total order that the caller names."""
        schema = expression.schema().to_pyarrow()
        tables = [read_parquet(part).cast(schema) for part in self._sorted(expression, order_by)]
        return pa.concat_tables(tables) if tables else schema.empty_table()

    def write(self, expression: ir.Table, path: Path, order_by: Sequence[str]) -> int:
        """Streams all rows to one Parquet file in a total order: the cluster sorts, the driver reads part by part."""
        schema = expression.schema().to_pyarrow()
        return write_batches(_batches(self._sorted(expression, order_by), schema), schema, path)

    def map_batches(self, rows: ir.Table, function: BatchFunction, schema: pa.Schema, name: str) -> ir.Table:
        """The rows after `function`, batch by batch on the workers, kept under `name`."""
        self.code.ship(self.session)
        given = rows.schema().to_pyarrow()
        told = ibis.Schema.from_pyarrow(schema)
        own = self._own(name)
        frame = self._frame(rows, own).mapInArrow(_on_batches(function, given, schema), _spark_schema(told))
        return self._stored(frame, told, own)

    def close(self) -> None:
        """Ends the session and removes what the run left in the shared folder."""
        try:
            self.shared.close()
        finally:
            self.session.stop()
            self.scratch.close()

    def _sorted(self, expression: ir.Table, order_by: Sequence[str]) -> Iterator[Path]:
        """The part files of the rows, each sorted and all in order."""
        own = self._own("sorted")
        frame = self._frame(expression, own).orderBy(*order_by)
        self._store(frame, expression.schema(), own)
        yield from self.shared.parts(own)
        self.shared.drop(own)

    def _stored(self, frame: DataFrame, schema: ibis.Schema, own: str) -> ir.Table:
        self._store(frame, schema, own)
        return self._view(own, self.shared.at(own), schema)

    def _store(self, frame: DataFrame, schema: ibis.Schema, own: str) -> None:
        from pyspark.sql import functions

        # Engines differ in the type of a sum; what is stored has the type Ibis tells.
        columns = [
            functions.col(f"`{told.name}`").cast(told.dataType).alias(told.name) for told in _spark_schema(schema)
        ]
        with told_by_spark(self.session, own):
            frame.select(columns).write.parquet(self.shared.at(own))

    def _view(self, own: str, place: str, schema: ibis.Schema) -> ir.Table:
        with told_by_spark(self.session, own):
            self.session.read.schema(_spark_schema(schema)).parquet(place).createOrReplaceTempView(own)
            return self.backend.table(own)

    def _frame(self, expression: ir.Table, name: str) -> DataFrame:
        with told_by_spark(self.session, name):
            self.backend._run_pre_execute_hooks(expression)
            return self.session.sql(self.backend.compile(expression))

    def _own(self, name: str) -> str:
        """The name with a number: a table made later never changes what an earlier expression reads."""
        return f"{name}_{next(self._numbers)}"


def open_spark(settings: EngineParams, scratch: Path) -> SparkEngine:
    """Spark on the master that the settings name; without a shared folder of its own, all workers reach `scratch`.

    Raises TargetUnreachableError when PySpark or Java is not installed, or the cluster cannot be reached.
    """
    own = ScratchFolder(scratch, "driver")
    try:
        session = open_session(settings, own.path)
    except BaseException:
        own.close()
        raise
    from pipeline.engine.spark_backend import ArrowBackend

    try:
        shared: SharedFolder
        if settings.shared_folder is None:
            shared = MountedFolder(scratch)
        else:
            with told_by_spark(session, "the shared folder"):
                shared = DistantFolder(session, settings.shared_folder, own.path)
        backend = ArrowBackend()
        backend.register_options()
        backend.do_connect(session)
    except BaseException:
        session.stop()
        own.close()
        raise
    return SparkEngine(session, backend, shared, own, ShippedCode(own.path))


def _spark_schema(schema: ibis.Schema) -> Any:
    from ibis.backends.pyspark.datatypes import PySparkSchema

    return PySparkSchema.from_ibis(schema)


def _on_batches(
    function: BatchFunction, given: pa.Schema, told: pa.Schema
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """The function for Spark: over a partition's batches, with the types the engines agree on."""

    def run(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            if batch.num_rows:
                yield function(batch.cast(given)).cast(told)

    return run


def _batches(parts: Iterator[Path], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for part in parts:
        with pq.ParquetFile(part) as file:
            # Group by group: one iterator over all of them holds the compressed bytes of every group it has passed.
            for group in range(file.num_row_groups):
                for batch in file.iter_batches(_ROWS_PER_BATCH, row_groups=[group]):
                    yield batch.cast(schema)
