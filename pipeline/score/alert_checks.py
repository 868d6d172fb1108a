"""What cannot be in policy/alerts.yaml, told all at once: unknown names, unlike things compared, broken texts."""

from __future__ import annotations

import difflib
import re
import string
from typing import TYPE_CHECKING

from pipeline.score.alert_columns import FEATURE_PLACES, KNOWN
from pipeline.score.alert_sections import COMPARISONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipeline.score.alert_columns import Kind
    from pipeline.score.alert_sections import AlertRule, AlertsSection, Condition
    from pipeline.score.policy_sections import Wording

_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
# Of a number: thousands apart, decimals, per cent. Nothing that could blow a sentence up or look into an object.
_FORMAT = re.compile(r"\+?,?(\.\d)?[f%]?")
_LONGEST_DAYS = 3650


def breaches_of_rules(section: AlertsSection, features: Mapping[str, Kind] | None) -> list[str]:
    """Every breach, named by its path. `features` are the catalogue's columns by name, with `number` or `text`; null:
    of an earlier version, so that their names are not checked."""
    found = []
    back = section.look_back
    if not 1 <= back.days <= back.at_most_days <= _LONGEST_DAYS:
        found.append(f"alerts.look_back: {back.days} to {back.at_most_days} days; they must rise from 1 to 3650")
    if not section.rules:
        found.append("alerts.rules: there is none; write one at least")
    for name, rule in section.rules.items():
        path = f"alerts.rules.{name}"
        if not _NAME.fullmatch(name):
            found.append(f"{path}: a rule is named in small letters, digits and _, 60 at most")
        found += _of_rule(path, rule, features)
    return found


def _of_rule(path: str, rule: AlertRule, features: Mapping[str, Kind] | None) -> Iterator[str]:
    if not rule.conditions:
        yield f"{path}: has no condition; give all_of or any_of"
    if not 0 <= rule.open_days <= _LONGEST_DAYS:
        yield f"{path}.open_days: {rule.open_days} lies outside 0 to {_LONGEST_DAYS}"
    if not rule.applies_to:
        yield f"{path}.applies_to: names no rating status; leave it out for all"
    for part in ("title", "evidence", "action"):
        yield from (
            f"{path}.{part}.{language}: is empty" for language in ("en", "zh")
            if not getattr(getattr(rule, part), language).strip()
        )  # fmt: skip
    for part in ("all_of", "any_of"):
        for at, condition in enumerate(getattr(rule, part)):
            wrong = list(_of_condition(f"{path}.{part}[{at}]", condition, features))
            yield from wrong
            if not wrong and condition in rule.told_of:
                yield from _of_evidence(path, rule.evidence_of(condition), condition, features)


def _of_condition(path: str, condition: Condition, features: Mapping[str, Kind] | None) -> Iterator[str]:
    given = [name for name in (*COMPARISONS, "one_of") if getattr(condition, name) is not None]
    if len(given) != 1:
        yield f"{path}: give exactly one of {', '.join((*COMPARISONS, 'one_of'))}; given {', '.join(given) or 'none'}"
        return
    strangers = [name for name in condition.columns if kind(name, features) is None]
    yield from (f"{path}: {_unknown(name, features)}" for name in strangers)
    if strangers:
        return
    yield from _unlike(path, condition, features)


def _unlike(path: str, condition: Condition, features: Mapping[str, Kind] | None) -> Iterator[str]:
    own, against = kind(condition.look_at, features), condition.against
    other = kind(against, features) if isinstance(against, str) else None
    if condition.comparison == "one_of":
        if own not in {"text", "grade"}:
            yield f"{path}: one_of is for texts and grades, {condition.look_at} is a {own}"
        if not condition.one_of:
            yield f"{path}.one_of: is empty"
    elif "text" in {own, other}:
        yield f"{path}: a text has no order; compare {condition.look_at} with one_of"
    elif (own == "grade") != (other == "grade"):
        yield f"{path}: a grade is held against a grade, {condition.look_at} against {against}"
    if other is None and (condition.times != 1.0 or condition.plus != 0.0):
        yield f"{path}: times and plus go with another column; write the number itself"
    if own == "grade" and (condition.times != 1.0 or condition.plus != int(condition.plus)):
        yield f"{path}: grades are counted in whole notches; use plus, without times"


def kind(name: str, features: Mapping[str, Kind] | None) -> Kind | None:
    """The kind of a column, null when there is none of that name; unchecked features count as numbers."""
    place, _, column = name.rpartition(".")
    if place in FEATURE_PLACES:
        return "number" if features is None else features.get(column)
    return KNOWN.get(place, {}).get(column)


def _unknown(name: str, features: Mapping[str, Kind] | None) -> str:
    every = [f"{place}.{column}" for place, columns in KNOWN.items() for column in columns]
    every += [f"{place}.{column}" for place in FEATURE_PLACES for column in features or ()]
    near = difflib.get_close_matches(name, every, n=1)
    return f"there is no column {name!r}{f'; nearest: {near[0]}' if near else ''} (docs/early-warning.md lists them)"


def _of_evidence(
    path: str, evidence: Wording, condition: Condition, features: Mapping[str, Kind] | None
) -> Iterator[str]:
    kinds = _places(condition, features)
    for language in ("en", "zh"):
        where = f"{path}.evidence.{language}"
        try:
            parts = [part for part in string.Formatter().parse(getattr(evidence, language)) if part[1] is not None]
        except ValueError as error:
            yield f"{where}: {error}"
            continue
        for _, name, form, conversion in parts:
            if name not in kinds or conversion is not None:
                yield f"{where}: {{{name}}} is not told of {condition.look_at}; there are {', '.join(kinds)}"
            elif kinds[name] in {"text", "grade", "day"} and form:
                yield f"{where}: {{{name}}} is a {kinds[name]} and takes no format, found {form!r}"
            elif form and not _FORMAT.fullmatch(form):
                yield f"{where}: the format {form!r} of {{{name}}} is none of those such as ',.0f' or '.0%'"


def _places(condition: Condition, features: Mapping[str, Kind] | None) -> dict[str, str]:
    """What an evidence sentence may name, with the kind of each."""
    found = {"value": str(kind(condition.look_at, features))}
    against = condition.against
    if against is None:
        return found
    if not isinstance(against, str):
        return {**found, "reference": "number"}
    found["reference"] = str(kind(against, features))
    if against.rpartition(".")[0] in {
        "month_before.position", "month_before.feature", "run_before.rating", "look_back.rating",
    }:  # fmt: skip
        found["on"] = "day"
    return found
