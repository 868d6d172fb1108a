"""The master scale, and how the book falls on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.report import charts, figures
from pipeline.report.blocks import Block, Cell, Chapter, Column, Missing, Table
from pipeline.report.drawing import chart
from pipeline.score.master_scale import DEFAULT_GRADE, MasterScale

if TYPE_CHECKING:
    from pipeline.report.report_input import ReportInput
    from pipeline.report.words import Words


def grades(given: ReportInput, words: Words) -> Chapter:
    """Bounds and representative PD of each grade, and the customers of the last scored book by grade."""
    scale = MasterScale.load(dict(given.master_scale))
    counts = _counts(given, scale)
    blocks: list[Block] = []
    if counts is None:
        blocks.append(Missing(words("grades.no_book")))
    else:
        by_grade = figures.listed(f"{name} {figures.count(n)}" for name, n in counts.items())
        told = words("grades.description", text=by_grade)
        drawing = charts.grades(list(counts), list(counts.values()))
        title, caption = words("grades.chart_title", day=_as_of(given)), words("grades.chart_caption")
        blocks.append(chart("grades", title, caption, told, drawing))
    blocks.append(_scale(scale, counts, given, words))
    valid_from = figures.day(given.master_scale.get("valid_from"))
    return Chapter("grades", words("grades.title"), tuple(blocks), words("grades.lead", valid_from=valid_from))


def _counts(given: ReportInput, scale: MasterScale) -> dict[str, int] | None:
    if given.book is None or not len(given.book):
        return None
    counted = given.book["grade"].value_counts()
    return {name: int(counted.get(name, 0)) for name in scale.names_with_default}


def _as_of(given: ReportInput) -> str:
    return "" if given.book is None else figures.day(str(given.book["as_of"].max()))


def _scale(scale: MasterScale, counts: dict[str, int] | None, given: ReportInput, words: Words) -> Table:
    rows = [
        (
            Cell(grade.name),
            Cell(words.or_name("segment", grade.segment)),
            Cell(words("grades.from_to", low=figures.as_set(grade.lower), high=figures.as_set(grade.upper))),
            Cell(figures.probability(grade.pd)),
            *_book_cells(grade.name, counts, given),
        )
        for grade in scale.grades
    ]
    rows.append(
        (
            Cell(DEFAULT_GRADE),
            Cell(words("segment.default")),
            Cell(words("grades.by_definition")),
            Cell(figures.probability(1.0)),
            *_book_cells(DEFAULT_GRADE, counts, given),
        )
    )
    names = ("range", "representative") if counts is None else ("range", "representative", "customers", "mean_pd")
    columns = (
        Column(words("grades.grade")),
        Column(words("grades.segment")),
        *(Column(words(f"grades.{name}"), is_number=True) for name in names),
    )
    return Table(words("grades.caption"), columns, tuple(rows), (words("grades.note"),))


def _book_cells(name: str, counts: dict[str, int] | None, given: ReportInput) -> tuple[Cell, ...]:
    if counts is None or given.book is None:
        return ()
    mean = given.book.loc[given.book["grade"] == name, "pd"].astype(float).mean()
    return Cell(figures.count(counts[name])), Cell(figures.probability(mean))
