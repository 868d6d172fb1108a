"""Promises with what came of them, external ratings and indicators: what is told of the customer from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from pipeline.features import sources
from pipeline.features.arithmetic import days_between
from pipeline.features.balances import BALANCE, join_parts
from pipeline.features.customer_master import CUSTOMERS
from pipeline.features.ledger_rows import EVENTS, PAYMENT_ROWS
from pipeline.features.relation import SNAPSHOT, Read, Relation, told
from pipeline.history.point_in_time import known_rows, known_series

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from pipeline.features.sight import Sight

_DAYS_TO_KEEP_A_PROMISE = 14
_DAYS_OF_GRACE = 3
_LONGEST_PROMISE_DAYS = 90
_LONGEST_GAP_OF_A_PLAN_DAYS = 45


def _promises(sight: Sight) -> ir.Table:
    """Promises to pay whose time is over; broken where nothing, or less than the promised `value`, was paid by then.

    The promised day is the event's `text` where that is a day within 90 of the promise, else 14 days later.
    """
    events = sight.rows(EVENTS)
    made = events.filter(events.kind == "promise_to_pay")
    # Engines differ in what else they take for a day; of ISO 8601 they think alike.
    day = made.text.re_search(r"\A\d{4}-\d{2}-\d{2}\z").ifelse(made.text, None)
    told = days_between(day.try_cast("date"), made.occurred_on)
    is_usable = told.between(0, _LONGEST_PROMISE_DAYS).fill_null(False)  # noqa: FBT003 - a value, not a switch
    days = is_usable.ifelse(told, _DAYS_TO_KEEP_A_PROMISE) + _DAYS_OF_GRACE
    made = made.select(*SNAPSHOT, "event_id", "occurred_on", "value", "within", days=days)
    over = made.filter(days_between(made.as_of, made.occurred_on) > made.days)
    payments = sight.rows(PAYMENT_ROWS).select(*SNAPSHOT, "paid_on", "amount")
    pairs = over.inner_join(payments, SNAPSHOT)
    after = days_between(pairs.paid_on, pairs.occurred_on)
    within = pairs.filter(after >= 0, after <= pairs.days)
    paid = within.group_by(*SNAPSHOT, "event_id").aggregate(paid_amount=within.amount.sum())
    joined = over.left_join(paid, [*SNAPSHOT, "event_id"]).select(*over.columns, "paid_amount")
    received = joined.paid_amount.fill_null(0)
    is_short = received.cast("float64") < joined.value.fill_null(0.0)
    return sight.keep(joined.mutate(is_broken=(received <= 0) | is_short), "features_promises")


PROMISES = Relation(
    "promises",
    ("events", "invoices", "payments"),
    _promises,
    (3, 6, 12),
    columns={"is_broken": told("boolean", "events.value", *sources.PAYMENT_CUT)},
    cut_by=("events.kind", "events.occurred_on", "events.text"),
    reads=(
        Read(EVENTS, columns=("kind", "occurred_on", "value", "text")),
        Read(PAYMENT_ROWS, columns=("paid_on", "amount")),
    ),
)


def _plans(sight: Sight) -> ir.Table:
    """Payment plans of 12 months; broken where something is overdue and nothing came for longer than an instalment.

    A plan's instalments are not in the ledger. They are taken to be monthly, with two weeks of grace.
    """
    events = sight.rows(EVENTS)
    made = events.filter(events.kind == "payment_plan").select(*SNAPSHOT, "occurred_on", "within")
    balance = sight.rows(BALANCE).select(*SNAPSHOT, "overdue_amount", "last_paid_on")
    joined = made.left_join(balance, SNAPSHOT).select(*made.columns, "overdue_amount", "last_paid_on")
    last_step = ibis.greatest(joined.occurred_on, joined.last_paid_on.fill_null(joined.occurred_on))
    is_silent = days_between(joined.as_of, last_step) > _LONGEST_GAP_OF_A_PLAN_DAYS
    return joined.mutate(is_broken=is_silent & (joined.overdue_amount.fill_null(0) > 0))


PLANS = Relation(
    "plans",
    ("events", "invoices", "payments"),
    _plans,
    (3, 6, 12),
    columns={"is_broken": sources.also(told("boolean", *sources.OVERDUE_AMOUNT.sources), *sources.PAYMENT_CUT)},
    cut_by=("events.kind", "events.occurred_on"),
    reads=(
        Read(EVENTS, columns=("kind", "occurred_on")),
        Read(BALANCE, columns=("overdue_amount", "last_paid_on")),
    ),
)


def _ratings(sight: Sight) -> ir.Table:
    """The latest external rating of 36 months, and the latest of those a year old or older."""
    rows = known_rows(sight.ledger, "events", sight.snapshots, months=36)
    rated = rows.filter(rows.kind == "external_rating", rows.value.notnull())
    kept = sight.keep(
        rated.select(*SNAPSHOT, "since_12m", "event_id", "occurred_on", "known_on", "value"), "features_ratings"
    )
    latest = _latest(kept).select(*SNAPSHOT, "occurred_on", rating="value")
    earlier = _latest(kept.filter(kept.occurred_on <= kept.since_12m)).select(*SNAPSHOT, rating_12m_ago="value")
    both = latest.left_join(earlier, SNAPSHOT).select(*latest.columns, "rating_12m_ago")
    return sight.keep(both, "features_ratings_of_day")


RATINGS = Relation(
    "ratings",
    ("events",),
    _ratings,
    has_one_row=True,
    columns={
        "occurred_on": told("date"),
        "rating": told("float64", "events.value"),
        "rating_12m_ago": told("float64", "events.value"),
    },
    cut_by=("events.kind", "events.occurred_on", "events.value"),
)


def _latest(ratings: ir.Table) -> ir.Table:
    order = ibis.window(
        group_by=list(SNAPSHOT),
        order_by=[ratings.occurred_on.desc(), ratings.known_on.desc(), ratings.event_id.desc()],
    )
    placed = ratings.mutate(place=ibis.row_number().over(order))
    return placed.filter(placed.place == 0)


def _series(sight: Sight) -> ir.Table:
    """Each series' latest value as published by the day, and the latest of a period a quarter and a year back."""
    rows = known_series(sight.ledger, sight.snapshots, months=36)
    kept = sight.keep(rows.select("as_of", "series", "period_on", "value", "since_3m", "since_12m"), "features_series")
    keys = ["as_of", "series"]
    now = kept.group_by(keys).aggregate(value=kept.value.argmax(kept.period_on))
    for months in (3, 12):
        earlier = kept.filter(kept.period_on <= kept[f"since_{months}m"])
        value = earlier.value.argmax(earlier.period_on)
        now = now.left_join(earlier.group_by(keys).aggregate(**{f"value_{months}m_ago": value}), keys).select(
            *now.columns, f"value_{months}m_ago"
        )
    return now


