"""How much the customer is billed against its own past; how long and on what terms it is a customer, and who it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.features.absence import (
    NEVER,
    NO_TABLE,
    NOT_STATED,
    NOTHING_BILLED,
    NOTHING_BILLED_IN_ONE,
    NOTHING_PAID,
)
from pipeline.features.arithmetic import change, days_between, in_months, in_years, ratio
from pipeline.features.balances import BALANCE
from pipeline.features.customer_master import CUSTOMERS
from pipeline.features.feature import Risk, Unit, feature
from pipeline.features.ledger_rows import INVOICES

if TYPE_CHECKING:
    import ibis.expr.types as ir


@feature(
    source=INVOICES,
    months=(12,),
    unit=Unit.MONEY,
    risk=Risk.EITHER,
    null_means=NO_TABLE,
    title_en="Billed, {months} months",
    title_zh="近{months}个月开票额",
    en="Billed {value:,.0f} in {months} months",
    zh="近{months}个月开票额为{value:,.0f}",
    without_rows=0.0,
    people_only=True,
)
def billed_amount(invoices: ir.Table) -> ir.Value:
    """Invoices and debit notes less credit notes, base currency."""
    return invoices.amount.sum()


@feature(
    source=INVOICES,
    months=(12,),
    unit=Unit.COUNT,
    risk=Risk.EITHER,
    null_means=NO_TABLE,
    title_en="Invoices, {months} months",
    title_zh="近{months}个月发票数",
    en="{value:.0f} invoice{s} in {months} months",
    zh="近{months}个月开具{value:.0f}张发票",
    without_rows=0.0,
    people_only=True,
)
def invoice_count(invoices: ir.Table) -> ir.Value:
    """Number of invoices and debit notes."""
    return (invoices.kind != "credit_note").sum()


@feature(
    source=INVOICES,
    months=(12,),
    unit=Unit.COUNT,
    risk=Risk.FALLS,
    null_means=NO_TABLE,
    title_en="Months with an invoice, of {months}",
    title_zh="近{months}个月中有开票的月数",
    en="Billed in only {value:.0f} calendar month{s} of the last {months}",
    zh="近{months}个月中仅{value:.0f}个自然月有开票",
    without_rows=0.0,
    people_only=True,
)
def billed_month_count(invoices: ir.Table) -> ir.Value:
    """Number of calendar months with an invoice; up to 13, as the window may touch one month twice."""
    month = invoices.issued_on.year() * 12 + invoices.issued_on.month()
    return month.nunique(where=invoices.kind != "credit_note")


@feature(
    source=INVOICES,
    months=(12,),
    unit=Unit.RATIO,
    risk=Risk.FALLS,
    null_means=NOTHING_BILLED,
    title_en="Billing level, last 3 months against 12",
    title_zh="近3个月开票水平与近12个月之比",
    en="Billing of the last 3 months runs at {value:.0%} of the 12-month level",
    zh="近3个月的开票水平为近12个月平均的{value:.0%}",
    people_only=True,
)
def billing_trend(invoices: ir.Table) -> ir.Value:
    """Amount invoiced in 3 months, times four, over that of 12; credit notes left out, 1 is steady."""
    is_billed = invoices.amount > 0
    recent = invoices.amount.sum(where=is_billed & (invoices.within <= 3)).fill_null(0)
    return ratio(recent * 4, invoices.amount.sum(where=is_billed))


@feature(
    source=INVOICES,
    months=(18,),
    unit=Unit.RATIO,
    risk=Risk.FALLS,
    null_means=NOTHING_BILLED_IN_ONE,
    title_en="Billing of 6 months against the same half-year a year before",
    title_zh="近6个月开票额与上年同期之比",
    en="Billing of the last 6 months is {value:.0%} of the same half-year a year before",
    zh="近6个月开票额为上年同期的{value:.0%}",
    people_only=True,
)
def billing_level_year_on_year(invoices: ir.Table) -> ir.Value:
    """Amount invoiced in 6 months over that of the same months a year before: free of the season."""
    is_billed = invoices.amount > 0
    recent = invoices.amount.sum(where=is_billed & (invoices.within <= 6)).fill_null(0)
    return ratio(recent, invoices.amount.sum(where=is_billed & (invoices.within > 12)))


@feature(
    source=INVOICES,
    months=(12,),
    unit=Unit.SHARE,
    risk=Risk.RISES,
    null_means=NOTHING_BILLED,
    title_en="Credit notes over billing (dilution), {months} months",
    title_zh="近{months}个月贷项通知单占开票额的比例（稀释率）",
    en="{value:.1%} of what was billed in {months} months was credited again",
    zh="近{months}个月开票额中有{value:.1%}被冲销",
    people_only=True,
)
def credit_note_share(invoices: ir.Table) -> ir.Value:
    """Dilution: credit notes over invoices and debit notes of the window; may pass 1."""
    credited = (-invoices.amount).sum(where=invoices.amount < 0).fill_null(0)
    return ratio(credited, invoices.amount.sum(where=invoices.amount > 0))


@feature(
    source=INVOICES,
    months=(12,),
    unit=Unit.DAYS,
    risk=Risk.EITHER,
    null_means=NOTHING_BILLED,
    title_en="Mean terms of payment, {months} months",
    title_zh="近{months}个月平均账期天数",
    en="Terms of {value:.0f} day{s} on average over {months} months",
    zh="近{months}个月平均账期为{value:.0f}天",
    people_only=True,
)
def mean_terms_days(invoices: ir.Table) -> ir.Value:
    """Days from issue to due date, weighted by amount."""
    is_billed = (invoices.amount > 0) & invoices.terms_days.notnull()
    return ratio((invoices.terms_days * invoices.amount).sum(where=is_billed), invoices.amount.sum(where=is_billed))


@feature(
    source=INVOICES,
    months=(12,),
    unit=Unit.DAYS,
    risk=Risk.RISES,
    null_means=NOTHING_BILLED_IN_ONE,
    title_en="Change of terms, last 3 months against the 9 before",
    title_zh="近3个月账期较此前9个月的变化",
    en="Terms of the last 3 months changed by {value:+.0f} day{s} against the 9 months before",
    zh="近3个月账期较此前9个月变化{value:+.0f}天",
    people_only=True,
)
def terms_change(invoices: ir.Table) -> ir.Value:
    """Mean terms of 3 months less those of the 9 before; longer terms put off lateness."""
    is_billed = (invoices.amount > 0) & invoices.terms_days.notnull()
    is_recent = is_billed & (invoices.within <= 3)
    is_earlier = is_billed & (invoices.within > 3)
    weighted = invoices.terms_days * invoices.amount
    recent = ratio(weighted.sum(where=is_recent), invoices.amount.sum(where=is_recent))
    return change(recent, ratio(weighted.sum(where=is_earlier), invoices.amount.sum(where=is_earlier)))


@feature(
    source=INVOICES,
    unit=Unit.DAYS,
    risk=Risk.RISES,
    null_means=NEVER,
    title_en="Days since the last invoice",
    title_zh="距最近一张发票的天数",
    en="The last invoice was issued {value:.0f} day{s} ago",
    zh="最近一张发票在{value:.0f}天前开具",
    people_only=True,
)
def days_since_last_invoice(invoices: ir.Table) -> ir.Value:
    """Days from the last invoice of 18 months to the day."""
    last = invoices.issued_on.max(where=invoices.kind != "credit_note")
    return days_between(invoices.as_of.max(), last)


@feature(
    source=BALANCE,
    unit=Unit.DAYS,
    risk=Risk.RISES,
    null_means=NOTHING_PAID,
    title_en="Days since the last payment",
    title_zh="距最近一笔付款的天数",
    en="The last payment came {value:.0f} day{s} ago",
    zh="最近一笔付款在{value:.0f}天前",
    people_only=True,
)
def days_since_last_payment(balance: ir.Table) -> ir.Value:
    """Days from the last payment of 12 months to the day."""
    return days_between(balance.as_of, balance.last_paid_on)


@feature(
    source=CUSTOMERS,
    unit=Unit.MONTHS,
    risk=Risk.FALLS,
    null_means=NOT_STATED,
    title_en="Length of the business relation",
    title_zh="合作时长",
    en="A customer for {value:.0f} month{s}",
    zh="合作时长为{value:.0f}个月",
)
def tenure_months(customers: ir.Table) -> ir.Value:
    """Months since the first day of the business relation; not below 0."""
    days = days_between(customers.as_of, customers.customer_since)
    return in_months((days < 0).ifelse(0, days))


@feature(
    source=CUSTOMERS,
    unit=Unit.YEARS,
    risk=Risk.FALLS,
    null_means=NOT_STATED,
    title_en="Age of the firm",
    title_zh="企业成立年限",
    en="Founded {value:.0f} year{s} ago",
    zh="企业成立{value:.0f}年",
)
def firm_age_years(customers: ir.Table) -> ir.Value:
    """Years since foundation; not below 0."""
    days = days_between(customers.as_of, customers.founded_on)
    return in_years((days < 0).ifelse(0, days))


@feature(
    source=CUSTOMERS,
    unit=Unit.CATEGORY,
    risk=Risk.EITHER,
    null_means=NOT_STATED,
    title_en="Industry section",
    title_zh="行业门类",
    en="Industry section {value}",
    zh="行业门类为{value}",
)
def industry_section(customers: ir.Table) -> ir.Value:
    """First letter of the ISIC or GB/T 4754 code, such as C for manufacturing and F for construction or trade."""
    return customers.industry_section


@feature(
    source=CUSTOMERS,
    unit=Unit.CATEGORY,
    risk=Risk.EITHER,
    null_means=NOT_STATED,
    title_en="Size class",
    title_zh="企业规模",
    en="Size class {value}",
    zh="企业规模为{value}",
)
def size_class(customers: ir.Table) -> ir.Value:
    """Size class of the firm, as the customer master states it."""
    return customers.size_class


@feature(
    source=CUSTOMERS,
    unit=Unit.FLAG,
    risk=Risk.EITHER,
    null_means=NOT_STATED,
    title_en="Natural person",
    title_zh="是否自然人",
    en="Natural person: {value:.0f} (1 is yes)",
    zh="是否自然人（1为是）：{value:.0f}",
)
def is_natural_person(customers: ir.Table) -> ir.Value:
    """1 for a person, sole traders included; 0 for a company."""
    return customers.is_natural_person.cast("int8")
