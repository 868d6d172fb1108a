"""A real standalone cluster on loopback: one master and two workers, from the jars that PySpark brings along."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from pipeline.params import EngineParams

WORKERS = 2
_SECONDS = 120
_MASTER = re.compile(r"Starting Spark master at (spark://127\.0\.0\.1:\d+)")


def why_not() -> str | None:
    """What is missing for a cluster, if anything."""
    if importlib.util.find_spec("pyspark") is None:
        return "PySpark is not installed: pip install creditbook[spark]"
    if shutil.which("java") is None:
        return "no java on the PATH: scripts/system-packages.sh test"
    return None


def _die_with_the_parent() -> None:
    """Before the process starts: the kernel kills it when the test process dies, in whatever way."""
    parent_death_signal = 1
    ctypes.CDLL(None).prctl(parent_death_signal, signal.SIGKILL)


class Cluster:
    """One master and its workers, each with one core and 1 GB, each the leader of a process group."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.workers: list[subprocess.Popen[bytes]] = []
        self._started = 0
        self._master = self._start("master", "master.Master", "--port", "0")
        try:
            self.master = self._told("master", _MASTER)
            for _ in range(WORKERS):
                self.add_worker()
        except BaseException:
            self.stop()
            raise

    def params(self, **changes: Any) -> EngineParams:
        """Parameters of an engine here. Java that compiles once is quicker where each plan runs once."""
        quick = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
        options = {"spark.driver.extraJavaOptions": quick, "spark.executor.extraJavaOptions": quick}
        given = {"master": self.master, "memory_limit": "512MB", "threads": WORKERS, "options": options}
        return EngineParams(kind="spark", **(given | changes))

    def add_worker(self) -> None:
        """Starts one more worker and waits until the master knows it."""
        name = f"worker-{self._started}"
        self._started += 1
        limits = ("--cores", "1", "--memory", "1g", "--work-dir", str(self.folder / name))
        self.workers.append(self._start(name, "worker.Worker", *limits, self.master))
        self._told(name, re.compile(r"(Successfully registered) with master"))

    def kill_worker(self) -> None:
        """SIGKILL for a worker and its executors, as when its machine is lost."""
        worker = self.workers.pop(0)
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()

    def stop(self) -> None:
        """Ends every process that was started."""
        for process in (*self.workers, self._master):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self.workers.clear()

    def _start(self, name: str, role: str, *arguments: str) -> subprocess.Popen[bytes]:
        import pyspark

        home = Path(pyspark.__file__).parent
        environment = os.environ | {
            "SPARK_HOME": str(home),
            "SPARK_DAEMON_MEMORY": "256m",
            "SPARK_LOCAL_DIRS": str(self.folder / "local"),
            "SPARK_DAEMON_JAVA_OPTS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        }
        command = [home / "bin" / "spark-class", f"org.apache.spark.deploy.{role}", "--host", "127.0.0.1"]
        with (self.folder / f"{name}.log").open("wb") as log:
            return subprocess.Popen(
                [*command, "--webui-port", "0", *arguments],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_die_with_the_parent,  # noqa: PLW1509 - it takes no lock
            )

    def _told(self, name: str, pattern: re.Pattern[str]) -> str:
        """Waits until the process says so in its log."""
        log = self.folder / f"{name}.log"
        until = time.monotonic() + _SECONDS
        while time.monotonic() < until:
            found = pattern.search(log.read_text(encoding="utf-8", errors="replace"))
            if found:
                return found[1]
            time.sleep(0.1)
        pytest.fail(f"{name} did not start within {_SECONDS} s:\n{log.read_text(encoding='utf-8')[-3000:]}")
