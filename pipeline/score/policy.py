"""Policy: the dated rules of the house as one frozen object with a version; unknown keys refused, all breaches told."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import yaml

from pipeline.errors import CreditbookError, MissingInputError, ParameterError
from pipeline.plain_yaml import read_yaml, text_of
from pipeline.score.alert_checks import breaches_of_rules
from pipeline.score.alert_sections import AlertsSection
from pipeline.score.limit_sections import LimitsSection, LossSection, TermsSection
from pipeline.score.master_scale import DEFAULT_GRADE, MasterScale
from pipeline.score.policy_checks import contradictions
from pipeline.score.policy_sections import MasterScaleSection, ThinFileSection
from pipeline.sections import build

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping
    from pathlib import Path

    from pipeline.score.alert_columns import Kind
    from pipeline.score.limit_sections import Strategy

SECTIONS: Mapping[str, type] = {
    "master_scale": MasterScaleSection,
    "limits": LimitsSection,
    "lgd_ead": LossSection,
    "alerts": AlertsSection,
    "thin_file": ThinFileSection,
    "terms": TermsSection,
}
CAPS = (
    "grade", "equity", "need", "purchases", "step_up", "floor_step_down", "insured_cover", "single_name", "group",
    "loss_budget", "manual", "in_default",
)  # fmt: skip
REFERRALS = ("hold_overdue", "refer_overdue", "refer_thin_file", "refer_accounts", "refer_group", "refer_person")
TRACED = (*CAPS, *REFERRALS)


@dataclass(frozen=True)
class Policy:
    """All of policy/ that scoring needs; `texts` spell the files again, so that a run can carry them."""

    scale: MasterScale
    limits: LimitsSection
    loss: LossSection
    alerts: AlertsSection
    thin_file: ThinFileSection
    terms: TermsSection
    hashes: Mapping[str, str]
    texts: Mapping[str, str]

    @property
    def version(self) -> str:
        """Twelve digits of the hash over the meaning of all files; comments and layout do not count."""
        told = json.dumps(dict(self.hashes), sort_keys=True)
        return f"policy-{hashlib.sha256(told.encode()).hexdigest()[:12]}"

    def strategy_of(self, grade: str | None) -> Strategy | None:
        """How a customer of the grade is treated, `D` included; null without a grade of the policy."""
        if grade == DEFAULT_GRADE:
            return self.limits.strategies[self.limits.in_default.strategy]
        row = self.limits.grades.get(grade or "")
        return None if row is None else self.limits.strategies[row.strategy]

    @property
    def valid_from(self) -> dt.date:
        """The first day on which every file is in force."""
        return max(s.valid_from for s in (self.limits, self.loss, self.alerts, self.thin_file, self.terms))


def read_policy(folder: Path, features: Mapping[str, Kind] | None = None) -> Policy:
    """Reads the YAML files of the folder. `features`: the catalogue's columns by name, which the alert rules may look
    at; null leaves those names unchecked. Raises MissingInputError or ParameterError telling all breaches at once."""
    missing = [f"{name}.yaml" for name in SECTIONS if not (folder / f"{name}.yaml").is_file()]
    if missing:
        raise MissingInputError(f"{folder}: {len(missing)} policy file(s) missing: {', '.join(missing)}; restore them")
    texts = {name: text_of(folder / f"{name}.yaml") for name in SECTIONS}
    return parse_policy(texts, features)


def parse_policy(texts: Mapping[str, str], features: Mapping[str, Kind] | None = None) -> Policy:
    """Policy from YAML texts by section name. Raises ParameterError naming every breach."""
    breaches: list[str] = []
    raw = {name: _parsed(name, texts[name], breaches) for name in SECTIONS}
    built = {name: build(section, raw[name], name, breaches) for name, section in SECTIONS.items()}
    if not breaches:
        breaches.extend(contradictions(built, TRACED))
        breaches.extend(breaches_of_rules(built["alerts"], features))
    if breaches:
        listed = "\n".join(f"  - {breach}" for breach in breaches)
        raise ParameterError(
            f"policy/: {len(breaches)} breach(es):\n{listed}\nCorrect the keys named; none was ignored."
        )
    return Policy(
        scale=MasterScale.load(asdict(built["master_scale"])),
        limits=built["limits"],
        loss=built["lgd_ead"],
        alerts=built["alerts"],
        thin_file=built["thin_file"],
        terms=built["terms"],
        hashes={name: _hash(raw[name]) for name in sorted(SECTIONS)},
        texts={name: yaml.safe_dump(raw[name], allow_unicode=True, sort_keys=True) for name in sorted(SECTIONS)},
    )


def policy_of(manifest: Mapping[str, Any]) -> Policy | None:
    """The policy whose text a run's manifest carries; null for one written when policy had other keys."""
    try:
        return parse_policy(manifest["versions"]["policy"]["texts"])
    except (CreditbookError, KeyError):
        return None


def _parsed(name: str, text: str, breaches: list[str]) -> Any:
    try:
        return read_yaml(text, name)
    except ParameterError as error:
        breaches.append(str(error))
        return {}


def _hash(raw: object) -> str:
    return hashlib.sha256(json.dumps(raw, sort_keys=True, ensure_ascii=False, default=str).encode()).hexdigest()
