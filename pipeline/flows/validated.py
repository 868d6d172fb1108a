"""What validation told of the model in force: which days its fit has seen the outcomes of, and how well it ordered."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.labels.performance_window import settled_on

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.flows.setting import Setting
    from pipeline.params import LabelParams

_NO_DAYS: tuple[str, ...] = ()


@dataclass(frozen=True)
class Validated:
    """The last day the model was fitted on, the first day whose window holds no outcome that the fit used, and its Gini
    on unseen customers (value, low, high, confidence, basis); null where validation told nothing of this model."""

    fitted_until: dt.date | None
    unseen_from: dt.date | None
    gini: Mapping[str, Any] | None

    def is_unseen(self, day: dt.date) -> bool | None:
        """The outcomes of a run of that day came after those of the fit; null where nobody knows."""
        return None if self.unseen_from is None else day >= self.unseen_from


def validated(setting: Setting, version: str) -> Validated:
    """What models/validation/ tells of a model version."""
    path = setting.project.validation / "validation.json"
    if not path.is_file():
        return Validated(None, None, None)
    told = json.loads(path.read_text(encoding="utf-8"))
    return validated_of(told, version, setting.params.label, setting.params.validate.confidence)


def validated_of(told: Mapping[str, Any], version: str, label: LabelParams, confidence: float) -> Validated:
    """The same from the content of validation.json. `confidence` is that of its intervals.

    A day is unseen from the end of the window of the last training or calibration day on, whatever was purged. The
    Gini is that of validation's one-year cohort, rows like a published run's: one per customer; where the tests have no
    such cohort, that of the test rows.
    """
    for role, measured in told["models"].items():
        if measured["version"] != version:
            continue
        table = told["timetable"]
        days = sorted(day for name in ("train", "calibration") for day in table.get(name) or _NO_DAYS)
        last = dt.date.fromisoformat(days[-1]) if days else None
        gini = _of_cohort(told, role) or _of_test(measured)
        return Validated(
            last, None if last is None else settled_on(last, label), gini and {**gini, "confidence": confidence}
        )
    return Validated(None, None, None)


def _of_cohort(told: Mapping[str, Any], role: str) -> dict[str, Any] | None:
    for one in told.get("tests") or ():
        if (one["id"], one["basis"], one["model"]) == ("auc", "cohort", role) and one.get("high") is not None:
            return {"basis": "cohort", **{end: 2.0 * one[end] - 1.0 for end in ("value", "low", "high")}}
    return None


def _of_test(measured: Mapping[str, Any]) -> dict[str, Any] | None:
    gini = (measured["roles"].get("test") or {}).get("gini")
    return gini and {"basis": "test", **{end: gini[end] for end in ("value", "low", "high")}}
