"""A session on a Spark master, in client mode: this process is the driver."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pipeline.errors import CreditbookError, TargetUnreachableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pyspark.sql import SparkSession

    from pipeline.params import EngineParams

_SECONDS_TO_CONNECT = 5.0
_SHUFFLE_PARTITIONS_PER_CORE = 4
_LONGEST_REASON = 500
_WAIT_FOR_EXECUTORS = "spark.scheduler.maxRegisteredResourcesWaitingTime"
_JAVA_OPTIONS = "spark.driver.extraJavaOptions"
_LOG_SETTINGS = """\
rootLogger.level = error
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{HH:mm:ss} %p %c{1}: %m%n%ex{short}
"""


def open_session(settings: EngineParams, scratch: Path) -> SparkSession:
    """A session with at least one executor at work; `scratch` takes the driver's log and temporary files.

    Raises TargetUnreachableError when PySpark or Java is not installed, when the master does not answer or when no
    executor comes within `spark.scheduler.maxRegisteredResourcesWaitingTime`.
    """
    _check_installed()
    master = settings.master or ""
    _check_answers(master)
    from pyspark import SparkConf, SparkContext
    from pyspark.java_gateway import launch_gateway
    from pyspark.logger import PySparkLogger
    from pyspark.sql import SparkSession

    # The interpreter of the Python workers; where theirs lies elsewhere, the variable or the setting names it.
    os.environ.setdefault("PYSPARK_PYTHON", settings.options.get("spark.pyspark.python", sys.executable))
    told = spark_settings(settings, scratch)
    log = scratch / "driver.log"
    try:
        conf = SparkConf(loadDefaults=False).setAll(list(told.items()))
        with log.open("wb") as stream:
            gateway = SparkContext._gateway or launch_gateway(conf, {"stdout": stream, "stderr": stream})
        session = SparkSession(SparkContext(conf=conf, gateway=gateway))
        # They would print a page of JSON beside the error that is raised anyway.
        for name in ("DataFrameQueryContextLogger", "SQLQueryContextLogger"):
            PySparkLogger.getLogger(name).disabled = True
    except Exception as error:
        raise TargetUnreachableError(
            f"engine.master: Spark does not start on {master}: {_last_line(log) or _first_line(error)}; check the "
            "master and engine.options (docs/scale.md)"
        ) from error
    try:
        _await_executors(session, master, told[_WAIT_FOR_EXECUTORS])
    except BaseException:
        session.stop()
        raise
    return session


def spark_settings(settings: EngineParams, scratch: Path) -> dict[str, str]:
    """What the session is started with; `settings.options` come last and win, Java options are added to ours."""
    master = settings.master or ""
    log_settings = scratch / "log4j2.properties"
    log_settings.write_text(_LOG_SETTINGS, encoding="utf-8")
    memory = settings.memory_limit.removesuffix("B").lower()
    told = {
        "spark.master": master,
        "spark.app.name": "creditbook",
        "spark.driver.memory": memory,
        "spark.executor.memory": memory,
        "spark.cores.max": str(settings.threads),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.session.timeZone": "UTC",
        # An overflow or a cast that fails is an error, never a silent null.
        "spark.sql.ansi.enabled": "true",
        "spark.sql.caseSensitive": "true",
        "spark.sql.adaptive.enabled": "true",
        "spark.sql.shuffle.partitions": str(settings.threads * _SHUFFLE_PARTITIONS_PER_CORE),
        "spark.sql.adaptive.coalescePartitions.parallelismFirst": "false",
        "spark.sql.warehouse.dir": (scratch / "warehouse").as_uri(),
        _WAIT_FOR_EXECUTORS: "120s",
    }
    if _is_here(master):
        told |= {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
    if master.startswith("local"):
        told["spark.local.dir"] = str(scratch)
    told |= settings.options
    java = f"-Dlog4j2.configurationFile={log_settings.as_uri()} {settings.options.get(_JAVA_OPTIONS, '')}"
    return told | {_JAVA_OPTIONS: java.strip()}


@contextmanager
def told_by_spark(session: SparkSession, doing: str) -> Iterator[None]:
    """Turns what Spark raises into an error of one line: 69 when the cluster is lost, else 70."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (Py4JError, PySparkException, ConnectionError) as error:
        if _is_lost(session):
            raise TargetUnreachableError(
                f"Spark was lost while it computed {doing}: {_first_line(error)}; look at the cluster, then run again"
            ) from error
        raise CreditbookError(
            f"Spark failed to compute {doing}: {_first_line(error)}; run again with --debug for the traceback"
        ) from error


def _check_installed() -> None:
    try:
        import pyspark  # noqa: F401
    except ImportError:
        raise TargetUnreachableError(
            "engine.kind is spark, but PySpark is not installed; run: pip install 'creditbook[spark]'"
        ) from None
    home = os.environ.get("JAVA_HOME")
    if not (shutil.which("java") or (home and shutil.which("java", path=f"{home}/bin"))):
        raise TargetUnreachableError(
            "engine.kind is spark, but no java was found on the PATH or in JAVA_HOME; install a Java runtime 17 or 21"
        )


def _check_answers(master: str) -> None:
    """A standalone master that does not answer would hold the driver for a minute: ask it first."""
    if not master.startswith("spark://"):
        return
    reasons = [_refusal(address) for address in master.removeprefix("spark://").split(",")]
    if all(reasons):
        raise TargetUnreachableError(
            f"engine.master: {master} does not answer ({reasons[0]}); start the cluster or correct the address"
        )


def _refusal(address: str) -> str | None:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_SECONDS_TO_CONNECT).close()
    except OSError as error:
        return error.strerror or str(error)
    return None


def _await_executors(session: SparkSession, master: str, patience: str) -> None:
    if master.startswith("local"):
        return
    context: Any = session.sparkContext._jsc.sc()
    utilities: Any = session.sparkContext._jvm.org.apache.spark.util.Utils
    until = time.monotonic() + int(utilities.timeStringAsMs(patience)) / 1000
    # The driver counts as one.
    while context.getExecutorMemoryStatus().size() < 2:
        if context.isStopped() or time.monotonic() > until:
            raise TargetUnreachableError(
                f"engine.master: {master} gave no executor within {patience}; free cores and memory on the "
                "workers, ask for less (engine.memory_limit, engine.threads) or wait longer (engine.options: "
                f"{_WAIT_FOR_EXECUTORS})"
            )
        time.sleep(0.1)


def _is_here(master: str) -> bool:
    return master.startswith(("local", "spark://127.0.0.1:", "spark://localhost:"))


def _is_lost(session: SparkSession) -> bool:
    from py4j.protocol import Py4JError

    try:
        return bool(session.sparkContext._jsc.sc().isStopped())
    except (Py4JError, ConnectionError, AttributeError):
        return True


def _first_line(error: BaseException) -> str:
    """The line that names the cause: of a Java trace or, when a function failed on a worker, of the Python trace."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or ["no reason told"]
    if any(line.startswith("Traceback") for line in lines):
        told = [line for line in lines if not line.startswith(("at ", "..."))][-1]
    else:
        causes = [line.removeprefix("Caused by:") for line in lines if line.startswith(("Caused by:", ": "))]
        told = (causes or lines[:1])[-1].removeprefix(":").strip()
    return told[:_LONGEST_REASON]


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.is_file() else []
    told = [line.strip() for line in lines if line.strip() and not line.strip().startswith(("at ", "..."))]
    return told[-1][:_LONGEST_REASON] if told else ""
