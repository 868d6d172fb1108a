"""The fourteen tables of the ledger, each by its contract."""

from __future__ import annotations

from pipeline.tables.contract import Column, DateRange, Kind, Table

_KNOWN_ON = Column("known_on", Kind.DATE, "the day we learned of the row")
_CUSTOMER = Column("customer_id", Kind.ID, "the customer", references="customers")
_CURRENCY = Column("currency", Kind.TEXT, "ISO 4217 code of the amounts in the row")


def _id(name: str, meaning: str) -> Column:
    return Column(name, Kind.ID, meaning)


def _optional(name: str, kind: Kind, meaning: str, references: str | None = None) -> Column:
    return Column(name, kind, meaning, is_null_allowed=True, references=references)


def _event(name: str, meaning: str) -> Column:
    return Column(name, Kind.DATE, meaning)


def _future(name: str, meaning: str, *, is_null_allowed: bool = False) -> Column:
    return Column(name, Kind.DATE, meaning, is_null_allowed=is_null_allowed, date_range=DateRange.FUTURE)


def _revealed(name: str, meaning: str, reveals: tuple[str, ...] = ()) -> Column:
    return Column(name, Kind.DATE, meaning, is_null_allowed=True, is_revealed=True, reveals=reveals)


def _positive_money(name: str, meaning: str, *, is_null_allowed: bool = False) -> Column:
    return Column(
        name,
        Kind.MONEY,
        meaning,
        is_null_allowed=is_null_allowed,
        zero_is_allowed=False,
        negative_is_allowed=False,
    )


def _signed_money(name: str, meaning: str) -> Column:
    return Column(name, Kind.MONEY, meaning, zero_is_allowed=False)


def _base_amount(name: str = "amount_document") -> Column:
    return Column(
        name,
        Kind.MONEY,
        "the amount as handed in, in the document's currency (of a payment or dispute: the invoice's); "
        "`amount` holds it in the base currency at the rate of the issue date",
    )


CUSTOMERS = Table(
    name="customers",
    grain="One row per customer and revision.",
    is_needed=True,
    key=("customer_id",),
    event_on=None,
    columns=(
        _id("customer_id", "the supplier's number for the customer"),
        Column("name", Kind.TEXT, "legal name"),
        _optional("tax_id", Kind.ID, "tax or registration number"),
        Column("founded_on", Kind.DATE, "day of foundation or birth", is_null_allowed=True, date_range=DateRange.BIRTH),
        Column("customer_since", Kind.DATE, "first day of the business relation", date_range=DateRange.BIRTH),
        _optional("industry", Kind.TEXT, "ISIC or GB/T 4754 code"),
        _optional("region", Kind.TEXT, "region within the country"),
        _optional("country", Kind.TEXT, "ISO 3166 code; NA is Namibia"),
        _optional("group_id", Kind.ID, "parent group"),
        _optional("is_natural_person", Kind.BOOL, "a person, not a company; sole traders are"),
        _optional("is_public_body", Kind.BOOL, "a public body"),
        _optional("size_class", Kind.TEXT, "size class of the firm"),
        _optional("bank_account", Kind.TEXT, "bank account; only ever compared as a hash"),
        _optional("phone", Kind.TEXT, "telephone; only ever compared as a hash"),
        _optional("address", Kind.TEXT, "address; only ever compared as a hash"),
        _optional("collector", Kind.TEXT, "who collects"),
        _KNOWN_ON,
    ),
)

INVOICES = Table(
    name="invoices",
    grain="One row per invoice, credit note or debit note, and revision.",
    is_needed=True,
    key=("invoice_id",),
    event_on="issued_on",
    currency_column="currency",
    columns=(
        _id("invoice_id", "the document's number"),
        _CUSTOMER,
        Column("kind", Kind.TEXT, "kind of document", values=("invoice", "credit_note", "debit_note")),
        _event("issued_on", "day of issue"),
        Column(
            "due_on",
            Kind.DATE,
            "day on which payment is due; a credit note's may be missing",
            is_null_allowed=True,
            date_range=DateRange.FUTURE,
            must_be_there=True,
        ),
        _signed_money("amount", "amount in the base currency; a credit note is negative"),
        _CURRENCY,
        _optional("contract_id", Kind.ID, "the contract", references="contracts"),
        _optional("order_id", Kind.ID, "the order", references="orders"),
        _revealed("written_off_on", "day of the write-off"),
        _KNOWN_ON,
    ),
    derived=(_base_amount(),),
)

