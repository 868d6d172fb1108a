"""`creditbook verify`: a published run against its manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.errors import DamagedRunError, MissingInputError
from pipeline.flows import log
from pipeline.score.run_check import verify

if TYPE_CHECKING:
    from pathlib import Path


def verify_run(folder: Path) -> None:
    """Prints that the run is whole. Raises MissingInputError without a run, DamagedRunError with every breach."""
    if not folder.is_dir():
        what = "a file, and a run is a folder" if folder.exists() else "no such run"
        raise MissingInputError(f"{folder}: {what}; name a folder such as data/scored/latest")
    breaches = verify(folder)
    if breaches:
        listed = "\n".join(f"  - {breach}" for breach in breaches)
        raise DamagedRunError(
            f"{folder}: {len(breaches)} breach(es) of its manifest:\n{listed}\nDo not use this run; score again."
        )
    log.say("verified", f"{folder}: whole; every file is what the manifest says")
