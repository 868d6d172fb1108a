"""Champion and challenger on the same customers: who orders better, for whom, and who would be accepted by one only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.report import figures
from pipeline.report.blocks import Block, Cell, Chapter, Column, Missing, Table, Text
from pipeline.report.chapters.measured import lies, model_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.report.report_input import ReportInput
    from pipeline.report.words import Words

CELLS = ("both_accept", "only_first_accepts", "only_second_accepts", "both_refuse")


def benchmark(given: ReportInput, words: Words) -> Chapter:
    """The pair on the rows neither has seen, the swap set with its money, and the parts of the book."""
    title, told = words("benchmark.title"), given.comparison
    if told is None or "challenger" not in given.validation["models"]:
        return Chapter("benchmark", title, (Missing(words("benchmark.none")),))
    if "gini" not in told:
        return Chapter("benchmark", title, (Missing(words("benchmark.no_rows")),))
    rows = told["rows"]
    since = words("benchmark.since", day=figures.day(rows["first_as_of"])) if rows["first_as_of"] else ""
    counts = {name: figures.count(rows[name]) for name in ("rows", "customers", "bads", "bad_customers")}
    how = figures.sentences(words("benchmark.how", since=since, **counts), served_words(told, words))
    blocks: list[Block] = [Text(how), _order(told, given, words)]
    blocks += [*_swap(told, given, words), *_parts(told, given, words)]
    return Chapter("benchmark", title, tuple(blocks), words("benchmark.lead"))


def served_words(told: Mapping[str, Any], words: Words) -> str:
    """Of a comparison, which rows the models rate and which the card of the thin pool; empty where nobody is thin."""
    if not told["thin"]["rows"]:
        return ""
    counted: dict[str, str] = {}
    for name in ("rated", "thin"):
        rows, groups, bad = (figures.count(told[name][key]) for key in ("rows", "customers", "bad_customers"))
        counted |= {name: rows, f"{name}_groups": groups, f"{name}_bad": bad}
    return words("benchmark.served", **counted)


def _order(told: Mapping[str, Any], given: ReportInput, words: Words) -> Block:
    found = told["gini"]
    if found["difference"] is None:
        return Missing(
            words("benchmark.too_few", n=figures.count(found["bad_customers"]), few=told["min_bad_customers"])
        )
    has_thin, levels = bool(told["thin"]["rows"]), told["calibration"]
    ginis = [("gini", found), *([("gini_rated", told["gini_rated"])] if has_thin else [])]
    rows = tuple(_gini_row(words(f"benchmark.{name}"), one, words) for name, one in ginis)
    for name, key in (("ratio", "observed_over_expected"), ("slope_rated" if has_thin else "slope", "slope")):
        rows += ((Cell(words(f"benchmark.{name}")), _cell(levels[0][key]), _cell(levels[1][key]), Cell(""), Cell("")),)
    loss = told.get("log_loss")
    if loss is not None:
        rows = (*rows, _loss_row(loss, words))
    columns = (
        Column(words("benchmark.measure")),
        *(Column(model_name(name, given, words), is_number=True) for name in ("champion", "challenger")),
        Column(words("benchmark.difference"), is_number=True),
        Column(words("discrimination.reading")),
    )
    level, power = figures.share(told["confidence"], 0), figures.as_set(told["power"])
    notes = [words("benchmark.order_note", level=level)]
    if has_thin:
        notes.append(words("benchmark.served_note"))
    notes += _tendency_notes(levels, given, words)
    if found["detectable"] is not None:
        notes.append(words("benchmark.detectable", value=figures.decimal(found["detectable"], 3), power=power))
    if loss is not None:
        notes.append(words("benchmark.loss_note"))
    return Table(words("benchmark.order_caption"), columns, rows, tuple(notes), is_fixed=True)


def _gini_row(name: str, found: Mapping[str, Any], words: Words) -> tuple[Cell, ...]:
    reads = words(f"benchmark.reads.{found['verdict']}")
    ginis = (_cell(found["gini_first"]), _cell(found["gini_second"]))
    return Cell(name), *ginis, _cell(found["difference"], is_signed=True), Cell(reads)


def _tendency_notes(levels: Sequence[Mapping[str, Any]], given: ReportInput, words: Words) -> list[str]:
    """The level of a model set to a long-run rate without what that adds; nothing of any other."""
    notes = []
    for name, level in zip(("champion", "challenger"), levels, strict=True):
        if level["at_observed_rate"] is None:
            continue
        shown = figures.measured(level["at_observed_rate"])
        moved = figures.signed(level["shift"])
        model = model_name(name, given, words)
        notes.append(
            words("benchmark.tendency_note", model=model, shift=moved, value=shown.value, interval=shown.interval)
        )
    return notes


def _loss_row(loss: Mapping[str, Any], words: Words) -> tuple[Cell, ...]:
    """Log loss of the champion less that of the challenger: the smaller is the better, so below 0 the champion."""
    shown = figures.measured(loss, lambda value: figures.signed(value, 4))
    better = {"below": "first", "above": "second"}.get(lies(loss, 0.0), "undecided")
    difference = Cell(shown.value, note=shown.interval)
    return Cell(words("benchmark.log_loss")), Cell(""), Cell(""), difference, Cell(words(f"benchmark.reads.{better}"))


def _cell(raw: Mapping[str, Any] | None, *, is_signed: bool = False) -> Cell:
    told = figures.measured(raw, (lambda value: figures.signed(value, 3)) if is_signed else figures.decimal)
    return Cell(told.value if raw else "", note=told.interval)


def _swap(told: Mapping[str, Any], given: ReportInput, words: Words) -> list[Block]:
    """Accepted by one and refused by the other, with what they would have cost a snapshot date."""
    swap = told["swap"]
    names = {"first": model_name("champion", given, words), "second": model_name("challenger", given, words)}
    rows = tuple(_swap_row(words(f"benchmark.{name}", **names), swap["cells"][name]) for name in CELLS)
    columns = (
        Column(words("benchmark.decision")),
        *(Column(words(f"benchmark.{name}"), is_number=True) for name in ("rows", "groups", "bads", "rate", "loss")),
    )
    segment = words.or_name("segment", told["refuse_from"])
    caption = words("benchmark.swap_caption", segment=segment)
    few = figures.count(told["min_bad_customers"])
    return [Table(caption, columns, rows, (words("benchmark.swap_note", n=swap["dates"], few=few), _cost(told, words)))]


def _swap_row(name: str, cell: Mapping[str, Any]) -> tuple[Cell, ...]:
    rate = figures.measured({"value": cell["default_rate"], "low": cell["low"], "high": cell["high"]}, figures.share)
    loss = figures.measured(cell["loss"], figures.count)
    return (
        Cell(name),
        Cell(figures.count(cell["rows"])),
        Cell(figures.count(cell["customers"])),
        Cell(figures.count(cell["bads"])),
        Cell(rate.value, note=rate.interval),
        Cell(loss.value, note=loss.interval),
    )


def _cost(told: Mapping[str, Any], words: Words) -> str:
    cost = told["swap"]["cost"]
    if cost is None:
        return words("benchmark.no_cost")
    shown = figures.measured(cost, lambda value: figures.signed(value, 0))
    if not shown.interval:
        n, few = figures.count(cost["bad_customers"]), figures.count(told["min_bad_customers"])
        return words("benchmark.cost.too_few", value=shown.value, n=n, few=few)
    return words(f"benchmark.cost.{lies(cost, 0.0)}", value=shown.value, interval=shown.interval)


def _parts(told: Mapping[str, Any], given: ReportInput, words: Words) -> list[Block]:
    """The parts of the book in which enough turned bad; the others in one line each division."""
    rows: list[tuple[Cell, ...]] = []
    groups: list[tuple[int, str]] = []
    few: list[str] = []
    for division, parts in told["parts"].items():
        shown = {name: part for name, part in parts.items() if part["verdict"] != "too_few"}
        if shown:
            groups.append((len(rows), words(f"benchmark.by.{division}")))
        rows += [_part_row(_part_name(division, name, words), part, words) for name, part in shown.items()]
        few += [_part_name(division, name, words) for name in parts if name not in shown]
    blocks: list[Block] = []
    if rows:
        columns = (
            Column(words("benchmark.part")),
            Column(words("benchmark.bad_groups"), is_number=True),
            *(Column(model_name(name, given, words), is_number=True) for name in ("champion", "challenger")),
            Column(words("discrimination.difference"), is_number=True),
            Column(words("benchmark.would_show"), is_number=True),
            Column(words("discrimination.reading")),
        )
        one_in, power = figures.decimal(1 / (1 - told["confidence"]), 0), figures.as_set(told["power"])
        note = words("benchmark.parts_note", n=one_in, power=power)
        blocks.append(Table(words("benchmark.parts_caption"), columns, tuple(rows), (note,), tuple(groups)))
    if few:
        blocks.append(Missing(words("benchmark.few_parts", parts=figures.listed(few), few=told["min_bad_customers"])))
    return blocks


def _part_name(division: str, name: str, words: Words) -> str:
    if division == "segment":
        return words.or_name("segment", name)
    return words.or_name("depth", name) if division == "data_depth" else words.or_same(division, name)


def _part_row(name: str, part: Mapping[str, Any], words: Words) -> tuple[Cell, ...]:
    return (
        Cell(name),
        Cell(figures.count(part["bad_customers"])),
        _cell(part["gini_first"]),
        _cell(part["gini_second"]),
        _cell(part["difference"], is_signed=True),
        Cell(figures.decimal(part.get("detectable"), 3)),
        Cell(words(f"benchmark.reads.{part['verdict']}")),
    )
