"""The alert rules of policy applied to a walk through the past: where each bit, and what became of the customers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from pipeline.flows.definition import default_definition
from pipeline.flows.setting import ledger_in
from pipeline.history.default_episodes import default_episodes
from pipeline.history.point_in_time import customers_known, known_rows
from pipeline.history.snapshots import months_before, spine
from pipeline.score.alert_columns import Night, RatingSeen, day_looked_back_to
from pipeline.score.alert_judging import judged
from pipeline.score.alert_measuring import Witness
from pipeline.tables.unchanged import unchanged

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping, Sequence

    import numpy.typing as npt

    from pipeline.flows.known_models import KnownModel
    from pipeline.flows.setting import Setting
    from pipeline.flows.walk_forward import ReplayedMonth, Walk
    from pipeline.score.alert_sections import AlertRule
    from pipeline.score.policy import Policy

    Flags = npt.NDArray[np.bool_]

_OF_A_MODEL = frozenset({"pd", "score", "grade", "segment", "model"})


@dataclass(frozen=True)
class Followed:
    """What the rules said on each month end of a walk, by name of the rule.

    `bites`: shape (days, customers). `is_judged`, `was_withheld`: by day; a rule that reads a model's answer is
    withheld on a day that the model had seen. `refits`: the models of the walk, oldest first. `notes`: refits that
    failed.
    """

    witness: Witness
    bites: Mapping[str, Flags]
    is_judged: Mapping[str, Flags]
    was_withheld: Mapping[str, Flags]
    is_hypothetical: Sequence[bool]
    refits: Sequence[KnownModel]
    notes: Sequence[str]


@dataclass(frozen=True)
class _Outcomes:
    """Every customer known at the extract date, in order, with the code of its group, and the defaults so far."""

    customers: pd.Index
    clusters: npt.NDArray[np.int64]
    defaults: list[tuple[int, dt.date]]


def followed(setting: Setting, walk: Walk, policy: Policy, until: dt.date) -> Followed:
    """Judges every rule on every month end of the walk. The month before of a month end is the month end before it, and
    the run before its rating; outcomes are those known at the extract date `until`."""
    outcomes = _outcomes(setting, until)
    rules, days = policy.alerts.rules, list(walk.days)
    shape = (len(days), len(outcomes.customers))
    at_risk = np.zeros(shape, dtype=bool)
    bites = {name: np.zeros(shape, dtype=bool) for name in rules}
    is_judged, was_withheld = ({name: np.zeros(len(days), dtype=bool) for name in rules} for _ in range(2))
    hypothetical: list[bool] = []
    for at, (month, night) in enumerate(_nights(walk, policy)):
        columns = outcomes.customers.get_indexer(pd.Index(night.customers))
        at_risk[at, columns] = month.rating.is_graded
        hypothetical.append(month.is_hypothetical)
        for name, rule in rules.items():
            if month.is_hypothetical and reads_a_model(rule):
                was_withheld[name][at] = True
                continue
            found = judged(rule, night)
            if found is not None:
                is_judged[name][at] = True
                bites[name][at, columns] = found.where
    ends = [months_before(day, -setting.params.portfolio.warning_months) for day in days]
    witness = Witness(days, ends, until, outcomes.clusters, at_risk, outcomes.defaults)
    fitted = {known.fitted_on: known for known in walk.refits.by_month.values() if known.fitted_on is not None}
    notes = [f"no model could be fitted on {day}: {why}" for day, why in walk.refits.left_out]
    return Followed(
        witness, bites, is_judged, was_withheld, hypothetical, [fitted[day] for day in sorted(fitted)], notes
    )


def reads_a_model(rule: AlertRule) -> bool:
    """A condition looks at a model's answer, of the day or of an earlier run."""
    names = (name for condition in rule.conditions for name in condition.columns)
    return any(
        place.endswith("rating") and column in _OF_A_MODEL for place, _, column in (n.rpartition(".") for n in names)
    )


def _nights(walk: Walk, policy: Policy) -> Iterator[tuple[ReplayedMonth, Night]]:
    """Each month as a night sees it: the month before beside it, and earlier ratings of models that had not seen it."""
    before: ReplayedMonth | None = None
    ratings: dict[dt.date, RatingSeen] = {}
    for month in walk.months():
        back = day_looked_back_to(list(ratings), month.as_of, policy.alerts.look_back)
        is_run_before = before is not None and before.as_of in ratings
        yield (
            month,
            Night(
                month.positions,
                month.features,
                month.rating,
                policy.scale,
                month.as_of,
                None if before is None else before.as_of,
                None if before is None else before.positions,
                None if before is None else before.features,
                ratings[before.as_of] if before is not None and is_run_before else None,
                None if back is None else ratings[back],
            ),
        )
        before = month
        if not month.is_hypothetical:
            ratings[month.as_of] = _seen(month)
        ratings = {
            day: one for day, one in ratings.items() if (month.as_of - day).days <= policy.alerts.look_back.at_most_days
        }


def _seen(month: ReplayedMonth) -> RatingSeen:
    rating = month.rating
    columns = {"customer_id": month.positions["customer_id"], "pd": rating.pd, "score": rating.score}
    return RatingSeen(month.as_of, pd.DataFrame({**columns, "grade": rating.grade}))


def _outcomes(setting: Setting, until: dt.date) -> _Outcomes:
    with setting.engine() as engine, unchanged(setting.project.ledger):
        ledger = ledger_in(engine, setting.project.ledger)
        known = engine.collect(customers_known(ledger, until), order_by=("customer_id",))
        rows = known.append_column("as_of", pa.array([until] * known.num_rows, pa.date32()))
        today = engine.register("warning_day", spine(rows))
        begun = default_episodes(ledger, today.select("customer_id", "as_of"), default_definition(setting), engine.keep)
        episodes = engine.collect(begun.select("customer_id", "started_on"), order_by=("customer_id", "started_on"))
        who = known_rows(ledger, "customers", today).select("customer_id", "group_id")
        master = engine.collect(who, order_by=("customer_id",)).to_pandas().set_index("customer_id")
    customers = pd.Index(known["customer_id"].to_pylist())
    groups = master["group_id"].reindex(customers)
    own = np.where(groups.notna(), "group " + groups.astype(str), "customer " + customers.astype(str))
    at = customers.get_indexer(pd.Index(episodes["customer_id"].to_pylist()))
    defaults = list(zip(at.tolist(), episodes["started_on"].to_pylist(), strict=True))
    return _Outcomes(customers, np.unique(own.astype(str), return_inverse=True)[1], defaults)
