"""Each absence of the catalogue as a question to one customer's rows of one day; true where there is nothing to tell.

A question may have no answer (null): then only the loops that compute the column say whether it is null.
"""

from pipeline.features import absence as words

SECURING = ("insurance", "guarantee", "collateral")


class Rows:
    """What the questions look at."""

    def __init__(self, view, customer):
        self.view, self.customer = view, customer

    def paid(self, months):
        return self.view.paid(self.customer, months)

    def settled(self, months):
        return [row for row in self.paid(months) if row["final"]]

    def ordinary(self, months):
        return [row for row in self.paid(months) if row["late"] <= 60]

    def dated(self, table, on, months):
        return self.view.recent(table, self.customer, months, on)

    def bills(self, months):
        return [row for row in self.dated("invoices", "issued_on", months) if row["kind"] != "credit_note"]

    def net_billed(self, months):
        return sum(row["amount"] for row in self.dated("invoices", "issued_on", months))

    def live_orders(self, months):
        return [row for row in self.dated("orders", "ordered_on", months) if row["cancelled_on"] is None]

    def owed(self):
        return self.view.owed(self.customer)

    def overdue(self):
        return [row for row in self.owed() if row["dpd"]]

    def before(self, months, rows, on):
        return [row for row in rows if row[on] <= self.view.before(months)]

    def master(self, column):
        row = self.view.master(self.customer)
        value = row and row[column]
        return value.strip() or None if isinstance(value, str) else value

    def valid(self, table, months=0):
        day = self.view.before(months)
        rows = [row for row in self.view.of(table, self.customer) if row["valid_from"] <= day]
        return [row for row in rows if row["valid_to"] is None or row["valid_to"] >= day]

    def limit(self, months=0):
        rows = self.valid("limits", months)
        return max(rows, key=lambda row: row["valid_from"])["limit_amount"] if rows else None

    def secured(self, months=0):
        return [row for row in self.valid("covers", months) if row["kind"] in SECURING]

    def ratings(self):
        rows = self.dated("events", "occurred_on", 36)
        return [row for row in rows if row["kind"] == "external_rating" and row["value"] is not None]

    def contracts(self):
        rows = [row for row in self.view.of("contracts", self.customer) if row["starts_on"] <= self.view.day]
        return [row for row in rows if row["ends_on"] is None or row["ends_on"] >= self.view.day]

    def accounts(self):
        """The latest accounts and those of the year before; null where there are none."""
        rows = self.dated("financials", "period_end", 36)
        if not rows:
            return None, None
        last = max(rows, key=lambda row: row["period_end"])
        like = [row for row in rows if row["period_months"] == last["period_months"]]
        near = [row for row in like if 350 <= (last["period_end"] - row["period_end"]).days <= 380]
        return last, max(near, key=lambda row: row["period_end"], default=None)

    def group(self):
        own = self.master("group_id")
        members = [row["customer_id"] for row in self.view.rows("customers") if own and row["group_id"] == own]
        return [customer for customer in members if customer != self.customer]

    def group_owes(self):
        return [row for customer in self.group() for row in self.view.owed(customer)]


def holds(rows, feature):
    """Whether the feature's absence holds; null where no question is written for it."""
    by_definition = _BY_DEFINITION.get(feature.name)
    if by_definition:
        return by_definition(rows)
    question = _QUESTIONS.get(feature.null_means)
    return None if question is None else question(rows, feature.months or _window_named(feature.name))


def _window_named(name):
    """The window that the name ends in, of a column without windows; a year where it names none."""
    ending = name.rpartition("_")[2]
    return int(ending[:-1]) if ending[:-1].isdigit() and ending.endswith("m") else 12


def _is_full(accounts):
    """Every line is there, and what others are divided by is above 0."""
    return None not in (accounts["audited"], *(accounts[name] for name in _LINES)) and all(
        accounts[name] > 0 for name in (*_WHOLES, "period_months")
    )


def _without_accounts(rows, _months):
    last, _ = rows.accounts()
    return True if last is None else (False if _is_full(last) else None)


def _without_earlier_accounts(rows, _months):
    last, before = rows.accounts()
    if last is None or before is None:
        return True
    return False if _is_full(last) and _is_full(before) else None


_WHOLES = ("total_assets", "current_liabilities", "total_liabilities", "equity", "revenue", "cost_of_sales",
           "interest_expense", "short_term_debt", "long_term_debt")  # fmt: skip
_LINES = (*_WHOLES, "current_assets", "cash", "inventory", "receivables", "retained_earnings", "ebit", "net_income",
          "operating_cash_flow")  # fmt: skip
