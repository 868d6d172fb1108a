"""The scorecard as a table that can be recomputed by hand, with one customer worked out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pandas as pd

from pipeline.report import figures
from pipeline.report.blocks import Block, Cell, Chapter, Column, Heading, Missing, Table, Text
from pipeline.report.chapters.bin_words import bin_name
from pipeline.report.chapters.measured import information_cell
from pipeline.report.chapters.scorecard_basis import expert_points, rounding_loss
from pipeline.report.chapters.scorecard_scale import calibration_beside, points_digits, scaling, worked_result
from pipeline.report.chapters.verdict import expert_words
from pipeline.score.scorecard import Bin, Characteristic, Scorecard

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.report.report_input import ReportInput, WorkedCustomer
    from pipeline.report.words import Words


def scorecard(given: ReportInput, words: Words) -> Chapter:
    """Every bin of every characteristic, the scaling, and the worked customer."""
    title = words("scorecard.title")
    if given.scorecard is None:
        return Chapter("scorecard", title, (Missing(words("scorecard.none")),))
    card = Scorecard.from_json(json.dumps(given.scorecard))
    line = calibration_beside(given)
    how = words("scorecard.how") if line is None else words("scorecard.how_uncalibrated")
    blocks: list[Block] = [Text(how), scaling(card, line, words)]
    if _fitted(given).get("basis") == "expert":
        blocks += [Text(expert_words(_fitted(given), words)), expert_points(card, given, words)]
    else:
        blocks += [_characteristics(card, given, words), _points(card, given, words)]
    if _fitted(given).get("whole_points"):
        blocks.append(rounding_loss(_fitted(given)["whole_points"], words))
    blocks += [Heading(words("scorecard.worked_title")), *_worked(card, given, words)]
    n = len(card.characteristics)
    lead = words("scorecard.lead", n=n) if line is None else words("scorecard.lead_uncalibrated", n=n)
    return Chapter("scorecard", title, tuple(blocks), lead)


def _fitted(given: ReportInput) -> Mapping[str, Any]:
    """What fitting told of the scorecard."""
    return given.details.get("scorecard") or {}


def _characteristics(card: Scorecard, given: ReportInput, words: Words) -> Table:
    told, fates = (_by_feature(_fitted(given).get(name)) for name in ("coefficients", "selection"))
    widest = max(_span(c) for c in card.characteristics) or 1.0
    rows = [
        (
            Cell(given.titles.get(c.feature, c.feature), note=c.feature),
            Cell(words.or_name("risk", c.risk)),
            information_cell(fates.get(c.feature) or {"iv": c.iv}),
            Cell(figures.decimal(c.coefficient, 3), note=_error(told.get(c.feature), words)),
            Cell(figures.decimal(_span(c), 0), bar=_span(c) / widest),
        )
        for c in card.characteristics
    ]
    columns = (
        Column(words("scorecard.characteristic")),
        Column(words("scorecard.risk")),
        *(Column(words(f"scorecard.{name}"), is_number=True) for name in ("iv", "coefficient", "span")),
    )
    notes = (words("scorecard.characteristics_note", level=_level(given)),)
    return Table(words("scorecard.characteristics_caption"), columns, tuple(rows), notes)


def _by_feature(told: Sequence[Mapping[str, Any]] | None) -> dict[str, Mapping[str, Any]]:
    return {str(found["feature"]): found for found in told or ()}


def _level(given: ReportInput) -> str:
    """The confidence of what fitting measured of the bins."""
    return figures.share(_fitted(given).get("bin_confidence"), 0)


def _error(told: Mapping[str, Any] | None, words: Words) -> str:
    if not told:
        return ""
    error = figures.decimal(told.get("standard_error"), 3)
    return words("scorecard.error", value=figures.decimal(told.get("unpenalised"), 3), error=error)


def _span(characteristic: Characteristic) -> float:
    points = [b.points for b in characteristic.bins if b.count]
    return max(points) - min(points) if points else 0.0


def _points(card: Scorecard, given: ReportInput, words: Words) -> Table:
    rows: list[tuple[Cell, ...]] = []
    groups: list[tuple[int, str]] = []
    rates = {(r["feature"], r["bin"]): r for r in _fitted(given).get("bin_rates") or ()}
    digits = points_digits(card)
    for c in card.characteristics:
        title = given.titles.get(c.feature, c.feature)
        heading = words("scorecard.group", title=title, coefficient=figures.significant(c.coefficient))
        groups.append((len(rows), heading))
        total = sum(b.count for b in c.bins) or 1
        rows.extend(_bin_row(b, total, rates.get((c.feature, b.label)) or {}, words, digits) for b in c.bins)
    columns = (
        Column(words("scorecard.bin")),
        *(Column(words(f"scorecard.{name}"), is_number=True)
          for name in ("count", "weight", "bads", "rate", "woe", "points")),
    )  # fmt: skip
    told = words("scorecard.points_note", level=_level(given), formula=_formula(card, given, words))
    notes = tuple(text for text in (told, _prior(given, words)) if text)
    return Table(words("scorecard.points_caption"), columns, tuple(rows), notes, tuple(groups))


def _formula(card: Scorecard, given: ReportInput, words: Words) -> str:
    """How points follow from weights of evidence, and whether they were rounded."""
    is_joint = bool(_fitted(given).get("joint_points"))
    told = words("scorecard.points_joint") if is_joint else words("scorecard.points_of_woe")
    return figures.sentences(told, words("scorecard.points_rounded") if card.rounding == "whole" else "")


def _prior(given: ReportInput, words: Words) -> str:
    """The half bad customer of every bin, in snapshots (`train/binning.py`); empty where fitting told no counts."""
    train = (_fitted(given).get("samples") or {}).get("train")
    if not train or not train["bad_customers"]:
        return ""
    prior = figures.decimal(0.5 * train["bads"] / train["bad_customers"], 4)
    counts = {name: figures.count(train[name]) for name in ("bads", "bad_customers")}
    return words("scorecard.points_prior", prior=prior, **counts)


def _bin_row(b: Bin, total: int, ends: Mapping[str, Any], words: Words, digits: int) -> tuple[Cell, ...]:
    rate = figures.measured({**ends, "value": b.bads / b.count if b.count else None}, figures.share)
    return (
        Cell(bin_name(b, words)),
        Cell(figures.count(b.count)),
        Cell(figures.share(b.count / total)),
        Cell(figures.count(b.bads)),
        Cell(rate.value, note=rate.interval),
        Cell(figures.decimal(b.woe, 4)),
        Cell(figures.decimal(b.points, digits)),
    )


def _worked(card: Scorecard, given: ReportInput, words: Words) -> list[Block]:
    worked = given.worked
    if worked is None:
        return [Missing(words("scorecard.no_worked"))]
    lacking = [name for name in card.features if name not in worked.features]
    if lacking:
        return [Missing(words("scorecard.worked_lacks", features=figures.listed(lacking)))]
    frame = pd.DataFrame({name: [worked.features[name]] for name in card.features})
    told = words(
        "scorecard.worked_text",
        customer=f"{worked.customer_id} {given.worked_name}".strip(),
        day=figures.day(worked.as_of),
    )
    titles = {name: words(f"{name}.title") for name in ("calibration", "discrimination")}
    estimate = Text(words("scorecard.worked_estimate", **titles))
    table = _worked_table(card, frame, worked, given, words)
    total, exact = _printed_total(card, frame), float(card.total_points(frame)[0])
    return [Text(told), table, *worked_result(card, total, exact, calibration_beside(given), words), estimate]


def _worked_table(
    card: Scorecard, frame: pd.DataFrame, worked: WorkedCustomer, given: ReportInput, words: Words
) -> Table:
    digits = points_digits(card)
    start = figures.decimal(card.intercept_points, digits)
    rows = [(Cell(words("scorecard.start")), Cell(""), Cell(""), Cell(start))]
    for c in card.characteristics:
        found = c.bins[int(c.bin_index(frame)[0])]
        value = worked.features[c.feature]
        shown = figures.plain(value) if value is not None and value == value else words("scorecard.missing_value")  # noqa: PLR0124
        title = given.titles.get(c.feature, c.feature)
        points = Cell(figures.decimal(found.points, digits))
        rows.append((Cell(title), Cell(shown), Cell(bin_name(found, words)), points))
    total = _printed_total(card, frame)
    rows.append((Cell(words("scorecard.sum")), Cell(""), Cell(""), Cell(figures.decimal(total, digits))))
    columns = (
        Column(words("scorecard.characteristic")),
        Column(words("scorecard.value"), is_number=True),
        Column(words("scorecard.bin")),
        Column(words("scorecard.points"), is_number=True),
    )
    return Table(words("scorecard.worked_caption"), columns, tuple(rows), is_fixed=True)


def _printed_total(card: Scorecard, frame: pd.DataFrame) -> float:
    """The sum of the points as they are printed, as a reader adds them up; off the exact one by 0.00005 a part."""
    points = [float(c.bins[int(c.bin_index(frame)[0])].points) for c in card.characteristics]
    return sum(round(part, 4) for part in (card.intercept_points, *points))
