"""The rules of the ledger, per column: each says what it demands, what a breach is called and how to mend it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.tables.contract import Column, DateRange, Kind, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import numpy as np
    from numpy.typing import NDArray

EPOCH = dt.date(1970, 1, 1)


@dataclass(frozen=True)
class Context:
    """What a rule may look at beside the table: the extract date, the ids that stand (by table), and whether a row
    may be known before its event."""

    extract_date: dt.date
    ids: Mapping[str, pa.Array]
    may_be_known_before_event: bool = False


@dataclass(frozen=True)
class Rule:
    """`demand` documents ("not before issued_on"), `breach` tells rows that break it ("are before issued_on")."""

    column: str
    demand: str
    breach: str
    remedy: str
    breaks: Callable[[pa.Table, Context], pa.Array | None]

    def mask(self, rows: pa.Table, context: Context) -> NDArray[np.bool_] | None:
        """Which rows break the rule; null when it does not apply to this ledger."""
        broken = self.breaks(rows, context)
        if broken is None:
            return None
        filled: NDArray[np.bool_] = pc.fill_null(broken, False).to_numpy()  # noqa: FBT003
        return filled


def rules_of(table: Table) -> tuple[Rule, ...]:
    """Every rule of the table, column by column, then those across columns of a row."""
    per_column = [rule for column in table.columns for rule in _column_rules(column)]
    return (*per_column, *_row_rules(table))


def _column_rules(column: Column) -> Iterator[Rule]:
    name = column.name
    if not column.is_null_allowed:
        yield Rule(
            name,
            "never empty",
            "are empty",
            "fill the column, or map it",
            lambda rows, _: pc.is_null(rows[name]),
        )
    if column.values:
        known = pa.array(column.values, pa.string())
        yield Rule(
            name,
            "one of " + ", ".join(column.values),
            f"are none of {', '.join(column.values)}",
            "translate them with `texts:` in a mapping",
            lambda rows, _: pc.and_(pc.is_valid(rows[name]), pc.invert(pc.is_in(rows[name], value_set=known))),
        )
    if column.kind is Kind.DATE:
        yield from _date_rules(name, column.date_range)
    if column.kind is Kind.SHARE:
        yield Rule(
            name,
            "0 to 1",
            "lie outside 0 to 1",
            "hand in 0.9 for 90 %",
            lambda rows, _: pc.or_(pc.less(rows[name], 0.0), pc.greater(rows[name], 1.0)),
        )
    if column.kind in {Kind.MONEY, Kind.NUMBER, Kind.INT}:
        yield from _sign_rules(column)
    if column.references:
        yield _reference_rule(name, column.references)


def _date_rules(name: str, date_range: DateRange) -> Iterator[Rule]:
    if date_range is not DateRange.BIRTH:
        yield Rule(
            name,
            "1970 or later",
            "are before 1970",
            "correct the dates, or declare their format in a mapping",
            lambda rows, _: pc.less(rows[name], pa.scalar(EPOCH)),
        )
    if date_range is not DateRange.FUTURE:
        yield Rule(
            name,
            "not after the extract date",
            "are after the extract date",
            "correct the dates, or set ingest.extract_date if the extract is younger",
            lambda rows, context: pc.greater(rows[name], pa.scalar(context.extract_date)),
        )


def _sign_rules(column: Column) -> Iterator[Rule]:
    name, zero = column.name, pa.scalar(0, pa.int64())
    if not column.zero_is_allowed:
        yield Rule(
            name,
            "not 0",
            "are 0",
            "remove the rows, or filter them with `where:` in a mapping",
            lambda rows, _: pc.equal(rows[name], zero),
        )
    if not column.negative_is_allowed:
        yield Rule(
            name,
            "not negative",
            "are negative",
            "correct the sign, or use `negate: true` in a mapping",
            lambda rows, _: pc.less(rows[name], zero),
        )


def _reference_rule(name: str, parent: str) -> Rule:
    def breaks(rows: pa.Table, context: Context) -> pa.Array | None:
        if parent not in context.ids:
            return None
        return pc.and_(pc.is_valid(rows[name]), pc.invert(pc.is_in(rows[name], value_set=context.ids[parent])))

    return Rule(
        name,
        f"stands in {parent}, where that table is handed in",
        f"name no row that stands in {parent}",
        f"hand in the missing {parent}, or correct the ids (leading zeros matter); rows of quarantined {parent} count "
        "as missing",
        breaks,
    )


def _row_rules(table: Table) -> Iterator[Rule]:
    event = table.event_on
    if event is not None:
        yield Rule(
            "known_on",
            f"not before {event}, unless the mapping allows it",
            f"are before {event}",
            "correct the dates, or allow it with `may_be_known_before_event: true` in a mapping",
            lambda rows, context: None if context.may_be_known_before_event else pc.less(rows["known_on"], rows[event]),
        )
    if table.name == "invoices":
        yield from _invoice_rules()


def _invoice_rules() -> Iterator[Rule]:
    yield Rule(
        "due_on",
        "not before issued_on",
        "are before issued_on",
        "correct the extract or map the column",
        lambda rows, _: pc.less(rows["due_on"], rows["issued_on"]),
    )
    yield Rule(
        "due_on",
        "there for every invoice and debit note",
        "are empty on an invoice or debit note",
        "fill the column, or derive it in a mapping (issued_on plus the terms)",
        lambda rows, _: pc.and_(pc.is_null(rows["due_on"]), pc.not_equal(rows["kind"], "credit_note")),
    )
    yield Rule(
        "amount",
        "negative on a credit note",
        "are positive on a credit note",
        "turn the sign (`negate: true` in a mapping), or correct the kind",
        lambda rows, _: pc.and_(pc.equal(rows["kind"], "credit_note"), pc.greater(rows["amount"], _ZERO)),
    )
    yield Rule(
        "amount",
        "positive on an invoice or debit note",
        "are negative on an invoice or debit note",
        "call them credit_note, or correct the sign",
        lambda rows, _: pc.and_(pc.not_equal(rows["kind"], "credit_note"), pc.less(rows["amount"], _ZERO)),
    )


_ZERO = pa.scalar(0, pa.int64())