PAYMENTS = Table(
    name="payments",
    grain="One row per payment and invoice it clears, and revision.",
    is_needed=True,
    key=("payment_id", "invoice_id"),
    event_on="paid_on",
    currency_column="currency",
    columns=(
        _id("payment_id", "the payment's number"),
        _optional("invoice_id", Kind.ID, "the invoice it clears; null is not yet allocated", references="invoices"),
        _CUSTOMER,
        _event("paid_on", "day of payment"),
        _signed_money("amount", "amount in the base currency; a bounced or returned payment is a negative row"),
        Column("currency", Kind.TEXT, "ISO 4217 code; null is the invoice's", is_null_allowed=True),
        _KNOWN_ON,
    ),
    derived=(_base_amount(),),
)

DISPUTES = Table(
    name="disputes",
    grain="One row per dispute and revision.",
    is_needed=False,
    key=("dispute_id",),
    event_on="opened_on",
    absence_costs="open disputes count as overdue; no dispute features",
    columns=(
        _id("dispute_id", "the dispute's number"),
        Column("invoice_id", Kind.ID, "the disputed invoice", references="invoices"),
        _CUSTOMER,
        _event("opened_on", "day the dispute was raised"),
        _positive_money(
            "amount", "disputed part in the base currency; null is the whole invoice", is_null_allowed=True
        ),
        _revealed("resolved_on", "day the dispute was settled", reveals=("outcome",)),
        Column(
            "outcome",
            Kind.TEXT,
            "how it was settled",
            is_null_allowed=True,
            values=("upheld", "rejected", "partial"),
        ),
        _KNOWN_ON,
    ),
    derived=(_base_amount(),),
)

ORDERS = Table(
    name="orders",
    grain="One row per order and revision.",
    is_needed=False,
    key=("order_id",),
    event_on="ordered_on",
    absence_costs="no order features, no committed orders in EAD, no alert on falling orders",
    columns=(
        _id("order_id", "the order's number"),
        _CUSTOMER,
        _event("ordered_on", "day of the order"),
        _positive_money("amount", "amount in the base currency"),
        _revealed("cancelled_on", "day of cancellation"),
        _KNOWN_ON,
    ),
)

_ACCOUNT_LINES = {
    "total_assets": "total assets",
    "current_assets": "current assets",
    "cash": "cash and equivalents",
    "inventory": "inventory",
    "receivables": "trade receivables",
    "total_liabilities": "total liabilities",
    "current_liabilities": "current liabilities",
    "short_term_debt": "short-term financial debt",
    "long_term_debt": "long-term financial debt",
    "equity": "shareholders' equity",
    "retained_earnings": "retained earnings",
    "revenue": "revenue of the period",
    "cost_of_sales": "cost of sales of the period",
    "ebit": "earnings before interest and tax of the period",
    "interest_expense": "interest expense of the period",
    "net_income": "net income of the period",
    "operating_cash_flow": "operating cash flow of the period",
}

FINANCIALS = Table(
    name="financials",
    grain="One row per customer, end of period and revision; `known_on` is the day of publication.",
    is_needed=False,
    key=("customer_id", "period_end"),
    event_on="period_end",
    currency_column="currency",
    absence_costs="no accounts features; no caps by equity and purchases on limits; data depth at most C",
    columns=(
        _CUSTOMER,
        _event("period_end", "last day of the period"),
        Column("period_months", Kind.INT, "length of the period in months", negative_is_allowed=False),
        _optional("audited", Kind.BOOL, "the accounts are audited"),
        _CURRENCY,
        *(_optional(name, Kind.MONEY, f"{meaning}, base currency") for name, meaning in _ACCOUNT_LINES.items()),
        _KNOWN_ON,
    ),
)

CONTRACTS = Table(
    name="contracts",
    grain="One row per contract and revision.",
    is_needed=False,
    key=("contract_id",),
    event_on="signed_on",
    absence_costs="no contract features",
    columns=(
        _id("contract_id", "the contract's number"),
        _CUSTOMER,
        _event("signed_on", "day of signature"),
        _future("starts_on", "first day in force"),
        _future("ends_on", "last day in force", is_null_allowed=True),
        _positive_money("amount", "value in the base currency"),
        Column("deposit_amount", Kind.MONEY, "deposit held", is_null_allowed=True, negative_is_allowed=False),
        Column(
            "terms_days", Kind.INT, "agreed terms of payment in days", is_null_allowed=True, negative_is_allowed=False
        ),
        _optional("has_penalty_clause", Kind.BOOL, "late payment is penalised"),
        _KNOWN_ON,
    ),
)

OBLIGATIONS = Table(
    name="obligations",
    grain="One row per obligation under a contract and revision.",
    is_needed=False,
    key=("obligation_id",),
    event_on=None,
    absence_costs="no features of obligations kept",
    columns=(
        _id("obligation_id", "the obligation's number"),
        Column("contract_id", Kind.ID, "the contract", references="contracts"),
        _CUSTOMER,
        _future("due_on", "day on which it is due"),
        _positive_money("amount", "amount in the base currency", is_null_allowed=True),
        _revealed("fulfilled_on", "day on which it was fulfilled"),
        _KNOWN_ON,
    ),
)

