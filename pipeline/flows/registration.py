"""Both models into MLflow: parameters, metrics, lineage, validation, pictures, the model itself, who is in force."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.flows.fit_parameters import fit_parameters, fitted_with
from pipeline.flows.register_lines import gates_told, marked
from pipeline.flows.role_history import ROLES, record_of
from pipeline.flows.served_answers import answers
from pipeline.registry import Registry, Run, open_registry

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from pipeline.flows.candidates import Candidate
    from pipeline.flows.setting import Setting
    from pipeline.registry import Version
    from pipeline.score.model_folder import Role

_SERVED = Path(__file__).with_name("served_model.py")
_SAMPLE_ROWS = 5


def register(
    setting: Setting,
    pair: Mapping[str, Candidate],
    *,
    metrics: Mapping[str, float],
    lineage: Mapping[str, str],
    rows: pd.DataFrame,
    validation: Mapping[str, Any],
) -> None:
    """Logs one run per model and registers what is not registered yet; `validation` is the whole report."""
    store = registry_of(setting)
    measured_with = {f"validate.{key}": value for key, value in asdict(setting.params.validate).items()}
    for role, candidate in pair.items():
        model = candidate.model
        sample = rows[list(model.features)].head(_SAMPLE_ROWS).reset_index(drop=True)
        fit = _fitted_with(setting, candidate)
        made_of = {**lineage, "fit_params_hash": fit["sha256"]}
        run = Run(
            name=model.version,
            params={**fit["params"], **measured_with},
            metrics={name.removeprefix(f"{role}."): v for name, v in metrics.items() if name.startswith(f"{role}.")},
            tags={**made_of, "model_version": model.version, "kind": model.kind, "fitted_as": role},
            model_folder=setting.project.models / model.version,
            pictures=setting.project.validation / "pictures" / model.kind,
            sample=sample,
            answers=answers(model, sample),
            model_code=_SERVED,
            lineage=tuple(made_of),
            validation={**validation, "models": {role: validation["models"][role]}},
        )
        store.log(run)


def mirror_roles(setting: Setting) -> dict[Role, str]:
    """Sets the aliases and the tags of the versions in force as models/<role>.json say; nothing else is changed.

    An alias whose version MLflow does not hold stays where it is, for it may be another project's: gives back, by role,
    a line on what stands where and what to run. Raises TargetUnreachableError.
    """
    store = registry_of(setting)
    numbers: dict[str, str] = {}
    tags: dict[str, dict[str, str]] = {}
    missing: dict[Role, str] = {}
    for role in ROLES:
        record = record_of(setting.project.models, role)
        if record is None:
            continue
        number = store.registered(record["model_version"])
        if number is None:
            missing[role] = _out_of_step(setting, role, record["model_version"], store.holder(role))
            continue
        numbers[role] = number
        tags[number] = {**tags.get(number, {}), **_tags(role, record)}
    store.mirror(numbers, tags)
    return missing


def _out_of_step(setting: Setting, role: Role, version: str, holder: Version | None) -> str:
    at = "is set to nothing"
    if holder is not None:
        at = f"stays at number {holder.number} ({holder.model_version or 'which names no model'})"
    told = f"models/{role}.json and REGISTER.md say that {version} is {role}, but MLflow holds no version of it"
    return f"{told} and its alias {role} {at}; {how_to_register(setting, version)}"


def how_to_register(setting: Setting, version: str) -> str:
    """What to run so that MLflow holds a version of a model again: only those of the last fit are registered."""
    kind = version.partition("-")[0]
    if (setting.project.candidate(kind) / version / "manifest.json").is_file():
        return "creditbook stage validate registers it again and then sets the aliases"
    return (
        "it is not of the last fit, so promote another version, or bring back data, params.yaml and policy/ of its fit "
        f"and run creditbook stage fit_{kind} and creditbook stage validate, which registers it and sets the aliases"
    )


def _tags(role: str, record: Mapping[str, Any]) -> dict[str, str]:
    """Who, when and why, on the version itself; the override is always told, so that it cannot be overlooked."""
    return {
        f"{role}.since": str(record.get("since") or "no date"),
        f"{role}.by": str(record.get("promoted_by", "")),
        f"{role}.reason": str(record.get("reason", "")),
        f"{role}.decision": str(record.get("action", "")),
        f"{role}.from": str(record.get("from") or "nobody"),
        f"{role}.gates": marked(record, gates_told(record)) or "none asked",
        f"{role}.override": marked(record, str(record.get("override") or "")) or "none",
        f"{role}.register_number": str(record.get("number", "")),
    }


def registry_of(setting: Setting) -> Registry:
    """The MLflow store of the project."""
    settings = setting.params.registry
    return open_registry(setting.project.tracking, settings.tracking_uri, settings.experiment, settings.model_name)


def _fitted_with(setting: Setting, candidate: Candidate) -> dict[str, Any]:
    """The parameters of the fit with their hash."""
    kind, params = candidate.model.kind, setting.params
    own = params.fit_scorecard if kind == "scorecard" else params.fit_booster
    return fitted_with(candidate, fit_parameters(setting, kind, own))
