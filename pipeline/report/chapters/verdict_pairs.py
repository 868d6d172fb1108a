"""Which of two orders customers better, on the first page: shown, or undecided."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pipeline.report import figures
from pipeline.report.chapters.discrimination import scorer
from pipeline.report.chapters.measured import lies, why_none
from pipeline.report.chapters.verdict_basis import COHORT, TEST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.report.report_input import ReportInput
    from pipeline.report.words import Words

_BASES = (COHORT, "panel")
# As `differences` of the validation names the pair.
_MODELS = ("challenger", "champion")
_TURNED = {"value": "value", "low": "high", "high": "low"}


@dataclass(frozen=True)
class _Pair:
    """Gini of `first` less that of `second` with its interval (null: not measured), and the rows it was measured on.

    `others` are sentences on what other rows answer, where that is not the same, and why.
    """

    first: str
    second: str
    raw: Mapping[str, Any] | None
    counts: Mapping[str, Any]
    rows: str
    others: tuple[str, ...] = ()


def decided_pairs(given: ReportInput, words: Words) -> list[str]:
    """The comparisons whose interval leaves zero out, the better one first."""
    found = []
    for pair in _pairs(given, words):
        if _side(pair.raw) != "above":
            continue
        told = figures.measured(pair.raw, lambda value: figures.decimal(value, 3))
        names = {"better": _name(pair.first, given, words), "worse": _name(pair.second, given, words)}
        ends = {"difference": told.value, "interval": told.interval}
        text = words("verdict.decided_pair", rows=pair.rows, **ends, **names)
        found.append(figures.sentences(text[:1].upper() + text[1:], *pair.others))
    return found


def undecided_pairs(given: ReportInput, words: Words) -> list[str]:
    """The comparisons whose interval holds zero, or that have none."""
    found = []
    for pair in _pairs(given, words):
        if _side(pair.raw) == "above":
            continue
        told = figures.measured(pair.raw, lambda value: figures.signed(value, 3))
        names = {"first": _name(pair.first, given, words), "second": _name(pair.second, given, words)}
        ends = {"difference": told.value, "interval": told.interval or _why_none(pair, words)}
        text = words("verdict.undecided_pair", rows=pair.rows, **ends, **names)
        found.append(figures.sentences(text, *pair.others))
    return found


def _pairs(given: ReportInput, words: Words) -> list[_Pair]:
    """Those of the validation's differences; then the rivals that the tests alone compare, such as the expert card."""
    found: Mapping[str, Any] = given.validation.get("differences") or {}
    by_pair = {_split(name): roles for name, roles in found.items()}
    for one in given.validation.get("tests") or ():
        if one["id"] == "rival":
            by_pair.setdefault((one["model"], one["part"]), {})
    return [_pair(*names, roles, given, words) for names, roles in by_pair.items()]


def _name(name: str, given: ReportInput, words: Words) -> str:
    """A model or a rule as elsewhere in the report; another rival as the tests call it."""
    is_known = name in given.validation["models"] or words.has(f"rule.{name}")
    return scorer(name, given, words) if is_known else words.or_name("tests.rival", name)


def _pair(first: str, second: str, roles: Mapping[str, Any], given: ReportInput, words: Words) -> _Pair:
    """On the rows neither has seen where both are models, as the strictest; then as the validation test of the pair
    measured it, which has more bads; as the test role did where there is none. Where one is shown to be better it
    comes first, on the other rows too, so that a sign means the same in all of it."""
    strict = _of_unseen(given, words) if (first, second) == _MODELS else None
    known, test = _of_rival(first, second, given, words), _of_test(first, second, roles, given, words)
    if _side((strict or known or test).raw) == "below":
        strict, known, test = strict and _swapped(strict), known and _swapped(known), _swapped(test)
    if strict is None:
        return known or test
    others = [_other(pair, why, words, given) for pair, why in ((known, "known"), (test, "test")) if pair]
    differing = [text for raw, text in others if _side(raw) not in {_side(strict.raw), "unknown"}]
    return replace(strict, others=tuple(differing))


def _why_none(pair: _Pair, words: Words) -> str:
    """Why a difference has no interval: of a validation test that was not made as the test itself tells it."""
    why = (pair.raw or {}).get("why")
    return words(f"tests.why.{why}") if why else why_none(pair.raw, pair.counts, words)


def _swapped(pair: _Pair) -> _Pair:
    """The same pair, with the other one first."""
    return replace(pair, first=pair.second, second=pair.first, raw=_turned(pair.raw))


def _side(raw: Mapping[str, Any] | None) -> str:
    return lies(raw, 0.0)


def _of_unseen(given: ReportInput, words: Words) -> _Pair | None:
    """Challenger less champion, where `compare` tells champion less challenger; null where too few turned bad."""
    compared = given.comparison or {}
    order = compared.get("gini") or {}
    if _side(order.get("difference")) == "unknown":
        return None
    told = {name: figures.count(order[name]) for name in ("customers", "bad_customers")}
    told["level"] = figures.share(compared["confidence"], 0)
    has_thin = bool(compared["thin"]["rows"])
    rows = words("verdict.unseen_rows_served", **told) if has_thin else words("verdict.unseen_rows", **told)
    return _Pair(*_MODELS, _turned(order["difference"]), order, rows)


def _of_rival(first: str, second: str, given: ReportInput, words: Words) -> _Pair | None:
    told = _rival(first, second, given)
    return _Pair(first, second, told, told, words(f"tests.basis.{told['basis']}")) if told else None


def _of_test(first: str, second: str, roles: Mapping[str, Any], given: ReportInput, words: Words) -> _Pair:
    counts = given.validation["samples"].get(TEST) or {}
    return _Pair(first, second, roles.get(TEST), counts, words("verdict.test_rows"))


def _other(pair: _Pair, why: str, words: Words, given: ReportInput) -> tuple[Mapping[str, Any] | None, str]:
    """The difference on other rows, and a sentence that tells it with what sets these rows apart."""
    told = figures.measured(pair.raw, lambda value: figures.signed(value, 3))
    text = words(
        f"verdict.other_rows.{why}",
        rows=pair.rows,
        difference=told.value,
        interval=told.interval,
        customers=figures.count(pair.counts.get("customers")),
        reads=words(
            f"verdict.other_reads.{_side(pair.raw)}",
            first=_name(pair.first, given, words),
            second=_name(pair.second, given, words),
        ),
    )
    return pair.raw, text


def _rival(first: str, second: str, given: ReportInput) -> Mapping[str, Any]:
    told = [one for one in given.validation.get("tests") or () if one["id"] == "rival"]
    own = [one for one in told if (one["model"], one["part"]) == (first, second) and one["basis"] in _BASES]
    return min(own, key=lambda one: _BASES.index(one["basis"]), default={})


def _turned(raw: Mapping[str, Any] | None) -> dict[str, Any]:
    """The difference seen from the other side; an end that is not known stays unknown."""
    return {} if raw is None else {to: _minus(raw.get(of)) for to, of in _TURNED.items()}


def _minus(value: float | None) -> float | None:
    return None if value is None else -value


def _split(pair: str) -> tuple[str, str]:
    first, _, second = pair.partition(" - ")
    return first, second
