"""The candidates of the last fit, and their way into models/<model_version>/."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.datasets import read_json
from pipeline.durable import draft_folder
from pipeline.errors import MissingInputError
from pipeline.score.model_folder import read_model

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.datasets import Project
    from pipeline.score.model import Model

# Which kind takes which role when no model is in force yet: the one a committee can read decides.
FIRST_PAIR = {"champion": "scorecard", "challenger": "booster"}
DETAILS = "details.json"
# The key in the details of a booster that could not be fitted beside an expert card: why not.
UNFIT = "unfit"


@dataclass(frozen=True)
class Candidate:
    """A fitted model that is not yet in force: its folder, the model, and how it was fitted."""

    folder: Path
    model: Model
    details: dict[str, Any]


def candidates(project: Project) -> dict[str, Candidate]:
    """The pair by role; the champion alone where an expert card has no challenger.

    Raises MissingInputError when a fit has not run, DamagedModelError when a file was changed.
    """
    told = project.candidate("booster") / DETAILS
    has_no_challenger = told.is_file() and UNFIT in read_json(told, made_by="fit_booster")
    roles = ["champion"] if has_no_challenger else list(FIRST_PAIR)
    return {role: _candidate(project, FIRST_PAIR[role]) for role in roles}


def store(project: Project, candidate: Candidate) -> None:
    """Copies a candidate to models/<model_version>/; a version that is there already is left as it is."""
    target = project.models / candidate.model.version
    if target.is_dir():
        return
    with draft_folder(target) as draft:
        shutil.copytree(candidate.folder, draft, dirs_exist_ok=True)


def _candidate(project: Project, kind: str) -> Candidate:
    place = project.candidate(kind)
    folders = sorted(path for path in place.glob(f"{kind}-*") if path.is_dir())
    if not folders:
        raise MissingInputError(f"{place}: no candidate here; run the stage fit_{kind} first")
    return Candidate(folders[0], read_model(folders[0]), read_json(place / DETAILS, made_by=f"fit_{kind}"))
