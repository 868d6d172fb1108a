"""Writes a scorecard in a form that another system or a person reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, cast

from pipeline.datasets import open_project
from pipeline.durable import replace_bytes
from pipeline.errors import MissingInputError
from pipeline.flows import log
from pipeline.score.exports.forms import export
from pipeline.score.model_folder import read_model, read_role

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.datasets import Project
    from pipeline.score.model import Model

_ROLES = ("champion", "challenger")


def export_card(project: Path, named: str, form: str, out: Path, *, dialect: str, table: str) -> None:
    """`named` is a role or a model version, in force, stored or the last candidate.

    Raises MissingInputError when there is no such model, ParameterError when it is no scorecard, OutputError when the
    file cannot be written.
    """
    model = _model(open_project(project), named)
    content = export(model, form, dialect=dialect, table=table)
    replace_bytes(out, content)
    log.say("card_written", f"{out}: {model.version} as {form}, {len(content):,} bytes")


def _model(project: Project, named: str) -> Model:
    if named in _ROLES:
        return read_role(project.models, cast("Literal['champion', 'challenger']", named))
    places = (project.models, project.candidate("scorecard"), project.candidate("booster"))
    for place in places:
        if named and "/" not in named and (place / named / "manifest.json").is_file():
            return read_model(place / named)
    known = sorted({path.parent.name for place in places for path in place.glob("*-*/manifest.json")})
    told = f"there are {', '.join(known)}" if known else "none has been fitted yet"
    raise MissingInputError(f"{project.models}: no model {named!r}; {told}; name one of them, champion or challenger")
