"""The tests that have parts, in full: grades, years, parts of the book, migration, features, groups of features."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.report import figures
from pipeline.report.blocks import Block, Cell, Column, Heading, Table, cells
from pipeline.report.chapters.measured import model_name, times
from pipeline.report.chapters.tests_figures import blind_parts, part_value, shown_part
from pipeline.report.chapters.tests_poison import poison

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.report.report_input import ReportInput
    from pipeline.report.words import Words

_MOST_FEATURES = 15


def details(told: Sequence[Mapping[str, Any]], given: ReportInput, words: Words) -> list[Block]:
    """One table for each kind of test that has parts; nothing where none was made."""
    by_id: dict[str, list[Mapping[str, Any]]] = {}
    for one in told:
        by_id.setdefault(str(one["id"]), []).append(one)
    blocks: list[Block] = []
    for model in ("champion", "challenger"):
        grades = [_result(by_id, test, model) for test in ("jeffreys_grades", "binomial_grades")]
        if all(grades) and any(row["rows"] for row in grades[0]["details"]):
            blocks.append(_grades(grades[0], grades[1], model_name(model, given, words), words))
    blocks += _years(by_id.get("years", ()), given, words)
    blocks += _parts(by_id.get("auc_by_part", ()), given, words)
    blocks += _migration(_details(by_id, "mobility_upper", "champion"), words)
    blocks += _concentration(_details(by_id, "concentration", "champion"), words)
    blocks += _features(by_id.get("csi", ()), given, words)
    blocks += poison(by_id.get("future_poison", ()), words)
    for test in ("marginal_subject", "marginal_source"):
        blocks += _marginal(test, _details(by_id, test, "champion"), given, words)
    return [Heading(words("tests.details")), *blocks] if blocks else []


def _details(by_id: Mapping[str, list[Mapping[str, Any]]], test: str, model: str) -> list[Mapping[str, Any]]:
    return [row for one in by_id.get(test, ()) if one["model"] == model for row in one["details"]]


def _result(by_id: Mapping[str, list[Mapping[str, Any]]], test: str, model: str) -> Mapping[str, Any]:
    return next((one for one in by_id.get(test, ()) if one["model"] == model), {})


def _grades(by_jeffreys: Mapping[str, Any], by_binomial: Mapping[str, Any], model: str, words: Words) -> Table:
    rows = tuple(
        (
            Cell(jeffreys["grade"]),
            Cell(figures.count(jeffreys["rows"])),
            Cell(figures.count(jeffreys["bads"])),
            Cell(figures.probability(jeffreys["mean_pd"])),
            _rate(jeffreys),
            *(_tested(one, words) for one in (jeffreys, binomial)),
            _power(jeffreys, words),
        )
        for jeffreys, binomial in zip(by_jeffreys["details"], by_binomial["details"], strict=True)
        if jeffreys["rows"]
    )
    columns = (
        Column(words("tests.grade")),
        *(
            Column(words(f"tests.{name}"), is_number=True)
            for name in ("customers", "bads", "mean_pd", "rate", "jeffreys", "binomial", "shown_head")
        ),
    )
    notes = (words("tests.grades_note"), *powers(by_jeffreys, words))
    return Table(words("tests.grades_caption", model=model), columns, rows, notes, is_fixed=True)


def _power(one: Mapping[str, Any], words: Words) -> Cell:
    """What a grade or year would have shown if it were the only one, and at the level that all share (Holm)."""
    shared = one.get("shown_holm")
    note = words("tests.after_holm", value=_times(shared, words)) if shared is not None else ""
    return Cell(_times(one["shown"], words), note=note)


def powers(one: Mapping[str, Any], words: Words) -> tuple[str, ...]:
    """How many could not have shown a deviation that matters, and which shows most; nothing where none was judged."""
    blind = blind_parts(one, words)
    if not blind:
        return ()
    keenest = words("tests.keenest", part=shown_part(one, words), value=_times(one["shown"], words))
    return (figures.sentences(words("tests.blind_note", told=blind), keenest if one["shown"] is not None else ""),)


def _tested(one: Mapping[str, Any], words: Words) -> Cell:
    """The p-value of a grade with the exact size of the test on so many customers of such a PD."""
    note = words("tests.exact_size", size=figures.share(one["size"])) if one["size"] is not None else ""
    return Cell(figures.decimal(one["p_value"], 3), note=note)


def _rate(one: Mapping[str, Any]) -> Cell:
    told = figures.measured({"value": one["rate"], "low": one["low"], "high": one["high"]}, figures.probability)
    return Cell(told.value, note=told.interval)


def _times(value: float | None, words: Words) -> str:
    return figures.DASH if value is None else times(value, words)


def _years(results: Sequence[Mapping[str, Any]], given: ReportInput, words: Words) -> list[Block]:
    rows: list[tuple[Cell, ...]] = []
    groups: list[tuple[int, str]] = []
    notes = [words("tests.years_note")]
    for one in results:
        groups.append((len(rows), model_name(one["model"], given, words)))
        rows += [
            (
                Cell(figures.day(year["day"])),
                Cell(figures.count(year["rows"])),
                Cell(figures.count(year["bads"])),
                Cell(figures.probability(year["mean_pd"])),
                _rate(year),
                Cell(figures.decimal(year["p_value"], 3)),
                _power(year, words),
            )
            for year in one["details"]
        ]
        notes += [words("tests.note_of", model=groups[-1][1], note=note) for note in powers(one, words)]
    if not rows:
        return []
    names = ("customers", "bads", "mean_pd", "rate", "p_value", "shown_head")
    columns = (Column(words("tests.cohort")), *(Column(words(f"tests.{name}"), is_number=True) for name in names))
    return [Table(words("tests.years_caption"), columns, tuple(rows), tuple(notes), tuple(groups))]


def _parts(results: Sequence[Mapping[str, Any]], given: ReportInput, words: Words) -> list[Block]:
    """The parts of each division of the champion; the challenger's AUC beside it."""
    by_model: dict[str, dict[str, Mapping[str, Any]]] = {}
    for one in results:
        by_model.setdefault(one["model"], {})[one["part"]] = one
    if "champion" not in by_model:
        return []
    rows: list[tuple[Cell, ...]] = []
    groups: list[tuple[int, str]] = []
    for division, one in by_model["champion"].items():
        groups.append((len(rows), words.or_same("tests.division", division)))
        other = by_model.get("challenger", {}).get(division, {"details": one["details"]})["details"]
        names = [part_value(division, told["part"], words) for told in one["details"]]
        for name, *pair in zip(names, one["details"], other, strict=True):
            rest = [other_name for other_name in names if other_name != name]
            rows.append(_part(name, rest[0] if len(rest) == 1 else words("tests.other_parts"), pair, words))
    models = [model_name(name, given, words) for name in ("champion", "challenger") if name in by_model]
    columns = (
        Column(words("tests.part")),
        *(Column(words(f"tests.{name}"), is_number=True) for name in ("customers", "bads")),
        *(Column(words("tests.auc_of", model=name), is_number=True) for name in models),
        *(Column(words(f"tests.{name}"), is_number=True) for name in ("p_value", "shown_head")),
    )
    if "challenger" not in by_model:
        rows = [(*row[:4], *row[5:]) for row in rows]
    notes = _parts_notes([row for one in results for row in one["details"]], given, words)
    return [Table(words("tests.parts_caption"), columns, tuple(rows), notes, tuple(groups))]


