"""What changed since the run before, and how much of it came from data, from the model and from policy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from pipeline.score.applied import PREVIOUS_PD
from pipeline.score.book_facts import book_facts
from pipeline.score.limits import suggest_limits
from pipeline.score.movers import STATUS, TOP, Before, Movers, SameJudge, Then, limit_movers, pd_movers
from pipeline.score.night_facts import judged_by, judges_of
from pipeline.score.position_columns import money, places_of, text

if TYPE_CHECKING:
    import datetime as dt

    import numpy.typing as npt
    import pandas as pd

    from pipeline.score.book_facts import BookFacts
    from pipeline.score.limits import Limits
    from pipeline.score.model import Model
    from pipeline.score.night_facts import Judge, NightFacts
    from pipeline.score.policy import Policy
    from pipeline.score.previous import PreviousRun
    from pipeline.score.rating import Rating

CHANGES_SCHEMA = pa.schema(
    [
        pa.field("customer_id", pa.string(), nullable=False),
        pa.field("quantity", pa.string(), nullable=False),
        *(pa.field(name, pa.float64()) for name in ("before", "after", "from_data", "from_model", "from_policy")),
        *(
            pa.field(name, kind)
            for rank in range(1, TOP + 1)
            for name, kind in ((f"top_feature_{rank}", pa.string()), (f"top_feature_{rank}_share", pa.float64()))
        ),
    ]
)


@dataclass(frozen=True)
class Day:
    """The inputs of one night, aligned row by row, and what came out; `features` have answers (score/applied.py)."""

    positions: pd.DataFrame
    features: pd.DataFrame
    model: Model
    policy: Policy
    as_of: dt.date
    rating: Rating
    limits: Limits


@dataclass(frozen=True)
class Split:
    """A quantity before and after with its three parts, which add up to after − before; NaN where it cannot be told.

    Doubles: the sum holds to 1e-15 of a PD, and to the cent of a limit. The first part is that of data, under the old
    model and the old policy; then the model is replaced, then the policy (docs/decisions/0016).
    """

    before: npt.NDArray[np.float64]
    after: npt.NDArray[np.float64]
    from_data: npt.NDArray[np.float64]
    from_model: npt.NDArray[np.float64]
    from_policy: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Change:
    """Change columns of the book, one per position row, and the parts by quantity (`pd`, `limit`)."""

    pd_previous: npt.NDArray[np.float64]
    grade_previous: npt.NDArray[np.object_]
    notches: npt.NDArray[np.float64]
    driver: npt.NDArray[np.object_]
    splits: dict[str, Split]
    notes: tuple[str, ...]
    then: Then | None = None


def change_of(day: Day, previous: PreviousRun | None, facts: NightFacts | None = None) -> Change:
    """Compares with the previous run. Notches are counted downwards: +2 is two grades worse.

    `facts` are those of the whole book under the old model and policy; null when the day is the whole book.

    When the model or the policy changed, today's data are rated again with the old ones in turn (old model and old
    policy, new model and old policy, both new); where an old one is gone the parts are null and a note says so.
    """
    rows = len(day.positions)
    if previous is None:
        nothing = np.full(rows, np.nan)
        none = np.full(rows, None, dtype=object)
        return Change(nothing, none, nothing, np.full(rows, "new", dtype=object), {}, ())
    there = places_of(day.positions["customer_id"], previous.book["customer_id"])
    was_there = there >= 0
    book = previous.book.reset_index(drop=True).reindex(there)
    before_pd = book["pd"].to_numpy(dtype=np.float64, na_value=np.nan)
    before_grade = text(book["grade"])
    splits, notes = _splits(day, previous, (before_pd, money(book["limit_suggested"])), facts)
    position = day.policy.scale.position
    driver = _driver(splits, was_there, _is_same(day, book), previous, day)
    notches = position(day.rating.grade) - position(before_grade)
    status = text(book["rating_status"])
    then = Then(text(book["model"]), before_grade, text(book["limit_binding_cap"]), status)
    return Change(before_pd, before_grade, notches, driver, splits, notes, then)


def changes_table(day: Day, change: Change, points_before: pd.DataFrame | None) -> pa.Table:
    """One row per customer of both runs and quantity that changed, ordered by both; without a run before it is empty.

    A quantity that appeared has a null `before`, one that vanished a null `after`; its parts are null. `top_feature_n`
    of a PD are the features that moved it most, of a limit those of its grade or the cap that moved it, each with its
    share of all movement (score/movers.py). `points_before` has the points that today's model gives on the previous
    run's day, and what its card of thin files reads; null: no features are told.
    """
    if not change.splits:
        return CHANGES_SCHEMA.empty_table()
    parts, rows = [], []
    moved_pd = _pd_movers(day, change, points_before)
    # In the order of the alphabet, so that a stable sort by customer is one by both.
    for quantity, split in sorted(change.splits.items()):
        row = np.flatnonzero(_has_moved(split) & (change.driver != "new"))
        parts.append({
            "quantity": np.full(len(row), quantity, dtype=object),
            **_parts_of(split, row),
            **_told(_movers(day, change, quantity, row, moved_pd)),
        })  # fmt: skip
        rows.append(row)
    row = np.concatenate(rows)
    order = np.argsort(row, kind="stable")
    columns = {name: np.concatenate([part[name] for part in parts])[order] for name in parts[0]}
    columns["customer_id"] = text(day.positions["customer_id"])[row[order]]
    arrays = [pa.array(columns[field.name], type=field.type, from_pandas=True) for field in CHANGES_SCHEMA]
    return pa.Table.from_arrays(arrays, schema=CHANGES_SCHEMA)


def _parts_of(split: Split, row: npt.NDArray[np.intp]) -> dict[str, npt.NDArray[np.float64]]:
    """Before, after and the parts of the rows; what was not there on one of the days has no parts."""
    told = {name: getattr(split, name)[row] for name in CHANGES_SCHEMA.names[2:7]}
    is_null = np.isnan(told["before"]) | np.isnan(told["after"])
    return {name: np.where(is_null & name.startswith("from_"), np.nan, values) for name, values in told.items()}


def _has_moved(split: Split) -> npt.NDArray[np.bool_]:
    """Where the two differ; null on both days is no change."""
    is_null = np.isnan(split.before), np.isnan(split.after)
    has_moved: npt.NDArray[np.bool_] = (split.before != split.after) & ~(is_null[0] & is_null[1])
    return has_moved


def _is_same(day: Day, book: pd.DataFrame) -> npt.NDArray[np.bool_]:
    limit_before, limit_now = money(book["limit_suggested"]), day.limits.suggested
    pd_before, pd_now = book["pd"].to_numpy(dtype=np.float64, na_value=np.nan), day.rating.pd
    same_limit = (limit_before == limit_now) | (np.isnan(limit_before) & np.isnan(limit_now))
    same_pd = (pd_before == pd_now) | (np.isnan(pd_before) & np.isnan(pd_now))
    is_same: npt.NDArray[np.bool_] = same_limit & same_pd & (text(book["grade"]) == day.rating.grade)
    is_same &= text(book["rating_status"]) == day.rating.status
    return is_same


def _splits(
    day: Day,
    previous: PreviousRun,
    before: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]],
    facts: NightFacts | None,
) -> tuple[dict[str, Split], tuple[str, ...]]:
    """PD and limit before and now, in parts; `before` are both of the previous run."""
    now = (day.rating.pd, day.limits.suggested)
    notes = _why_without_parts(day, previous)
    if notes:
        unknown = np.full(len(day.positions), np.nan)
        with_old = with_old_policy = (unknown, unknown)
    else:
        judges = judges_of(day.model, day.policy, previous, day.features.columns)
        totals = (None, None) if facts is None else (facts.old_policy, facts.old)
        with_old_policy = now if judges.old_policy is None else _rated_by(judges.old_policy, day, totals[0])
        with_old = with_old_policy if judges.old is None else _rated_by(judges.old, day, totals[1])
    return {
        name: Split(then, after, old - then, between - old, after - between)
        for name, then, after, old, between in zip(("pd", "limit"), before, now, with_old, with_old_policy, strict=True)
    }, notes


def _why_without_parts(day: Day, previous: PreviousRun) -> tuple[str, ...]:
    """Why a change cannot be told apart; nothing when it can."""
    is_new_model = previous.model_version != day.model.version
    notes = []
    if is_new_model and previous.model is None:
        notes.append(f"changes: the parts are null, model {previous.model_version} is no longer there to score with")
    elif is_new_model and PREVIOUS_PD not in day.features.columns:
        version = previous.model_version
        notes.append(f"changes: the parts are null, model {version} reads features that are no longer built")
    if previous.policy_version != day.policy.version and previous.policy is None:
        notes.append(f"changes: the parts are null, policy {previous.policy_version} can no longer be read")
    return tuple(notes)


def _rated_by(
    judge: Judge, day: Day, facts: BookFacts | None
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    own = judged_by(judge, day.positions, day.features, day.as_of)
    return own.judged.rating.pd, suggest_limits(own, book_facts(own) if facts is None else facts).suggested


def _driver(
    splits: dict[str, Split],
    was_there: npt.NDArray[np.bool_],
    is_same: npt.NDArray[np.bool_],
    previous: PreviousRun,
    day: Day,
) -> npt.NDArray[np.object_]:
    """The largest part of the change of PD, else of the limit; one that has no parts is laid to what was replaced."""
    driver = np.full(len(was_there), "data", dtype=object)
    replaced = [
        name
        for name, before, now in (
            ("model", previous.model_version, day.model.version),
            ("policy", previous.policy_version, day.policy.version),
        )
        if before != now
    ]
    if replaced:
        is_open = np.ones(len(was_there), dtype=bool)
        for split in splits.values():
            parts = np.abs(np.vstack([split.from_data, split.from_model, split.from_policy]))
            has_parts = is_open & ~np.isnan(parts).any(axis=0) & (parts.max(axis=0, initial=0.0) > 0)
            names = np.array(["data", "model", "policy"], dtype=object)
            driver[has_parts] = names[parts.argmax(axis=0)][has_parts]
            is_open &= ~has_parts
        cannot_tell = is_open & np.isnan(splits["pd"].from_data) & ~np.isnan(splits["pd"].before)
        driver[cannot_tell & ~np.isnan(splits["pd"].after)] = replaced[0]
    driver[is_same] = "none"
    driver[~was_there] = "new"
    return driver


def _pd_movers(day: Day, change: Change, points_before: pd.DataFrame | None) -> Movers:
    """Of every row, whether or not its PD moved."""
    if change.then is None or points_before is None:
        return Movers.none(len(day.positions))
    judged = SameJudge.on_both_days(change.then.model, day.rating.model)
    before = Before(points_before, places_of(day.positions["customer_id"], points_before["customer_id"]))
    return pd_movers(day.features, day.model, judged, before)


def _movers(day: Day, change: Change, quantity: str, row: npt.NDArray[np.intp], moved_pd: Movers) -> Movers:
    if change.then is None:
        return moved_pd.of(row)
    split = change.splits[quantity]
    by_status = change.then.status[row] != day.rating.status[row]
    if quantity == "pd":
        return moved_pd.of(row).laid_to(STATUS, by_status)
    is_rise = split.after[row] > split.before[row]
    now = (day.rating.grade, day.limits.binding_cap)
    found = limit_movers(moved_pd.of(row), change.then, row, is_rise, now, day.policy)
    return found.laid_to(STATUS, by_status & (np.isnan(split.before[row]) | np.isnan(split.after[row])))


def _told(movers: Movers) -> dict[str, npt.NDArray[Any]]:
    columns: dict[str, npt.NDArray[Any]] = {}
    for rank in range(TOP):
        columns[f"top_feature_{rank + 1}"] = movers.name[:, rank]
        columns[f"top_feature_{rank + 1}_share"] = movers.share[:, rank]
    return columns
