"""What a customer can do about its rating: the steps that features name, and when each could show.

A feature names a step only where the customer alone can take it, where it has one safe direction, and where nobody is
worse off for taking it. Not steps: what time or others decide (age, industry, group, the economy, outside ratings),
what a supplier should not ask for (to order more or less, to ask for less time, to dispute less), and single figures of
accounts, which cannot be moved one by one (docs/statement.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Step:
    """One thing to do, said to the customer in both languages.

    `shows`: `in_window`, a feature over k months tells of it fully k months later, one without a window at once;
    `at_once`, whatever the window: the feature looks at the state of the day.
    """

    name: str
    en: str
    zh: str
    shows: Literal["in_window", "at_once"] = "in_window"


CLEAR_OVERDUE = Step("clear_overdue", "Pay the items that are overdue", "付清已逾期的款项", shows="at_once")
PAY_ON_TIME = Step(
    "pay_on_time",
    "Pay every invoice by its due date and in full, month after month",
    "每张发票均按期、足额付款，并持续保持",
)
LET_PAYMENTS_CLEAR = Step(
    "let_payments_clear",
    "See that payments clear: no cheque or direct debit is returned",
    "确保付款成功到账，不发生退票或扣款失败",
)
KEEP_OBLIGATIONS = Step(
    "keep_obligations", "Fulfil what the contracts ask by the agreed dates", "按约定日期履行合同义务"
)
STAY_WITHIN_LIMIT = Step("stay_within_limit", "Stay within the limit", "不超出信用额度")
SEND_ACCOUNTS = Step(
    "send_accounts",
    "Hand in newer accounts, and hand them in sooner after the year's end",
    "提交更新的财务报表，并在年度结束后尽早提交",
    shows="at_once",
)
AUDIT_ACCOUNTS = Step("audit_accounts", "Have the accounts audited", "财务报表经过审计", shows="at_once")
BRING_COVER = Step(
    "bring_cover",
    "Bring more cover: credit insurance, a guarantee or collateral",
    "增加保障：信用保险、保函或抵押",
    shows="at_once",
)
STEPS = (
    CLEAR_OVERDUE,
    PAY_ON_TIME,
    LET_PAYMENTS_CLEAR,
    KEEP_OBLIGATIONS,
    STAY_WITHIN_LIMIT,
    SEND_ACCOUNTS,
    AUDIT_ACCOUNTS,
    BRING_COVER,
)
