"""What changed since the model before: who it was, what it read, how it did, and both on the same customers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.report import figures
from pipeline.report.blocks import Block, Bullets, Cell, Chapter, Column, Missing, Table, Text
from pipeline.report.chapters.benchmark import served_words
from pipeline.report.chapters.measured import lies, measures

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.report.report_input import ReportInput
    from pipeline.report.words import Words

_SOURCES = (
    "extract_date",
    "data_version",
    "policy_default_definition",
    "policy_master_scale",
    "policy_bins",
    "params_hash",
    "catalogue_hash",
)
_HASH = 12
# A card has some twenty features, a booster well over a hundred: those stand in one paragraph.
_MOST_ITEMS = 25


def changes(given: ReportInput, words: Words) -> Chapter:
    """Old beside new: on the customers neither has seen, in what they read, and in what they were made of."""
    title = words("changes.title")
    if not given.before:
        return Chapter("changes", title, (Missing(words("changes.first")), *_served(given, words)))
    blocks: list[Block] = [_order(given, words), *_features(given, words), *_made_of(given, words)]
    blocks += _served(given, words)
    version = given.before["model_version"]
    return Chapter("changes", title, tuple(blocks), words("changes.lead", version=version, kind=_kind(given, words)))


def change_words(given: ReportInput, words: Words) -> tuple[str, ...]:
    """The same in one to three sentences, for the first page."""
    if not given.before:
        return (words("changes.first"),)
    found = [words("changes.replaces", version=given.before["model_version"], kind=_kind(given, words))]
    found.append(_verdict(given.before.get("comparison"), given, words))
    added, dropped = _moved(given)
    if added or dropped:
        found.append(words("changes.moved", added=len(added), dropped=len(dropped)))
    return tuple(found)


def _kind(given: ReportInput, words: Words) -> str:
    kind = given.before.get("kind") or (given.before.get("evidence") or {}).get("kind")
    return words.or_name("kind_plain", kind) if kind else figures.DASH


def _verdict(compared: Mapping[str, Any] | None, given: ReportInput, words: Words) -> str:
    """Whether the new model orders customers better than the old, with the interval of the difference."""
    if compared is None:
        return words(f"changes.why.{given.before.get('why_none') or 'no_rows'}")
    found = (compared.get("gini") or {}).get("difference")
    if found is None:
        return words("changes.why.no_rows")
    # The comparison is old less new; the reader asks what the new one gains.
    gain = {"value": -found["value"], "low": _minus(found["high"]), "high": _minus(found["low"])}
    told = figures.measured(gain, lambda value: figures.signed(value, 3))
    level = figures.share(compared["confidence"], 0)
    return words(f"changes.gain.{lies(gain, 0.0)}", difference=told.value, interval=told.interval, level=level)


def _minus(value: float | None) -> float | None:
    return None if value is None else -value


def _order(given: ReportInput, words: Words) -> Block:
    compared = given.before.get("comparison")
    found = (compared or {}).get("gini") or {}
    if compared is None or found.get("difference") is None:
        return Missing(_verdict(compared, given, words))
    levels, served = compared["calibration"], served_words(compared, words)
    rows = tuple(
        (
            Cell(words(f"changes.{name}"), note=compared[side]["model_version"]),
            _cell(found[f"gini_{side}"]),
            _cell(level["observed_over_expected"]),
            _cell(level["slope"]),
        )
        for name, side, level in (("old", "first", levels[0]), ("new", "second", levels[1]))
    )
    columns = (
        Column(words("discrimination.model")),
        Column(words("discrimination.gini"), is_number=True),
        Column(words("calibration.ratio"), is_number=True),
        Column(words("benchmark.slope_rated") if served else words("calibration.slope"), is_number=True),
    )
    counts = {name: figures.count(compared["rows"][name]) for name in ("rows", "customers", "bad_customers")}
    level = figures.share(compared["confidence"], 0)
    note = figures.sentences(words("changes.order_note", level=level, **counts), _verdict(compared, given, words))
    return Table(words("changes.order_caption"), columns, rows, tuple(text for text in (note, served) if text))


def _cell(raw: Mapping[str, Any] | None) -> Cell:
    told = figures.measured(raw)
    return Cell(told.value, note=told.interval)


def _moved(given: ReportInput) -> tuple[list[str], list[str]]:
    """The features that came in and those that went out; nothing where the old ones are not known."""
    old = given.before.get("features")
    new = [str(c["feature"]) for c in (given.scorecard or {}).get("characteristics") or ()]
    if old is None or not new:
        return [], []
    return [name for name in new if name not in old], [name for name in old if name not in new]


def _features(given: ReportInput, words: Words) -> list[Block]:
    if given.before.get("features") is None:
        return [Missing(words("changes.no_features"))]
    added, dropped = _moved(given)
    blocks: list[Block] = []
    for name, moved in (("added", added), ("dropped", dropped)):
        if moved:
            titles = [given.titles.get(f, f) for f in moved]
            items = titles if len(titles) <= _MOST_ITEMS else [figures.in_turn(titles)]
            blocks.append(Bullets(words(f"changes.{name}"), tuple(items)))
    return blocks or [Text(words("changes.same_features"))]


def _made_of(given: ReportInput, words: Words) -> list[Block]:
    """What both were made of and tested on; nothing where no evidence of the old one is kept."""
    evidence = given.before.get("evidence")
    if evidence is None:
        return [Missing(words("changes.no_evidence"))]
    old, new = evidence["lineage"], given.lineage
    rows = [
        (Cell(words.or_name("provenance", name)), Cell(_source(old.get(name))), Cell(_source(new.get(name))))
        for name in _SOURCES
        if old.get(name) or new.get(name)
    ]
    tested, told = evidence["validation"]["roles"].get("test") or {}, measures(given, "champion", "test")
    rows.append((Cell(words("changes.own_test")), _cell(tested.get("gini")), _cell(told.get("gini"))))
    rows.append(
        (
            Cell(words("changes.own_bads")),
            Cell(figures.count(tested.get("bad_customers"))),
            Cell(figures.count(told.get("bad_customers"))),
        )
    )
    columns = (Column(words("changes.what")), Column(words("changes.old")), Column(words("changes.new")))
    return [Table(words("changes.made_caption"), columns, tuple(rows), (words("changes.made_note"),), is_fixed=True)]


def _served(given: ReportInput, words: Words) -> list[Block]:
    """How the model in force has done since: the gates of monitoring; nothing before its first run."""
    gates = given.monitored.get("gates")
    if not gates:
        return []
    rows = tuple(
        (
            Cell(words.or_name("portfolio.monitoring.gate.name", gate["name"])),
            Cell(words(f"portfolio.monitoring.light.{gate['light']}")),
            _gate_cell(gate, words),
        )
        for gate in gates
    )
    columns = (
        Column(words("portfolio.monitoring.gate.question")),
        Column(words("portfolio.monitoring.gate.light_text")),
        Column(words("portfolio.monitoring.gate.value"), is_number=True),
    )
    told = given.monitored
    caption = words("changes.served", version=told["model_version"], day=figures.day(str(told["as_of"])))
    return [Table(caption, columns, rows, (words("portfolio.monitoring.gate.note"),))]


def _gate_cell(gate: Mapping[str, Any], words: Words) -> Cell:
    """The figure with its interval; a PSI, which has none, with what chance reaches, where monitoring kept it."""
    if gate["value"] is None:
        return Cell(words("changes.not_judged"))
    noise = gate.get("noise")
    if noise is None:
        return _cell(gate)
    value, by_chance = (figures.decimal(figure, 3) for figure in (gate["value"], noise))
    return Cell(value, note=words("tests.held.monitored", value=by_chance))


def _source(value: object) -> str:
    text = figures.DASH if value is None else str(value)
    return figures.day(text) if len(text) <= _HASH else f"{text[:_HASH]}…"
