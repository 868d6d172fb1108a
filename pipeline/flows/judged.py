"""Two models on the rows neither has seen: named, read back from their folders, and applied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.errors import MissingInputError
from pipeline.flows.evidence import read_evidence
from pipeline.flows.registration import registry_of
from pipeline.flows.role_history import ROLES, record_of
from pipeline.flows.scale import master_scale
from pipeline.flows.training_book import timetable_of, training_book
from pipeline.flows.training_source import label_of
from pipeline.score.model_folder import read_model
from pipeline.score.policy import read_policy
from pipeline.score.rating import capped_grade
from pipeline.train.sample import samples
from pipeline.train.served import served
from pipeline.train.unseen import Unseen, unseen

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from pipeline.flows.evidence import Evidence
    from pipeline.flows.setting import Setting
    from pipeline.score.master_scale import MasterScale
    from pipeline.score.model import Model
    from pipeline.score.policy_sections import ThinFileSection
    from pipeline.train.sample import Sample
    from pipeline.train.served import Served

    Texts = NDArray[np.object_]


@dataclass(frozen=True)
class Judged:
    """The whole labelled book, the rows that judge, and why there are none where what a model has seen is not known.

    `scale` and `thin` are the policy in force, by which a customer is served whatever the rule a model's pool was drawn
    by; `thin` is null for a table of one's own, of which nobody is thin.
    """

    book: pd.DataFrame
    rows: Unseen
    evidence: tuple[Evidence | None, ...]
    why_none: str | None
    scale: MasterScale
    thin: ThinFileSection | None

    @property
    def sample(self) -> Sample:
        """The rows that judge."""
        return self.rows.sample

    def served(self, model: Model) -> Served:
        """What they would be served if the model were in force."""
        shifts = {one.told["model_version"]: one.tendency_shift for one in self.evidence if one is not None}
        rule = None if self.thin is None else self.thin.thin
        return served(model, self.sample.rows, rule, shifts.get(model.version, 0.0))

    def grades(self, found: Served) -> Texts:
        """The grades they would be served with these PDs, those of thin files capped as policy has it."""
        if self.thin is None:
            return self.scale.grade(found.pd)
        return capped_grade(found.pd, found.is_thin, self.scale, self.thin.best_grade)


def model_named(setting: Setting, name: str) -> Model:
    """A model by its version, by MLflow's number, or by the role it holds.

    Raises MissingInputError when there is none (66), DamagedModelError when its files were changed (65).
    """
    models = setting.project.models
    if name.isdecimal():
        return _model_numbered(setting, name)
    record = record_of(models, name) if name in ROLES else None
    version = record["model_version"] if record else name
    if not _is_stored(models, version):
        raise MissingInputError(
            f"{models}: no model {name!r}; name one of {_stored(models)}, a number of MLflow, champion or challenger"
        )
    return read_model(models / version)


def _model_numbered(setting: Setting, number: str) -> Model:
    models, store = setting.project.models, registry_of(setting)
    version = store.version(number).model_version
    if version is None or not _is_stored(models, version):
        told = version or "a model without a name"
        raise MissingInputError(
            f"{models}: MLflow's number {number} of {store.model_name} is {told}, which is not here: it is another "
            f"project's, or its folder is gone; name one of {_stored(models)}, or the number of one"
        )
    return read_model(models / version)


def _is_stored(models: Path, version: str) -> bool:
    is_name = version and "/" not in version and not version.startswith(".")
    return bool(is_name) and (models / version / "manifest.json").is_file()


def _stored(models: Path) -> str:
    known = sorted(path.parent.name for path in models.glob("*-*/manifest.json"))
    return ", ".join(known) or "none, run creditbook run first"


def judged(setting: Setting, models: Sequence[Model]) -> Judged:
    """The rows with an outcome whose customers and dates no model was trained or calibrated on."""
    book = training_book(setting)
    whole = samples(book, timetable_of(setting, book))["all"]
    policy = None if label_of(setting).is_of_table else read_policy(setting.project.policy)
    scale, thin = (master_scale(setting), None) if policy is None else (policy.scale, policy.thin_file)
    evidence = tuple(read_evidence(setting.project, model.version) for model in models)
    missing = [model.version for model, found in zip(models, evidence, strict=True) if found is None]
    if missing:
        nothing = Unseen(whole.part(whole.is_bad < 0), {"customers": 0, "dates": 0}, None)
        why = f"what {missing[0]} was trained on is not kept (models/evidence); it was registered by an earlier version"
        return Judged(book, nothing, evidence, why, scale, thin)
    rows = unseen(whole, [found.trained_on for found in evidence if found is not None])
    return Judged(book, rows, evidence, None, scale, thin)
