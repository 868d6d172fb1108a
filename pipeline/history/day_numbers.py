"""Days as whole numbers (days since 1970-01-01) and money as whole cents: exact and quick to add, on every engine."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import ibis

if TYPE_CHECKING:
    import ibis.expr.types as ir

_EPOCH = dt.date(1970, 1, 1)


def day_number(day: ir.DateValue) -> ir.IntegerValue:
    """Days since 1970-01-01; null stays null."""
    return day.delta(ibis.literal(_EPOCH), unit="day").cast("int64")


def number_of(day: dt.date) -> int:
    """Days since 1970-01-01 of a day of Python.

    >>> number_of(dt.date(1970, 1, 31))
    30
    """
    return (day - _EPOCH).days


def to_day(number: ir.IntegerValue) -> ir.DateValue:
    """The day of a number; null stays null."""
    # DuckDB gives a timestamp for date + interval, which Ibis takes for a date: cast by way of what it is.
    return (ibis.literal(_EPOCH) + number.as_interval("D")).cast("timestamp").cast("date")


def cents(amount: ir.DecimalValue) -> ir.IntegerValue:
    """A DECIMAL(18,2) amount in whole cents."""
    return (amount * 100).cast("int64")


NEVER = number_of(dt.date(9999, 12, 31))
"""Stands for a day that never comes."""
