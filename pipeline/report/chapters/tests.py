"""Every validation test once: its light in words and shape, its doubt, and what it could have shown at all."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from pipeline.report import figures
from pipeline.report.blocks import Block, Bullets, Cell, Chapter, Column, Missing, Table, Text
from pipeline.report.chapters.measured import model_name
from pipeline.report.chapters.tests_details import details
from pipeline.report.chapters.tests_figures import (
    blind_parts,
    counts_text,
    described,
    held_against,
    part_name,
    shown_part,
    size_note,
    title_of,
    value_text,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.report.report_input import ReportInput
    from pipeline.report.words import Words

GROUPS = ("discrimination", "calibration", "stability", "process", "benchmark", "monitoring")
LIGHTS = ("red", "amber", "grey", "green")
# Reasons that do not make a test one that was not made: told and not judged, because no verdict would mean anything;
# found, and prudent; made, and not decided.
_NOT_JUDGED = ("cut_short", "prudent", "undecided", "not_better")
_FALLS = ("auc_fall_ecb", "auc_fall")
_DIGITS = {"factor": 2, "slope": 2, "columns": 0}
# Told by shape as well, so that it reads in grey and by those who see no colours.
SHAPES = {"green": "●", "amber": "▲", "red": "■", "grey": "○"}


def tests(given: ReportInput, words: Words) -> Chapter:
    """Lights by group, every test, what this book cannot show, and the tests that have parts in full."""
    title = words("tests.title")
    told: Sequence[Mapping[str, Any]] = given.validation.get("tests") or ()
    if not told:
        return Chapter("tests", title, (Missing(words("tests.none")),))
    blocks: list[Block] = [Text(words("tests.how")), _summary(told, words)]
    blocks += [Text(words("tests.rows_note")), _table(told, given, words)]
    blind = _unseen(told, given, words)
    if blind:
        blocks.append(Bullets(words("tests.blind_title"), blind))
    blocks += details(told, given, words)
    return Chapter("tests", title, tuple(blocks), words("tests.lead"))


def _summary(told: Sequence[Mapping[str, Any]], words: Words) -> Table:
    counted = {group: Counter(one["light"] for one in told if one["group"] == group) for group in GROUPS}
    rows = tuple(
        (Cell(words(f"tests.group.{group}")), *(Cell(figures.count(counted[group][light])) for light in LIGHTS))
        for group in GROUPS
    )
    columns = (Column(words("tests.group_head")), *(Column(_light(light, words), is_number=True) for light in LIGHTS))
    return Table(words("tests.summary_caption"), columns, rows, (words("tests.summary_note"),), is_fixed=True)


def _table(told: Sequence[Mapping[str, Any]], given: ReportInput, words: Words) -> Table:
    rows: list[tuple[Cell, ...]] = []
    groups: list[tuple[int, str]] = []
    for group in GROUPS:
        own = [one for one in told if one["group"] == group]
        if own:
            groups.append((len(rows), words(f"tests.group.{group}")))
        rows += [_row(one, given, words) for one in own]
    columns = (
        Column(words("tests.test")),
        Column(words("tests.light")),
        Column(words("tests.basis_head")),
        Column(words("tests.value"), is_number=True),
        Column(words("tests.p_value"), is_number=True),
        Column(words("tests.shown_head")),
    )
    level = figures.share(given.confidence, 0)
    notes = [words("tests.table_note", level=level), words("tests.size_note", power=figures.as_set(given.power))]
    if any(one["id"] in _FALLS and one["against"] is not None for one in told):
        last = max((given.validation.get("timetable") or {}).get("train") or (), default=None)
        notes.append(words("tests.development_note", day=figures.day(last)))
    if any(one["id"] in _FALLS and (one.get("against_of") or {}).get("low") is not None for one in told):
        notes.append(words("tests.development_interval_note"))
    if any(one["id"] == "monitored" and one["details"] for one in told):
        notes.append(words("tests.monitored_note", note=words("portfolio.monitoring.gate.note")))
    return Table(words("tests.caption"), columns, tuple(rows), tuple(notes), tuple(groups))


def _row(one: Mapping[str, Any], given: ReportInput, words: Words) -> tuple[Cell, ...]:
    value = value_text(one["id"], one["value"], words)
    ends = [value_text(one["id"], one[end], words) for end in ("low", "high")]
    interval = figures.between(*ends) if one["low"] is not None and one["high"] is not None else ""
    note = figures.in_turn(part for part in (interval, held_against(one, words)) if part)
    why = words(f"tests.why.{one['why']}") if one["why"] else ""
    return (
        Cell(title_of(one, words), note=described(one, given, words)),
        Cell(_light(one["light"], words), note=why),
        Cell(words(f"tests.basis.{one['basis']}"), note=counts_text(one, words)),
        Cell(value, note=note),
        Cell(_p_value(one["p_value"]), note=size_note(one, words)),
        Cell(*_power(one, words)),
    )


def _light(light: str, words: Words) -> str:
    return f"{SHAPES[light]} {words(f'tests.lights.{light}')}"


def _p_value(value: float | None) -> str:
    if value is None:
        return figures.DASH
    return f"<{figures.decimal(0.001, 3)}" if value < 0.001 else figures.decimal(value, 3)


def _power(one: Mapping[str, Any], words: Words) -> tuple[str, str]:
    """The smallest deviation that would have shown, and in plain words where that is nothing of use."""
    if one["shown"] is None:
        is_unmade = one["why"] and one["why"] not in _NOT_JUDGED
        return (words("tests.shows_nothing"), blind_parts(one, words)) if is_unmade else (figures.DASH, "")
    digits = _DIGITS.get(one["unit"], 3)
    told = words(f"tests.shown.{one['unit']}", value=figures.decimal(one["shown"], digits))
    part = shown_part(one, words)
    if part:
        told = words("tests.shown_in", shown=told, part=part)
    nothing = words("tests.shows_nothing") if one["is_blind"] else ""
    return told, figures.in_turn(text for text in (nothing, blind_parts(one, words)) if text)


def _unseen(told: Sequence[Mapping[str, Any]], given: ReportInput, words: Words) -> tuple[str, ...]:
    """A line for each test, model and kind of rows that shows too little, parts together; then what was not made."""
    blind: dict[tuple[str, str, str], list[str]] = {}
    unmade: dict[tuple[str, str, str, str], list[str]] = {}
    for one in told:
        subject = (str(one["id"]), str(one["model"]), str(one["basis"]))
        if one["is_blind"] and one["shown"] is not None:
            shown, _ = _power(one, words)
            if one["id"] == "auc_by_part":
                shown = words("tests.blind_part", part=words.or_same("tests.division", one["part"]), shown=shown)
            blind.setdefault(subject, []).append(shown)
        elif one["why"] and one["why"] not in _NOT_JUDGED:
            unmade.setdefault((*subject, str(one["why"])), []).append(part_name(one, given, words))
    lines = [
        words(
            "tests.blind_item",
            subject=_subject(key, (), given, words),
            basis=_basis(key, words),
            shown=figures.in_turn(shown),
        )
        for key, shown in blind.items()
    ]
    lines += [
        words(
            "tests.unmade_item",
            subject=_subject(key[:3], parts, given, words),
            basis=_basis(key[:3], words),
            why=words(f"tests.why.{key[3]}"),
        )
        for key, parts in unmade.items()
    ]
    return tuple(lines)


def _subject(key: tuple[str, str, str], parts: Sequence[str], given: ReportInput, words: Words) -> str:
    model = (model_name(key[1], given, words),) if key[1] in given.validation["models"] else ()
    about = figures.listed(text for text in (*model, *parts) if text)
    name = words(f"tests.name.{key[0]}")
    return words("tests.of", name=name, about=about) if about else name


def _basis(key: tuple[str, str, str], words: Words) -> str:
    return words(f"tests.basis.{key[2]}")
