"""Do the models tell risky customers from safe ones: Gini, AUC, KS, naive rules, the paired difference, the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.report import charts, figures
from pipeline.report.blocks import Block, Cell, Chapter, Column, Missing, Table, Text
from pipeline.report.chapters.curves import curves
from pipeline.report.chapters.measured import HELD_OUT, ROLES, figure_cell, measures, model_name, models, reads
from pipeline.report.chapters.truth import truth_gini, truth_table
from pipeline.report.drawing import chart

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.report.report_input import ReportInput
    from pipeline.report.words import Words


def discrimination(given: ReportInput, words: Words) -> Chapter:
    """Both models by role, beside the naive rules and, on a demo book, the true PD."""
    blocks: list[Block] = [Text(words("discrimination.how")), *_forest(given, words)]
    blocks += [_table(given, words), _differences(given, words), *_rules(given, words)]
    blocks += [*curves(given, words), *truth_table(given, words)]
    title = words("discrimination.title")
    return Chapter("discrimination", title, tuple(blocks), words("discrimination.lead"))


def _forest(given: ReportInput, words: Words) -> list[Block]:
    rows = [row for role in ROLES for row in _whiskers(role, given, words)]
    if not rows:
        return [Missing(words("discrimination.none"))]
    told = words("discrimination.forest", text=figures.in_turn(f"{r.group}, {r.name}: {r.text}" for r in rows))
    drawing = charts.forest(rows, words("discrimination.axis"))
    title, caption = words("discrimination.forest_title"), words("discrimination.forest_caption")
    return [chart("gini", title, caption, told, drawing)]


def _whiskers(role: str, given: ReportInput, words: Words) -> list[charts.Whisker]:
    """Models first, then rules in their order, then the truth, where the role has them."""
    group = words(f"role.{role}")
    found = []
    for series, (name, _) in enumerate(models(given)):
        raw = measures(given, name, role).get("gini")
        found.append(_whisker(group, model_name(name, given, words), raw, series))
    for name, roles in (given.validation.get("naive") or {}).items():
        raw = (roles.get(role) or {}).get("gini")
        found.append(_whisker(group, words.or_name("rule_short", name), raw, 2))
    found.append(_whisker(group, words("discrimination.true_pd"), truth_gini(given, role), 3))
    return [row for row in found if row is not None]


def _whisker(group: str, name: str, raw: Mapping[str, Any] | None, series: int) -> charts.Whisker | None:
    if not raw or not figures.is_known(raw.get("value")):
        return None
    told = figures.measured(raw)
    text = f"{told.value} ({told.interval})" if told.interval else told.value
    low, high = (raw["low"], raw["high"]) if told.interval else (None, None)
    return charts.Whisker(group, name, float(raw["value"]), low, high, series, text)


def _table(given: ReportInput, words: Words) -> Table:
    rows: list[tuple[Cell, ...]] = []
    groups: list[tuple[int, str]] = []
    for role in ROLES:
        groups.append((len(rows), _role_heading(role, given, words)))
        for name, _ in models(given):
            told = measures(given, name, role)
            shown = [figure_cell(told.get(measure), told, words) for measure in ("gini", "auc", "ks")]
            brier = figure_cell(told.get("brier"), told, words, lambda value: figures.decimal(value, 4))
            rows.append((Cell(model_name(name, given, words)), *shown, brier))
    columns = (
        Column(words("discrimination.model")),
        *(Column(words(f"discrimination.{name}"), is_number=True) for name in ("gini", "auc", "ks", "brier")),
    )
    note = words("discrimination.note", level=figures.share(given.confidence, 0))
    return Table(words("discrimination.caption"), columns, tuple(rows), (note,), tuple(groups))


def _role_heading(role: str, given: ReportInput, words: Words) -> str:
    counts = given.validation["samples"].get(role) or {}
    return words(
        "discrimination.role",
        role=words(f"role.{role}"),
        note=words(f"role_is.{role}"),
        rows=figures.count(counts.get("rows")),
        customers=figures.count(counts.get("customers")),
        bads=figures.count(counts.get("bads")),
        bad_customers=figures.count(counts.get("bad_customers")),
    )


def _differences(given: ReportInput, words: Words) -> Block:
    found: Mapping[str, Any] = given.validation.get("differences") or {}
    rows = []
    for pair, roles in found.items():
        first, second = pair.split(" - ", 1)
        names = {"first": scorer(first, given, words), "second": scorer(second, given, words)}
        name = words("discrimination.less", **names)
        for role in HELD_OUT:
            raw, counts = roles.get(role), given.validation["samples"].get(role) or {}
            cell = figure_cell(raw, counts, words, lambda value: figures.signed(value, 3))
            reading = Cell(words(f"difference.{reads(raw, 0.0)}", **names))
            rows.append((Cell(name), Cell(words(f"role.{role}")), cell, reading))
    if not rows:
        return Missing(words("discrimination.no_differences"))
    columns = (
        Column(words("discrimination.pair")),
        Column(words("discrimination.on")),
        Column(words("discrimination.difference"), is_number=True),
        Column(words("discrimination.reading")),
    )
    notes = (words("discrimination.difference_note"),)
    return Table(words("discrimination.difference_caption"), columns, tuple(rows), notes)


def scorer(name: str, given: ReportInput, words: Words) -> str:
    """The name of what was compared: a model, or a rule in quotes."""
    if name in given.validation["models"]:
        return model_name(name, given, words)
    return words("discrimination.rule", rule=words.or_name("rule", name))


def _rules(given: ReportInput, words: Words) -> list[Block]:
    found: Mapping[str, Any] = given.validation.get("naive") or {}
    absent: Mapping[str, Any] = given.validation.get("naive_absent") or {}
    blocks: list[Block] = []
    rows = []
    for name, roles in found.items():
        for role in HELD_OUT:
            told, counts = roles.get(role) or {}, given.validation["samples"].get(role) or {}
            shown = [figure_cell(told.get(measure), counts, words) for measure in ("gini", "auc", "ks")]
            rows.append((Cell(words.or_name("rule", name)), Cell(words(f"role.{role}")), *shown))
    if rows:
        columns = (
            Column(words("discrimination.rule_name")),
            Column(words("discrimination.on")),
            *(Column(words(f"discrimination.{name}"), is_number=True) for name in ("gini", "auc", "ks")),
        )
        notes = (words("discrimination.rules_note"),)
        blocks.append(Table(words("discrimination.rules_caption"), columns, tuple(rows), notes))
    elif not absent:
        blocks.append(Missing(words("discrimination.no_rules")))
    for name, columns_absent in absent.items():
        told_name = words.or_name("rule", name)
        lacking = figures.listed(columns_absent)
        blocks.append(Missing(words("discrimination.rule_absent", rule=told_name, columns=lacking)))
    return blocks