def _parts_notes(told: Sequence[Mapping[str, Any]], given: ReportInput, words: Words) -> tuple[str, ...]:
    """What is asked; then of intervals and of the shared level where one stands: earlier validations tell less."""
    notes = [words("tests.parts_note")]
    if any(figures.measured(one).interval for one in told):
        notes.insert(0, words("tests.parts_interval_note", level=figures.share(given.confidence, 0)))
    if any(one.get("shown_holm") is not None for one in told):
        notes.append(words("tests.parts_holm_note"))
    return (figures.sentences(*notes),)


def _part(name: str, rest: str, by_model: Sequence[Mapping[str, Any]], words: Words) -> tuple[Cell, ...]:
    """A part as the champion and as the challenger orders it; `rest` names what it is held against."""
    one = by_model[0]
    return (
        Cell(name),
        Cell(figures.count(one["customers"])),
        Cell(figures.count(one["bads"])),
        *(_auc(told, name, rest, words) for told in by_model),
        Cell(figures.decimal(one["p_holm"], 3)),
        _fall(one, words),
    )


def _fall(one: Mapping[str, Any], words: Words) -> Cell:
    """The fall of AUC that a part would have shown if it were the only one, and at the level that all share (Holm)."""
    shared = one.get("shown_holm")
    note = words("tests.after_holm", value=figures.decimal(shared, 3)) if shared is not None else ""
    return Cell(figures.decimal(one["shown"], 3), note=note)


