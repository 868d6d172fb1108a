"""`creditbook warnings`: each alert rule measured on the past, month by month, with only what was known then."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.durable import write_folder
from pipeline.errors import ParameterError
from pipeline.features.catalog import KINDS
from pipeline.flows import log
from pipeline.flows.alert_walk import followed
from pipeline.flows.no_ledger import refuse_own_table
from pipeline.flows.setting import ledger_in, open_setting
from pipeline.flows.walk_forward import walk_forward
from pipeline.history.snapshots import month_ends
from pipeline.labels.performance_window import snapshot_dates
from pipeline.report.warnings_report import render
from pipeline.report.words import languages
from pipeline.score.alert_life import lives_of
from pipeline.score.alert_measuring import Doubt, measured, measured_together
from pipeline.score.policy import read_policy
from pipeline.tables.unchanged import unchanged

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping
    from pathlib import Path

    from pipeline.flows.alert_walk import Followed
    from pipeline.flows.known_models import KnownModel
    from pipeline.flows.setting import Setting
    from pipeline.score.alert_life import Lives
    from pipeline.score.alert_sections import AlertRule
    from pipeline.score.policy import Policy

FIGURES = "warnings.json"
# Goes up when what stands in the file changes: an older file is not read, the rules are to be measured anew.
FORMAT = 2


def measure_warnings(root: Path, first: dt.date | None, last: dt.date | None) -> Path:
    """Writes warnings.json and a page per language into data/warnings; gives back that folder.

    Months from `first` (null: the first month end with a whole observation window) to `last` (null: the last month end
    before the extract date). Raises ParameterError when too few months lie between, MissingInputError without a ledger
    or the stages up to build_features.
    """
    setting = open_setting(root)
    refuse_own_table(setting.project.ledger)
    policy = read_policy(setting.project.policy, KINDS)
    columns = {*policy.alerts.features, *policy.alerts.features_before}
    # From the first model to the last month one ledger, however often it is opened.
    with unchanged(setting.project.ledger):
        span = _span(setting, first, last)
        walk = walk_forward(setting, span.first, span.last, columns)
        seen = followed(setting, walk, policy, span.until)
    told = {**_provenance(setting, policy, span, seen), **_figures(setting, policy, seen)}
    files = {FIGURES: (json.dumps(told, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n").encode()}
    for language in languages():
        files[f"warnings.{language}.html"] = render(told, language).encode()
    folder = setting.project.warnings
    write_folder(folder, files, last=FIGURES)
    message = f"alert rules measured from {span.first} to {span.last}: {folder} ({', '.join(sorted(files))})"
    log.say("warnings_measured", message, first=span.first.isoformat(), last=span.last.isoformat(), folder=str(folder))
    return folder


@dataclass(frozen=True)
class _Span:
    """The first and the last month end, the extract date up to which outcomes are known, and the ledger's version."""

    first: dt.date
    last: dt.date
    until: dt.date
    data_version: str
    base_currency: str


def _span(setting: Setting, first: dt.date | None, last: dt.date | None) -> _Span:
    with setting.engine() as engine, unchanged(setting.project.ledger):
        ledger = ledger_in(engine, setting.project.ledger)
        begin = first or snapshot_dates(ledger, setting.params.label)[0]
        ends = month_ends(begin, last or ledger.extract_date)
    if len(ends) < 2:
        raise ParameterError(
            f"warnings: {len(ends)} month end(s) lie from {begin} to {last or ledger.extract_date}; two are needed, "
            "the first to see which alerts already stand; name an earlier --from or a later --to"
        )
    return _Span(ends[0], ends[-1], ledger.extract_date, ledger.data_version, ledger.base_currency)


def _provenance(setting: Setting, policy: Policy, span: _Span, seen: Followed) -> dict[str, Any]:
    settings = setting.params.portfolio
    return {
        "format": FORMAT,
        "first": span.first.isoformat(),
        "last": span.last.isoformat(),
        "until": span.until.isoformat(),
        "months": settings.warning_months,
        "confidence": settings.confidence,
        "fewest": settings.fewest_customers,
        "data_version": span.data_version,
        "base_currency": span.base_currency,
        "policy_version": policy.version,
        "alerts_hash": policy.hashes["alerts"],
        "look_back": vars(policy.alerts.look_back),
        "month_ends": len(seen.witness.days),
        "hypothetical": sum(seen.is_hypothetical),
        "refits": [_refit(known) for known in seen.refits],
        "customers": int(seen.witness.at_risk.any(axis=0).sum()),
        "defaults": len(seen.witness.defaults),
        "notes": list(seen.notes),
    }


def _refit(known: KnownModel) -> dict[str, Any]:
    days = {name: getattr(known, name) for name in ("fitted_on", "first_date", "last_date")}
    return {name: None if day is None else day.isoformat() for name, day in days.items()}


def _figures(setting: Setting, policy: Policy, seen: Followed) -> dict[str, Any]:
    settings = setting.params.portfolio
    doubt = Doubt(settings.confidence, settings.rounds, settings.seed, settings.fewest_customers)
    rules, lives = [], []
    for name, rule in policy.alerts.rules.items():
        life = lives_of(seen.bites[name], seen.is_judged[name], seen.witness.days, rule.open_days)
        rules.append({**_named(name, rule), **_of_rule(life, seen, doubt, name)})
        lives.append(life)
    return {"rules": rules, "all": measured_together(lives, seen.witness, doubt)}


def _of_rule(life: Lives, seen: Followed, doubt: Doubt, name: str) -> Mapping[str, Any]:
    if not life.is_told.any():
        return {"why_not": "hypothetical" if np.any(seen.was_withheld[name]) else "no_column"}
    return {"why_not": None, **measured(life, seen.witness, doubt)}


def _named(name: str, rule: AlertRule) -> dict[str, Any]:
    return {"rule": name, "en": rule.title.en, "zh": rule.title.zh, "severity": rule.severity}
