"""One row per snapshot: the customer's group and industry on the day, the customer itself left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.features.balances import BALANCE
from pipeline.features.customer_master import CUSTOMERS
from pipeline.features.ledger_rows import EVENTS
from pipeline.features.relation import SNAPSHOT, Relation, Sight

if TYPE_CHECKING:
    import ibis.expr.types as ir

_SUMS = (
    "open_amount",
    "overdue_amount",
    "over_90_amount",
    "paid_3m_amount",
    "paid_3m_late_days",
    "paid_12m_amount",
    "paid_12m_late_days",
    "insolvency_count",
    "is_debtor",
    "is_over_90",
    "is_member",
)


def _standing(sight: Sight) -> ir.Table:
    """Every customer known on the day with its sums; nothing open or paid is zero here."""
    customers = sight.rows(CUSTOMERS).select(*SNAPSHOT, "group_id", "industry_section")
    balance = sight.rows(BALANCE)
    events = EVENTS.window(sight.rows(EVENTS), 24)
    insolvencies = events.filter(events.kind == "insolvency")
    counts = insolvencies.group_by(SNAPSHOT).aggregate(insolvency_count=insolvencies.count())
    both = customers.left_join(balance, SNAPSHOT).select(
        *customers.columns, *(name for name in _SUMS if name in balance.columns)
    )
    rows = both.left_join(counts, SNAPSHOT).select(*both.columns, "insolvency_count")
    rows = rows.mutate(
        is_debtor=(rows.open_amount > 0).cast("int64"), is_over_90=(rows.over_90_amount > 0).cast("int64")
    )
    filled = {name: rows[name].fill_null(0) for name in _SUMS if name in rows.columns}
    return rows.mutate(**filled, is_member=(rows.customer_id.notnull()).cast("int64"))


def _others(sight: Sight, by: str) -> ir.Table:
    """Sums over those who share `by` with the customer, the customer left out; no row where `by` is null."""
    rows = _standing(sight)
    rows = sight.keep(rows.filter(rows[by].notnull()), f"features_peers_{by}")
    totals = rows.group_by("as_of", by).aggregate(**{f"total_{name}": rows[name].sum() for name in _SUMS})
    joined = rows.inner_join(totals, ["as_of", by])
    return sight.keep(
        joined.select(*SNAPSHOT, **{name: joined[f"total_{name}"] - joined[name] for name in _SUMS}),
        f"features_others_{by}",
    )


def _group(sight: Sight) -> ir.Table:
    others = _others(sight, "group_id")
    return others.filter(others.is_member > 0)


def _industry(sight: Sight) -> ir.Table:
    return _others(sight, "industry_section")


GROUP = Relation("group", ("customers",), _group, has_one_row=True)
INDUSTRY = Relation("industry", ("customers",), _industry, has_one_row=True)
