"""Figures of the validation tests in words: what they are, what they are held against, and their true size."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from pipeline.plain_yaml import read_yaml
from pipeline.report import figures
from pipeline.report.chapters.measured import model_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipeline.report.report_input import ReportInput
    from pipeline.report.words import Words

_SIZES = "test_sizes.yaml"
# Farther from its nominal level than this, the true size of a test stands beside its p-value.
_NEAR = 0.02
# Of 500 made tests a size of 0.05 has a standard error of one point; of fewer, more.
_FEWEST_MADE = 500
_RATES = ("jeffreys_total", "thin_file", "jeffreys_grades", "binomial_grades", "years")
_SHARES = ("unrated", "outdated", "overridden", "quarantined", "technical")
_COUNTS = ("leaks", "truncated_window", "overlap", "future_poison")
_SIGNED = ("rival", "marginal_subject", "marginal_source")
_TWO_DIGITS = ("hosmer_lemeshow", "spiegelhalter", "slope", "level", "long_run", "truth", "neighbours")


def value_text(test: str, value: float | None, words: Words) -> str:
    """The figure of a test as its kind is written."""
    if value is None:
        return figures.DASH
    if test == "golden_rows":
        return words("tests.same") if value == 0 else f"{value:.1e}"
    return _writer(test)(value)


def _writer(test: str) -> Callable[[float], str]:
    by_kind: tuple[tuple[tuple[str, ...], Callable[[float], str]], ...] = (
        (_RATES, figures.probability),
        (_SHARES, lambda value: figures.share(value, 2)),
        (_COUNTS, figures.count),
        (_SIGNED, lambda value: figures.signed(value, 3)),
        (_TWO_DIGITS, figures.decimal),
    )
    return next((write for kinds, write in by_kind if test in kinds), lambda value: figures.decimal(value, 3))


def held_against(one: Mapping[str, Any], words: Words) -> str:
    """What the figure is held against; empty where that is nothing but a bound told elsewhere."""
    key = f"tests.held.{one['id']}"
    if one["group"] == "process" and one["id"] in _SHARES:
        return words("tests.held.bound", value=figures.as_set(one["threshold"])) if one["threshold"] is not None else ""
    if not words.has(key) or one["against"] is None:
        return ""
    if one["id"] == "hosmer_lemeshow":
        return words(key, value=figures.count(one["against"]))
    value = value_text(one["id"], one["against"], words)
    if one["id"] == "truth":
        return words(key, value=value, bound=figures.plain(one["threshold"]))
    held = words(key, value=value)
    doubt = _doubt(one["id"], one.get("against_of") or {}, words)
    return words("tests.held_of", held=held, doubt=doubt) if doubt else held


def _doubt(test: str, estimate: Mapping[str, Any], words: Words) -> str:
    """Interval and counts of what a figure is held against; empty where that is no estimate."""
    ends = [value_text(test, estimate[end], words) for end in ("low", "high") if estimate.get(end) is not None]
    interval = figures.between(*ends) if len(ends) == 2 else ""
    return figures.in_turn(text for text in (interval, counts_text(estimate, words)) if text)


def counts_text(one: Mapping[str, Any], words: Words) -> str:
    """Rows, customer groups and bads; rows alone where nothing else is told, empty where nothing is."""
    names = ("rows", "customers", "bads")
    if all(one.get(name) is not None for name in names):
        return words("tests.counts", **{name: figures.count(one[name]) for name in names})
    return words("tests.rows", rows=figures.count(one["rows"])) if one.get("rows") is not None else ""


def described(one: Mapping[str, Any], given: ReportInput, words: Words) -> str:
    """Model and part that a test is of; empty for one of the whole book."""
    model = model_name(one["model"], given, words) if one["model"] in given.validation["models"] else ""
    if one["id"] == "monitored" and one["details"]:
        return figures.listed(_watched(one["details"][0], model, words))
    return figures.listed(text for text in (model, part_name(one, given, words)) if text)


def _watched(gate: Mapping[str, Any], model: str, words: Words) -> tuple[str, str]:
    """The model that monitoring told of, by its version where it is none of those told of here, and the run."""
    in_force = model or words("tests.in_force", version=gate["model_version"])
    return in_force, words("tests.monitored_run", day=figures.day(gate["as_of"]))


def test_name(one: Mapping[str, Any], given: ReportInput, words: Words) -> str:
    """The test with what it is of: model, part, run."""
    name, about = title_of(one, words), described(one, given, words)
    return words("tests.of", name=name, about=about) if about else name


def title_of(one: Mapping[str, Any], words: Words) -> str:
    """What a test asks; of a gate of monitoring the gate's own question."""
    if one["id"] == "monitored" and one["part"]:
        return words.or_name("portfolio.monitoring.gate.name", str(one["part"]))
    return words(f"tests.name.{one['id']}")


