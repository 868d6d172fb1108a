"""What the driver and the workers both reach: a run's own folder on a file system, or below an object-store path."""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pipeline.engine.parquet_files import write_parquet
from pipeline.engine.scratch import ScratchFolder

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa
    from pyspark.sql import SparkSession


class SharedFolder(Protocol):
    """A run's own folder: `at` names a place in it as Spark does, the other methods move data in and out."""

    def at(self, name: str) -> str:
        """The place of that name, as a path for Spark."""

    def put(self, rows: pa.Table, name: str) -> str:
        """Writes rows as Parquet and gives back their place."""

    def show(self, path: Path, name: str) -> str:
        """Where the workers find the driver's file."""

    def parts(self, name: str) -> Iterator[Path]:
        """The part files of what Spark wrote to that place, in order, as files of the driver's."""

    def drop(self, name: str) -> None:
        """Removes what Spark wrote to that place."""

    def close(self) -> None:
        """Removes the run's folder."""


class MountedFolder:
    """A folder that driver and workers reach under one path: on one machine, or on a mounted file system."""

    def __init__(self, parent: Path) -> None:
        self._folder = ScratchFolder(parent, "spark")
        # Executors may run as another user: who may write to the parent may write here.
        self._folder.path.chmod(parent.stat().st_mode & 0o7777)

    def at(self, name: str) -> str:
        """The place of that name, as a path for Spark."""
        return (self._folder.path / name).as_uri()

    def put(self, rows: pa.Table, name: str) -> str:
        """Writes rows as Parquet and gives back their place."""
        write_parquet(rows, self._folder.path / name)
        return self.at(name)

    def show(self, path: Path, name: str) -> str:  # noqa: ARG002
        """The file where it lies."""
        return path.resolve().as_uri()

    def parts(self, name: str) -> Iterator[Path]:
        """The part files of what Spark wrote to that place, in order."""
        yield from sorted((self._folder.path / name).glob("part-*"), key=_number)

    def drop(self, name: str) -> None:
        """Removes what Spark wrote to that place."""
        shutil.rmtree(self._folder.path / name)

    def close(self) -> None:
        """Removes the run's folder."""
        self._folder.close()


class DistantFolder:
    """A folder reached by Hadoop's file systems: s3a://, abfss://, gs://, hdfs:// or file://."""

    def __init__(self, session: SparkSession, parent: str, scratch: Path) -> None:
        self._jvm: Any = session.sparkContext._jvm
        self._root = f"{parent.rstrip('/')}/creditbook-{uuid.uuid4().hex}"
        self._system = self._path(self._root).getFileSystem(session.sparkContext._jsc.hadoopConfiguration())
        self._system.mkdirs(self._path(self._root))
        self._scratch = scratch

    def at(self, name: str) -> str:
        """The place of that name, as a path for Spark."""
        return f"{self._root}/{name}"

    def put(self, rows: pa.Table, name: str) -> str:
        """Writes rows as Parquet and gives back their place."""
        local = self._scratch / name
        write_parquet(rows, local)
        place = self.show(local, name)
        local.unlink()
        return place

    def show(self, path: Path, name: str) -> str:
        """A copy of the driver's file."""
        place = self.at(name)
        self._system.copyFromLocalFile(False, True, self._path(path.resolve().as_uri()), self._path(place))  # noqa: FBT003
        return place

    def parts(self, name: str) -> Iterator[Path]:
        """The part files of what Spark wrote to that place, in order, one at a time as a file of the driver's."""
        found = [status.getPath() for status in self._system.listStatus(self._path(self.at(name)))]
        files = {Path(path.getName()): path for path in found if path.getName().startswith("part-")}
        for told in sorted(files, key=_number):
            local = self._scratch / f"{name}-{told.name}"
            self._system.copyToLocalFile(False, files[told], self._path(local.as_uri()), True)  # noqa: FBT003
            yield local
            local.unlink()

    def drop(self, name: str) -> None:
        """Removes what Spark wrote to that place."""
        self._delete(self.at(name))

    def close(self) -> None:
        """Removes the run's folder."""
        self._delete(self._root)

    def _delete(self, place: str) -> None:
        self._system.delete(self._path(place), True)  # noqa: FBT003

    def _path(self, place: str) -> Any:
        return self._jvm.org.apache.hadoop.fs.Path(place)


def _number(part: Path) -> int:
    """The partition of a part file: part-00017-<id>.parquet is 17."""
    return int(part.name.split("-")[1])
