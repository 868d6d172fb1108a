"""What every flow starts from: the project, its parameters, an engine and the ledger."""

from __future__ import annotations

import dataclasses
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.datasets import Project, open_project
from pipeline.engine import Engine, connect
from pipeline.plain_yaml import text_of
from pipeline.read_params import parse_params
from pipeline.tables.canonical import Ledger, open_ledger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.params import Params


@dataclass(frozen=True)
class Setting:
    """A project and its parameters, read and checked."""

    project: Project
    params: Params

    @contextmanager
    def engine(self) -> Iterator[Engine]:
        """An engine by the parameters, closed at the end; what it puts on disk goes below data/."""
        params = self.params.engine
        shared = params.shared_folder
        if shared is not None and "://" not in shared:
            params = dataclasses.replace(params, shared_folder=(self.project.root / shared).resolve().as_uri())
        engine = connect(params, self.project.root / "data" / ("spark" if params.kind == "spark" else "scratch"))
        try:
            yield engine
        finally:
            engine.close()


def open_setting(root: Path = Path()) -> Setting:
    """The project in `root`. Raises MissingInputError without one, ParameterError when params.yaml is wrong."""
    project = open_project(root)
    return Setting(project, parse_params(text_of(project.params), str(project.params)))


def ledger_in(engine: Engine, folder: Path) -> Ledger:
    """The canonical ledger in a folder, every file's hash checked."""
    return open_ledger(engine.read, engine.register, folder)
