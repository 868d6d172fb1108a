"""One row per snapshot with accounts: the latest known on the day, those of the year before, and the balance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from pipeline.features.arithmetic import days_between
from pipeline.features.balances import BALANCE
from pipeline.features.relation import SNAPSHOT, Relation, Sight
from pipeline.history.point_in_time import known_rows

if TYPE_CHECKING:
    import ibis.expr.types as ir

_STOCKS = (
    "total_assets",
    "current_assets",
    "cash",
    "inventory",
    "receivables",
    "total_liabilities",
    "current_liabilities",
    "short_term_debt",
    "long_term_debt",
    "equity",
    "retained_earnings",
)
_FLOWS = ("revenue", "cost_of_sales", "ebit", "interest_expense", "net_income", "operating_cash_flow")
_COMPARED = ("total_assets", "equity", "revenue", "net_income")


def _accounts(sight: Sight) -> ir.Table:
    """Latest accounts of 36 months; `previous_*` those that end about a year earlier and cover as many months.

    Flows are brought to a year: times 12 over the months they cover (kept exact: multiplied first, see `_yearly`).
    """
    rows = known_rows(sight.ledger, "financials", sight.snapshots, months=36)
    known = rows.select(*SNAPSHOT, "period_end", "period_months", "known_on", "audited", *_STOCKS, **_yearly(rows))
    known = sight.keep(known, "features_accounts_known")
    order = ibis.window(group_by=list(SNAPSHOT), order_by=[known.period_end.desc(), known.period_months.desc()])
    latest = known.mutate(place=ibis.row_number().over(order))
    latest = latest.filter(latest.place == 0).drop("place")
    joined = latest.left_join(_previous(latest, known), SNAPSHOT).select(
        *latest.columns, *(f"previous_{name}" for name in _COMPARED)
    )
    balance = sight.rows(BALANCE).select(*SNAPSHOT, "open_amount", "billed_12m_amount")
    whole = joined.left_join(balance, SNAPSHOT).select(*joined.columns, "open_amount", "billed_12m_amount")
    return sight.keep(whole, "features_accounts")


ACCOUNTS = Relation("accounts", ("financials",), _accounts, has_one_row=True)


def _yearly(rows: ir.Table) -> dict[str, ir.Value]:
    """Flows of the period as flows of a year, to the cent; null when the period has no length."""
    is_year = rows.period_months == 12
    return {
        name: is_year.ifelse(
            rows[name], (rows[name].cast("float64") * 12 / rows.period_months.nullif(0)).cast("decimal(18, 2)")
        )
        for name in _FLOWS
    }


def _previous(latest: ir.Table, known: ir.Table) -> ir.Table:
    """Accounts that end 350 to 380 days before the latest and cover as many months."""
    earlier = known.select(
        *SNAPSHOT,
        "period_months",
        earlier_end="period_end",
        **{f"previous_{name}": known[name] for name in _COMPARED},
    )
    pairs = latest.select(*SNAPSHOT, "period_end", "period_months").inner_join(earlier, [*SNAPSHOT, "period_months"])
    days = days_between(pairs.period_end, pairs.earlier_end)
    near = pairs.filter(days.between(350, 380))
    order = ibis.window(group_by=list(SNAPSHOT), order_by=near.earlier_end.desc())
    placed = near.mutate(place=ibis.row_number().over(order))
    return placed.filter(placed.place == 0).select(*SNAPSHOT, *(f"previous_{name}" for name in _COMPARED))
