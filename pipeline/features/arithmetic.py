"""The arithmetic features share: the only division, weighted means, differences of days. Sums stay exact."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from pipeline.history.day_numbers import cents

if TYPE_CHECKING:
    import ibis.expr.types as ir


def ratio(part: ir.Value, whole: ir.Value) -> ir.Value:
    """part / whole as float64; null where the whole is 0 or null. The only division of two values in the catalogue.

    Both sides are exact sums of DECIMAL or integers, so the quotient does not depend on the order of the rows.
    """
    return part.cast("float64") / whole.cast("float64").nullif(0.0)


def positive_ratio(part: ir.Value, whole: ir.Value) -> ir.Value:
    """`ratio` where the whole is above 0, else null: of a negative whole the quotient would turn its meaning round."""
    return ratio(part, (whole > 0).ifelse(whole, None))


def change(now: ir.Value, before: ir.Value) -> ir.Value:
    """now − before to nine decimals, so that two equal ratios differ by 0 and not by a last bit."""
    # Adding 0.0 makes a negative zero a plain one.
    return (now - before).round(9) + 0.0


COUNTED_DAYS = 90
"""Days late are counted up to these in means: who is later still is in default, and must not hide others' lateness.

So one more invoice 90 days late never lowers such a mean.
"""

ORDINARY_DAYS = 60
"""A payment later than this tells of trouble, not of how a customer usually pays."""


def counted(days: ir.Value) -> ir.Value:
    """Days late up to `COUNTED_DAYS`."""
    return (days > COUNTED_DAYS).ifelse(COUNTED_DAYS, days)


def mean_counted(days: ir.Value, amount: ir.Value) -> ir.Value:
    """Mean of `counted` days weighted by amount, to nine decimals: equal means differ by 0 and not by a last bit."""
    return ratio((counted(days) * amount).sum(), amount.sum()).round(9) + 0.0


def spread(weight: ir.Value, first: ir.Value, second: ir.Value) -> ir.Value:
    """Standard deviation of a weighted quantity from its exact sums Σw, Σwx and Σwx²; null where Σw is 0."""
    mean = ratio(first, weight)
    variance = ratio(second, weight) - mean * mean
    return (variance < 0).ifelse(0.0, variance).sqrt()


WIDE = "decimal(38, 2)"
"""For products with days squared: DuckDB keeps a DECIMAL(18, 2) times an integer within 18 digits, and fails beyond."""

# Below this sum of weights the products of two sums keep within the 38 digits of a DECIMAL, days by days included.
_LARGEST_EXACT_WEIGHT = 10**13


def slope(weight: ir.Value, x: ir.Value, y: ir.Value) -> ir.Value:
    """Slope of y over x by weighted least squares, float64; null where all x are the same. All three are columns.

    From the exact sums Σw, Σwx, Σwy, Σwxx and Σwxy of DECIMAL weights and whole x and y. Their products are exact too:
    where one payment outweighs all others, the two that are taken from each other agree in all digits of a double.
    """
    weight = weight.cast(WIDE)
    weighted = weight * x
    sums = ((weighted * y).sum(), weight.sum(), weighted.sum(), (weight * y).sum(), (weighted * x).sum())
    is_exact = sums[1] < _LARGEST_EXACT_WEIGHT
    wxy, w, wx, wy, wxx = (is_exact.ifelse(found, None) for found in sums)
    exact = ratio(wxy * w - wx * wy, wxx * w - wx * wx)
    wxy, w, wx, wy, wxx = (found.cast("float64") for found in sums)
    rounded = ratio(wxy * w - wx * wy, wxx * w - wx * wx)
    return (x.max() > x.min()).ifelse(exact.fill_null(rounded), None)


_LONGEST_AMOUNT_DIGITS = 12


def is_rounder(amount: ir.Value, than: ir.Value) -> ir.Value:
    """Whether `amount` has at most two digits before its zeros, and ends in two zeros more than `than`.

    So is 1,500.00 beside 1,483.20. Told by the digits and the other amount, not by whole hundreds, so that it does not
    hang on the currency.
    """
    paid, owed = cents(amount), cents(than)
    powers = [10**zeros for zeros in range(1, _LONGEST_AMOUNT_DIGITS + 1)]
    steps = [(owed % power != 0) & (paid % (power * 10) == 0) & (paid < power * 1000) for power in powers]
    # Most payments are made in full: only the others need a look at their digits.
    return ibis.cases((paid == owed, ibis.literal(value=False)), else_=ibis.or_(*steps))


def days_between(later: ir.Value, earlier: ir.Value) -> ir.Value:
    """Whole days from `earlier` to `later`; negative when `later` comes first."""
    return later.delta(earlier, unit="day")


def in_months(days: ir.Value) -> ir.Value:
    """Days as months of 30.4375 days, float64."""
    return days.cast("float64") / 30.4375


def in_years(days: ir.Value) -> ir.Value:
    """Days as years of 365.25 days, float64."""
    return days.cast("float64") / 365.25
