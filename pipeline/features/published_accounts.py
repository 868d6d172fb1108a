"""One row per snapshot with accounts: the latest known on the day, those of the year before, and the balance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from pipeline.features import sources
from pipeline.features.arithmetic import days_between, positive_ratio
from pipeline.features.balances import BALANCE
from pipeline.features.relation import SNAPSHOT, Read, Relation, Told, told
from pipeline.history.point_in_time import known_rows
from pipeline.history.yearly_flows import of_a_year

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from pipeline.features.sight import Sight

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
_COMPARED = (
    "total_assets",
    "cash",
    "receivables",
    "short_term_debt",
    "long_term_debt",
    "equity",
    "revenue",
    "cost_of_sales",
    "net_income",
)


def _accounts(sight: Sight) -> ir.Table:
    """Latest accounts of 36 months; `previous_*` those that end about a year earlier and cover as many months.

    Flows are brought to a year: times 12 over the months they cover (history/yearly_flows.py).
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
    return sight.keep(sight.beside(joined, BALANCE), "features_accounts")


_PERIOD = ("financials.period_end", "financials.period_months")


def _columns() -> dict[str, Told]:
    """A flow hangs on the length of its period, and which accounts are those of the year before on both lengths."""
    lines = {name: told("decimal(18, 2)", f"financials.{name}") for name in _STOCKS}
    lines |= {name: told("decimal(18, 2)", f"financials.{name}", *_PERIOD) for name in _FLOWS}
    before = {f"previous_{name}": sources.also(lines[name], *_PERIOD) for name in _COMPARED}
    return lines | before


ACCOUNTS = Relation(
    "accounts",
    ("financials",),
    _accounts,
    has_one_row=True,
    columns={
        **_columns(),
        "period_end": told("date", "financials.period_end"),
        "known_on": told("date", "financials.known_on"),
        "audited": told("boolean", "financials.audited"),
        "open_amount": sources.OPEN_AMOUNT,
        "billed_12m_amount": sources.BILLED,
    },
    reads=(Read(BALANCE, passed_on=("open_amount", "billed_12m_amount")),),
)


def _yearly(rows: ir.Table) -> dict[str, ir.Value]:
    """Flows of the period as flows of a year, to the cent; null when the period has no length."""
    return {name: of_a_year(rows, name) for name in _FLOWS}


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


def debt(accounts: ir.Table) -> ir.Value:
    """Short-term and long-term financial debt."""
    return accounts.short_term_debt + accounts.long_term_debt


def working_capital_ratio(accounts: ir.Table) -> ir.Value:
    """Current assets less current liabilities, over total assets; null where there are no assets."""
    return positive_ratio(accounts.current_assets - accounts.current_liabilities, accounts.total_assets)
