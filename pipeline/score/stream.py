"""A night of any number of customers in bounded memory: two passes over rows on disk, some customers at a time.

The first pass rates everybody and adds up what a limit must know of the whole book; the second scores the same
customers again, part by part, and hands each part on to be written. Nothing that comes out depends on how many
customers a part has, nor on how many processes work on them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, cast

import pyarrow.compute as pc

from pipeline.score.alert_columns import RatingSeen
from pipeline.score.book_figures import BookFigures
from pipeline.score.crew import Crew, Done
from pipeline.score.night_facts import night_facts
from pipeline.score.night_parts import rated_parts, scored_parts
from pipeline.score.notes import told_once
from pipeline.score.position_columns import ordered_positions
from pipeline.score.previous import with_rows
from pipeline.score.ranges import frame_of
from pipeline.score.rating import aligned_features
from pipeline.score.scored_book import Part, ScoredNight, ScoredPart, night_notes, planned, score_part
from pipeline.score.summary import tally_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    import pandas as pd
    import pyarrow as pa

    from pipeline.score.book_caps import LossBudget
    from pipeline.score.crew_line import Tables
    from pipeline.score.model import Model
    from pipeline.score.night_facts import NightFacts
    from pipeline.score.night_parts import NightRows
    from pipeline.score.notes import Note
    from pipeline.score.policy import Policy
    from pipeline.score.previous import PreviousRun
    from pipeline.score.summary import Tally

ROWS_AT_ONCE = 32_768
"""Customers of a part: so many that calls of the libraries cost nothing beside their work, so few that three parts,
one being read, one scored and one written, take some hundred megabytes."""
_TABLES = ("book", "alerts", "limit_trace", "changes")


def score_rows(  # noqa: PLR0917 - the rows, who judges them, the day and who takes what comes out
    rows: NightRows,
    model: Model,
    policy: Policy,
    as_of: dt.date,
    write: Callable[[ScoredPart], None],
    rows_at_once: int = ROWS_AT_ONCE,
    workers: int = 1,
) -> tuple[ScoredNight, BookFigures]:
    """Scores every customer of the positions; `write` gets part after part in the order of customer_id.

    So many `workers` score side by side where the book is worth it (score/crew.py). Gives back what is told of the
    night and the figures of its circuit breakers. Raises ContractError on rows that are out of order or do not fit each
    other, StorageError when a worker was ended from outside.
    """
    head = None if rows.previous is None else rows.previous.head
    notes: list[str | Note] = [*night_notes(model, policy, as_of)]
    total: _Told | None = None
    with Crew(workers) as crew:
        rating = _Rating(model, policy, head, as_of)
        facts = reduce(add, (done.told for done in crew.each(rating, rated_parts(rows, rows_at_once))))
        looked_back_on = None if rows.looked_back is None else rows.looked_back.as_of
        # The groups of a large book are many: who scores a part is told of those in it.
        scoring = _Scoring(rating, facts.with_groups({}), rows.month_before, looked_back_on)
        parts = (_with_groups(part, facts) for part in scored_parts(rows, model, policy, rows_at_once))
        for done in crew.each(scoring, parts):
            scored: ScoredPart = done.told.part(done.tables)
            write(scored)
            notes += scored.notes
            total = done.told if total is None else total + done.told
    # There is one part at least, of a book without a customer too.
    total = cast("_Told", total)
    night = ScoredNight(
        as_of=as_of,
        summary=total.tally.summary(told_once(notes), planned(total.loss_at_limits, total.budget)),
        model=model,
        policy=policy,
        previous=head,
        looked_back=rows.looked_back,
    )
    return night, total.figures


@dataclass(frozen=True)
class _Rating:
    """The first pass on some customers: the facts of the book that they bring."""

    model: Model
    policy: Policy
    previous: PreviousRun | None
    as_of: dt.date

    def __call__(self, rows: Tables) -> Done:
        positions, features = frame_of(rows["positions"]), frame_of(rows["features"])
        return Done(night_facts(positions, features, self.model, self.policy, self.previous, self.as_of))


@dataclass(frozen=True)
class _Scoring:
    """The second pass on some customers; `facts` are those of the whole book but for its groups, of which each part has
    its own."""

    rating: _Rating
    facts: NightFacts
    month_before: dt.date | None
    looked_back_on: dt.date | None

    def __call__(self, rows: Tables) -> Done:
        model, policy, as_of = self.rating.model, self.rating.policy, self.rating.as_of
        part = self._part(rows)
        scored = score_part(part, model, policy, as_of, self.facts.with_groups(rows))
        figures = BookFigures.of(model, scored.book, part.features, part.previous)
        told = _Told(scored.loss_at_limits, scored.budget, scored.notes, tally_of(scored.book), figures)
        return Done(told, {name: getattr(scored, name) for name in _TABLES})

    def _part(self, rows: Tables) -> Part:
        positions, head = ordered_positions(frame_of(rows["positions"]), self.rating.as_of), self.rating.previous
        seen = None
        if self.looked_back_on is not None:
            seen = RatingSeen(self.looked_back_on, frame_of(rows["looked_back"]))
        return Part(
            positions,
            aligned_features(frame_of(rows["features"]), positions),
            _frame(rows.get("positions_before")),
            _frame(rows.get("points_before")),
            None if head is None else with_rows(head, rows["previous_book"], rows["previous_alerts"]),
            self.month_before,
            _frame(rows.get("features_before")),
            seen,
        )


@dataclass(frozen=True)
class _Told:
    """What a scored part tells beside its tables; sums add up, the notes of parts are told once by who has them all."""

    loss_at_limits: int
    budget: LossBudget
    notes: tuple[str | Note, ...]
    tally: Tally
    figures: BookFigures

    def __add__(self, other: _Told) -> _Told:
        loss = self.loss_at_limits + other.loss_at_limits
        return _Told(loss, self.budget, (), self.tally + other.tally, self.figures + other.figures)

    def part(self, tables: Tables) -> ScoredPart:
        """The part with its tables."""
        return ScoredPart(**tables, loss_at_limits=self.loss_at_limits, budget=self.budget, notes=self.notes)


def _with_groups(rows: Tables, facts: NightFacts) -> Tables:
    names = pc.unique(rows["positions"]["group_id"]).drop_null().to_pylist()
    return {**rows, **facts.group_rows(names)}


def _frame(rows: pa.Table | None) -> pd.DataFrame | None:
    return None if rows is None else frame_of(rows)
