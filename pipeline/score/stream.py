"""A night of any number of customers in bounded memory: two passes over rows on disk, some customers at a time.

The first pass rates everybody and adds up what a limit must know of the whole book; the second scores the same
customers again, part by part, and hands each part on to be written. Nothing that comes out depends on how many
customers a part has.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, overload

from pipeline.errors import ContractError
from pipeline.score.alert_columns import RatingSeen
from pipeline.score.applied import PD, PREVIOUS_PD, PREVIOUS_THIN_PD, THIN_PD
from pipeline.score.book_figures import BookFigures
from pipeline.score.cores import one_ahead
from pipeline.score.night_facts import night_facts
from pipeline.score.notes import told_once
from pipeline.score.position_columns import NEEDED, ordered_positions
from pipeline.score.ranges import KEY, Ranges, frame_of
from pipeline.score.rating import aligned_features
from pipeline.score.scored_book import Part, ScoredNight, night_notes, planned, score_part
from pipeline.score.summary import Tally

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator

    import pandas as pd
    import pyarrow as pa

    from pipeline.score.model import Model
    from pipeline.score.night_facts import NightFacts
    from pipeline.score.notes import Note
    from pipeline.score.policy import Policy
    from pipeline.score.previous import EarlierRun, PreviousFolder, PreviousRows, PreviousRun
    from pipeline.score.ranges import Rows
    from pipeline.score.scored_book import ScoredPart

ROWS_AT_ONCE = 32_768
"""Customers of a part: so many that calls of the libraries cost nothing beside their work, so few that three parts,
one being read, one scored and one written, take some hundred megabytes."""


@dataclass(frozen=True)
class NightRows:
    """The tables of a night on disk, each in the order of customer_id; see `scored_book.Part` for what they hold.

    `previous` is the run before with its rows, `looked_back` the run that alert rules compare with. What is null is not
    there for anyone.
    """

    positions: Rows
    features: Rows
    positions_before: Rows | None = None
    points_before: Rows | None = None
    previous: PreviousFolder | None = None
    month_before: dt.date | None = None
    features_before: Rows | None = None
    looked_back: EarlierRun | None = None


def score_rows(  # noqa: PLR0917 - the rows, who judges them, the day and who takes what comes out
    rows: NightRows,
    model: Model,
    policy: Policy,
    as_of: dt.date,
    write: Callable[[ScoredPart], None],
    rows_at_once: int = ROWS_AT_ONCE,
) -> tuple[ScoredNight, BookFigures]:
    """Scores every customer of the positions; `write` gets part after part in the order of customer_id.

    Gives back what is told of the night and the figures of its circuit breakers. Raises ContractError on rows that are
    out of order or do not fit each other.
    """
    head = None if rows.previous is None else rows.previous.head
    facts = _facts(rows, model, policy, as_of, rows_at_once)
    figures, tally = BookFigures(model), Tally()
    notes: list[str | Note] = [*night_notes(model, policy, as_of)]
    loss_at_limits = 0
    for part in one_ahead(_parts(rows, as_of, rows_at_once)):
        scored = score_part(part, model, policy, as_of, facts)
        write(scored)
        tally.add(scored.book)
        figures.add(scored.book, part.features, part.previous)
        notes += scored.notes
        loss_at_limits += scored.loss_at_limits
    summary = tally.summary(told_once(notes), planned(loss_at_limits, scored.budget))
    night = ScoredNight(
        as_of=as_of, summary=summary, model=model, policy=policy, previous=head, looked_back=rows.looked_back
    )
    return night, figures


def _facts(rows: NightRows, model: Model, policy: Policy, as_of: dt.date, rows_at_once: int) -> NightFacts:
    """The first pass: the facts of the whole book."""
    head = None if rows.previous is None else rows.previous.head
    answers = [name for name in (PD, THIN_PD, PREVIOUS_PD, PREVIOUS_THIN_PD) if name in rows.features.schema.names]
    features = Ranges("features", rows.features, [KEY, *answers])
    parts = _some_at_a_time(Ranges("positions", rows.positions, NEEDED), rows_at_once)
    return reduce(
        add,
        (
            night_facts(frame_of(positions), frame_of(take(features)), model, policy, head, as_of)
            for positions, take in parts
        ),
    )


def _parts(rows: NightRows, as_of: dt.date, rows_at_once: int) -> Iterator[Part]:
    """The rows of the second pass."""
    features = Ranges("features", rows.features)
    positions_before = _ranges("positions a month before", rows.positions_before)
    points_before = _ranges("points of the day of the previous run", rows.points_before)
    previous = None if rows.previous is None else rows.previous.rows()
    features_before = _ranges("features a month before", rows.features_before)
    looked_back = None if rows.looked_back is None else (rows.looked_back.as_of, rows.looked_back.ratings())
    for found, take in _some_at_a_time(Ranges("positions", rows.positions), rows_at_once):
        placed, answered = _aligned(found, take(features), as_of)
        yield Part(
            placed,
            answered,
            None if positions_before is None else frame_of(take(positions_before)),
            None if points_before is None else frame_of(take(points_before)),
            None if previous is None else take(previous),
            rows.month_before,
            None if features_before is None else frame_of(take(features_before)),
            None if looked_back is None else RatingSeen(looked_back[0], frame_of(take(looked_back[1]))),
        )


def _some_at_a_time(positions: Ranges, rows_at_once: int) -> Iterator[tuple[pa.Table, _Take]]:
    """Positions of so many customers, and what takes the rows of the same customers from another table.

    The last of them take all that is left; without any customer there is one part without a position.
    """
    found = positions.some(rows_at_once)
    while True:
        following = positions.some(rows_at_once)
        if not following.num_rows:
            yield found, _Take(None)
            return
        last = found[KEY][-1].as_py()
        if following[KEY][0].as_py() == last:
            raise ContractError(
                f"positions.customer_id: {last!r} has two rows; hand in one row per customer for the day"
            )
        yield found, _Take(last)
        found = following


@dataclass(frozen=True)
class _Take:
    """Takes the customers up to `last` from the rows left; null: all of them."""

    last: str | None

    @overload
    def __call__(self, rows: Ranges) -> pa.Table: ...
    @overload
    def __call__(self, rows: PreviousRows) -> PreviousRun: ...
    def __call__(self, rows: Ranges | PreviousRows) -> pa.Table | PreviousRun:
        return rows.rest() if self.last is None else rows.upto(self.last)


def _aligned(positions: pa.Table, features: pa.Table, as_of: dt.date) -> tuple[pd.DataFrame, pd.DataFrame]:
    placed = ordered_positions(frame_of(positions), as_of)
    return placed, aligned_features(frame_of(features), placed)


def _ranges(what: str, rows: Rows | None) -> Ranges | None:
    return None if rows is None else Ranges(what, rows)