LIMITS = Table(
    name="limits",
    grain="One row per customer, first day of validity and revision.",
    is_needed=False,
    key=("customer_id", "valid_from"),
    event_on=None,
    currency_column="currency",
    absence_costs="no utilisation, no alert over the limit, no step caps",
    columns=(
        _CUSTOMER,
        _future("valid_from", "first day of validity"),
        Column("limit_amount", Kind.MONEY, "limit in the base currency; 0 is a limit", negative_is_allowed=False),
        _CURRENCY,
        _future("valid_to", "last day of validity", is_null_allowed=True),
        _optional("approved_by", Kind.TEXT, "who approved it"),
        _KNOWN_ON,
    ),
)

COVERS = Table(
    name="covers",
    grain="One row per cover and revision.",
    is_needed=False,
    key=("cover_id",),
    event_on=None,
    absence_costs="LGD without cover; weak grades get no more than may stand uncovered",
    columns=(
        _id("cover_id", "the cover's number"),
        _CUSTOMER,
        Column("kind", Kind.TEXT, "kind of cover", values=("insurance", "guarantee", "collateral", "factoring")),
        _optional("provider", Kind.TEXT, "who gives the cover"),
        Column("amount", Kind.MONEY, "insured or secured amount in the base currency", negative_is_allowed=False),
        _optional("covered_share", Kind.SHARE, "share of a loss that is paid"),
        _optional("premium_rate", Kind.SHARE, "premium as a share of the insured amount"),
        _future("valid_from", "first day of validity"),
        _future("valid_to", "last day of validity", is_null_allowed=True),
        _KNOWN_ON,
    ),
)

EVENTS = Table(
    name="events",
    grain="One row per outside or contact event and revision.",
    is_needed=False,
    key=("event_id",),
    event_on="occurred_on",
    absence_costs="insolvency is not seen by the default definition; no event features",
    columns=(
        _id("event_id", "the event's number"),
        _CUSTOMER,
        Column("kind", Kind.TEXT, "kind of event: insolvency, litigation, lien, external_rating, payment_plan, …"),
        _event("occurred_on", "day of the event"),
        _optional("value", Kind.NUMBER, "its number, such as a rating from 1 (best) to 10"),
        _optional("text", Kind.TEXT, "its text"),
        _optional("source", Kind.TEXT, "who told it"),
        _KNOWN_ON,
    ),
)

OVERRIDES = Table(
    name="overrides",
    grain="One row per manual decision and revision.",
    is_needed=False,
    key=("override_id",),
    event_on=None,
    absence_costs="no manual decisions",
    columns=(
        _id("override_id", "the decision's number"),
        _CUSTOMER,
        Column("kind", Kind.TEXT, "what was decided", values=("grade", "limit")),
        Column("from_value", Kind.TEXT, "value before"),
        Column("to_value", Kind.TEXT, "value after"),
        Column("reason", Kind.TEXT, "why"),
        Column("made_by", Kind.TEXT, "who"),
        _future("valid_from", "first day of validity"),
        _future("valid_to", "last day of validity", is_null_allowed=True),
        _KNOWN_ON,
    ),
)

INDICATORS = Table(
    name="indicators",
    grain="One row per series, period and revision.",
    is_needed=False,
    key=("series", "period_on"),
    event_on="period_on",
    absence_costs="no macro and industry features",
    columns=(
        Column("series", Kind.ID, "such as industry:C26 or macro:pmi"),
        _event("period_on", "day or end of the period it speaks of"),
        Column("value", Kind.NUMBER, "the value"),
        _KNOWN_ON,
    ),
)

FX_RATES = Table(
    name="fx_rates",
    grain="One row per currency, day and revision.",
    is_needed=False,
    key=("currency", "rate_on"),
    event_on="rate_on",
    absence_costs="every amount must be in the base currency",
    columns=(
        Column("currency", Kind.TEXT, "ISO 4217 code"),
        _event("rate_on", "day of the rate"),
        Column("rate", Kind.NUMBER, "base currency for one unit", zero_is_allowed=False, negative_is_allowed=False),
        _KNOWN_ON,
    ),
)

TABLES: tuple[Table, ...] = (
    CUSTOMERS,
    INVOICES,
    PAYMENTS,
    DISPUTES,
    ORDERS,
    FINANCIALS,
    CONTRACTS,
    OBLIGATIONS,
    LIMITS,
    COVERS,
    EVENTS,
    OVERRIDES,
    INDICATORS,
    FX_RATES,
)
BY_NAME: dict[str, Table] = {table.name: table for table in TABLES}
