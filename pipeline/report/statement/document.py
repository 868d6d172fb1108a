"""The customer's page as a document in one language; see docs/statement.md for what it tells and what it keeps."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING

from pipeline.report import figures
from pipeline.report.blocks import Bullets, Chapter, Column, Facts, Heading, Table, Text, Tile, Tiles, cells
from pipeline.report.document import Document
from pipeline.report.statement.steps import steps
from pipeline.report.words import Words, words_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.report.blocks import Block, Cell
    from pipeline.report.statement.told import CustomerStatement, Grading, LimitTold


def statement_document(told: CustomerStatement, language: str, reached_by: float) -> Document:
    """The whole page. Raises ParameterError when the language has no words."""
    words = _own_footer(words_in(language), told)
    with figures.written_in(language):
        chapter = Chapter(
            anchor="grade",
            title=words("statement.chapter"),
            lead=_graded("lead", told, words),
            blocks=tuple(_blocks(told, words, reached_by)),
        )
        return Document(
            kind=words("statement.kind"),
            title=words("statement.title"),
            subtitle=words("statement.subtitle", day=figures.day(told.as_of)),
            chapters=(chapter,),
            words=words,
        )


def _own_footer(words: Words, told: CustomerStatement) -> Words:
    footer = words("statement.footer", reference=told.reference)
    return dataclasses.replace(words, texts={**words.texts, "page.footer": footer})


def _blocks(told: CustomerStatement, words: Words, reached_by: float) -> Iterator[Block]:
    who = told.who
    yield Facts(
        (
            (words("statement.customer"), who.name),
            (words("statement.number"), who.customer_id),
            (words("statement.day"), figures.day(told.as_of)),
        )
    )
    yield _tiles(told, words)
    since = told.grading.default_on
    stood = "" if since is None else words("statement.since", day=figures.day(since))
    yield Text(figures.sentences(_graded("means", told, words), stood))
    if told.grading.standing == "in_default":
        yield Bullets(
            words("statement.default_end.title"),
            (words("statement.default_end.paid"), words("statement.default_end.probation")),
        )
    if told.grading.standing == "rated":
        yield from _counts(told, words)
    if told.grading.standing in {"rated", "thin_file"}:
        yield from steps(told, words, reached_by)
    if told.grading.standing != "not_rated":
        yield from _limit(told, words)
        yield Heading(words("statement.basis.title"))
        yield Text(_basis(told, words))
    yield from _rights(told, words)


def _graded(section: str, told: CustomerStatement, words: Words) -> str:
    """A sentence of that section for this standing, its places filled."""
    grading = told.grading
    label = grading.label
    unit = "months" if label.get("window_months") else "days"
    window = words(f"statement.window.{unit}", n=label.get(f"window_{unit}"))
    return words(
        f"statement.{section}.{grading.standing}",
        grade=grading.grade,
        place=grading.place,
        grades=grading.grades,
        window=window,
        default=words(f"statement.default.{label.get('kind')}"),
        lacks=figures.in_turn(_lacks(grading, words)),
    )


def _lacks(grading: Grading, words: Words) -> Iterator[str]:
    """What a rating of its own needs and the customer has not, each with what there is."""
    needs = grading.needs
    for name, have, needed in (
        ("invoices", grading.invoices_due, needs.min_invoices_due_12m),
        ("months", grading.history_months, needs.min_history_months),
    ):
        if have < needed:
            yield words(f"statement.lacks.{name}", have=figures.count(have), needed=figures.count(needed))


def _tiles(told: CustomerStatement, words: Words) -> Tiles:
    grading, limit = told.grading, told.limit
    if grading.grade is None:
        note = words("statement.tile.no_grade_note")
    elif grading.place is None:
        note = words("statement.tile.default_note")
    else:
        note = words("statement.tile.grade_note", place=grading.place, grades=grading.grades)
    tiles = [Tile(words("statement.tile.grade"), grading.grade or words("statement.tile.no_grade"), "", note)]
    if grading.score is not None:
        score_note = words("statement.tile.score_note")
        tiles.append(Tile(words("statement.tile.score"), figures.count(grading.score), "", score_note))
    amount = words("statement.tile.limit_none") if limit.current is None else figures.count(limit.current)
    tiles.append(Tile(words("statement.tile.limit"), amount, "", "" if limit.current is None else limit.currency))
    return Tiles(tuple(tiles))


def _counts(told: CustomerStatement, words: Words) -> Iterator[Block]:
    """What counts, in two groups of one table."""
    rows: list[tuple[Cell, ...]] = []
    groups = []
    for section, counted in (("against", told.against), ("favour", told.in_favour)):
        groups.append((len(rows), words(f"statement.counts.{section}")))
        rows += [cells(getattr(one, words.language), figures.signed(one.points, 0)) for one in counted]
        if not counted:
            rows.append(cells(words("statement.counts.none"), ""))
    columns = (Column(words("statement.counts.column")), Column(words("statement.counts.points"), is_number=True))
    note = figures.sentences(words("statement.counts.note"), words("statement.counts.others"))
    yield Table(words("statement.counts.title"), columns, tuple(rows), (note,), tuple(groups), is_fixed=True)


def _limit(told: CustomerStatement, words: Words) -> Iterator[Block]:
    limit = told.limit
    # In default no payment up to the limit brings credit back: how a default ends is told above.
    over = () if told.grading.standing == "in_default" else _over(limit, words)
    said = [
        words("statement.limit.no_limit")
        if limit.current is None
        else figures.sentences(words("statement.limit.in_force", amount=_amount(limit.current, limit.currency)), *over)
    ]
    if limit.strategy is not None:
        says = getattr(limit.strategy, words.language)
        said.append(words("statement.limit.strategy", grade=told.grading.grade, says=says))
    if limit.is_held:
        said.append(words("statement.limit.held"))
    if limit.reckoned is not None:
        key = "offered" if limit.current is None else "reckoned"
        said.append(words(f"statement.limit.{key}", amount=_amount(limit.reckoned, limit.currency)))
    elif told.grading.standing != "in_default":
        said.append(words("statement.limit.person"))
    # Who reads what bounds a limit reads where it is going; that waits where a person decides first.
    is_decided = limit.reckoned is not None or told.grading.standing == "in_default"
    if limit.cap is not None and is_decided:
        key = f"statement.limit.caps.{limit.cap}"
        said.append(words("statement.limit.cap", cap=words(key if words.has(key) else "statement.limit.caps.other")))
    yield Bullets(words("statement.limit.title"), tuple(said))


def _over(limit: LimitTold, words: Words) -> Iterator[str]:
    """That more is open than the limit allows, and what brings it back within: what is overdue where that is enough."""
    over = 0 if limit.current is None else math.ceil(limit.open_amount - limit.current)
    if over <= 0:
        return
    owed, above = _amount(math.ceil(limit.open_amount), limit.currency), _amount(over, limit.currency)
    yield words("statement.limit.over", owed=owed, over=above)
    if limit.overdue_amount >= over:
        overdue = _amount(math.ceil(limit.overdue_amount), limit.currency)
        yield words("statement.limit.within_by_overdue", overdue=overdue)
    else:
        yield words("statement.limit.within_by_paying", over=above)


def _amount(value: float, currency: str) -> str:
    return f"{figures.count(value)} {currency}".strip()


def _basis(told: CustomerStatement, words: Words) -> str:
    named = [words(f"statement.basis.table.{table}") for table in told.sources]
    text = words("statement.basis.text", day=figures.day(told.as_of), sources=figures.in_turn(named))
    return figures.sentences(text, words("statement.basis.as_of_note"))


def _rights(told: CustomerStatement, words: Words) -> Iterator[Block]:
    house, language = told.house, words.language
    if told.who.is_person is not False:
        said = (
            words("statement.rights.right", says=getattr(one.says, language), law=getattr(one.law, language))
            for one in house.rights
        )
        yield Bullets(words("statement.rights.title"), (words("statement.rights.person"), *said))
    yield Heading(words("statement.contact.title"))
    yield Text(getattr(house.review, language))
    yield Text(getattr(house.contact, language))
