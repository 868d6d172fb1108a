"""Segments and limits of the last scored book: sums by segment, action and cap."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from pipeline.report import figures
from pipeline.report.blocks import Block, Cell, Chapter, Column, Missing, Table, Text
from pipeline.report.chapters.limit_effect import amount, limit_effect
from pipeline.report.chapters.measured import model_name
from pipeline.report.chapters.treatment import treatment
from pipeline.report.chapters.verdict_basis import level_of, model_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from pipeline.report.report_input import ReportInput
    from pipeline.report.words import Words

SEGMENTS = ("low", "medium", "high", "default")
ACTIONS = ("keep", "raise", "cut", "hold", "refer")


def limits(given: ReportInput, words: Words) -> Chapter:
    """Sums in the base currency, to which a null adds nothing, and what each grade means; what is missing is told."""
    title = words("limits.title")
    book = given.book
    if book is None or not len(book):
        return Chapter("limits", title, (Missing(words("limits.no_book")),))
    blocks: list[Block] = [
        _sums(book, "segment", SEGMENTS, ("open_amount", "overdue_amount", "ead", "expected_loss"), words),
        *_loss_range(book, given, words),
        _sums(book, "limit_action", ACTIONS, ("limit_current", "limit_suggested", "ead"), words),
        _sums(book, "limit_binding_cap", (), ("limit_suggested",), words),
        *limit_effect(book, words),
        *treatment(given.limit_policy, words),
    ]
    total = figures.count(amount(book["ead"]))
    day = figures.day(str(book["as_of"].max()))
    lead = words("limits.lead", n=figures.count(len(book)), day=day, ead=total, currency=given.base_currency)
    return Chapter("limits", title, tuple(blocks), lead)


def _loss_range(book: pd.DataFrame, given: ReportInput, words: Words) -> list[Block]:
    """Expected loss with that of customers not in default scaled by the interval of observed over expected of the
    model that rated the book, as the report of the portfolio scales it; why there is none where too few turned bad, no
    interval is known, or no model told of here rated it. Nothing of a book that does not tell its model."""
    versions = set(book["model_version"].dropna()) if "model_version" in book else set()
    if not versions:
        return []
    model = model_of(given.validation, min(versions)) if len(versions) == 1 else None
    if model is None:
        return [Missing(words("limits.loss_range.other_model"))]
    told = level_of(given.validation, min(versions))
    if told is None or told["bad_customers"] < given.min_bad_customers:
        return [Missing(words("limits.loss_range.none"))]
    level = figures.measured(told)
    is_in_default = book["segment"].eq(SEGMENTS[-1])
    fixed, scaled = (amount(book.loc[rows, "expected_loss"]) for rows in (is_in_default, ~is_in_default))
    low, high = (figures.count(fixed + scaled * Decimal(str(told[end]))) for end in ("low", "high"))
    text = words(
        "limits.loss_range.told",
        low=low,
        high=high,
        currency=given.base_currency,
        model=model_name(model, given, words),
        ratio=level.value,
        interval=level.interval,
        level=figures.share(given.confidence, 0),
        basis=words(f"limits.loss_range.basis.{told['sample']}", n=figures.count(told["bad_customers"])),
    )
    return [Text(text)]


def _sums(book: pd.DataFrame, by: str, order: Sequence[str], amounts: Sequence[str], words: Words) -> Table:
    keys = book[by].where(book[by].notna(), "none").astype(str)
    sizes = keys.value_counts()
    first = [name for name in order if name in sizes.index]
    rest = sorted((name for name in sizes.index if name not in first), key=lambda n: (n == "none", -int(sizes[n]), n))
    rows = [_line(book[keys == name], words.or_name(by, name), len(book), amounts) for name in (*first, *rest)]
    rows.append(_line(book, words("limits.total"), len(book), amounts))
    columns = (
        Column(words(f"limits.by.{by}")),
        Column(words("limits.customers"), is_number=True),
        *(Column(words(f"limits.{name}"), is_number=True) for name in amounts),
    )
    return Table(words(f"limits.caption.{by}"), columns, tuple(rows), (words(f"limits.note.{by}"),), is_fixed=True)


def _line(part: pd.DataFrame, name: str, total: int, amounts: Sequence[str]) -> tuple[Cell, ...]:
    sums = [Cell(figures.count(amount(part[column]))) for column in amounts]
    return Cell(name), Cell(figures.count(len(part)), bar=len(part) / total), *sums