def part_name(one: Mapping[str, Any], given: ReportInput, words: Words) -> str:
    """The division, grade, feature, year, rival or table that a test is of, in words."""
    part = str(one["part"])
    if not part:
        return ""
    by_test: Mapping[str, Callable[[], str]] = {
        "auc_by_part": lambda: _division(one, words),
        "jeffreys_grades": lambda: _grade(one, words),
        "binomial_grades": lambda: _grade(one, words),
        "rival": lambda: words("tests.against_rival", rival=_rival(part, given, words)),
        "years": lambda: words("tests.worst_year", day=figures.day(part)),
        "long_run": lambda: words("tests.years_counted", n=part),
        "csi": lambda: words("tests.most_in", name=given.titles.get(part, part)),
        "future_poison": lambda: words("tests.most_in", name=given.titles.get(part, part)),
        "monitored": lambda: words.or_name("portfolio.monitoring.gate.name", part),
        "marginal_subject": lambda: words("tests.most_in", name=words.or_same("tests.subject", part)),
        "marginal_source": lambda: words("tests.most_in", name=words.or_same("tests.source", part)),
        "quarantined": lambda: words("tests.most_in", name=words.or_same("tests.source", part)),
    }
    return by_test.get(str(one["id"]), lambda: words("tests.worst", name=part))()


def _rival(part: str, given: ReportInput, words: Words) -> str:
    is_model = part in given.validation["models"]
    return model_name(part, given, words) if is_model else words.or_name("tests.rival", part)


def _division(one: Mapping[str, Any], words: Words) -> str:
    """A division of the book, with the part of it that the figure is of where that is told: that of the least p-value,
    which orders worse than the rest or does not."""
    division, name = words.or_same("tests.division", str(one["part"])), shown_part(one, words)
    if not name:
        return division
    tested = sum(row["p_holm"] is not None for row in one["details"])
    if tested == 1:
        return words("tests.only_part", division=division, name=name)
    if _is_worse(one):
        return words("tests.worst_part", division=division, name=name)
    return words("tests.least_part", division=division, name=name, tested=figures.count(tested))


def _is_worse(one: Mapping[str, Any]) -> bool:
    """The default rate of a grade lies above its forecast, or the AUC of a part below that of the rest."""
    if one["value"] is None or one["against"] is None:
        return False
    sign = -1.0 if one["id"] == "auc_by_part" else 1.0
    return bool(sign * (one["value"] - one["against"]) > 0)


def _grade(one: Mapping[str, Any], words: Words) -> str:
    return words("tests.worst", name=one["part"]) if _is_worse(one) else words("tests.least_p", name=one["part"])


def part_value(division: str, part: str, words: Words) -> str:
    """A part of a division in words; of data, as it stands."""
    group = {"data_depth": "depth", "segment": "segment"}.get(division, "tests.part_value")
    return words.or_same(group, part)


def shown_part(one: Mapping[str, Any], words: Words) -> str:
    """The grade or year that shows most, or the part that the figure is of, which `shown` is of; empty where a test is
    not made of such."""
    part = str(one.get("shown_part") or "")
    if not part:
        return ""
    if one["id"] == "auc_by_part":
        return part_value(str(one["part"]), part, words)
    return figures.day(part) if one["id"] == "years" else part


def blind_parts(one: Mapping[str, Any], words: Words) -> str:
    """How many of the tested grades, years or parts could not have shown a deviation that matters, at the level that
    all of them share (Holm); empty for a test that is not made of such, or was not made."""
    if not one.get("blind_above"):
        return ""
    tested = [row for row in one["details"] if row["p_holm"] is not None]
    # Null is infinite: nothing would have shown.
    blind = [row for row in tested if row["shown_holm"] is None or row["shown_holm"] > one["blind_above"]]
    kind = {"years": "year", "auc_by_part": "part"}.get(str(one["id"]), "grade")
    factor = figures.plain(one["blind_above"])
    if not blind:
        return words(f"tests.blind_parts.no_{kind}s", each=words.counted(f"each_{kind}", len(tested)), factor=factor)
    counts = {"blind": figures.count(len(blind)), "tested": words.counted(kind, len(tested))}
    return words(f"tests.blind_parts.{kind}s", factor=factor, **counts)


def size_note(one: Mapping[str, Any], words: Words) -> str:
    """How often the test rejects what is true, where simulation found that far from its nominal level."""
    if one["p_value"] is None and one["id"] != "psi":
        return ""
    told = sizes().get(f"{one['id']}.{one['basis']}")
    if not told:
        return ""
    nominal = float(told["nominal"])
    books = [name.removesuffix("_made") for name, n in told.items() if name.endswith("_made") and n >= _FEWEST_MADE]
    found = [told[book] for book in books]
    if not found:
        return words("tests.size_unknown")
    if all(abs(value - nominal) <= _NEAR for value in found):
        return ""
    low, high = figures.share(min(found), 0), figures.share(max(found), 0)
    size = low if low == high else figures.between(low, high)
    return words("tests.true_size", size=size, nominal=figures.share(nominal, 0))


@cache
def sizes() -> dict[str, dict[str, float]]:
    """By test and basis the nominal level, and of each made-up book the size and how often the test was made
    (benchmarks/test_sizes.py)."""
    source = resources.files("pipeline.report") / "templates" / _SIZES
    told = read_yaml(source.read_text(encoding="utf-8"), _SIZES)["sizes"]
    return {str(name): {str(key): float(value) for key, value in one.items()} for name, one in told.items()}
