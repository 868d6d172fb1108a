"""What a replay takes from the ledger with all that is known today: deliveries, defaults and groups of customers."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.flows.definition import default_definition
from pipeline.flows.setting import ledger_in
from pipeline.history.point_in_time import in_hindsight
from pipeline.history.prepared import prepared
from pipeline.history.snapshots import month_ends
from pipeline.labels.deliveries import defaults_begun, delivered_stretches
from pipeline.labels.performance_window import is_mature, window_end
from pipeline.score.backtest.items import items_of
from pipeline.tables.unchanged import unchanged

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from pipeline.flows.setting import Setting
    from pipeline.score.backtest.items import Items


@dataclass(frozen=True)
class Facts:
    """Items that met a limit of the replay or stood open in it, defaults, the group of each customer (itself where it
    has none), and by month the last day of the window (days since 1970) and whether all of it is known."""

    items: Items
    defaults: pa.Table
    groups: Mapping[str, str]
    window_ends: NDArray[np.int64]
    is_mature: NDArray[np.bool_]
    base_currency: str
    data_version: str
    extract_date: dt.date


def facts_of(setting: Setting, days: Sequence[dt.date]) -> Facts:
    """Of the month ends of a replay; what was delivered after the last of them counts to the next month end."""
    definition, label = default_definition(setting), setting.params.label
    with setting.engine() as engine, unchanged(setting.project.ledger):
        ledger = ledger_in(engine, setting.project.ledger)
        final = prepared(in_hindsight(ledger), engine.keep)
        end = min(month_ends(days[-1] + dt.timedelta(days=1), days[-1] + dt.timedelta(days=40))[0], ledger.extract_date)
        rows = engine.collect(delivered_stretches(final, days[0], end), order_by=("invoice_id", "from_on"))
        begun = defaults_begun(prepared(ledger, engine.keep), definition, engine.keep)
        defaults = engine.collect(begun, order_by=("customer_id", "started_on"))
        who = engine.collect(final.tables["customers"].select("customer_id", "group_id"), order_by=("customer_id",))
    ends = [np.datetime64(window_end(day, label), "D").astype(np.int64) for day in days]
    mature = [is_mature(day, ledger.extract_date, definition.days, label) for day in days]
    pairs = zip(who["customer_id"].to_pylist(), who["group_id"].to_pylist(), strict=True)
    return Facts(
        items_of(rows, days),
        defaults,
        {customer: group or customer for customer, group in pairs},
        np.array(ends, dtype=np.int64),
        np.array(mature, dtype=bool),
        ledger.base_currency,
        ledger.data_version,
        ledger.extract_date,
    )
