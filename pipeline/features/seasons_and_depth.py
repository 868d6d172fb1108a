"""Orders and billing against the same season, a burst of orders while money is owed, and how much is known at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from pipeline.features.absence import (
    NO_MASTER,
    NO_TABLE,
    NOT_OVERDUE_OR_NO_ORDERS,
    NOTHING_BILLED_IN_ONE,
    NOTHING_INVOICED,
    NOTHING_ORDERED_BEFORE,
)
from pipeline.features.arithmetic import days_between, in_months, positive_ratio, ratio
from pipeline.features.balances import BALANCE
from pipeline.features.customer_master import CUSTOMERS, STATED
from pipeline.features.data_depth import DEPTH, SUBJECT_COUNT
from pipeline.features.feature import Risk, Unit, feature
from pipeline.features.ledger_rows import INVOICES, ORDERS
from pipeline.features.write_offs import WRITE_OFFS

if TYPE_CHECKING:
    import ibis.expr.types as ir


@feature(
    source=ORDERS,
    unit=Unit.RATIO,
    risk=Risk.FALLS,
    null_means=NOTHING_ORDERED_BEFORE,
    title_en="Orders of 3 months against the same quarter a year before",
    title_zh="近3个月订单额与上年同季之比",
    en="Orders of the last 3 months are {value:.0%} of the same quarter a year before",
    zh="近3个月订单额为上年同季的{value:.0%}",
)
def order_level_same_quarter(orders: ir.Table) -> ir.Value:
    """Amount ordered in 3 months over that of the same months a year before: free of the season, cancelled left out."""
    placed = orders.amount * (~orders.is_cancelled).cast("int8")
    recent = placed.sum(where=orders.within <= 3).fill_null(0)
    return ratio(recent, placed.sum(where=orders.within == 15))


@feature(
    source=INVOICES,
    unit=Unit.RATIO,
    risk=Risk.FALLS,
    null_means=NOTHING_BILLED_IN_ONE,
    title_en="Billing of 3 months against the same quarter a year before",
    title_zh="近3个月开票额与上年同季之比",
    en="Billing of the last 3 months is {value:.0%} of the same quarter a year before",
    zh="近3个月开票额为上年同季的{value:.0%}",
    people_only=True,
)
def billing_level_same_quarter(invoices: ir.Table) -> ir.Value:
    """Amount invoiced in 3 months over that of the same months a year before: free of the season."""
    is_billed = invoices.amount > 0
    recent = invoices.amount.sum(where=is_billed & (invoices.within <= 3)).fill_null(0)
    return ratio(recent, invoices.amount.sum(where=is_billed & (invoices.within == 15)))


@feature(
    source=BALANCE,
    tables=("orders",),
    unit=Unit.RATIO,
    risk=Risk.RISES,
    null_means=NOT_OVERDUE_OR_NO_ORDERS,
    title_en="Burst of orders while something is overdue",
    title_zh="有逾期账款时的集中下单",
    en="With items overdue, what was ordered in the last month is {value:.1f} times the monthly mean of the 11 before",
    zh="在有逾期账款的情况下，近1个月订单额为此前11个月月均的{value:.1f}倍",
    people_only=True,
)
def order_burst_while_overdue(balance: ir.Table) -> ir.Value:
    """Amount ordered in the last month over the monthly mean of the 11 before, where something is overdue.

    Who stocks up on credit that it does not pay back prepares to leave.
    """
    before = balance.ordered_12m_amount - balance.ordered_1m_amount
    recent = (balance.overdue_amount > 0).ifelse(balance.ordered_1m_amount * 11, None)
    return positive_ratio(recent, before)


@feature(
    source=WRITE_OFFS,
    months=(24,),
    unit=Unit.COUNT,
    risk=Risk.RISES,
    null_means=NO_TABLE,
    title_en="Invoices written off, {months} months",
    title_zh="近{months}个月核销的发票数",
    en="{value:.0f} invoice{s} written off in {months} months",
    zh="近{months}个月核销{value:.0f}张发票",
    without_rows=0.0,
)
def write_off_count(written_off: ir.Table) -> ir.Value:
    """Number of documents written off: a loss that has been borne before."""
    return written_off.count()


@feature(
    source=DEPTH,
    unit=Unit.MONTHS,
    risk=Risk.FALLS,
    null_means=NOTHING_INVOICED,
    title_en="Months of known history",
    title_zh="已知历史月数",
    en="{value:.0f} month{s} of known history",
    zh="已知历史为{value:.0f}个月",
    people_only=True,
)
def history_months(depth: ir.Table) -> ir.Value:
    """Months since the first day on which an invoice was known: what the other columns can rest on."""
    return in_months(days_between(depth.as_of, depth.known_since))


@feature(
    source=DEPTH,
    tables=("orders", "financials", "contracts", "limits", "events"),
    unit=Unit.SHARE,
    risk=Risk.EITHER,
    null_means=NO_TABLE,
    title_en="Share of subjects with data",
    title_zh="有数据的主题占比",
    en="Data on {value:.0%} of five subjects: orders, accounts, limit, contract and rating",
    zh="订单、财务报表、额度、合同与评级五个主题中有{value:.0%}具备数据",
)
def told_subject_share(depth: ir.Table) -> ir.Value:
    """Of orders in 12 months, accounts, a limit, a contract in force and a rating, the share that is there."""
    return ratio(depth.told_subjects, ibis.literal(SUBJECT_COUNT))


@feature(
    source=CUSTOMERS,
    unit=Unit.SHARE,
    risk=Risk.EITHER,
    null_means=NO_MASTER,
    title_en="Share of the customer master that is filled in",
    title_zh="客户主数据完整度",
    en="{value:.0%} of the customer master is filled in",
    zh="客户主数据完整度为{value:.0%}",
)
def master_data_share(customers: ir.Table) -> ir.Value:
    """Filled fields over all of: tax number, foundation, industry, region, country, size, bank, telephone, address."""
    return ratio(customers.stated_count, ibis.literal(len(STATED)))
