"""The bins: which were set by hand, and whether those of the card held over time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from pipeline.report import figures
from pipeline.report.blocks import Block, Cell, Chapter, Column, Missing, Table
from pipeline.report.chapters.bin_words import range_name
from pipeline.report.chapters.bin_years import bin_years
from pipeline.report.chapters.measured import information_cell, lies
from pipeline.statistics.power import change_shown, fall_shown_by_t
from pipeline.train.bins_file import told_number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pipeline.report.report_input import ReportInput
    from pipeline.report.words import Words


def bins(given: ReportInput, words: Words) -> Chapter:
    """Bins set by hand beside the solver's, then each bin of the card early and late."""
    told: Mapping[str, Any] = given.details.get("scorecard") or {}
    blocks = [*_by_hand(told.get("by_hand"), given, words), *bin_years(given, words)]
    blocks += over_time(told, given, words, words("bins.time_caption"))
    return Chapter("bins", words("bins.title"), tuple(blocks), words("bins.lead"))


def _by_hand(changed: Sequence[Mapping[str, Any]] | None, given: ReportInput, words: Words) -> list[Block]:
    if not changed:
        return [Missing(words("bins.none_by_hand"))]
    columns = (
        Column(words("selection.feature")),
        Column(words("bins.set")),
        Column(words("bins.solved")),
        Column(words("bins.iv"), is_number=True),
        Column(words("bins.iv_solved"), is_number=True),
    )
    rows = tuple(
        (
            Cell(given.titles.get(c["feature"], c["feature"]), note=c["feature"]),
            Cell(_cuts(c["set"], words, _written), note=_beyond(c.get("beyond") or {}, words)),
            Cell(_cuts(c["solved"], words)),
            information_cell(c),
            information_cell(c, "iv_solved"),
        )
        for c in changed
    )
    return [Table(words("bins.hand_caption"), columns, rows, (words("bins.hand_note"),))]


def _beyond(told: Mapping[str, Any], words: Words) -> str:
    """The solver's limits that bins by hand break; empty where they keep both, or an earlier fit did not tell."""
    parts = []
    if "bins" in told:
        parts.append(words("bins.above_most", n=figures.count(told["bins"]), most=figures.count(told["max_bins"])))
    if "smallest_share" in told:
        smallest, least = figures.share(told["smallest_share"], 2), figures.as_set(told["min_bin_share"])
        parts.append(words("bins.below_share", smallest=smallest, least=least))
    return figures.in_turn(parts)


def _written(cut: float) -> str:
    """A cut as policy/bins.yaml has it."""
    return figures.with_minus(told_number(cut))


def _cuts(cuts: Sequence[Any] | None, words: Words, number: Callable[[float], str] = figures.significant) -> str:
    if cuts is None:
        return words("bins.unbinned")
    told = (figures.listed(cut) if isinstance(cut, list) else number(cut) for cut in cuts)
    return figures.in_turn(told) or words("bins.uncut")


def over_time(fitted: Mapping[str, Any], given: ReportInput, words: Words, caption: str) -> list[Block]:
    """Each bin of a card early and late, as its fit told; that nothing can be told where no bin was seen in both."""
    told: Sequence[Mapping[str, Any]] = fitted.get("bin_stability") or ()
    if not told:
        return [Missing(words("bins.no_time"))]
    confidence = fitted.get("bin_confidence")
    columns = (
        Column(words("bins.bin")),
        *(
            Column(words(f"bins.{name}"), is_number=True)
            for name in ("early_share", "late_share", "early_rate", "late_rate", "ratio", "p_value")
        ),
        Column(words("bins.reading")),
    )
    groups: list[tuple[int, str]] = []
    rows: list[tuple[Cell, ...]] = []
    for entry in told:
        name = given.titles.get(entry["feature"], entry["feature"])
        if not groups or groups[-1][1] != name:
            groups.append((len(rows), name))
        rows.append(_row(entry, confidence, given, words))
    return [Table(caption, columns, tuple(rows), _notes(told, confidence, given, words), tuple(groups))]


