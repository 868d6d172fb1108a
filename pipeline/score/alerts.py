"""Alerts of the night: where the rules of policy bite, and the life of an alert from new over open to closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from pipeline.score.alert_judging import evidence, judged
from pipeline.score.position_columns import days, text

if TYPE_CHECKING:
    import datetime as dt

    import numpy.typing as npt

    from pipeline.score.alert_columns import Night
    from pipeline.score.alert_sections import AlertRule, AlertsSection

    Columns = dict[str, npt.NDArray[Any]]

_NOBODY = np.empty(0, dtype=np.intp)
SEVERITIES = ("none", "watch", "act", "stop")
STATES = ("new", "open", "closed")
ALERT_SCHEMA = pa.schema(
    [
        pa.field("as_of", pa.date32(), nullable=False),
        *(pa.field(name, pa.string(), nullable=False) for name in ("customer_id", "rule", "severity", "state")),
        pa.field("opened_on", pa.date32(), nullable=False),
        *(
            pa.field(name, pa.string(), nullable=False)
            for name in ("evidence_en", "evidence_zh", "action_en", "action_zh")
        ),
    ]
)
_TEXTS = tuple(field.name for field in ALERT_SCHEMA if pa.types.is_string(field.type))


def alerts_of(night: Night, section: AlertsSection, before: pd.DataFrame | None) -> pa.Table:
    """Alerts new, open and closed tonight, ordered by customer and rule; `before` holds the previous run's alerts.

    A rule that cannot be judged tonight (no run before, no such column) keeps its open alerts open, and so does one
    whose `open_days` are not over. A closed alert is told once, with the evidence it last had; so is one whose rule is
    no longer in policy, or whose customer is no longer there. Rows are judged one by one: the night of some customers,
    with the alerts `before` of just those, gives the rows of the whole night for them.
    """
    running = _running(before)
    by_rule = _rows_by(running["rule"])
    parts = [
        _of_rule(name, rule, night, _rows_of(running, by_rule.pop(name, _NOBODY)))
        for name, rule in section.rules.items()
    ]
    retired = _rows_of(running, np.concatenate([_NOBODY, *by_rule.values()]))
    parts.append(retired | {"state": np.full(len(retired["rule"]), "closed", dtype=object)})
    told = {name: np.concatenate([part[name] for part in parts]) for name in (*_TEXTS, "opened_on")}
    told["as_of"] = np.full(len(told["rule"]), np.datetime64(night.as_of, "D"))
    rows = pa.Table.from_arrays(
        [pa.array(told[field.name], type=field.type) for field in ALERT_SCHEMA], schema=ALERT_SCHEMA
    )
    return rows.sort_by([("customer_id", "ascending"), ("rule", "ascending")])


def counts_by_customer(
    alerts: pa.Table, customers: npt.NDArray[np.object_]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.object_]]:
    """Alerts new or open, and the gravest severity among them ("none" without any), per customer."""
    names = {name: text(alerts[name].to_pandas()) for name in ("customer_id", "severity", "state")}
    at = pd.Index(customers).get_indexer(pd.Index(names["customer_id"]))
    stands = (names["state"] != "closed") & (at >= 0)
    ranks = np.array([SEVERITIES.index(severity) for severity in names["severity"]], dtype=np.int64)
    gravest = np.zeros(len(customers), dtype=np.int64)
    np.maximum.at(gravest, at[stands], ranks[stands])
    count = np.bincount(at[stands], minlength=len(customers)).astype(np.int64)
    return count, np.array(SEVERITIES, dtype=object)[gravest]


def _running(before: pd.DataFrame | None) -> Columns:
    """The alerts that have not been closed, a column each; days as datetime64."""
    names = [name for name in _TEXTS if name != "state"]
    if before is None:
        nobody = np.empty(0, dtype=object)
        return {**dict.fromkeys(names, nobody), "opened_on": np.empty(0, dtype="datetime64[D]")}
    runs = before[(before["state"] != "closed").to_numpy()]
    return {**{name: text(runs[name]) for name in names}, "opened_on": days(runs["opened_on"])}


def _rows_by(rules: npt.NDArray[np.object_]) -> dict[str, npt.NDArray[np.intp]]:
    """The rows of each rule."""
    codes, names = pd.factorize(rules)
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes, minlength=len(names)))
    return dict(zip(names, np.split(order, ends[:-1]), strict=True)) if len(names) else {}


def _rows_of(columns: Columns, rows: npt.NDArray[np.intp]) -> Columns:
    return {name: values[rows] for name, values in columns.items()}


def _of_rule(name: str, rule: AlertRule, night: Night, running: Columns) -> Columns:
    """The rule's alerts: those that bite, new or open, and those that ran and no longer bite, open or closed."""
    bites = judged(rule, night)
    if bites is None:
        return _named(name, rule, running | {"state": np.full(len(running["rule"]), "open", dtype=object)})
    rows = np.flatnonzero(bites.where)
    english, chinese = evidence(rule, bites, night, rows)
    biting = night.customers[rows]
    ran_at = pd.Index(running["customer_id"]).get_indexer(pd.Index(biting))
    ran = ran_at >= 0
    opened = np.full(len(rows), np.datetime64(night.as_of, "D"))
    opened[ran] = running["opened_on"][ran_at[ran]]
    ended = np.ones(len(running["rule"]), dtype=bool)
    ended[ran_at[ran]] = False
    still = _rows_of(running, np.flatnonzero(ended))
    rests = _rests(still["opened_on"], rule, night.as_of)
    found = {
        "customer_id": np.concatenate([biting, still["customer_id"]]),
        "state": np.concatenate([np.where(ran, "open", "new"), np.where(rests, "open", "closed")]).astype(object),
        "opened_on": np.concatenate([opened, still["opened_on"]]),
        "evidence_en": np.concatenate([english, still["evidence_en"]]),
        "evidence_zh": np.concatenate([chinese, still["evidence_zh"]]),
    }
    return _named(name, rule, found)


def _named(name: str, rule: AlertRule, found: Columns) -> Columns:
    """The alerts with what is the same for all of a rule."""
    same = {"rule": name, "severity": rule.severity, "action_en": rule.action.en, "action_zh": rule.action.zh}
    count = len(found["customer_id"])
    return found | {column: np.full(count, value, dtype=object) for column, value in same.items()}


def _rests(opened: npt.NDArray[np.datetime64], rule: AlertRule, as_of: dt.date) -> npt.NDArray[np.bool_]:
    """A fall is over the next night; its alert stays until somebody can have looked."""
    ages = (np.datetime64(as_of, "D") - opened).astype(np.int64)
    found: npt.NDArray[np.bool_] = ages < rule.open_days
    return found
