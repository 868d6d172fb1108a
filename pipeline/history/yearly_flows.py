"""Flows of a period of accounts as flows of a year."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.history.day_numbers import cents

if TYPE_CHECKING:
    import ibis.expr.types as ir


def of_a_year(accounts: ir.Table, flow: str) -> ir.Value:
    """The flow times 12 over `period_months`, to the cent; null when the period has no length.

    Half a cent goes away from zero, in whole numbers: engines round a double apart.
    """
    amount, is_year = accounts[flow], accounts.period_months == 12
    months = accounts.period_months.nullif(0).cast("int64")
    number = cents(amount)
    whole = (number.abs() * 24 + months) // (months * 2)
    brought = ((number < 0).ifelse(-whole, whole) / 100).cast("decimal(18, 2)")
    return is_year.ifelse(amount, brought)
