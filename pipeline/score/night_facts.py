"""The facts of the whole book for everyone who judges a night: today's model and policy, and those of the run before.

A night in parts takes two passes: add up the facts of all parts, then score each part with the sum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.score.applied import PD, PREVIOUS_PD, PREVIOUS_THIN_PD, THIN_PD
from pipeline.score.book_facts import BookFacts, book_facts
from pipeline.score.exposure import expose
from pipeline.score.limit_caps import Judged, OwnCaps, own_caps
from pipeline.score.position_columns import number, ordered_positions
from pipeline.score.rating import Answers, aligned_features, rate

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    import pandas as pd
    import pyarrow as pa

    from pipeline.score.model import Model
    from pipeline.score.policy import Policy
    from pipeline.score.previous import PreviousRun


_JUDGES = ("now", "old_policy", "old")
_GROUPS = "groups_"


@dataclass(frozen=True)
class Judge:
    """A model and a policy, and the columns of the features that hold the model's answers."""

    model: Model
    policy: Policy
    answers: tuple[str, str]


@dataclass(frozen=True)
class Judges:
    """Who judges a night. `old_policy` is today's model with the previous policy, `old` both of the previous run; null
    where that is the same as the one before, or can no longer be had."""

    now: Judge
    old_policy: Judge | None
    old: Judge | None


@dataclass(frozen=True)
class NightFacts:
    """The facts of the book, or of a part of it, under each of the judges; null where the judge is."""

    now: BookFacts
    old_policy: BookFacts | None
    old: BookFacts | None

    def __add__(self, other: NightFacts) -> NightFacts:
        return NightFacts(self.now + other.now, _sum(self.old_policy, other.old_policy), _sum(self.old, other.old))

    def group_rows(self, names: Sequence[str]) -> dict[str, pa.Table]:
        """The totals of these groups under each of the judges, for `with_groups`."""
        told = ((judge, getattr(self, judge)) for judge in _JUDGES)
        return {_GROUPS + judge: facts.group_rows(names) for judge, facts in told if facts is not None}

    def with_groups(self, rows: Mapping[str, pa.Table]) -> NightFacts:
        """The same with the groups of `group_rows` and no others; without any where there is no row of them."""
        nobody = BookFacts.nothing().group_rows([])
        now, old_policy, old = (
            None if facts is None else facts.with_groups(rows.get(_GROUPS + judge, nobody))
            for judge, facts in zip(_JUDGES, (self.now, self.old_policy, self.old), strict=True)
        )
        return NightFacts(now or self.now, old_policy, old)


def judges_of(model: Model, policy: Policy, previous: PreviousRun | None, features: pd.Index) -> Judges:
    """The judges of a night, from the columns of its features with answers (score/applied.py)."""
    now = Judge(model, policy, (PD, THIN_PD))
    if previous is None:
        return Judges(now, None, None)
    is_new_model = previous.model_version != model.version
    is_new_policy = previous.policy_version != policy.version
    old_model = previous.model if is_new_model else model
    old_policy = previous.policy if is_new_policy else policy
    if old_model is None or old_policy is None or (is_new_model and PREVIOUS_PD not in features):
        return Judges(now, None, None)
    return Judges(
        now,
        Judge(model, old_policy, (PD, THIN_PD)) if is_new_policy else None,
        Judge(old_model, old_policy, (PREVIOUS_PD, PREVIOUS_THIN_PD)) if is_new_model else None,
    )


def judged_by(judge: Judge, positions: pd.DataFrame, features: pd.DataFrame, as_of: dt.date) -> OwnCaps:
    """Positions and features, aligned row by row, rated by a judge, with the caps that need no other customer."""
    answers = Answers(*(number(features[name]) for name in judge.answers))
    rating = rate(positions, answers, judge.model, judge.policy, as_of)
    return own_caps(Judged(positions, rating, expose(positions, rating, judge.policy.loss), judge.policy, as_of))


def night_facts(  # noqa: PLR0917 - the six inputs of a night
    positions: pd.DataFrame,
    features: pd.DataFrame,
    model: Model,
    policy: Policy,
    previous: PreviousRun | None,
    as_of: dt.date,
) -> NightFacts:
    """The facts of the positions handed in, the whole book or a part of it; inputs as for `score_book`."""
    ordered = ordered_positions(positions, as_of)
    aligned = aligned_features(features, ordered)
    judges = judges_of(model, policy, previous, aligned.columns)
    now, old_policy, old = (
        None if judge is None else book_facts(judged_by(judge, ordered, aligned, as_of))
        for judge in (judges.now, judges.old_policy, judges.old)
    )
    return NightFacts(BookFacts.nothing() if now is None else now, old_policy, old)


def _sum(first: BookFacts | None, second: BookFacts | None) -> BookFacts | None:
    return first if second is None else second if first is None else first + second
