"""The arithmetic features share: the only division, weighted means, differences of days. Sums stay exact."""

from __future__ import annotations

from typing import TYPE_CHECKING

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


def spread(weight: ir.Value, first: ir.Value, second: ir.Value) -> ir.Value:
    """Standard deviation of a weighted quantity from its exact sums Σw, Σwx and Σwx²; null where Σw is 0."""
    mean = ratio(first, weight)
    variance = ratio(second, weight) - mean * mean
    return (variance < 0).ifelse(0.0, variance).sqrt()


def days_between(later: ir.Value, earlier: ir.Value) -> ir.Value:
    """Whole days from `earlier` to `later`; negative when `later` comes first."""
    return later.delta(earlier, unit="day")


def in_months(days: ir.Value) -> ir.Value:
    """Days as months of 30.4375 days, float64."""
    return days.cast("float64") / 30.4375


def in_years(days: ir.Value) -> ir.Value:
    """Days as years of 365.25 days, float64."""
    return days.cast("float64") / 365.25
