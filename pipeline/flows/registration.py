"""Both models into MLflow: parameters, metrics, lineage, pictures, the model itself."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.flows.served_answers import answers
from pipeline.flows.training_source import label_of
from pipeline.registry import Registry, Run, open_registry

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from pipeline.flows.candidates import Candidate
    from pipeline.flows.setting import Setting

_SERVED = Path(__file__).with_name("served_model.py")
_SAMPLE_ROWS = 5


def register(
    setting: Setting,
    pair: Mapping[str, Candidate],
    metrics: Mapping[str, float],
    lineage: Mapping[str, str],
    rows: pd.DataFrame,
) -> None:
    """Logs one run per model and registers what is not registered yet."""
    store = _registry(setting)
    for role, candidate in pair.items():
        model = candidate.model
        sample = rows[list(model.features)].head(_SAMPLE_ROWS).reset_index(drop=True)
        run = Run(
            name=model.version,
            params=_params(setting, model.kind),
            metrics={name.removeprefix(f"{role}."): v for name, v in metrics.items() if name.startswith(f"{role}.")},
            tags={**lineage, "model_version": model.version, "kind": model.kind, "fitted_as": role},
            model_folder=setting.project.models / model.version,
            pictures=setting.project.validation / "pictures" / model.kind,
            sample=sample,
            answers=answers(model, sample),
            model_code=_SERVED,
        )
        store.log(run)


def aliases(setting: Setting, in_force: Mapping[str, str]) -> None:
    """Mirrors the versions in force as aliases; a version the registry does not hold is left out and told."""
    store = _registry(setting)
    numbers = {role: store.registered(version) for role, version in in_force.items()}
    store.mirror({role: number for role, number in numbers.items() if number is not None})
    for role, number in numbers.items():
        if number is None:
            print(f"MLflow holds no version of {in_force[role]}; its alias {role} was not set")


def _registry(setting: Setting) -> Registry:
    settings = setting.params.registry
    return open_registry(setting.project.tracking, settings.tracking_uri, settings.experiment, settings.model_name)


def _params(setting: Setting, kind: str) -> dict[str, Any]:
    params, label = setting.params, label_of(setting)
    sections = {
        "label": label if label.is_of_table else params.label,
        "split": params.split,
        "calibration": params.calibration,
        "validate": params.validate,
    }
    own = {"fit_scorecard": params.fit_scorecard} if kind == "scorecard" else {"fit_booster": params.fit_booster}
    return {
        f"{name}.{key}": value
        for name, section in {**sections, **own}.items()
        for key, value in asdict(section).items()
    }
