"""What the null of a feature means, in both languages. Null is an answer, never imputed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Absence:
    """One meaning of null; also true of every customer where a needed table was not handed in."""

    en: str
    zh: str


NO_TABLE = Absence("the table was not handed in", "未提供该数据表")
NOTHING_PAID = Absence("nothing was paid in the window", "窗口期内没有付款")
NOTHING_SETTLED = Absence("no invoice was settled in the window", "窗口期内没有结清的发票")
NOTHING_SETTLED_ORDINARILY = Absence(
    "no invoice was settled at most 60 days late in the window", "窗口期内没有逾期60天以内结清的发票"
)
NOTHING_PAID_ORDINARILY = Absence(
    "nothing was paid at most 60 days late in the window", "窗口期内没有逾期60天以内的付款"
)
NO_PAYMENT_COUNTS = Absence(
    "nothing was paid in part or at most 60 days late in the window", "窗口期内没有部分付款，也没有逾期60天以内的付款"
)
NO_HABIT = Absence("nothing was paid in one of the two periods compared", "所比较的两个时期中至少有一个没有付款")
NOTHING_LATE = Absence("nothing was late in the window", "窗口期内没有逾期")
TOO_FEW_PAYMENTS = Absence("payments on fewer than three days of the window", "窗口期内付款日不足三天")
ONE_PAYMENT_DAY = Absence("payments on fewer than two days of the window", "窗口期内付款日不足两天")
NOTHING_PAID_IN_ONE_OF_THREE = Absence(
    "nothing was paid in one of the three periods compared", "所比较的三个时期中至少有一个没有付款"
)
NOTHING_IN_BUCKET = Absence("nothing stood in that bucket then", "当时该账龄区间没有账款")
NOTHING_OPEN = Absence("nothing is open", "没有未清账款")
NOTHING_OPEN_OR_NO_HABIT = Absence(
    "nothing is open, or nothing was paid at most 60 days late in 12 months",
    "没有未清账款，或近12个月没有逾期60天以内的付款",
)
NOTHING_DUE = Absence("nothing fell due in the window", "窗口期内没有到期账款")
NOTHING_BILLED = Absence("nothing was billed in the window", "窗口期内没有开票")
NOTHING_BILLED_IN_ONE = Absence(
    "nothing was billed in one of the two periods compared", "所比较的两个时期中至少有一个没有开票"
)
NOTHING_INVOICED = Absence("no invoice is known yet", "尚无已知发票")
NOT_OVERDUE_OR_NO_ORDERS = Absence(
    "nothing is overdue, or nothing was ordered in the 11 months before", "没有逾期账款，或此前11个月没有订单"
)
NOTHING_ORDERED = Absence("nothing was ordered in the window", "窗口期内没有订单")
NOTHING_ORDERED_BEFORE = Absence("nothing was ordered in the period compared with", "对比期内没有订单")
TOO_FEW_ORDERS = Absence("fewer than three orders in 12 months", "近12个月订单不足三笔")
NEVER = Absence("it has not happened within 18 months", "近18个月内没有发生")
NO_MASTER = Absence("the customer master does not have the customer yet", "客户主数据中尚无该客户")
NOT_STATED = Absence("the customer master does not say", "客户主数据未载明")
NO_ACCOUNTS = Absence(
    "no accounts of the last 36 months are known, or a line is missing", "近36个月没有可用的财务报表，或缺少相应科目"
)
NO_EARLIER_ACCOUNTS = Absence("no accounts of two years running are known", "没有连续两年的财务报表可比")
NO_INTEREST = Absence("no accounts are known, or no interest was paid", "没有财务报表，或没有利息支出")
NO_DEBT = Absence("no accounts are known, or there is no debt", "没有财务报表，或没有有息负债")
NO_CONTRACT = Absence("no contract is in force", "没有有效合同")
NO_OBLIGATION = Absence("no obligation fell due in the window", "窗口期内没有到期的合同义务")
NO_CONTRACT_OR_NOTHING_OPEN = Absence("no contract is in force, or nothing is open", "没有有效合同，或没有未清账款")
NO_DISPUTE_OR_BILLING = Absence(
    "there was no dispute in the window, or nothing was billed", "窗口期内没有争议，或没有开票"
)
NO_LIMIT_IN_YEAR = Absence("the customer had no limit in 12 months", "近12个月没有信用额度")
NO_DISPUTE = Absence("there was no such dispute in the window", "窗口期内没有此类争议")
NO_LIMIT = Absence("the customer has no limit", "该客户没有信用额度")
NO_EARLIER_LIMIT = Absence("the customer had no limit at one of the two days", "两个时点中至少有一个没有信用额度")
NO_COVER = Absence("the customer has no cover", "该客户没有信用保障")
NO_EARLIER_COVER = Absence("the customer had no cover 12 months ago", "12个月前没有信用保障")
NO_MARK = Absence("the customer master states none", "客户主数据未载明该项")
NO_GROUP = Absence("the customer has no group with other customers", "该客户没有集团内的其他客户")
NO_GROUP_BALANCE = Absence("nothing is open with other customers of the group", "集团内其他客户没有未清账款")
NO_GROUP_PAYMENT = Absence("other customers of the group paid nothing in 12 months", "集团内其他客户近12个月没有付款")
NO_PEERS = Absence(
    "the industry is unknown or has no other customer with such items", "行业未知，或同行业没有其他可比客户"
)
NO_RATING = Absence("no external rating is known", "没有外部评级")
NO_EARLIER_RATING = Absence("no external rating was known 12 months ago", "12个月前没有外部评级")
NO_SERIES = Absence("the series has no value for the day", "该指标当日没有数值")
