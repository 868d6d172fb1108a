"""How much the customer orders against its own past, and against what is billed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.features.absence import (
    NEVER,
    NO_TABLE,
    NOTHING_BILLED,
    NOTHING_ORDERED,
    NOTHING_ORDERED_BEFORE,
    TOO_FEW_ORDERS,
)
from pipeline.features.arithmetic import days_between, positive_ratio, ratio
from pipeline.features.balances import BALANCE
from pipeline.features.feature import Risk, Unit, feature
from pipeline.features.ledger_rows import ORDERS

if TYPE_CHECKING:
    import ibis.expr.types as ir


@feature(
    source=ORDERS,
    months=(3, 12),
    unit=Unit.COUNT,
    risk=Risk.FALLS,
    null_means=NO_TABLE,
    title_en="Orders, {months} months",
    title_zh="近{months}个月订单数",
    en="{value:.0f} order{s} in {months} months",
    zh="近{months}个月有{value:.0f}笔订单",
    without_rows=0.0,
)
def order_count(orders: ir.Table) -> ir.Value:
    """Number of orders, cancelled ones included."""
    return orders.count()


@feature(
    source=ORDERS,
    months=(12,),
    unit=Unit.RATIO,
    risk=Risk.FALLS,
    null_means=NOTHING_ORDERED,
    title_en="Order level, last 3 months against 12",
    title_zh="近3个月订单水平与近12个月之比",
    en="Orders of the last 3 months run at {value:.0%} of the 12-month level",
    zh="近3个月的订单水平为近12个月平均的{value:.0%}",
)
def order_trend(orders: ir.Table) -> ir.Value:
    """Amount ordered in 3 months, times four, over that of 12; 1 is steady, cancelled orders left out."""
    placed = orders.amount * (~orders.is_cancelled).cast("int8")
    recent = placed.sum(where=orders.within <= 3).fill_null(0)
    return ratio(recent * 4, placed.sum())


@feature(
    source=ORDERS,
    months=(18,),
    unit=Unit.RATIO,
    risk=Risk.FALLS,
    null_means=NOTHING_ORDERED_BEFORE,
    title_en="Orders of 6 months against the same half-year a year before",
    title_zh="近6个月订单额与上年同期之比",
    en="Orders of the last 6 months are {value:.0%} of the same half-year a year before",
    zh="近6个月订单额为上年同期的{value:.0%}",
)
def order_level_year_on_year(orders: ir.Table) -> ir.Value:
    """Amount ordered in 6 months over that of the same months a year before: free of the season."""
    placed = orders.amount * (~orders.is_cancelled).cast("int8")
    recent = placed.sum(where=orders.within <= 6).fill_null(0)
    return ratio(recent, placed.sum(where=orders.within > 12))


@feature(
    source=ORDERS,
    months=(12,),
    unit=Unit.SHARE,
    risk=Risk.RISES,
    null_means=NOTHING_ORDERED,
    title_en="Share of orders cancelled, {months} months",
    title_zh="近{months}个月取消订单金额占比",
    en="{value:.0%} of the amount ordered in {months} months was cancelled",
    zh="近{months}个月订单金额中有{value:.0%}被取消",
)
def cancelled_order_share(orders: ir.Table) -> ir.Value:
    """Amount of cancelled orders over all that was ordered."""
    return ratio(orders.amount.sum(where=orders.is_cancelled).fill_null(0), orders.amount.sum())


@feature(
    source=ORDERS,
    unit=Unit.DAYS,
    risk=Risk.RISES,
    null_means=NEVER,
    title_en="Days since the last order",
    title_zh="距最近一笔订单的天数",
    en="The last order came {value:.0f} day{s} ago",
    zh="最近一笔订单在{value:.0f}天前",
)
def days_since_last_order(orders: ir.Table) -> ir.Value:
    """Days from the last order of 18 months to the day."""
    return days_between(orders.as_of.max(), orders.ordered_on.max())


@feature(
    source=ORDERS,
    months=(12,),
    unit=Unit.RATIO,
    risk=Risk.RISES,
    null_means=TOO_FEW_ORDERS,
    title_en="Silence since the last order, in usual gaps",
    title_zh="距上次订单的间隔相当于平时间隔的倍数",
    en="No order for {value:.1f} times the customer's usual gap between orders",
    zh="距上次订单的时间为该客户平时订单间隔的{value:.1f}倍",
)
def order_gap_over_habit(orders: ir.Table) -> ir.Value:
    """Days since the last order over the mean gap between the orders of 12 months; null under three orders."""
    days = days_between(orders.as_of.max(), orders.ordered_on.max())
    gaps = (orders.count() >= 3).ifelse(orders.count() - 1, None)
    return ratio(days * gaps, days_between(orders.ordered_on.max(), orders.ordered_on.min()))


@feature(
    source=BALANCE,
    tables=("orders",),
    unit=Unit.RATIO,
    risk=Risk.FALLS,
    null_means=NOTHING_BILLED,
    title_en="Orders over billing, 3 months",
    title_zh="近3个月订单额与开票额之比",
    en="Orders of 3 months cover {value:.0%} of what was billed in them",
    zh="近3个月新订单额为同期开票额的{value:.0%}",
    people_only=True,
)
def book_to_bill_3m(balance: ir.Table) -> ir.Value:
    """Amount ordered (less cancelled) over what was billed in 3 months; below 1 billing is going to fall."""
    return positive_ratio(balance.ordered_3m_amount.fill_null(0), balance.billed_3m_amount)
