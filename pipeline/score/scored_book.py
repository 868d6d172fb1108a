"""One night: positions and features in, the scored book, alerts, limit trace and changes out; no file in sight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from pipeline.errors import CreditbookError
from pipeline.score.alert_columns import Night, RatingSeen
from pipeline.score.alert_judging import notes_on_rules
from pipeline.score.alerts import alerts_of, counts_by_customer
from pipeline.score.applied import PD, THIN_PD
from pipeline.score.book_caps import told
from pipeline.score.change import Change, Day, change_of, changes_table
from pipeline.score.columns import BOOK_SCHEMA, breaches_of
from pipeline.score.limit_trace import TRACE_SCHEMA, limit_trace
from pipeline.score.limits import suggest_limits
from pipeline.score.night_facts import Judge, judged_by, night_facts
from pipeline.score.notes import told_once
from pipeline.score.position_columns import cents, decimals, money, number, ordered_positions, text
from pipeline.score.ranges import frame_of
from pipeline.score.rating import aligned_features
from pipeline.score.reasons import SLOTS, Reasons, reasons_of
from pipeline.score.summary import tally_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    import numpy.typing as npt
    import pandas as pd

    from pipeline.score.book_caps import LossBudget
    from pipeline.score.exposure import Exposure
    from pipeline.score.model import Model
    from pipeline.score.night_facts import NightFacts
    from pipeline.score.notes import Note
    from pipeline.score.policy import Policy
    from pipeline.score.previous import EarlierRun, PreviousRun
    from pipeline.score.rating import Rating


@dataclass(frozen=True)
class Part:
    """The rows of some customers, of all tables the same ones.

    `positions` has one row per customer (history/position.py); `features` one row for each of the book at least, of the
    same day, with the answers of the models (score/applied.py). `positions_before` and `features_before` are of
    `month_before`; `points_before` are the points that the model gives the customers on the previous run's day;
    `previous` is the run before with their rows of it, `looked_back` their ratings in the run that alert rules compare
    with. All but the first two may be null.
    """

    positions: pd.DataFrame
    features: pd.DataFrame
    positions_before: pd.DataFrame | None = None
    points_before: pd.DataFrame | None = None
    previous: PreviousRun | None = None
    month_before: dt.date | None = None
    features_before: pd.DataFrame | None = None
    looked_back: RatingSeen | None = None

    def night(self, rating: Rating, policy: Policy, as_of: dt.date) -> Night:
        """What the alert rules look at."""
        before = self.previous
        return Night(
            self.positions,
            self.features,
            rating,
            policy.scale,
            as_of,
            self.month_before,
            self.positions_before,
            self.features_before,
            None if before is None else RatingSeen(before.as_of, before.book),
            self.looked_back,
        )


@dataclass(frozen=True)
class ScoredPart:
    """The tables of some customers, each in its order; `loss_at_limits` is what their limits are expected to lose, in
    cents, `budget` what the book may."""

    book: pa.Table
    alerts: pa.Table
    limit_trace: pa.Table
    changes: pa.Table
    loss_at_limits: int
    budget: LossBudget
    notes: tuple[str | Note, ...]


@dataclass(frozen=True)
class ScoredNight:
    """What is told of a run beside its tables. `model` and `policy` are what it was made with."""

    as_of: dt.date
    summary: Mapping[str, Any]
    model: Model
    policy: Policy
    previous: PreviousRun | None
    looked_back: EarlierRun | None


@dataclass(frozen=True)
class ScoredRun(ScoredNight):
    """A run whose tables are in memory."""

    book: pa.Table
    alerts: pa.Table
    limit_trace: pa.Table
    changes: pa.Table


def score_book(  # noqa: PLR0917 - the six inputs of a night
    positions: pd.DataFrame,
    features: pd.DataFrame,
    model: Model,
    policy: Policy,
    previous: PreviousRun | None,
    as_of: dt.date,
    *,
    positions_before: pd.DataFrame | None = None,
    points_before: pd.DataFrame | None = None,
    month_before: dt.date | None = None,
    features_before: pd.DataFrame | None = None,
    looked_back: EarlierRun | None = None,
    facts: NightFacts | None = None,
) -> ScoredRun:
    """Scores every customer of `positions` for one day, all in memory (for many: score/stream.py).

    The inputs are those of a Part, `looked_back` the whole run; `facts` are those of the whole book where the positions
    are a part of it, null when they are the whole. Raises ContractError on inputs that do not fit each other; nothing
    is written here.
    """
    facts = facts or night_facts(positions, features, model, policy, previous, as_of)
    positions = ordered_positions(positions, as_of)
    seen = None if looked_back is None else RatingSeen(looked_back.as_of, frame_of(looked_back.ratings().rest()))
    part = Part(
        positions,
        aligned_features(features, positions),
        positions_before,
        points_before,
        previous,
        month_before,
        features_before,
        seen,
    )
    scored = score_part(part, model, policy, as_of, facts)
    notes = told_once([*scored.notes, *night_notes(model, policy, as_of)])
    return ScoredRun(
        as_of=as_of,
        summary=tally_of(scored.book).summary(notes, planned(scored.loss_at_limits, scored.budget)),
        model=model,
        policy=policy,
        previous=previous,
        looked_back=looked_back,
        book=scored.book,
        alerts=scored.alerts,
        limit_trace=scored.limit_trace.cast(TRACE_SCHEMA),
        changes=scored.changes,
    )


def score_part(part: Part, model: Model, policy: Policy, as_of: dt.date, facts: NightFacts) -> ScoredPart:
    """Scores some customers; `facts` are those of the whole book, so that it does not matter which customers they are.

    The positions are in the order of customer_id and the features aligned to them. Raises CreditbookError when what
    comes out is not what a scored book has to be.
    """
    positions, features = part.positions, part.features
    own = judged_by(Judge(model, policy, (PD, THIN_PD)), positions, features, as_of)
    rating = own.judged.rating
    limits = suggest_limits(own, facts.now)
    day = Day(positions, features, model, policy, as_of, rating, limits)
    change = change_of(day, part.previous, facts)
    night = part.night(rating, policy, as_of)
    alerts = alerts_of(night, policy.alerts, None if part.previous is None else part.previous.alerts)
    reasons = reasons_of(positions, features, rating, model, policy)
    book = _book(day, own.judged.exposure, reasons, change, alerts)
    _require_true(book)
    return ScoredPart(
        book=book,
        alerts=alerts,
        limit_trace=limit_trace(positions, limits, policy),
        changes=changes_table(day, change, part.points_before),
        loss_at_limits=int(cents(np.nan_to_num(limits.expected_loss)).sum()),
        budget=limits.budget,
        notes=(*rating.notes, *limits.notes, *change.notes, *notes_on_rules(policy.alerts, night)),
    )


def planned(loss_at_limits: int, budget: LossBudget) -> dict[str, str | None]:
    """Totals of the manifest that no column adds up to: what the limits are expected to lose, and may."""
    return {"expected_loss_at_limits": told(loss_at_limits), **budget.totals}


def night_notes(model: Model, policy: Policy, as_of: dt.date) -> list[str]:
    """What is noted of a night whoever its customers are."""
    return [*_policy_notes(policy, model, as_of)]


def _book(day: Day, exposure: Exposure, reasons: Reasons, change: Change, alerts: pa.Table) -> pa.Table:
    positions, rating = day.positions, day.rating
    count, severity = counts_by_customer(alerts, text(positions["customer_id"]))
    columns: dict[str, Any] = {
        "as_of": np.full(len(positions), np.datetime64(day.as_of, "D")),
        "model_version": np.full(len(positions), day.model.version, dtype=object),
        "policy_version": np.full(len(positions), day.policy.version, dtype=object),
        "customer_id": text(positions["customer_id"]),
        # A customer whose master data came later has no name yet; the number stands in, as on its documents.
        "name": np.where(positions["name"].notna(), text(positions["name"]), text(positions["customer_id"])),
        "group_id": text(positions["group_id"]),
        "is_natural_person": text(positions["is_natural_person"]),
        "rating_status": rating.status,
        "pd": rating.pd,
        "pd_12m": rating.pd if day.model.is_default_12m else np.full(len(positions), np.nan),
        "score": rating.score,
        "grade": rating.grade,
        "segment": rating.segment,
        "data_depth": rating.data_depth,
        "model": rating.model,
        **_exposure_columns(positions, exposure),
        **_limit_columns(day),
        **_reason_columns(reasons),
        "pd_previous": change.pd_previous,
        "grade_previous": change.grade_previous,
        "notches": change.notches,
        "change_driver": change.driver,
        "alert_count": count,
        "alert_severity": severity,
    }
    return pa.Table.from_arrays([_array(columns[f.name], f.type) for f in BOOK_SCHEMA], schema=BOOK_SCHEMA)


def _exposure_columns(positions: pd.DataFrame, exposure: Exposure) -> dict[str, Any]:
    return {
        "open_amount": money(positions["open_amount"]),
        "overdue_amount": money(positions["overdue_amount"]),
        "max_days_past_due": np.nan_to_num(number(positions["max_days_past_due"])),
        "utilisation": exposure.utilisation,
        "ead": exposure.ead,
        "lgd": exposure.lgd,
        "expected_loss": exposure.expected_loss,
    }


def _limit_columns(day: Day) -> dict[str, Any]:
    limits = day.limits
    return {
        "limit_current": money(day.positions["limit_current"]),
        "limit_suggested": limits.suggested,
        "limit_binding_cap": limits.binding_cap,
        "limit_action": limits.action,
        "limit_valid_to": limits.valid_to,
        "approval_tier": limits.approval_tier,
        "terms_days_suggested": limits.terms_days,
        "deposit_share_suggested": limits.deposit_share,
    }


def _reason_columns(reasons: Reasons) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for slot in range(SLOTS):
        for part in ("code", "points", "en", "zh"):
            columns[f"reason_{slot + 1}_{part}"] = getattr(reasons, part)[:, slot]
    return columns


def _array(values: npt.NDArray[Any], kind: pa.DataType) -> pa.Array:
    """Arrow column; NaN and None are null."""
    if pa.types.is_decimal(kind):
        return decimals(values)
    if pa.types.is_integer(kind) and values.dtype.kind == "f":
        is_null = np.isnan(values)
        return pa.array(np.where(is_null, 0, values).astype(np.int64), type=kind, mask=is_null)
    return pa.array(values, type=kind, from_pandas=True)


def _require_true(book: pa.Table) -> None:
    breaches = breaches_of(book)
    if breaches:
        listed = "\n".join(f"  - {breach}" for breach in breaches)
        raise CreditbookError(f"scored book: {len(breaches)} breach(es), nothing was published:\n{listed}")


def _policy_notes(policy: Policy, model: Model, as_of: dt.date) -> tuple[str, ...]:
    notes = []
    if as_of < policy.valid_from:
        notes.append(f"policy: in force from {policy.valid_from}, applied to the earlier day {as_of}")
    if model.thin_file.rule != policy.thin_file.thin:
        notes.append("thin file: the pool of the model was drawn by another rule than policy has now; fit again")
    if model.kind == "booster" and model.adverse is None:
        notes.append(
            "model: a booster fitted before it was kept which values are adverse; its reasons go by points alone and "
            "may name a value that speaks for the customer; fit again"
        )
    newest = model.development.get("last_as_of")
    # Days of both are ISO texts, which stand in the order of the days.
    if newest is not None and as_of.isoformat() <= newest:
        notes.append(f"model: fitted on snapshots up to {newest}, so that it has seen what followed {as_of}")
    return tuple(notes)
