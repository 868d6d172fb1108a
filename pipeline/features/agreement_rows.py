"""Relations with a row per dispute, obligation or contract, as known on each day, beside what they are held against."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.features import sources
from pipeline.features.arithmetic import days_between
from pipeline.features.balances import BALANCE
from pipeline.features.relation import SNAPSHOT, Read, Relation, told
from pipeline.history.point_in_time import FAR as OPEN_END
from pipeline.history.point_in_time import known_rows

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from pipeline.features.sight import Sight

_YEAR = (3, 6, 12)
_TWO_YEARS = (3, 6, 12, 24)


def _disputes(sight: Sight) -> ir.Table:
    """Disputes with the amount disputed (the whole invoice where they name none) beside a year's billing."""
    rows = known_rows(sight.ledger, "disputes", sight.snapshots, months=sight.asked.months)
    rows = rows.select(
        *SNAPSHOT,
        "invoice_id",
        "resolved_on",
        "outcome",
        named_amount="amount",
        days_open=days_between(rows.resolved_on.fill_null(rows.as_of), rows.opened_on),
        within=DISPUTES.shortest_window(rows, rows.opened_on),
    )
    invoices = _disputed_invoices(sight)
    joined = rows.left_join(invoices, [*SNAPSHOT, "invoice_id"]).select(*rows.columns, "invoice_amount")
    joined = joined.mutate(amount=joined.named_amount.fill_null(joined.invoice_amount))
    return sight.keep(sight.beside(joined, BALANCE), "features_disputes")


def _disputed_invoices(sight: Sight) -> ir.Table:
    """The amount of every invoice that is disputed some day, as known on each day."""
    tables = sight.ledger.tables
    disputed = tables["invoices"].semi_join(tables["disputes"], "invoice_id")
    ledger = replace(sight.ledger, tables={**tables, "invoices": disputed})
    return known_rows(ledger, "invoices", sight.snapshots).select(*SNAPSHOT, "invoice_id", invoice_amount="amount")


DISPUTES = Relation(
    "disputes",
    ("disputes",),
    _disputes,
    _YEAR,
    columns={
        "resolved_on": told("date", "disputes.resolved_on"),
        "outcome": told("string", "disputes.outcome", "disputes.resolved_on"),
        "amount": told("decimal(18, 2)", "disputes.amount", "disputes.invoice_id", sources.INVOICED, sources.ISSUED_ON),
        "days_open": told("int64", "disputes.opened_on", "disputes.resolved_on"),
        "billed_12m_amount": sources.BILLED,
    },
    cut_by=("disputes.opened_on",),
    reads=(Read(BALANCE, passed_on=("billed_12m_amount",)),),
)


def _obligations(sight: Sight) -> ir.Table:
    """Obligations due in two years, with the days they were or are late; negative when fulfilled early."""
    rows = known_rows(sight.ledger, "obligations", sight.snapshots, months=sight.asked.months, on="due_on")
    days = days_between(rows.fulfilled_on.fill_null(rows.as_of), rows.due_on)
    within = OBLIGATIONS.shortest_window(rows, rows.due_on)
    return rows.select(*SNAPSHOT, days_late=days, is_fulfilled=rows.fulfilled_on.notnull(), within=within)


OBLIGATIONS = Relation(
    "obligations",
    ("obligations",),
    _obligations,
    _TWO_YEARS,
    columns={
        "days_late": told("int64", "obligations.due_on", "obligations.fulfilled_on"),
        "is_fulfilled": told("boolean", "obligations.fulfilled_on"),
    },
    cut_by=("obligations.due_on",),
)


def _contracts(sight: Sight) -> ir.Table:
    """Contracts in force beside what is open; `days_left` is null where the contract is open-ended."""
    rows = known_rows(sight.ledger, "contracts", sight.snapshots)
    ends_on = (rows.ends_on < OPEN_END).ifelse(rows.ends_on, None)
    in_force = rows.filter(rows.starts_on <= rows.as_of, ends_on.isnull() | (ends_on >= rows.as_of))
    days_left = days_between((in_force.ends_on < OPEN_END).ifelse(in_force.ends_on, None), in_force.as_of)
    held = in_force.select(*SNAPSHOT, "amount", "deposit_amount", days_left=days_left)
    return sight.keep(sight.beside(held, BALANCE), "features_contracts")


CONTRACTS = Relation(
    "contracts",
    ("contracts",),
    _contracts,
    columns={
        "amount": told("decimal(18, 2)", "contracts.amount"),
        "deposit_amount": told("decimal(18, 2)", "contracts.deposit_amount"),
        "days_left": told("int64", "contracts.ends_on"),
        "open_amount": sources.OPEN_AMOUNT,
    },
    cut_by=("contracts.signed_on", "contracts.starts_on", "contracts.ends_on"),
    reads=(Read(BALANCE, passed_on=("open_amount",)),),
)
