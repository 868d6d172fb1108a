"""Where a rule bites, on whole arrays, and the sentence that says so, made for the rows that bite and no others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.score.alert_columns import is_among

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from pipeline.score.alert_columns import Column, Night
    from pipeline.score.alert_sections import AlertRule, AlertsSection, Condition
    from pipeline.score.policy_sections import Wording

    Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Bites:
    """Where a rule bites, one flag per row, and which of the rule's `told_of` is told as evidence there."""

    where: Flags
    told_of: npt.NDArray[np.int64]


def judged(rule: AlertRule, night: Night) -> Bites | None:
    """Where the rule bites; null when a column it looks at cannot be had tonight. A null never bites."""
    if missing_columns(rule, night):
        return None
    holds = {id(condition): _holds(condition, night) for condition in rule.conditions}
    where = night.has_status(rule.applies_to).copy()
    for condition in rule.all_of:
        where &= holds[id(condition)]
    told = np.zeros(len(where), dtype=np.int64)
    if rule.any_of:
        table = np.stack([holds[id(condition)] for condition in rule.any_of])
        where &= table.any(axis=0)
        told = table.argmax(axis=0).astype(np.int64)
    return Bites(where, told)


def missing_columns(rule: AlertRule, night: Night) -> list[str]:
    """The columns of the rule that cannot be had tonight."""
    return [name for condition in rule.conditions for name in condition.columns if night.column(name) is None]


def notes_on_rules(section: AlertsSection, night: Night) -> tuple[str, ...]:
    """Which rules are not judged tonight and for want of what, for the manifest."""
    notes = []
    for name, rule in section.rules.items():
        missing = missing_columns(rule, night)
        if missing:
            notes.append(f"alerts: {name} was not judged, there is no {missing[0]} tonight; its open alerts stay")
    return tuple(notes)


def evidence(
    rule: AlertRule, bites: Bites, night: Night, rows: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.object_]]:
    """The sentences of the rows named, English and Chinese."""
    english, chinese = np.full(len(rows), None, dtype=object), np.full(len(rows), None, dtype=object)
    for at, condition in enumerate(rule.told_of):
        here = np.flatnonzero(bites.told_of[rows] == at)
        words = _words(condition, night, rows[here])
        told = rule.evidence_of(condition)
        english[here], chinese[here] = _filled(told, "en", words), _filled(told, "zh", words)
    return english, chinese


def _holds(condition: Condition, night: Night) -> Flags:
    own = _column(night, condition.look_at)
    if condition.comparison == "one_of":
        return is_among(own.told, condition.one_of or ())
    threshold = _threshold(condition, night, own)
    with np.errstate(invalid="ignore"):
        compared: Flags = {
            "above": np.greater, "at_least": np.greater_equal, "below": np.less, "at_most": np.less_equal,
        }[condition.comparison](own.values, threshold)  # fmt: skip
    return compared


def _threshold(condition: Condition, night: Night, own: Column) -> Any:
    """The number, or the other column × times + plus; of money to the cent."""
    against = condition.against
    if not isinstance(against, str):
        return against
    found = _column(night, against).values * condition.times + condition.plus
    return np.rint(found * 100.0) / 100.0 if own.kind == "money" else found


def _column(night: Night, name: str) -> Column:
    found = night.column(name)
    if found is None:
        raise ValueError(f"{name} cannot be had tonight; ask missing_columns before judging")
    return found


def _words(condition: Condition, night: Night, rows: npt.NDArray[np.int64]) -> list[dict[str, Any]]:
    values = _column(night, condition.look_at).told[rows]
    against = condition.against
    if against is None:
        return [{"value": value} for value in values]
    if not isinstance(against, str):
        return [{"value": value, "reference": against} for value in values]
    other = _column(night, against)
    references = other.told[rows]
    return [{"value": v, "reference": r, "on": other.on} for v, r in zip(values, references, strict=True)]


def _filled(told: Wording, language: str, words: Sequence[dict[str, Any]]) -> list[str]:
    sentence: str = getattr(told, language)
    return [sentence.format(**one) for one in words]
