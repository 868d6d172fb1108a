"""`creditbook promote VERSION`: a role moves when the gates pass, or by an override that stays visible."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from pipeline.datasets import read_json
from pipeline.errors import GateError, MissingInputError, PartlyDoneError, TargetUnreachableError
from pipeline.flows import log
from pipeline.flows.decision import user_of
from pipeline.flows.decision_order import day_in_order
from pipeline.flows.gate_words import gate_table
from pipeline.flows.judged import judged, model_named
from pipeline.flows.registration import how_to_register, mirror_roles, registry_of
from pipeline.flows.role_history import Move, locked_roles, move, record_of, settle
from pipeline.flows.role_restoring import restore_roles
from pipeline.flows.setting import open_setting
from pipeline.flows.training_source import label_of
from pipeline.score.applied import PD
from pipeline.score.drift import SCORE, Cuts, binned, drift_in
from pipeline.score.exports.sql import sql_statement
from pipeline.score.model_folder import read_model
from pipeline.train.gates import (
    first_in_role_gate,
    gini_gate,
    grades_gate,
    label_gate,
    leak_gate,
    level_gate,
    monitoring_gate,
    parity_gate,
    refused,
    slope_gate,
    stability_gate,
    thin_file_gate,
    unmeasured_gini_gate,
)
from pipeline.train.label import label_values
from pipeline.train.splits import customer_groups

if TYPE_CHECKING:
    import datetime as dt
    from typing import Any

    import pandas as pd
    from numpy.typing import NDArray

    from pipeline.flows.judged import Judged
    from pipeline.flows.setting import Setting
    from pipeline.score.model import Model
    from pipeline.score.model_folder import Role
    from pipeline.score.scorecard import Scorecard
    from pipeline.train.gates import Gate

    Floats = NDArray[np.float64]

PASSED = "the gates passed"
OVERRIDE_NOT_NEEDED = "the override was not needed and is not recorded"


@dataclass(frozen=True)
class Asked:
    """Who asks for what: `by` null is the user of the machine, `on` null is today in promotion.time_zone."""

    role: Role
    by: str | None = None
    reason: str | None = None
    override: str | None = None
    on: dt.date | None = None


def promote(root: Path, version: str, asked: Asked) -> None:
    """Moves the role to a model version, records who, when and why, and mirrors it in MLflow.

    The version that holds the role already is mirrored again, and nothing is recorded. Raises GateError when a gate
    refuses and no override is given, LockedError when another promotion is under way, TargetUnreachableError before
    anything has changed when MLflow does not answer, PartlyDoneError when it stopped answering after the role had
    moved: a rerun then mirrors it, or lost the version that holds the role, UsageError when the day does not fit the
    register.
    """
    setting = open_setting(root)
    with locked_roles(setting.project.models):
        restore_roles(setting)
        settle(setting.project.models)
        model = model_named(setting, version)
        standing = record_of(setting.project.models, asked.role)
        if standing is not None and standing["model_version"] == model.version:
            _stays(setting, asked, model.version)
            return
        day = day_in_order(setting, asked.on)
        number = registry_of(setting).registered(model.version)
        if number is None:
            how = how_to_register(setting, model.version)
            raise MissingInputError(f"{model.version}: MLflow holds no version of it; {how}. Nothing was changed")
        before = None if standing is None else str(standing["model_version"])
        found = gates(setting, model, before, number)
        log.say("gates", gate_table(found))
        made = _move(asked, model, found, day)
        if asked.override and made.override is None:
            log.say("override_not_needed", f"all gates passed: {OVERRIDE_NOT_NEEDED}")
        move(setting.project.models, made)
        try:
            mirror(setting, asked.role, f"{model.version} is {asked.role} from {made.day} on")
            tell_next(setting, asked.role, model.version, before)
        finally:
            # The move is made whatever MLflow does.
            if before is not None:
                undo = f"undone by creditbook rollback --role {asked.role}: {before} is then {asked.role} again"
                log.say("undo", undo)


def _stays(setting: Setting, asked: Asked, version: str) -> None:
    """The version holds the role already: only MLflow is told again."""
    if asked.override:
        log.say("override_not_needed", f"no gate was asked: {OVERRIDE_NOT_NEEDED}")
    told = f"{version} is {asked.role}, as it was; nothing was changed or recorded, and MLflow's alias is in step"
    mirror(setting, asked.role, told)


def tell_next(setting: Setting, role: Role, version: str, before: str | None) -> None:
    """Says so when the version now holds both roles, and what to do; `before` held this one (null: nobody did)."""
    other: Role = "challenger" if role == "champion" else "champion"
    record = record_of(setting.project.models, other)
    if record is None or record["model_version"] != version:
        return
    # A former challenger is not put in force as champion only because its own place was taken.
    is_swap = role == "champion" and before is not None
    beside = f"; creditbook promote {before} --role challenger puts the other beside it" if is_swap else ""
    log.say("roles_settled", f"{version} holds both roles now{beside}")


def mirror(setting: Setting, role: Role, told: str) -> None:
    """Brings MLflow in step with the role files and says `told`. Raises PartlyDoneError when it does not answer or has
    lost the version that holds the role; that of the other role is warned of."""
    try:
        missing = mirror_roles(setting)
    except TargetUnreachableError as error:
        record = record_of(setting.project.models, role) or {}
        raise PartlyDoneError(
            f"{told.partition(';')[0]}: models/{role}.json and REGISTER.md say so, but MLflow could not be told: "
            f"{error}. When it answers again, run creditbook promote {record.get('model_version')} --role "
            f"{role}: that mirrors what stands and moves nothing"
        ) from error
    for other in sorted(set(missing) - {role}):
        log.warn("alias_out_of_step", missing[other], role=other)
    if role in missing:
        raise PartlyDoneError(missing[role])
    log.say("role_moved", told)


def gates(setting: Setting, model: Model, standing: str | None, number: str) -> list[Gate]:
    """Every gate of params.yaml, section promotion, for a model that is to take the place of `standing`."""
    settings = setting.params.promotion
    other = None if standing is None else read_model(setting.project.models / standing)
    ground = judged(setting, [model] if other is None else [model, other])
    pds, evidence = ground.served(model), ground.evidence[0]
    leaks = None if evidence is None or evidence.told["leaks"] is None else evidence.told["leaks"]["findings"]
    found = [
        _order_gate(setting, ground, model, other),
        level_gate(pds, ground.sample, settings),
        slope_gate(pds, ground.sample, settings),
        grades_gate(pds, ground.grades(pds), ground.sample, settings),
        thin_file_gate(pds, ground.sample, settings),
        _stability(setting, ground, model),
        parity_gate(_differences(setting, ground, model, number), settings),
        leak_gate(leaks, model.features),
        label_gate(model.label, label_values(label_of(setting))),
    ]
    served = monitoring_gate(_monitored(setting), model.version)
    return found if served is None else [*found, served]


def _monitored(setting: Setting) -> dict[str, Any] | None:
    """What the stage monitor told last; null before its first run."""
    path = setting.project.monitoring / "monitoring.json"
    told: dict[str, Any] | None = read_json(path, made_by="monitor") if path.is_file() else None
    return told


def _order_gate(setting: Setting, ground: Judged, model: Model, other: Model | None) -> Gate:
    settings = setting.params.promotion
    if other is None:
        return first_in_role_gate(settings)
    if ground.why_none is not None:
        return unmeasured_gini_gate(ground.why_none, settings)
    ours, theirs = ground.served(model), ground.served(other)
    # Who is thin is a matter of the policy in force, the same for both.
    is_rated = ours.is_rated
    return gini_gate(ours.pd[is_rated], theirs.pd[is_rated], ground.sample.part(is_rated), settings)


def _stability(setting: Setting, ground: Judged, model: Model) -> Gate:
    """The score's distribution on the newest snapshot, known outcome or not, against that of development; chance goes
    by customer group, as those of the splits."""
    settings = setting.params.promotion
    book = ground.book
    is_newest = book["as_of"].isna() if book["as_of"].isna().all() else book["as_of"] == book["as_of"].max()
    newest, groups = book[is_newest], customer_groups(book)[is_newest]
    cuts = Cuts(settings.max_psi, settings.max_psi, settings.psi_significance)
    score = drift_in(model, binned(model, newest.assign(**{PD: model.pd(newest)}), groups), SCORE, cuts)
    return stability_gate(score.psi, score.noise, score.rows, settings)


def _differences(setting: Setting, ground: Judged, model: Model, number: str) -> dict[str, float]:
    """How far the PD of the folder is from that of MLflow's copy and, for a scorecard, of its SQL; golden rows too."""
    rows = ground.sample.rows if len(ground.sample.is_bad) else ground.book
    with tempfile.TemporaryDirectory() as folder:
        copy = read_model(registry_of(setting).fetch_model(number, Path(folder)))
        found = {"MLflow's copy": _largest(model.pd(rows), copy.pd(rows))}
    if model.golden is not None:
        found["the golden rows"] = _largest(model.pd(model.golden.features), np.array(model.golden.pd))
    if model.kind == "scorecard":
        found["its SQL"] = _largest(model.pd(rows), _pd_by_sql(model, rows))
    return found