_QUESTIONS = {
    words.NO_TABLE.en: lambda r, k: False,
    words.NOTHING_PAID.en: lambda r, k: not r.paid(k),
    words.NOTHING_SETTLED.en: lambda r, k: not r.settled(k),
    words.NO_HABIT.en: lambda r, k: not r.paid(3) or not r.before(3, r.paid(12), "paid_on"),
    words.NOTHING_PAID_ORDINARILY.en: lambda r, k: not r.ordinary(k),
    words.NO_PAYMENT_COUNTS.en: lambda r, k: not r.ordinary(k) and all(row["final"] for row in r.paid(k)),
    words.NOTHING_SETTLED_ORDINARILY.en: lambda r, k: not [row for row in r.ordinary(k) if row["final"]],
    words.NOTHING_OPEN.en: lambda r, k: not r.owed(),
    words.NOTHING_OPEN_OR_NO_HABIT.en: lambda r, k: not r.owed() or not r.ordinary(12),
    words.NOTHING_DUE.en: lambda r, k: not [i for i in r.dated("invoices", "due_on", k) if i["amount"] > 0],
    words.NOTHING_BILLED.en: lambda r, k: True if not r.bills(k) else (False if r.net_billed(k) > 0 else None),
    words.NOTHING_BILLED_IN_ONE.en: lambda r, k: not r.bills(3) or not r.before(3, r.bills(12), "issued_on"),
    words.NOTHING_ORDERED_BEFORE.en: lambda r, k: not r.before(12, r.live_orders(18), "ordered_on"),
    words.NO_OBLIGATION.en: lambda r, k: not r.dated("obligations", "due_on", k),
    words.NO_DISPUTE.en: lambda r, k: not r.dated("disputes", "opened_on", k),
    words.NO_CONTRACT.en: lambda r, k: not r.contracts(),
    words.NO_LIMIT.en: lambda r, k: not r.limit(),
    words.NO_EARLIER_LIMIT.en: lambda r, k: r.limit() is None or not r.limit(12),
    words.NO_EARLIER_COVER.en: lambda r, k: not sum(row["amount"] for row in r.secured(12)),
    words.NO_ACCOUNTS.en: _without_accounts,
    words.NO_INTEREST.en: _without_accounts,
    words.NO_DEBT.en: _without_accounts,
    words.NO_EARLIER_ACCOUNTS.en: _without_earlier_accounts,
    words.TOO_FEW_PAYMENTS.en: lambda r, k: len({row["paid_on"] for row in r.paid(k)}) < 3,
    words.ONE_PAYMENT_DAY.en: lambda r, k: len({row["paid_on"] for row in r.paid(k)}) < 2,
    words.NOTHING_LATE.en: lambda r, k: not [row for row in r.paid(k) if row["late"] > 0] and not r.overdue(),
    words.NO_GROUP_PAYMENT.en: lambda r, k: not [p for c in r.group() for p in r.view.paid(c, 12)],
    words.NO_GROUP.en: lambda r, k: not r.group(),
    words.NO_GROUP_BALANCE.en: lambda r, k: not r.group_owes(),
    words.NO_RATING.en: lambda r, k: not r.ratings(),
    words.NO_EARLIER_RATING.en: lambda r, k: not r.before(12, r.ratings(), "occurred_on"),
}
# What only the definition of the feature tells, with its words.
TOLD_BY_THE_DEFINITION = {
    "days_late_over_own_best_24m": "of the last 6 months",
    "order_trend_12m": "cancelled orders left out",
    "order_gap_over_habit_12m": "null under three orders",
    "contract_months_left": "null also when all are open-ended",
    "rejected_dispute_share_12m": "over disputes settled",
    "cover_to_open": "null also when nothing is open",
    "upheld_dispute_share_12m": "over disputes settled",
    "terms_used_12m": "over days from issue to due date",
    "dso_12m": "Open amount over what was billed",
}
_NAMED = ("firm_age_years", "founded_on"), ("size_class", "size_class"), ("is_natural_person", "is_natural_person")
_BY_DEFINITION = {
    **{name: lambda r, column=column: r.master(column) is None for name, column in _NAMED},
    "days_late_over_own_best_24m": lambda r: not [row for row in r.ordinary(6) if row["final"]],
    "order_trend_12m": lambda r: not r.live_orders(12),
    "cancelled_order_share_12m": lambda r: not r.dated("orders", "ordered_on", 12),
    "days_since_last_order": lambda r: not r.dated("orders", "ordered_on", 18),
    "days_since_last_invoice": lambda r: not r.bills(18),
    "order_gap_over_habit_12m": lambda r: _without_gap(r.dated("orders", "ordered_on", 12)),
    "billing_level_year_on_year_18m": lambda r: not r.before(12, r.bills(18), "issued_on"),
    "contract_months_left": lambda r: not [c for c in r.contracts() if c["ends_on"] and c["ends_on"].year < 9999],
    "rejected_dispute_share_12m": lambda r: not [d for d in r.dated("disputes", "opened_on", 12) if d["resolved_on"]],
    "upheld_dispute_share_12m": lambda r: not [d for d in r.dated("disputes", "opened_on", 12) if d["resolved_on"]],
    "terms_used_12m": lambda r: all(row["item"]["due_on"] == row["item"]["issued_on"] for row in r.paid(12)),
    "billing_level_same_quarter": lambda r: not r.before(12, r.bills(15), "issued_on"),
    "order_level_same_quarter": lambda r: not r.before(12, r.live_orders(15), "ordered_on"),
    "limit_age_months": lambda r: r.limit() is None,
    "limit_in_months_of_billing": lambda r: r.limit() is None or r.net_billed(12) <= 0,
    "cover_to_open": lambda r: not r.secured() or not r.owed(),
    "premium_rate": lambda r: not [c for c in r.valid("covers") if c["premium_rate"] is not None],
    **{name: lambda r: r.net_billed(3) <= 0 for name in ("dso_3m", "paid_to_billed_3m", "book_to_bill_3m")},
    **{name: lambda r: r.net_billed(12) <= 0 for name in ("dso_12m", "overdue_days_of_billing", "overdue_growth_3m",
                                                          "open_growth_3m")},
}  # fmt: skip


def _without_gap(orders):
    days = [row["ordered_on"] for row in orders]
    return len(days) < 3 or max(days) == min(days)
