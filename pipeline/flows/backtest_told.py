"""What a backtest tells besides its figures: what went in, the models, the months with their marks."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from pipeline.datasets import code_hash
from pipeline.score.backtest.backtest import CURRENT, STOOD

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.flows.backtest_facts import Facts
    from pipeline.flows.setting import Setting
    from pipeline.flows.walk_forward import Walk
    from pipeline.score.backtest.backtest import Windows
    from pipeline.score.backtest.candidate import Replaced
    from pipeline.score.backtest.sections import RefusalSection
    from pipeline.score.policy import Policy

FORMAT = 2


@dataclass(frozen=True)
class Replayed:
    """All that a backtest was made of: the walk, the facts in hindsight, the policies, what refusing costs."""

    setting: Setting
    walk: Walk
    facts: Facts
    current: Policy
    candidates: Sequence[Replaced]
    refusal: RefusalSection

    @property
    def policies(self) -> dict[str, Policy]:
        """The policy in force, then the candidates, by name."""
        return {CURRENT: self.current, **{one.name: one.policy for one in self.candidates}}


def told_of(replayed: Replayed, figures: Mapping[str, Any], windows: Windows) -> dict[str, Any]:
    """The whole of backtest.json, in plain values; no clock and no path in it."""
    policies: list[dict[str, Any]] = [
        {"name": STOOD, "version": None, "changes": []},
        {"name": CURRENT, "version": replayed.current.version, "changes": []},
        *(
            {"name": one.name, "version": one.policy.version, "changes": [list(change) for change in one.changes]}
            for one in replayed.candidates
        ),
    ]
    return {
        "format": FORMAT,
        "run": _run(replayed, policies),
        "policies": policies,
        "models": _models(replayed.walk),
        "refits_left_out": [[day.isoformat(), why] for day, why in replayed.walk.refits.left_out],
        **figures,
        "months": _months(replayed.walk, windows, figures),
    }


def _run(replayed: Replayed, policies: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What went in, and the hash of it."""
    walk, facts, refusal = replayed.walk, replayed.facts, replayed.refusal
    project, params = replayed.setting.project, replayed.setting.params
    put_in = {
        "from": walk.days[0].isoformat(),
        "to": walk.days[-1].isoformat(),
        "data_version": facts.data_version,
        "code_version": code_hash(),
        "policies": [[one["name"], one["version"]] for one in policies],
        "definition": _hash(project.definition.read_text(encoding="utf-8")),
        "expert_card": _hash(project.expert_card.read_text(encoding="utf-8")),
        "models": [[model["version"], model["fitted_on"]] for model in _models(walk)],
        "backtest": {name: value for name, value in asdict(params.backtest).items() if name != "out"},
        "label": {name: str(value) for name, value in asdict(params.label).items()},
        "fits": _hash(repr((params.split, params.fit_scorecard, params.calibration))),
        "cost": [refusal.margin_share, refusal.lost_share],
    }
    return {
        "id": _hash(json.dumps(put_in, sort_keys=True))[:16],
        **put_in,
        "base_currency": facts.base_currency,
        "extract_date": facts.extract_date.isoformat(),
        "margin_share": refusal.margin_share,
        "lost_share": refusal.lost_share,
    }


def _models(walk: Walk) -> list[dict[str, Any]]:
    """Each model once, in the order of the months, with how many months it judged."""
    found: dict[str, dict[str, Any]] = {}
    for day in walk.days:
        known = walk.refits.by_month[day]
        row = found.setdefault(
            known.model.version,
            {
                "version": known.model.version,
                "fitted_on": None if known.fitted_on is None else known.fitted_on.isoformat(),
                "is_hypothetical": known.is_of_today,
                "is_expert": known.model.basis == "expert",
                "features": list(known.model.features),
                **{name: getattr(known, name) for name in ("dates", "snapshots", "bads", "bad_customers")},
                "first_date": None if known.first_date is None else known.first_date.isoformat(),
                "last_date": None if known.last_date is None else known.last_date.isoformat(),
                "months": 0,
            },
        )
        row["months"] += 1
    return list(found.values())


def _months(walk: Walk, windows: Windows, figures: Mapping[str, Any]) -> list[dict[str, Any]]:
    by_key = {row["key"]: row for row in figures["months"]}
    nothing = {"deliveries": 0, "amount": "0.00", "lost": "0.00", "policies": None}
    return [
        {
            "as_of": day.isoformat(),
            "model": walk.refits.by_month[day].model.version,
            "is_hypothetical": bool(windows.is_hypothetical[at]),
            "is_mature": bool(windows.is_mature[at]),
            "is_judged": bool(windows.is_judged[at]),
            **{name: by_key.get(at, nothing)[name] for name in nothing},
            "limits": {name: told["by_month"][at] for name, told in figures["limits"].items()},
        }
        for at, day in enumerate(walk.days)
    ]


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