def _notes(
    told: Sequence[Mapping[str, Any]], confidence: float | None, given: ReportInput, words: Words
) -> tuple[str, ...]:
    """What is compared, and how many of so many tests chance alone lets through."""
    level = f"{given.significance:g}"
    tested = sum(entry["p_value"] is not None for entry in told)
    chance = words(
        "bins.chance_note", expected=_by_chance(tested, given), bins=words.counted("bin", tested), level=level
    )
    notes = [figures.sentences(words("bins.time_note"), chance if tested else "")]
    power = figures.as_set(given.power)
    if any((entry["ratio"] or {}).get("error") for entry in told):
        notes.append(words("bins.power_note", power=power))
    if any(entry.get("early_high") is not None for entry in told):
        notes.append(words("bins.rate_note", level=figures.share(confidence, 0)))
    steps = sum((entry.get("turn") or {}).get("p_value") is not None for entry in told)
    if steps:
        counted, expected = words.counted("step", steps), _by_chance(steps, given)
        notes.append(words("bins.turn_note", expected=expected, steps=counted, level=level, power=power))
    return tuple(notes)


def _by_chance(tests: int, given: ReportInput) -> str:
    """How many of so many tests chance alone lets through at most; two digits where that is less than one."""
    expected = given.significance * tests
    return figures.decimal(expected, 2 if expected < 1.0 else 1)


def _row(entry: Mapping[str, Any], confidence: float | None, given: ReportInput, words: Words) -> tuple[Cell, ...]:
    ratio = figures.measured(entry["ratio"], figures.decimal)
    p = entry["p_value"]
    return (
        Cell(range_name(entry["bin"], words)),
        Cell(figures.share(entry["early_share"])),
        Cell(figures.share(entry["late_share"])),
        _rate(entry, "early"),
        _rate(entry, "late"),
        Cell(ratio.value, note=ratio.interval),
        Cell(figures.decimal(p, 3), note=_least_ratio(entry, confidence, given, words)),
        _reading(entry, given, words),
    )


def _rate(entry: Mapping[str, Any], half: str) -> Cell:
    """The bad rate of a half with its interval; a fit of an earlier version tells none."""
    raw = {"value": entry[f"{half}_rate"], **{end: entry.get(f"{half}_{end}") for end in ("low", "high")}}
    told = figures.measured(raw, figures.probability)
    return Cell(told.value, note=told.interval)


def _least_ratio(entry: Mapping[str, Any], confidence: float | None, given: ReportInput, words: Words) -> str:
    """The ratio above 1 that would have been shown at the stricter of the levels that decide; its inverse as well."""
    error = (entry["ratio"] or {}).get("error")
    if not error or confidence is None:
        return ""
    level = min(given.significance, 1.0 - confidence)
    return words("bins.shown_from", ratio=figures.decimal(math.exp(change_shown(error, level, given.power))))


def _reading(entry: Mapping[str, Any], given: ReportInput, words: Words) -> Cell:
    """What is shown of a bin; under it what is known of an order that the later half alone would turn."""
    moves = _moves(entry, given.significance)
    turn = entry.get("turn") or {}
    if not entry["is_turned"]:
        return Cell(words(f"bins.{moves}"))
    p = turn.get("p_value")
    if p is None:
        return Cell(words(f"bins.{moves}"), note=words("bins.turn_untested"))
    step, level = _points(turn["against"]), figures.decimal(p, 3)
    if p < given.significance:
        shown = [words("bins.moved")] if moves == "moved" else []
        return Cell(figures.in_turn([*shown, words("bins.turned")]), note=words("bins.turn_shown", step=step, p=level))
    least = _points(fall_shown_by_t(turn["error"], turn["degrees"], given.significance, given.power))
    return Cell(words(f"bins.{moves}"), note=words("bins.turn_unshown", step=step, p=level, least=least))


def _points(step: float) -> str:
    """A step between two rates in percentage points."""
    return figures.decimal(100.0 * step, 2)


def _moves(entry: Mapping[str, Any], significance: float) -> str:
    """`moved` where the p-value and the interval, each at its own level, both say so: the stricter decides."""
    if entry["p_value"] is None:
        return "unknown"
    is_moved = entry["p_value"] < significance and lies(entry["ratio"], 1.0) in {"above", "below"}
    return "moved" if is_moved else "held"