def _auc(one: Mapping[str, Any], name: str, rest: str, words: Words) -> Cell:
    told = figures.measured(one, lambda value: figures.decimal(value, 3))
    few = {"part": name, "rest": rest}.get(str(one.get("too_few")))
    none = words("tests.too_few_in", part=few) if few else words("tests.too_few_short")
    return Cell(told.value, note=told.interval or none)


def _migration(rows: Sequence[Mapping[str, Any]], words: Words) -> list[Block]:
    if not rows:
        return []
    names = [name for name in rows[0] if name != "grade"]
    table = tuple(
        cells(str(row["grade"]), *(figures.count(row[name]) if row[name] else "·" for name in names)) for row in rows
    )
    columns = (Column(words("tests.from_to")), *(Column(name, is_number=True) for name in names))
    return [Table(words("tests.migration_caption"), columns, table, (words("tests.migration_note"),), is_fixed=True)]


def _concentration(rows: Sequence[Mapping[str, Any]], words: Words) -> list[Block]:
    if not rows:
        return []
    totals = {name: sum(row[name] for row in rows) or 1 for name in ("development", "now")}
    table = tuple(
        (
            Cell(str(row["grade"])),
            *(Cell(figures.count(row[name]), note=figures.share(row[name] / totals[name])) for name in totals),
        )
        for row in rows
    )
    columns = (
        Column(words("tests.grade")),
        *(Column(words(f"tests.customers_{name}"), is_number=True) for name in totals),
    )
    return [Table(words("tests.concentration_caption"), columns, table, is_fixed=True)]


def _features(results: Sequence[Mapping[str, Any]], given: ReportInput, words: Words) -> list[Block]:
    """The features that moved most, of each model."""
    rows: list[tuple[Cell, ...]] = []
    groups: list[tuple[int, str]] = []
    for one in results:
        groups.append((len(rows), model_name(one["model"], given, words)))
        rows += [
            (
                Cell(given.titles.get(row["feature"], row["feature"])),
                Cell(figures.decimal(row["psi"], 3)),
                Cell(figures.decimal(row["noise"], 3)),
                Cell(words("tests.is_shared") if row["is_shared"] else words(f"tests.lights.{row['light']}")),
            )
            for row in one["details"][:_MOST_FEATURES]
        ]
    if not rows:
        return []
    columns = (
        Column(words("tests.feature")),
        Column("PSI", is_number=True),
        Column(words("tests.noise"), is_number=True),
        Column(words("tests.light")),
    )
    caption = words("tests.features_caption", n=_MOST_FEATURES)
    return [Table(caption, columns, tuple(rows), (words("tests.features_note"),), tuple(groups))]


def _marginal(test: str, rows: Sequence[Mapping[str, Any]], given: ReportInput, words: Words) -> list[Block]:
    if not rows:
        return []
    group = "subject" if test == "marginal_subject" else "source"
    table = tuple(
        (
            Cell(words.or_same(f"tests.{group}", row["part"])),
            Cell(figures.count(row["features"])),
            Cell(figures.signed(row["value"], 3), note=figures.measured(row, lambda v: figures.signed(v, 3)).interval),
            Cell(figures.decimal(row["shown"], 3)),
        )
        for row in rows
    )
    columns = (
        Column(words(f"tests.{group}_head")),
        *(Column(words(f"tests.{name}"), is_number=True) for name in ("features", "marginal", "shown_head")),
    )
    note = words("tests.marginal_note", level=figures.share(given.confidence, 0))
    return [Table(words(f"tests.{test}_caption"), columns, table, (note,))]
