"""The position of a customer on a day: who it is, what it owes, what secures it, as known on the day."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import ibis

from pipeline.history.default_status import default_status
from pipeline.history.open_items import open_items
from pipeline.history.point_in_time import FAR, known_rows
from pipeline.history.prepared import prepared
from pipeline.history.snapshots import in_book
from pipeline.history.yearly_flows import of_a_year

if TYPE_CHECKING:
    from collections.abc import Callable

    import ibis.expr.types as ir

    from pipeline.history.definition import DefaultDefinition
    from pipeline.tables.canonical import Ledger

_VIEW = ["customer_id", "as_of"]
_MONEY = "decimal(18, 2)"
_ZERO = Decimal("0.00")
_MASTER_DATA = (
    "name",
    "group_id",
    "industry",
    "region",
    "country",
    "size_class",
    "is_natural_person",
    "is_public_body",
    "customer_since",
)
_SECURING = ("insurance", "guarantee", "collateral")


def positions(
    ledger: Ledger, snapshots: ir.Table, definition: DefaultDefinition, keep: Callable[[ir.Table, str], ir.Table]
) -> ir.Table:
    """One row per snapshot given (in the book or not), as known on `as_of`; amounts DECIMAL(18,2) in base currency.

    Master data: name, group_id, industry, region, country, size_class, is_natural_person, is_public_body,
    customer_since (null when not known yet). is_in_book · is_in_default, default_on, default_reason ·
    open_amount (invoices and debit notes), overdue_amount, disputed_amount, max_days_past_due (0 when nothing is) ·
    committed_orders_amount (orders of 12 months, not cancelled and not named by an invoice) · limit_current (null:
    none valid), limit_valid_from (first day of that limit) · billing_12m_amount (invoices, debit and credit notes
    issued) · mean_terms_days (due − issued of invoices of 12 months, weighted by amount; null without one) ·
    cover_amount (valid insurance, guarantees and collateral; factoring is none, since the ledger does not say whether
    the factor may come back), covered_share (weighted by amount; null when no cover tells one), cover_ends_on (the
    first day on which one of them ends; null: open-ended or none) · equity_amount, cost_of_sales_amount (of a year:
    times 12 over the months of the period), accounts_end_on (latest accounts; null without) · invoices_due_12m_count ·
    history_months (full months since the first known invoice; 0 without) · has_external_rating · grade_override,
    limit_override (decision valid on the day; null: none), grade_override_ends_on, limit_override_ends_on (null:
    open-ended or none) · group_default_count (other customers of the group in default; null without group).

    A row does not depend on which other rows are asked for. `keep` computes an intermediate once under a name that
    begins with position_, default_ or history_.
    """
    ledger = prepared(ledger, keep)
    days = keep(snapshots.distinct(), "position_days")
    parts = (
        _master_data(ledger, days),
        _standing(ledger, days, definition, keep),
        _owed(ledger, days),
        _billed(ledger, days),
        _committed_orders(ledger, days),
        _limit(ledger, days),
        _covers(ledger, days),
        _accounts(ledger, days),
        _ratings(ledger, days),
        _override(ledger, days, "grade"),
        _override(ledger, days, "limit"),
    )
    wide = days.select(*_VIEW)
    for number, part in enumerate(parts):
        stored = keep(part, f"position_part_{number}")
        added = [name for name in stored.columns if name not in _VIEW]
        wide = wide.left_join(stored, _VIEW).select(wide, *(stored[name] for name in added))
    filled = {name: wide[name].fill_null(_ZERO).cast(_MONEY) for name in _AMOUNTS}
    counts = {name: wide[name].fill_null(0).cast("int64") for name in _COUNTS}
    flags = {name: wide[name].fill_null(ibis.literal(value=False)) for name in ("is_in_book", "has_external_rating")}
    return wide.mutate(**filled, **counts, **flags).select(*_VIEW, *_COLUMNS)


_AMOUNTS = (
    "open_amount",
    "overdue_amount",
    "disputed_amount",
    "committed_orders_amount",
    "billing_12m_amount",
    "cover_amount",
)
_COUNTS = ("max_days_past_due", "invoices_due_12m_count", "history_months")
_COLUMNS = (
    *_MASTER_DATA,
    "is_in_book",
    "is_in_default",
    "default_on",
    "default_reason",
    "open_amount",
    "overdue_amount",
    "disputed_amount",
    "max_days_past_due",
    "committed_orders_amount",
    "limit_current",
    "limit_valid_from",
    "billing_12m_amount",
    "mean_terms_days",
    "cover_amount",
    "covered_share",
    "cover_ends_on",
    "equity_amount",
    "cost_of_sales_amount",
    "accounts_end_on",
    "invoices_due_12m_count",
    "history_months",
    "has_external_rating",
    "grade_override",
    "grade_override_ends_on",
    "limit_override",
    "limit_override_ends_on",
    "group_default_count",
)


def _master_data(ledger: Ledger, days: ir.Table) -> ir.Table:
    return known_rows(ledger, "customers", days).select(*_VIEW, *_MASTER_DATA)


def _standing(
    ledger: Ledger, days: ir.Table, definition: DefaultDefinition, keep: Callable[[ir.Table, str], ir.Table]
) -> ir.Table:
    """In the book, in default, and how many others of the group are."""
    dates = days.select("as_of").distinct()
    everyone = ledger.tables["customers"].select("customer_id").distinct().cross_join(dates)
    groups = keep(
        known_rows(ledger, "customers", everyone).filter(lambda t: t.group_id.notnull()).select(*_VIEW, "group_id"),
        "position_groups",
    )
    asked = groups.semi_join(days, _VIEW).select("as_of", "group_id").distinct()
    # Peers count even when nobody asked for them.
    peers = groups.semi_join(asked, ["as_of", "group_id"]).select(*_VIEW)
    status = default_status(ledger, days.select(*_VIEW).union(peers, distinct=True), definition, keep)
    defaults = status.filter(status.is_in_default).select(*_VIEW).inner_join(groups, _VIEW)
    in_group = defaults.group_by("as_of", "group_id").agg(defaults=defaults.count())
    members = groups.left_join(in_group, ["as_of", "group_id"]).select(
        *(groups[name] for name in _VIEW), defaults=in_group.defaults.fill_null(0)
    )
    book = in_book(ledger, days).mutate(is_in_book=ibis.literal(value=True))
    rows = days.select(*_VIEW).inner_join(status, _VIEW)
    rows = rows.left_join(book, _VIEW).select(rows, book.is_in_book)
    rows = rows.left_join(members, _VIEW).select(rows, members.defaults)
    return rows.mutate(group_default_count=(rows.defaults - rows.is_in_default.cast("int64")).cast("int64")).drop(
        "defaults"
    )


def _owed(ledger: Ledger, days: ir.Table) -> ir.Table:
    items = open_items(ledger, days)
    items = items.filter(items.kind != "credit_note")
    return items.group_by(*_VIEW).agg(
        open_amount=items.open_amount.sum(),
        overdue_amount=items.overdue_amount.sum(),
        disputed_amount=items.disputed_amount.sum(),
        max_days_past_due=items.days_past_due.max(),
    )


def _billed(ledger: Ledger, days: ir.Table) -> ir.Table:
    rows = known_rows(ledger, "invoices", days)
    is_recent = rows.issued_on > rows.since_12m
    has_terms = is_recent & (rows.kind == "invoice") & rows.due_on.notnull()
    fell_due = (rows.kind != "credit_note") & (rows.due_on > rows.since_12m) & (rows.due_on <= rows.as_of)
    terms = rows.due_on.delta(rows.issued_on, unit="day")
    sums = rows.group_by(*_VIEW).agg(
        billing_12m_amount=rows.amount.sum(where=is_recent),
        weighted_terms=(rows.amount * terms).sum(where=has_terms).cast("float64"),
        weight=rows.amount.sum(where=has_terms).cast("float64"),
        invoices_due_12m_count=fell_due.cast("int64").sum(),
        first_on=rows.issued_on.min(),
    )
    months = (sums.as_of.year() - sums.first_on.year()) * 12 + sums.as_of.month() - sums.first_on.month()
    begun = (sums.first_on.day() > sums.as_of.day()).cast("int64")
    return sums.select(
        *_VIEW,
        "billing_12m_amount",
        "invoices_due_12m_count",
        mean_terms_days=sums.weighted_terms / sums.weight.nullif(0),
        history_months=(months - begun).cast("int64"),
    )


def _committed_orders(ledger: Ledger, days: ir.Table) -> ir.Table:
    orders = known_rows(ledger, "orders", days, months=12)
    orders = orders.filter(orders.cancelled_on.isnull())
    invoices = known_rows(ledger, "invoices", days)
    invoices = invoices.filter(invoices.order_id.notnull()).select("as_of", "order_id").distinct()
    waiting = orders.anti_join(invoices, ["as_of", "order_id"])
    return waiting.group_by(*_VIEW).agg(committed_orders_amount=waiting.amount.sum())


def _limit(ledger: Ledger, days: ir.Table) -> ir.Table:
    rows = _latest(_valid(known_rows(ledger, "limits", days)), "valid_from")
    return rows.select(*_VIEW, limit_current=rows.limit_amount, limit_valid_from=rows.valid_from)


def _covers(ledger: Ledger, days: ir.Table) -> ir.Table:
    rows = _valid(known_rows(ledger, "covers", days))
    rows = rows.filter(rows.kind.isin(_SECURING))
    # Shares in millionths: a sum of doubles would depend on the order of the rows.
    millionths = (rows.covered_share * 1_000_000).round().cast("int64")
    sums = rows.group_by(*_VIEW).agg(
        cover_amount=rows.amount.sum(),
        weighted=(rows.amount * millionths).sum().cast("float64"),
        weight=rows.amount.sum(where=rows.covered_share.notnull()).cast("float64"),
        cover_ends_on=_last_day(rows).min(),
    )
    return sums.select(
        *_VIEW, "cover_amount", "cover_ends_on", covered_share=sums.weighted / sums.weight.nullif(0) / 1_000_000
    )


def _accounts(ledger: Ledger, days: ir.Table) -> ir.Table:
    rows = _latest(known_rows(ledger, "financials", days), "period_end")
    return rows.select(
        *_VIEW,
        equity_amount=rows.equity,
        cost_of_sales_amount=of_a_year(rows, "cost_of_sales"),
        accounts_end_on=rows.period_end,
    )


def _ratings(ledger: Ledger, days: ir.Table) -> ir.Table:
    rows = known_rows(ledger, "events", days)
    rated = rows.filter(rows.kind == "external_rating").select(*_VIEW).distinct()
    return rated.mutate(has_external_rating=ibis.literal(value=True))


def _override(ledger: Ledger, days: ir.Table, kind: str) -> ir.Table:
    rows = _valid(known_rows(ledger, "overrides", days))
    rows = _latest(rows.filter(rows.kind == kind), "valid_from", "known_on", "override_id")
    ends = {f"{kind}_override_ends_on": _last_day(rows)}
    return rows.select(*_VIEW, rows.to_value.name(f"{kind}_override"), **ends)


def _valid(rows: ir.Table) -> ir.Table:
    """Rows in force on `as_of`; no last day is open-ended."""
    return rows.filter((rows.valid_from <= rows.as_of) & (rows.valid_to.isnull() | (rows.valid_to >= rows.as_of)))


def _last_day(rows: ir.Table) -> ir.DateValue:
    """The last day in force; null when open-ended."""
    return ibis.cases((rows.valid_to < FAR, rows.valid_to), else_=ibis.null("date"))


def _latest(rows: ir.Table, *order: str) -> ir.Table:
    """The last row of each snapshot in a total order."""
    last_first = ibis.window(group_by=_VIEW, order_by=[ibis.desc(name) for name in order])
    return rows.mutate(place=ibis.row_number().over(last_first)).filter(lambda t: t.place == 0).drop("place")
