"""A published run that is explained: its model, its features, and that it still comes out as it was published."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.engine.scratch import ScratchFolder
from pipeline.errors import ContractError
from pipeline.flows.published_runs import run_of
from pipeline.score.explanation.book import Explaining
from pipeline.score.model_folder import read_model

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator
    from pathlib import Path

    from pipeline.flows.published_runs import PublishedRun
    from pipeline.flows.setting import Setting
    from pipeline.score.explanation.book import AsPublished
    from pipeline.score.model import Model

_BY_A_MODEL = ("scorecard", "booster", "thin_file")


@dataclass(frozen=True)
class Sources:
    """Where ledger, models and published runs lie; null is the project's place."""

    tables: Path | None = None
    models: Path | None = None
    out: Path | None = None


@dataclass(frozen=True)
class ExplainedRun:
    """A run with the places of what it was made of."""

    run: PublishedRun
    tables: Path
    models: Path
    out: Path

    def model(self) -> Model:
        """The model that the run names. Raises MissingInputError when it is gone, DamagedModelError."""
        return read_model(self.models / self.run.manifest["versions"]["model"]["version"])

    def job(self, model: Model) -> Explaining:
        """What explains rows of the run."""
        return Explaining(model, self.run.manifest["run_id"], self.run.as_of)


def explained_run(setting: Setting, sources: Sources, as_of: dt.date | None) -> ExplainedRun:
    """The run of a day, or the latest. Raises MissingInputError without one, DamagedRunError when it is damaged."""
    project = setting.project
    out = sources.out or project.root / setting.params.score.out
    return ExplainedRun(run_of(out, as_of), sources.tables or project.ledger, sources.models or project.models, out)


def is_explained(book: pa.Table) -> pa.ChunkedArray:
    """Who was rated by the model or as a thin file; nobody in default, not rated or graded by hand."""
    return pc.is_in(book["model"], value_set=pa.array(_BY_A_MODEL))


def require_as_published(found: AsPublished, run: PublishedRun) -> None:
    """Raises ContractError when customers have no features, or come out with another PD or score than was published:
    ledger, features or code have moved on, and what is told of them would contradict the book."""
    if not found.example:
        return
    what = {"have no features": found.lacking, "come out with another PD or score": found.moved}
    told = " and ".join(f"{count:,} {name}" for name, count in what.items() if count)
    raise ContractError(
        f"explain: of {found.asked:,} customers rated in the run of {run.as_of} {told} than was published, e.g. "
        f"{found.example}: the ledger, the features or the code has moved on; score the day again (creditbook score "
        f"--as-of {run.as_of}), then explain"
    )


@contextmanager
def scratch_folder(setting: Setting) -> Iterator[Path]:
    """A folder for rows and for a file that is not whole yet; gone at its end, or at the next start after a kill."""
    scratch = ScratchFolder(setting.project.root / "data" / "scratch", "explain")
    try:
        yield scratch.path
    finally:
        scratch.close()
