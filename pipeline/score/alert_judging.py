"""Where a rule bites, on whole arrays, and the sentence that says so, made for the rows that bite and no others."""

from __future__ import annotations

import string
from dataclasses import dataclass
from itertools import islice, repeat
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.score.alert_columns import is_among

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    from pipeline.score.alert_columns import Column, Night
    from pipeline.score.alert_sections import AlertRule, AlertsSection, Condition

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
        words = _Words(condition, night, rows[here])
        told = rule.evidence_of(condition)
        english[here], chinese[here] = words.filled(told.en), words.filled(told.zh)
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


class _Words:
    """What the sentences of some rows tell: `value`, `reference` and the day `on` it stood, each formatted once for
    both languages."""

    def __init__(self, condition: Condition, night: Night, rows: npt.NDArray[np.int64]) -> None:
        self._count = len(rows)
        self._values = {"value": _column(night, condition.look_at).told[rows].tolist()}
        self._same: dict[str, Any] = {}
        self._told: dict[tuple[str, str], Iterable[str]] = {}
        against = condition.against
        if isinstance(against, str):
            other = _column(night, against)
            self._values["reference"] = other.told[rows].tolist()
            self._same["on"] = other.on
        elif against is not None:
            self._same["reference"] = against

    def filled(self, sentence: str) -> list[str]:
        """The sentence of every row."""
        if not self._count:
            return []
        pieces: list[Iterable[str]] = []
        for literal, name, form, _ in string.Formatter().parse(sentence):
            # What stands between two places is the same in all rows.
            pieces.append(repeat(literal))
            if name is not None:
                pieces.append(self._texts(name, form or ""))
        return ["".join(words) for words in islice(zip(*pieces, strict=False), self._count)]

    def _texts(self, name: str, form: str) -> Iterable[str]:
        if name in self._same:
            return repeat(format(self._same[name], form))
        if (name, form) not in self._told:
            self._told[name, form] = [format(value, form) for value in self._values[name]]
        return self._told[name, form]
