"""The steps of the customer's page: what to do, what it moves, by when it shows and what it brings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.features.feature import Unit
from pipeline.report import figures
from pipeline.report.blocks import Cell, Column, Heading, Missing, Table, Text
from pipeline.score.limit_offer import months_after

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline.report.blocks import Block
    from pipeline.report.statement.told import CustomerStatement
    from pipeline.report.words import Words
    from pipeline.score.statement.prospects import Move, Prospect

_MOST_MOVES = 3
_MOST_DIGITS = 12


def steps(told: CustomerStatement, words: Words, reached_by: float) -> Iterator[Block]:
    """The table of steps with what must be said of it, or why there is none."""
    yield Heading(words("statement.steps.title"))
    found = told.prospects
    if found is None or told.width is None:
        yield Missing(words("statement.steps.too_few"))
    elif not found.single:
        is_thin = told.grading.standing == "thin_file"
        yield Text(words("statement.steps.none_thin") if is_thin else words("statement.steps.none"))
    else:
        width = words(f"statement.steps.width.{told.width}")
        yield Text(words("statement.steps.how", share=figures.share(reached_by, 0), width=width))
        yield _table(told, words)
        if all(one.outcome.grade == found.now.grade for one in (*found.single, found.together) if one is not None):
            yield Text(words("statement.steps.none_better"))
        yield Text(words("statement.steps.note"))
    if told.lacks_accounts:
        yield Text(words("statement.steps.accounts"))


def _table(told: CustomerStatement, words: Words) -> Table:
    found = told.prospects
    assert found is not None
    rows = [_row(told, one, words, _cell(one, words)) for one in found.single]
    if found.enough is not None:
        named = figures.in_turn(getattr(s, words.language) for s in found.enough.steps)
        rows.append(_row(told, found.enough, words, Cell(words("statement.steps.enough", steps=named))))
    if found.together is not None:
        rows.append(_row(told, found.together, words, Cell(words("statement.steps.together"))))
    columns = (
        Column(words("statement.steps.step")),
        Column(words("statement.steps.by")),
        Column(words("statement.steps.score"), is_number=True),
        Column(words("statement.steps.grade")),
    )
    return Table(words("statement.steps.caption"), columns, tuple(rows), is_fixed=True)


def _row(told: CustomerStatement, one: Prospect, words: Words, named: Cell) -> tuple[Cell, ...]:
    found = told.prospects
    assert found is not None
    gain = (one.outcome.score or 0) - (found.now.score or 0)
    is_same = one.outcome.grade == found.now.grade
    grade = words("statement.steps.same", value=one.outcome.grade) if is_same else str(one.outcome.grade)
    by = (
        words("statement.steps.by_day", day=figures.day(months_after(told.as_of, one.months)))
        if one.months
        else words("statement.steps.at_once")
    )
    score = Cell(figures.count(one.outcome.score), figures.signed(gain, 0))
    return named, Cell(by), score, Cell(grade, _limit(told, one, words))


def _limit(told: CustomerStatement, one: Prospect, words: Words) -> str:
    """What becomes of the limit where the step lifts it: an amount only where nobody would have to approve it first,
    else that it would pass the limit in force, or nothing: what the rules give now is kept where a person decides."""
    limit, before, after = told.limit, (told.prospects.now.limit if told.prospects else None), one.outcome.limit
    if before is None or after is None or after <= before:
        return ""
    if limit.reckoned is not None and (limit.up_to is None or after <= limit.up_to):
        return words("statement.steps.limit_amount", amount=f"{figures.count(after)} {limit.currency}".strip())
    is_higher = limit.current is not None and after > limit.current
    return words("statement.steps.limit_higher") if is_higher else ""


def _cell(one: Prospect, words: Words) -> Cell:
    """The step, and the figures it moves: of an idea that of its longest window, three of them at most."""
    by_idea: dict[str, Move] = {move.feature.idea: move for move in one.moves}
    told = [_move(move, words) for move in list(by_idea.values())[:_MOST_MOVES]]
    more = len(by_idea) - len(told)
    if more:
        told.append(words("statement.steps.more", n=more))
    return Cell(getattr(one.steps[0], words.language), figures.in_turn(told))


def _move(move: Move, words: Words) -> str:
    feature = move.feature
    title = feature.title_en if words.language == "en" else feature.title_zh
    before, after = both_values(feature.unit, move.before, move.after, words)
    return words("statement.steps.move", title=title, before=before, after=after)


def both_values(unit: Unit, before: float, after: float, words: Words) -> tuple[str, str]:
    """Both values with their unit, told apart, and none that is not nothing written as nothing."""
    if unit is Unit.FLAG:
        yes, no = words("statement.is_yes"), words("statement.is_no")
        return yes if before else no, yes if after else no
    first, last = _told_apart(before, after, figures.share if unit in {Unit.SHARE, Unit.RATIO} else figures.decimal)
    return words(f"statement.unit.{unit}", n=first), words(f"statement.unit.{unit}", n=last)


def _told_apart(before: float, after: float, write: Callable[[float, int], str]) -> tuple[str, str]:
    """Both with as few digits as that takes."""
    pair = ("", "")
    for digits in range(_MOST_DIGITS):
        pair, nothing = (write(before, digits), write(after, digits)), write(0.0, digits)
        if pair[0] != pair[1] and [text == nothing for text in pair] == [before == 0, after == 0]:
            break
    return pair
