"""This package's own code, sent to the workers: they run what the driver runs, with nothing installed there."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_PACKAGE = Path(__file__).resolve().parents[1]


@dataclass
class ShippedCode:
    """The package as a zip in `folder`, sent once when a function is to run on the workers."""

    folder: Path
    is_sent: bool = False

    def ship(self, session: SparkSession) -> None:
        """Sends the package; a second call does nothing."""
        if self.is_sent:
            return
        archive = self.folder / f"{_PACKAGE.name}.zip"
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
            for path in sorted(_PACKAGE.rglob("*.py")):
                zipped.write(path, path.relative_to(_PACKAGE.parent))
        session.sparkContext.addPyFile(str(archive))
        self.is_sent = True