SERIES = Relation("series", ("indicators",), _series)


def _industry_index(sight: Sight) -> ir.Table:
    """The series `industry:` + the customer's code, else + its section."""
    series = sight.rows(SERIES)
    customers = sight.rows(CUSTOMERS)
    by_code = _of_series(customers, series, ibis.literal("industry:") + customers.industry.strip())
    by_section = _of_series(customers, series, ibis.literal("industry:") + customers.industry_section)
    sections = by_section.rename({f"section_{name}": name for name in _VALUES})
    both = join_parts(customers.select(*SNAPSHOT), (by_code, sections))
    # Both values of one series: the level of the section is no yardstick for the code's.
    taken = {name: both.value.isnull().ifelse(both[f"section_{name}"], both[name]) for name in _VALUES}
    return both.select(*SNAPSHOT, **taken)


_VALUES = ("value", "value_3m_ago", "value_12m_ago")


def _of_series(customers: ir.Table, series: ir.Table, name: ir.Value) -> ir.Table:
    named = customers.select(*SNAPSHOT, series=name)
    return named.inner_join(series, ["as_of", "series"]).select(*SNAPSHOT, *_VALUES)


def _macro_index(sight: Sight) -> ir.Table:
    """The series `macro:pmi` for every customer."""
    series = sight.rows(SERIES)
    return _of_series(sight.snapshots, series, ibis.literal("macro:pmi"))


_SERIES_COLUMNS = {
    name: told("float64", "indicators.series", "indicators.period_on", "indicators.value") for name in _VALUES
}
INDUSTRY_INDEX = Relation(
    "industry_index",
    ("customers", "indicators"),
    _industry_index,
    has_one_row=True,
    columns=_SERIES_COLUMNS,
    cut_by=("customers.industry",),
    reads=(Read(SERIES), Read(CUSTOMERS, columns=("industry", "industry_section"))),
)
MACRO_INDEX = Relation(
    "macro_index",
    ("indicators",),
    _macro_index,
    has_one_row=True,
    columns=_SERIES_COLUMNS,
    reads=(Read(SERIES),),
)
