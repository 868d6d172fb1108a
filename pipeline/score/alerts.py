"""Alerts of the night: where the rules of policy bite, and the life of an alert from new over open to closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from pipeline.score.alert_judging import evidence, judged
from pipeline.score.position_columns import text

if TYPE_CHECKING:
    import datetime as dt

    import numpy.typing as npt

    from pipeline.score.alert_columns import Night
    from pipeline.score.alert_sections import AlertRule, AlertsSection

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
_KEPT = ["customer_id", "rule", "severity", "opened_on", "evidence_en", "evidence_zh", "action_en", "action_zh"]


def alerts_of(night: Night, section: AlertsSection, before: pd.DataFrame | None) -> pa.Table:
    """Alerts new, open and closed tonight, ordered by customer and rule; `before` holds the previous run's alerts.

    A rule that cannot be judged tonight (no run before, no such column) keeps its open alerts open, and so does one
    whose `open_days` are not over. A closed alert is told once, with the evidence it last had; so is one whose rule is
    no longer in policy, or whose customer is no longer there. Rows are judged one by one: the night of some customers,
    with the alerts `before` of just those, gives the rows of the whole night for them.
    """
    running = _running(before)
    parts = [_of_rule(name, rule, night, running[running["rule"] == name]) for name, rule in section.rules.items()]
    retired = running[~running["rule"].isin(list(section.rules))]
    parts.append(retired.assign(state="closed"))
    rows = pd.concat([part for part in parts if len(part)] or parts[-1:], ignore_index=True)
    rows = rows.sort_values(["customer_id", "rule"], kind="stable")
    days = {
        "as_of": np.full(len(rows), np.datetime64(night.as_of, "D")),
        "opened_on": rows["opened_on"].to_numpy(object),
    }
    return pa.Table.from_arrays(
        [pa.array(days.get(field.name, rows.get(field.name)), type=field.type) for field in ALERT_SCHEMA],
        schema=ALERT_SCHEMA,
    )


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


def _running(before: pd.DataFrame | None) -> pd.DataFrame:
    if before is None:
        return pd.DataFrame(columns=_KEPT)
    return before.loc[before["state"] != "closed", _KEPT]


def _of_rule(name: str, rule: AlertRule, night: Night, running: pd.DataFrame) -> pd.DataFrame:
    """The rule's alerts: those that bite, new or open, and those that ran and no longer bite, open or closed."""
    bites = judged(rule, night)
    if bites is None:
        return running.assign(**_common(name, rule), state="open")
    rows = np.flatnonzero(bites.where)
    english, chinese = evidence(rule, bites, night, rows)
    biting = night.customers[rows]
    at = pd.Index(text(running["customer_id"])).get_indexer(pd.Index(biting))
    ran = running["opened_on"].to_numpy(dtype=object)
    opened = np.full(len(rows), night.as_of, dtype=object)
    opened[at >= 0] = ran[at[at >= 0]]
    found = pd.DataFrame(
        {
            "customer_id": biting,
            **_common(name, rule),
            "state": np.where(at >= 0, "open", "new"),
            "opened_on": opened,
            "evidence_en": english,
            "evidence_zh": chinese,
        }
    )
    still = running[~running["customer_id"].isin(biting)]
    ended = np.where(_rests(still, rule, night.as_of), "open", "closed")
    return pd.concat(
        [part for part in (found, still.assign(**_common(name, rule), state=ended)) if len(part)] or [found]
    )


def _common(name: str, rule: AlertRule) -> dict[str, Any]:
    return {"rule": name, "severity": rule.severity, "action_en": rule.action.en, "action_zh": rule.action.zh}


def _rests(running: pd.DataFrame, rule: AlertRule, as_of: dt.date) -> npt.NDArray[np.bool_]:
    """A fall is over the next night; its alert stays until somebody can have looked."""
    days = pd.to_datetime(running["opened_on"]).to_numpy(dtype="datetime64[D]")
    ages = (np.datetime64(as_of, "D") - days).astype(np.int64)
    found: npt.NDArray[np.bool_] = ages < rule.open_days
    return found
