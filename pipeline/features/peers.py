"""One row per snapshot: the customer's group and industry on the day, the customer itself left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.features import sources
from pipeline.features.balances import BALANCE, join_parts
from pipeline.features.customer_master import CUSTOMERS
from pipeline.features.ledger_rows import EVENTS
from pipeline.features.relation import SNAPSHOT, Read, Relation, Told, told
from pipeline.features.write_offs import WRITE_OFFS

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from pipeline.features.sight import Sight

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
    "is_active",
    "has_defaulted",
    "is_member",
)
_OF_BALANCE = (
    "open_amount",
    "overdue_amount",
    "over_90_amount",
    "paid_3m_amount",
    "paid_3m_late_days",
    "paid_12m_amount",
    "paid_12m_late_days",
)


def _standing(sight: Sight) -> ir.Table:
    """Every customer known on the day with its sums; nothing open or paid is zero here.

    `has_defaulted` (0 or 1) is what the day itself tells of a default: an insolvency of 24 months, a write-off of 12
    or an item more than 90 days past due. The policy's definition, with its thresholds and probation, is stricter and
    made for outcomes; of a peer the plain facts are what a credit manager hears.
    """
    customers = sight.rows(CUSTOMERS).select(*SNAPSHOT, "group_id", "industry_section")
    balance = sight.rows(BALANCE)
    events = sight.rows(EVENTS)
    insolvencies = events.filter(events.kind == "insolvency")
    counts = insolvencies.group_by(SNAPSHOT).aggregate(insolvency_count=insolvencies.count())
    written_off = sight.rows(WRITE_OFFS)
    losses = written_off.group_by(SNAPSHOT).aggregate(write_off_count=written_off.count())
    billed = balance.select(*SNAPSHOT, *_OF_BALANCE, is_billed=balance.billed_12m_amount.notnull().cast("int64"))
    rows = join_parts(customers, (billed, counts, losses))
    zero = {name: rows[name].fill_null(0) for name in rows.columns if name not in customers.columns}
    rows = rows.mutate(**zero)
    rows = rows.mutate(
        is_debtor=(rows.open_amount > 0).cast("int64"),
        is_over_90=(rows.over_90_amount > 0).cast("int64"),
        has_defaulted=((rows.insolvency_count > 0) | (rows.write_off_count > 0) | (rows.over_90_amount > 0)).cast(
            "int64"
        ),
    )
    is_active = (rows.is_debtor > 0) | (rows.is_billed > 0) | (rows.has_defaulted > 0)
    return rows.mutate(is_active=is_active.cast("int64"), is_member=rows.customer_id.notnull().cast("int64"))


def _standing_once(sight: Sight) -> ir.Table:
    return sight.keep(_standing(sight), "features_peers")


_DEFAULTED = ("events.kind", "events.occurred_on", *sources.OVERDUE_AMOUNT.sources)
_PEER_COLUMNS: dict[str, Told] = {
    **{name: BALANCE.columns[name] for name in _OF_BALANCE},
    "insolvency_count": told("int64", "events.kind", "events.occurred_on"),
    "is_debtor": told("int64", *sources.OPEN_AMOUNT.sources),
    "is_over_90": told("int64", *sources.OVERDUE_AMOUNT.sources),
    "is_active": told("int64", *_DEFAULTED, *sources.BILLED.sources),
    "has_defaulted": told("int64", *_DEFAULTED),
    "is_member": told("int64"),
}
PEERS = Relation(
    "peers",
    ("customers",),
    _standing_once,
    has_one_row=True,
    columns=_PEER_COLUMNS,
    reads=(
        Read(CUSTOMERS, columns=("group_id", "industry_section")),
        Read(BALANCE, columns=(*_OF_BALANCE, "billed_12m_amount")),
        Read(EVENTS, 24, ("kind",)),
        Read(WRITE_OFFS, 12),
    ),
    looks_at_others=True,
)


def _others(sight: Sight, by: str) -> ir.Table:
    """Sums over those who share `by` with the customer, the customer left out; no row where `by` is null."""
    rows = sight.rows(PEERS)
    rows = rows.filter(rows[by].notnull())
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


GROUP = Relation(
    "group",
    ("customers",),
    _group,
    has_one_row=True,
    columns=_PEER_COLUMNS,
    cut_by=("customers.group_id",),
    reads=(Read(PEERS, columns=_SUMS),),
    looks_at_others=True,
)
INDUSTRY = Relation(
    "industry",
    ("customers",),
    _industry,
    has_one_row=True,
    columns=_PEER_COLUMNS,
    cut_by=("customers.industry",),
    reads=(Read(PEERS, columns=_SUMS),),
    looks_at_others=True,
)
