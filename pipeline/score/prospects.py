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
    from pipeline.score.limit_caps import OwnCaps
    from pipeline.score.model import Model
    from pipeline.score.policy import Policy
    from pipeline.score.rating import Rating

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

    @cached_property
    def own(self) -> OwnCaps:
        """How the book is rated, with the caps that need no other customer."""
        return self.judged(self.answers)

    @property
    def rating(self) -> Rating:
        """How the book is rated."""
        return self.own.judged.rating

    def judged(self, answers: pd.DataFrame) -> OwnCaps:
        """The book rated by these answers."""
        judge = Judge(self.model, self.policy, (PD, THIN_PD))
        return judged_by(judge, self.positions, answers, self.as_of)


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


def prospects(day: BookDay, at: int, peers: npt.NDArray[np.intp], reached_by: float) -> Prospects:
    """Every step that the customer in row `at` can take and that brings something.

    A column goes to the value that the share `reached_by` of the comparable customers `peers` has or betters, never
    away from the safe side. Steps that bring less than a point are left out: so no step that is told makes it worse.
    """
    now = outcome_now(day, at)
    taken = [([step], moved) for step in STEPS if (moved := _moves(day, at, peers, step, reached_by))]
    alone = [prospect for prospect in _judged(day, at, now, taken) if _gain(now, prospect)]
    alone.sort(key=lambda prospect: -_gain(now, prospect))
    if len(alone) < 2:
        return Prospects(now, tuple(alone), None, None)
    firsts = [alone[:size] for size in range(2, len(alone) + 1)]
    sets = [([p.steps[0] for p in some], [m for p in some for m in p.moves]) for some in firsts]
    added = _judged(day, at, now, sets)
    together = added[-1]
    notch = day.policy.scale.position(np.array([now.grade, *(p.outcome.grade for p in (*alone, *added))], dtype=object))
    is_better = list(notch[1:] < notch[0])
    first = next((i for i, better in enumerate(is_better) if better), None)
    is_new = first is not None and len(alone) <= first < len(is_better) - 1
    return Prospects(now, tuple(alone), together, added[first - len(alone)] if first is not None and is_new else None)


def _judged(
    day: BookDay, at: int, now: Outcome, taken: Sequence[tuple[Iterable[Step], Sequence[Move]]]
) -> list[Prospect]:
    """What comes out of each set of steps and moves, by the models and the policy of the day."""
    if not taken:
        return []
    rows = day.features.iloc[[at] * len(taken)][list(day.model.reads)].reset_index(drop=True)
    for place, (_, moves) in enumerate(taken):
        for move in moves:
            rows.loc[place, move.feature.name] = move.after
    answered = _applied(day, rows)
    return [
        Prospect(
            tuple(steps),
            tuple(moves),
            max((move.feature.months_to_show for move in moves), default=0),
            _outcome_after(day, at, now, answered[PD][place], answered[THIN_PD][place]),
        )
        for place, (steps, moves) in enumerate(taken)
    ]


def outcome_now(day: BookDay, at: int) -> Outcome:
    """What the customer in row `at` has today."""
    return _outcome(day.rating, at, limits_of(day.own)[at])


def limits_of(own: OwnCaps) -> npt.NDArray[np.float64]:
    """The limits that policy suggests for a whole book; NaN where it suggests none."""
    return suggest_limits(own, book_facts(own)).suggested


def _outcome_after(day: BookDay, at: int, now: Outcome, pd_: float, thin_pd: float) -> Outcome:
    """The customer's rating by these answers. Where the grade moves the limit is reckoned anew with the whole book."""
    answers = {name: number(day.answers[name]).copy() for name in (PD, THIN_PD)}
    answers[PD][at], answers[THIN_PD][at] = pd_, thin_pd
    own = day.judged(pd.DataFrame(answers))
    rating = own.judged.rating
    if rating.grade[at] == now.grade:
        return _outcome(rating, at, np.nan if now.limit is None else now.limit)
    return _outcome(rating, at, limits_of(own)[at])


def _outcome(rating: Rating, at: int, limit: float) -> Outcome:
    grade = rating.grade[at]
    return Outcome(
        pd=None if np.isnan(rating.pd[at]) else float(rating.pd[at]),
        score=None if np.isnan(rating.score[at]) else int(rating.score[at]),
        grade=None if grade is None else str(grade),
        limit=None if np.isnan(limit) else float(limit),
    )


def _applied(day: BookDay, rows: pd.DataFrame) -> dict[str, npt.NDArray[np.float64]]:
    batch = pa.RecordBatch.from_pandas(rows, schema=_schema(rows), preserve_index=False)
    answered = application(day.model, None, batch.schema)(batch)
    return {name: answered[name].to_numpy(zero_copy_only=False) for name in (PD, THIN_PD)}


def _schema(rows: pd.DataFrame) -> pa.Schema:
    kinds = {name: pa.float64() if values.dtype.kind in "fiub" else pa.string() for name, values in rows.items()}
    return pa.schema(list(kinds.items()))


def _moves(day: BookDay, at: int, peers: npt.NDArray[np.intp], step: Step, reached_by: float) -> list[Move]:
    """What the step moves: all columns of the step that the customer's model reads, where comparables are better."""
    found = []
    for names in _ideas(day, at, step).values():
        own = {name: float(number(day.features[name].iloc[[at]])[0]) for name in names}
        columns = np.column_stack([number(day.features[name].iloc[peers]) for name in names])
        # Windows of one idea are taken from the same customers, so that a longer window never undercuts a shorter one.
        reached = columns[~np.isnan(columns).any(axis=1)]
        if not len(reached):
            continue
        for name, values in zip(names, reached.T, strict=True):
            after = _reached(_BY_NAME[name], own[name], values, reached_by)
            if after != own[name]:
                found.append(Move(_BY_NAME[name], own[name], after))
    return found


def _ideas(day: BookDay, at: int, step: Step) -> dict[str, list[str]]:
    """The columns of the step by idea that the model reads of this customer and that are known of it."""
    is_thin = day.rating.status[at] == "thin_file"
    reads = day.model.thin_file.features if is_thin else day.model.features
    ideas: dict[str, list[str]] = {}
    for name in reads:
        feature = _BY_NAME.get(name)
        if feature is None or feature.step is not step or np.isnan(number(day.features[name].iloc[[at]])[0]):
            continue
        ideas.setdefault(feature.idea, []).append(name)
    return ideas


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
