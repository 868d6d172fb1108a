"""What a customer's own steps would bring, by the model itself: each step alone, all together, the fewest that suffice.

A step moves what it names in the safe direction only, to what comparable customers reached; the models then judge the
row as they judge any other (score/applied.py), and the policy the grade and the limit. Nothing is interpolated.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from pipeline.features.catalog import FEATURES
from pipeline.features.feature import Risk
from pipeline.features.step import STEPS
from pipeline.score.applied import PD, THIN_PD, application
from pipeline.score.book_facts import book_facts
from pipeline.score.limits import suggest_limits
from pipeline.score.night_facts import Judge, judged_by
from pipeline.score.position_columns import number

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    from pipeline.features.feature import Feature
    from pipeline.features.step import Step
    from pipeline.score.book_facts import BookFacts
    from pipeline.score.limit_caps import OwnCaps
    from pipeline.score.model import Model
    from pipeline.score.policy import Policy

_BY_NAME = {feature.name: feature for feature in FEATURES}


@dataclass(frozen=True)
class BookDay:
    """The book of a day as it was scored: positions in the order of customer_id, and row by row the features and the
    two answers of the model (score/applied.py)."""

    positions: pd.DataFrame
    features: pd.DataFrame
    answers: pd.DataFrame
    model: Model
    policy: Policy
    as_of: dt.date

    def judged(self, rows: npt.NDArray[np.intp], answers: pd.DataFrame) -> OwnCaps:
        """Rows of the book rated by these answers, with the caps that need no other customer."""
        judge = Judge(self.model, self.policy, (PD, THIN_PD))
        return judged_by(judge, self.positions.iloc[rows].reset_index(drop=True), answers, self.as_of)


@dataclass(frozen=True)
class Outcome:
    """What rating and policy say of one customer; null where its status has none. `limit` is in the base currency."""

    pd: float | None
    score: int | None
    grade: str | None
    limit: float | None


@dataclass(frozen=True)
class Move:
    """One column, from what it is to what comparable customers reached."""

    feature: Feature
    before: float
    after: float


@dataclass(frozen=True)
class Prospect:
    """One or more steps taken, what they move, after how many full months all of it shows, and what comes out."""

    steps: tuple[Step, ...]
    moves: tuple[Move, ...]
    months: int
    outcome: Outcome


@dataclass(frozen=True)
class Prospects:
    """`single` steps that bring a point or more, the best first; all `together` and, where fewer of them suffice for a
    better grade than none alone reaches, `enough`; both null where they would say nothing more."""

    now: Outcome
    single: tuple[Prospect, ...]
    together: Prospect | None
    enough: Prospect | None


@dataclass(frozen=True)
class Seat:
    """One customer's row in the book of a day, and what the limits need to know of all others."""

    day: BookDay
    at: int
    others: BookFacts

    @classmethod
    def of(cls, day: BookDay, at: int) -> Seat:
        """The seat in row `at`; the rest of the book is rated once."""
        rest = np.delete(np.arange(len(day.positions)), at)
        return cls(day, at, book_facts(day.judged(rest, day.answers.iloc[rest].reset_index(drop=True))))

    @cached_property
    def now(self) -> Outcome:
        """What the customer has today."""
        return self.outcome(self.day.answers.iloc[[self.at]].reset_index(drop=True))

    @property
    def status(self) -> str:
        """How the customer is rated: rated, thin_file, in_default or not_rated."""
        own = self.day.judged(np.array([self.at]), self.day.answers.iloc[[self.at]].reset_index(drop=True))
        return str(own.judged.rating.status[0])

    def outcome(self, answers: pd.DataFrame) -> Outcome:
        """What rating and policy make of the customer with these answers (one row), the limit among all others."""
        own = self.day.judged(np.array([self.at]), answers)
        rating = own.judged.rating
        limit = suggest_limits(own, self.others + book_facts(own)).suggested[0]
        return Outcome(
            pd=None if np.isnan(rating.pd[0]) else float(rating.pd[0]),
            score=None if np.isnan(rating.score[0]) else int(rating.score[0]),
            grade=None if rating.grade[0] is None else str(rating.grade[0]),
            limit=None if np.isnan(limit) else float(limit),
        )


