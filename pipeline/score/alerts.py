"""Alerts of the night: where the rules of policy bite, and the life of an alert from new over open to closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

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
# What is the same for all alerts of a rule.
_OF_RULE = ("rule", "severity", "action_en", "action_zh")
_OF_ALERT = ("customer_id", "state", "opened_on", "evidence_en", "evidence_zh")


def alerts_of(night: Night, section: AlertsSection, before: pd.DataFrame | None) -> pa.Table:
    """Alerts new, open and closed tonight, ordered by customer and rule; `before` holds the previous run's alerts.

    A rule that cannot be judged tonight (no run before, no such column) keeps its open alerts open, and so does one
    whose `open_days` are not over. A closed alert is told once, with the evidence it last had; so is one whose rule is
    no longer in policy, or whose customer is no longer there. Rows are judged one by one: the night of some customers,
    with the alerts `before` of just those, gives the rows of the whole night for them.
    """
    running = _running(before, night)
    by_rule = _rows_by(running["rule"])
    parts = [
        _of_rule(rule, night, _rows_of(running, by_rule.pop(name, _NOBODY))) for name, rule in section.rules.items()
    ]
    retired = _rows_of(running, np.concatenate([_NOBODY, *by_rule.values()]))
    parts.append(retired | {"state": np.full(len(retired["rule"]), "closed", dtype=object)})
    told = {name: np.concatenate([part[name] for part in parts]) for name in (*_OF_ALERT, "at")}
    counts = [len(part["at"]) for part in parts[:-1]]
    named = _named(section, counts, retired)
    told["as_of"] = np.full(len(told["at"]), np.datetime64(night.as_of, "D"))
    order = pa.array(_order(told["at"], told["customer_id"], _ranks(section, counts, retired["rule"]), night))
    columns = [named[f.name] if f.name in named else pa.array(told[f.name], type=f.type) for f in ALERT_SCHEMA]
    return pa.Table.from_arrays([column.take(order) for column in columns], schema=ALERT_SCHEMA)


def counts_by_customer(
    alerts: pa.Table, customers: npt.NDArray[np.object_]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.object_]]:
    """Alerts new or open, and the gravest severity among them ("none" without any), per customer."""
    standing = alerts.filter(pc.not_equal(alerts["state"], "closed"))
    at, rank = (
        pc.fill_null(pc.index_in(standing[name], value_set=pa.array(values, pa.string())), -1).to_numpy()
        for name, values in (("customer_id", customers), ("severity", SEVERITIES))
    )
    is_here = at >= 0
    gravest = np.zeros(len(customers), dtype=np.int64)
    np.maximum.at(gravest, at[is_here], rank[is_here])
    count = np.bincount(at[is_here], minlength=len(customers)).astype(np.int64)
    return count, np.array(SEVERITIES, dtype=object)[gravest]


def _running(before: pd.DataFrame | None, night: Night) -> Columns:
    """The alerts that have not been closed, a column each; days as datetime64; `at` is the customer's row, -1 for one
    who is no longer there."""
    names = [*_OF_RULE, "customer_id", "evidence_en", "evidence_zh"]
    if before is None:
        nobody = np.empty(0, dtype=object)
        return {**dict.fromkeys(names, nobody), "opened_on": np.empty(0, dtype="datetime64[D]"), "at": _NOBODY}
    runs = before[(before["state"] != "closed").to_numpy()]
    told = {name: text(runs[name]) for name in names}
    at = pd.Index(night.customers).get_indexer(pd.Index(told["customer_id"]))
    return {**told, "opened_on": days(runs["opened_on"]), "at": at}


def _rows_by(rules: npt.NDArray[np.object_]) -> dict[str, npt.NDArray[np.intp]]:
    """The rows of each rule."""
    codes, names = pd.factorize(rules)
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes, minlength=len(names)))
    return dict(zip(names, np.split(order, ends[:-1]), strict=True)) if len(names) else {}


def _rows_of(columns: Columns, rows: npt.NDArray[np.intp]) -> Columns:
    return {name: values[rows] for name, values in columns.items()}


def _of_rule(rule: AlertRule, night: Night, running: Columns) -> Columns:
    """The rule's alerts: those that bite, new or open, and those that ran and no longer bite, open or closed."""
    bites = judged(rule, night)
    if bites is None:
        return running | {"state": np.full(len(running["rule"]), "open", dtype=object)}
    rows = np.flatnonzero(bites.where)
    english, chinese = evidence(rule, bites, night, rows)
    # Where each alert that runs stands among those that bite.
    place = np.where(bites.where, np.cumsum(bites.where) - 1, -1)
    goes_on = np.where(running["at"] >= 0, place[running["at"]], -1) if len(place) else running["at"]
    opened = np.full(len(rows), np.datetime64(night.as_of, "D"))
    state = np.full(len(rows), "new", dtype=object)
    opened[goes_on[goes_on >= 0]], state[goes_on[goes_on >= 0]] = running["opened_on"][goes_on >= 0], "open"
    still = _rows_of(running, np.flatnonzero(goes_on < 0))
    rests = np.where(_rests(still["opened_on"], rule, night.as_of), "open", "closed").astype(object)
    told = {
        "at": rows, "customer_id": night.customers[rows], "state": state, "opened_on": opened,
        "evidence_en": english, "evidence_zh": chinese,
    }  # fmt: skip
    return {name: np.concatenate([values, rests if name == "state" else still[name]]) for name, values in told.items()}


