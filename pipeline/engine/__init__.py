"""The engine behind one Ibis connection, DuckDB in the process or a Spark cluster: the same expressions, equal rows."""

from pipeline.engine.opening import connect, connect_duckdb
from pipeline.engine.parquet_files import read_parquet, write_parquet
from pipeline.engine.protocol import BatchFunction, Engine

__all__ = ["BatchFunction", "Engine", "connect", "connect_duckdb", "read_parquet", "write_parquet"]