def prospects(seat: Seat, peers: npt.NDArray[np.intp], reached_by: float) -> Prospects:
    """Every step that the customer can take and that brings something.

    A column goes to the value that the share `reached_by` of the comparable customers `peers` has or betters, never
    away from the safe side. Steps that bring less than a point are left out: so no step that is told makes it worse.
    """
    now, reads = seat.now, _reads(seat)
    taken = [([step], moved) for step in STEPS if (moved := _moves(seat, peers, _ideas(seat, reads, step), reached_by))]
    alone = [prospect for prospect in _judged(seat, taken) if _gain(now, prospect)]
    alone.sort(key=lambda prospect: -_gain(now, prospect))
    if len(alone) < 2:
        return Prospects(now, tuple(alone), None, None)
    firsts = [alone[:size] for size in range(2, len(alone) + 1)]
    sets = [([p.steps[0] for p in some], [m for p in some for m in p.moves]) for some in firsts]
    added = _judged(seat, sets)
    together = added[-1]
    notch = seat.day.policy.scale.position(
        np.array([now.grade, *(p.outcome.grade for p in (*alone, *added))], dtype=object)
    )
    is_better = list(notch[1:] < notch[0])
    first = next((i for i, better in enumerate(is_better) if better), None)
    is_new = first is not None and len(alone) <= first < len(is_better) - 1
    return Prospects(now, tuple(alone), together, added[first - len(alone)] if first is not None and is_new else None)


def _judged(seat: Seat, taken: Sequence[tuple[Iterable[Step], Sequence[Move]]]) -> list[Prospect]:
    """What comes out of each set of steps and moves, by the models and the policy of the day."""
    if not taken:
        return []
    day = seat.day
    rows = day.features.iloc[[seat.at] * len(taken)][list(day.model.reads)].reset_index(drop=True)
    for place, (_, moves) in enumerate(taken):
        for move in moves:
            rows.loc[place, move.feature.name] = move.after
    answered = _applied(day, rows)
    return [
        Prospect(
            tuple(steps),
            tuple(moves),
            max((move.feature.months_to_show for move in moves), default=0),
            seat.outcome(answered.iloc[[place]].reset_index(drop=True)),
        )
        for place, (steps, moves) in enumerate(taken)
    ]


def _applied(day: BookDay, rows: pd.DataFrame) -> pd.DataFrame:
    batch = pa.RecordBatch.from_pandas(rows, schema=_schema(rows), preserve_index=False)
    answered = application(day.model, None, batch.schema)(batch)
    return pd.DataFrame({name: answered[name].to_numpy(zero_copy_only=False) for name in (PD, THIN_PD)})


def _schema(rows: pd.DataFrame) -> pa.Schema:
    kinds = {name: pa.float64() if values.dtype.kind in "fiub" else pa.string() for name, values in rows.items()}
    return pa.schema(list(kinds.items()))


def _reads(seat: Seat) -> tuple[str, ...]:
    """The columns by which the customer is rated."""
    model = seat.day.model
    return model.thin_file.features if seat.status == "thin_file" else model.features


def _ideas(seat: Seat, reads: Iterable[str], step: Step) -> dict[str, dict[str, float]]:
    """The columns of the step that are read of this customer and known of it, by idea, with their values."""
    ideas: dict[str, dict[str, float]] = {}
    for name in reads:
        feature = _BY_NAME.get(name)
        if feature is None or feature.step is not step:
            continue
        value = float(number(seat.day.features[name].iloc[[seat.at]])[0])
        if not np.isnan(value):
            ideas.setdefault(feature.idea, {})[name] = value
    return ideas


def _moves(
    seat: Seat, peers: npt.NDArray[np.intp], ideas: dict[str, dict[str, float]], reached_by: float
) -> list[Move]:
    """Where comparable customers are better, and what they reached."""
    found = []
    for own in ideas.values():
        columns = np.column_stack([number(seat.day.features[name].iloc[peers]) for name in own])
        # Windows of one idea are taken from the same customers, so that a longer window never undercuts a shorter one.
        reached = columns[~np.isnan(columns).any(axis=1)]
        if not len(reached):
            continue
        for (name, before), values in zip(own.items(), reached.T, strict=True):
            after = _reached(_BY_NAME[name], before, values, reached_by)
            if after != before:
                found.append(Move(_BY_NAME[name], before, after))
    return found


def _reached(feature: Feature, own: float, values: npt.NDArray[np.float64], reached_by: float) -> float:
    """The value that this share of others has or betters; their own values are possible ones, so this is one too."""
    sign = -1.0 if feature.risk is Risk.FALLS else 1.0
    reached: Any = sign * np.quantile(sign * values, reached_by, method="inverted_cdf")
    return float(min(own, reached) if feature.risk is Risk.RISES else max(own, reached))


def _gain(now: Outcome, prospect: Prospect) -> int:
    """Whole score points that the prospect brings, 0 where it brings none."""
    if now.score is None or prospect.outcome.score is None:
        return 0
    return max(prospect.outcome.score - now.score, 0)