def _named(section: AlertsSection, counts: list[int], retired: Columns) -> dict[str, pa.Array]:
    """What is the same for all alerts of a rule: by today's policy, `counts` of each; then as it was for those
    retired."""
    of_rule = pa.array(np.repeat(np.arange(len(counts)), counts))
    rules = section.rules.items()
    same = {
        "rule": [name for name, _ in rules],
        "severity": [rule.severity for _, rule in rules],
        "action_en": [rule.action.en for _, rule in rules],
        "action_zh": [rule.action.zh for _, rule in rules],
    }
    return {
        name: pa.concat_arrays([pa.array(values, pa.string()).take(of_rule), pa.array(retired[name], pa.string())])
        for name, values in same.items()
    }


def _ranks(section: AlertsSection, counts: list[int], retired: npt.NDArray[np.object_]) -> npt.NDArray[np.intp]:
    """The place of each alert's rule in the alphabet of all."""
    names = [*section.rules, *dict.fromkeys(retired)]
    rank = {name: place for place, name in enumerate(sorted(names))}
    each = np.array([rank[name] for name in section.rules], dtype=np.intp)
    gone = np.array([rank[name] for name in retired], dtype=np.intp)
    return np.concatenate([np.repeat(each, counts), gone])


def _order(
    at: npt.NDArray[np.intp], customers: npt.NDArray[np.object_], ranks: npt.NDArray[np.intp], night: Night
) -> npt.NDArray[np.intp]:
    """By customer, then rule. Customers stand in the order of their rows; who is no longer there is told before the
    one that comes next in the alphabet."""
    place, among = 2 * at + 1, np.zeros(len(at), dtype=np.intp)
    strangers = np.flatnonzero(at < 0)
    if len(strangers):
        found, names = pd.factorize(customers[strangers], sort=True)
        place[strangers] = 2 * np.searchsorted(night.customers, names)[found]
        among[strangers] = found
    order: npt.NDArray[np.intp] = np.lexsort((ranks, among, place))
    return order


def _rests(opened: npt.NDArray[np.datetime64], rule: AlertRule, as_of: dt.date) -> npt.NDArray[np.bool_]:
    """A fall is over the next night; its alert stays until somebody can have looked."""
    ages = (np.datetime64(as_of, "D") - opened).astype(np.int64)
    found: npt.NDArray[np.bool_] = ages < rule.open_days
    return found
