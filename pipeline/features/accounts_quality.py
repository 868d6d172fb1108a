"""How young the accounts are, how soon they came and whether anybody audited them: what the customer decides itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.features.accounts import of_accounts
from pipeline.features.arithmetic import days_between, in_months
from pipeline.features.feature import Risk, Unit
from pipeline.features.step import AUDIT_ACCOUNTS, SEND_ACCOUNTS

if TYPE_CHECKING:
    import ibis.expr.types as ir


@of_accounts(
    Unit.MONTHS,
    Risk.RISES,
    ("Age of the accounts", "财务报表距今月数"),
    ("The latest accounts known are {value:.0f} month{s} old", "最近的财务报表距今{value:.0f}个月"),
    step=SEND_ACCOUNTS,
)
def accounts_age_months(accounts: ir.Table) -> ir.Value:
    """Months from the end of the period to the day."""
    return in_months(days_between(accounts.as_of, accounts.period_end))


@of_accounts(
    Unit.MONTHS,
    Risk.RISES,
    ("Delay of publication", "财务报表披露延迟"),
    ("The accounts came {value:.1f} months after the end of their period", "财务报表在期末后{value:.1f}个月才披露"),
    step=SEND_ACCOUNTS,
)
def publication_delay_months(accounts: ir.Table) -> ir.Value:
    """Months from the end of the period to the day we learned of the accounts; a restatement adds to it."""
    return in_months(days_between(accounts.known_on, accounts.period_end))


@of_accounts(
    Unit.FLAG,
    Risk.FALLS,
    ("Audited accounts", "财务报表是否经审计"),
    ("Accounts audited: {value:.0f} (1 is yes)", "财务报表是否经审计（1为是）：{value:.0f}"),
    step=AUDIT_ACCOUNTS,
)
def is_audited(accounts: ir.Table) -> ir.Value:
    """1 when the latest accounts are audited, 0 when not, null when they do not say."""
    return accounts.audited.cast("int8")
