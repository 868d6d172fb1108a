"""Shares, weighted means, quantiles and months, by hand."""

import datetime as dt
import math

_MONTH_LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def months_before(day, months):
    """The same day of the month so many months earlier; the last day of that month where it has no such day."""
    year, month = day.year, day.month
    for _ in range(months):
        year, month = (year - 1, 12) if month == 1 else (year, month - 1)
    leap = month == 2 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return dt.date(year, month, min(day.day, _MONTH_LENGTHS[month - 1] + leap))


def share(part, whole):
    """part / whole; null where either is unknown or the whole is not above 0."""
    if part is None or whole is None or whole <= 0:
        return None
    return float(part) / float(whole)


def weighted(rows, value, weight):
    return share(sum(value(r) * weight(r) for r in rows), sum(weight(r) for r in rows))


def less(one, other):
    return None if one is None or other is None else one - other


def total(rows, name="amount"):
    return sum(row[name] for row in rows)


def quantile(values, point):
    """By straight lines between the ordered values."""
    ordered = sorted(values)
    if not ordered:
        return None
    place = point * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def in_months(days):
    return None if days is None else days / 30.4375
