"""Opens the engine that the parameters name."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.engine.duck import DuckEngine, open_duckdb

if TYPE_CHECKING:
    from pipeline.engine.protocol import Engine
    from pipeline.params import EngineParams


def connect(settings: EngineParams, scratch: Path) -> Engine:
    """The engine by the parameters; it keeps what it must put on disk under `scratch`, and removes it at close.

    Raises TargetUnreachableError when Spark is asked for and cannot be reached.
    """
    if settings.kind == "spark":
        from pipeline.engine.spark import open_spark

        return open_spark(settings, scratch)
    return open_duckdb(settings.threads, settings.memory_limit, scratch)


def connect_duckdb(threads: int, memory_limit: str, scratch: Path | None = None) -> DuckEngine:
    """DuckDB in the process with so many threads; it spills above `memory_limit` (such as "2GB")."""
    return open_duckdb(threads, memory_limit, scratch or Path(tempfile.gettempdir()) / "creditbook")