def _pd_by_sql(model: Model, rows: pd.DataFrame) -> Floats:
    """The PDs of a scorecard as its exported SQL gives them."""
    import duckdb

    asked = rows[list(model.features)].assign(row_number=np.arange(len(rows)))
    statement = sql_statement(cast("Scorecard", model.predictor), model.calibration, table="asked")
    with duckdb.connect() as connection:
        connection.register("asked", asked)
        answered = connection.execute(f"SELECT card_pd FROM ({statement}) ORDER BY row_number").fetchnumpy()
    return np.asarray(answered["card_pd"], dtype=np.float64)


def _largest(first: Floats, second: Floats) -> float:
    return float(np.max(np.abs(first - second))) if len(first) else 0.0


def _move(asked: Asked, model: Model, found: list[Gate], day: dt.date) -> Move:
    """The decision. Raises GateError when a gate refuses and nobody takes it on themselves."""
    against = refused(found)
    if against and not asked.override:
        named = ", ".join(gate.name for gate in against)
        raise GateError(
            f"{model.version} does not become {asked.role}: {len(against)} of {len(found)} gates do not pass "
            f'({named}); undecided counts as no. Nothing was changed. --override "reason" promotes it all the same and '
            "stays visible"
        )
    return Move(
        role=asked.role,
        model_version=model.version,
        action="promoted",
        day=day.isoformat(),
        by=user_of(asked.by),
        reason=asked.reason or (PASSED if not against else "by override"),
        gates=[gate.as_json() for gate in found],
        override=asked.override if against else None,
    )
