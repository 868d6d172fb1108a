"""The selection log: what became of every feature, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.report import figures
from pipeline.report.blocks import Bullets, Cell, Chapter, Column, Heading, Missing, Table, Text
from pipeline.report.chapters.measured import information_cell

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.report.blocks import Block
    from pipeline.report.report_input import ReportInput
    from pipeline.report.words import Words

# One reason for all of them: told in a sentence, not in a row each.
_FOLDED = "not_for_models"
FATES = (
    "selected",
    "expert",
    "beyond_maximum",
    "same_idea",
    "not_significant",
    "wrong_sign",
    "correlated",
    "unstable",
    "weak",
    "unbinnable",
    "not_for_models",
    "never_use",
)


def selection(given: ReportInput, words: Words) -> Chapter:
    """Every feature of the catalogue with its fate; the selected first, in the order in which they came in."""
    title = words("selection.title")
    fates: Sequence[Mapping[str, Any]] = (given.details.get("scorecard") or {}).get("selection") or ()
    if not fates:
        return Chapter("selection", title, (Missing(words("selection.none")),))
    folded = [fate for fate in fates if fate["fate"] == _FOLDED]
    ordered = _ordered(fates)
    table = fates_table(given.details["scorecard"], given, words, words("selection.caption"))
    if given.details["scorecard"].get("basis") == "expert":
        return Chapter("selection", title, (table,), words("selection.lead_expert", n=len(ordered)))
    chosen = sum(1 for f in ordered if f["fate"] == "selected")
    lead = words("selection.lead", n=len(fates), chosen=chosen)
    left_out = tuple(
        f"{given.titles.get(str(f['feature']), str(f['feature']))}: {words.told(f['reason'])}"
        for f in ordered
        if f.get("is_must_have") and f["fate"] != "selected"
    )
    blocks: list[Block] = [Bullets(words("selection.must_have_left_out"), left_out)] if left_out else []
    blocks += [table, *_in_a_sentence(folded, given, words)]
    return Chapter("selection", title, tuple(blocks), lead)


def fates_table(fitted: Mapping[str, Any], given: ReportInput, words: Words, caption: str) -> Table:
    """The fates that the fit of a card told, but for the features that no model may use; the selected first."""
    ordered = _ordered(fitted["selection"])
    p_values = {str(c["feature"]): c["p_value"] for c in fitted.get("coefficients") or ()}
    rows: list[tuple[Cell, ...]] = []
    groups: list[tuple[int, str]] = []
    before = None
    for fate in ordered:
        name = str(fate["fate"])
        if name != before:
            n = sum(1 for f in ordered if f["fate"] == name)
            groups.append((len(rows), words("selection.group", fate=words.or_name("fate", name), n=n)))
            before = name
        rows.append(_row(fate, p_values, given, words))
    columns = (
        Column(words("selection.feature")),
        Column(words("selection.reason")),
        Column(words("selection.iv"), is_number=True),
        Column(words("selection.psi"), is_number=True),
        Column(words("selection.p_value"), is_number=True),
        Column(words("selection.bins"), is_number=True),
    )
    return Table(caption, columns, tuple(rows), _notes(ordered, fitted, words), tuple(groups))


def _ordered(fates: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted((fate for fate in fates if fate["fate"] != _FOLDED), key=_rank)


def _in_a_sentence(folded: Sequence[Mapping[str, Any]], given: ReportInput, words: Words) -> list[Block]:
    """The features that no model may use, under the reason that they share."""
    by_reason: dict[str, list[str]] = {}
    for fate in sorted(folded, key=lambda f: str(f["feature"])):
        name = str(fate["feature"])
        by_reason.setdefault(words.told(fate.get("reason") or ""), []).append(given.titles.get(name, name))
    blocks: list[Block] = []
    for reason, names in by_reason.items():
        heading = words("selection.group", fate=words.or_name("fate", _FOLDED), n=len(names))
        blocks += [Heading(heading), Text(words("selection.folded", reason=reason, features=figures.in_turn(names)))]
    return blocks


def _rank(fate: Mapping[str, Any]) -> tuple[int, float, float, str]:
    name = str(fate["fate"])
    place = FATES.index(name) if name in FATES else len(FATES)
    return place, float(fate.get("step") or 0), -float(fate.get("iv") or 0), str(fate["feature"])


def _row(fate: Mapping[str, Any], p_values: Mapping[str, Any], given: ReportInput, words: Words) -> tuple[Cell, ...]:
    name = str(fate["feature"])
    return (
        Cell(
            given.titles.get(name, name),
            note=f"{name} · {words('selection.must_have')}" if fate.get("is_must_have") else name,
        ),
        Cell(words.told(fate.get("reason") or "")),
        information_cell(fate),
        Cell(figures.decimal(fate.get("psi"), 3), note=_chance(fate.get("psi_noise"), words)),
        Cell(p_value(fate["p_value"] if fate.get("p_value") is not None else p_values.get(name))),
        Cell(figures.count(fate.get("bins"))),
    )


def _notes(fates: Sequence[Mapping[str, Any]], fitted: Mapping[str, Any], words: Words) -> tuple[str, ...]:
    """How to read the columns, and by what rule one of two that say the same stays, where that came about."""
    notes = [words("selection.note")]
    if any(fate.get("psi_noise") is not None for fate in fates):
        level = figures.as_set(fitted["psi_significance"])
        notes.append(words("selection.psi_note", level=level))
    if any(fate["fate"] == "correlated" for fate in fates):
        notes.append(words("selection.correlated_note"))
    if any(fate["fate"] == "not_significant" for fate in fates):
        notes.append(words("selection.not_significant_note"))
    return tuple(notes)


def _chance(noise: float | None, words: Words) -> str:
    return "" if noise is None else words("selection.chance", noise=figures.decimal(noise, 3))


def p_value(value: Any) -> str:
    """A p-value with three digits; a dash for none."""
    return "< 0.001" if figures.is_known(value) and float(value) < 0.001 else figures.decimal(value, 3)
