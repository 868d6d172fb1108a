"""Labels that do not move with time as an outcome does: the same for ever, or unfinished at the data's end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from pipeline.statistics.clustered import Estimate, rate_ratio
from pipeline.statistics.proportions import jeffreys_interval
from pipeline.train.leaks_ground import Finding, per_cent
from pipeline.train.splits import settled_on

if TYPE_CHECKING:
    import datetime as dt

    from numpy.typing import NDArray

    from pipeline.train.leaks_ground import Ground

    Floats = NDArray[np.float64]

_SHOWN = 3
FEWEST_DATES = 3
# A tail must move so much further (in logarithms) than every earlier one.
_BEYOND = 1.25
# Below so many bad customers seen long enough a share says little: it warns, at most.
_FEWEST_BAD_CUSTOMERS = 10


@dataclass(frozen=True)
class _Tail:
    """The last `dates` snapshot dates against those before: ratio of bad rates, its z, ratio of rows per date."""

    dates: int
    ratio: Estimate
    z: float
    rows_ratio: float
    rate: float
    rate_before: float
    is_unheard_of: bool


@dataclass(frozen=True)
class _Dates:
    """Which date each row has, rows and bads of each date, and how many dates a performance window covers."""

    date: NDArray[np.int64]
    rows: Floats
    bads: Floats
    window: int


def constant_label_findings(ground: Ground) -> list[Finding]:
    """Bad customers that were never good, though their rows span more than a performance window.

    A customer with an event is bad at most for the window before it: whoever is seen longer was good once, unless the
    label marks the customer and not the time. A few relapse; nearly all cannot.
    """
    seen = _bad_customers(ground)
    if seen is None:
        return []
    rows, bads, customers = seen
    is_constant = rows == bads
    n, constant = len(rows), int(is_constant.sum())
    share, settings = constant / n, ground.settings
    low, high = jeffreys_interval(constant, n, settings.confidence)
    is_refused = n >= _FEWEST_BAD_CUSTOMERS and low >= settings.refuse_constant_share
    if not is_refused and share < settings.warn_constant_share:
        return []
    told = (
        f"{constant:,} of {n:,} bad customers ({per_cent(share)}, {per_cent(low)} to {per_cent(high)}) are bad in "
        f"every row, though their rows span more than a performance window ({_window(ground)})"
    )
    remedy = (
        "label a row by what happened in the window after it: for a list of failed firms keep the rows within one "
        "window of the failure as bad and the earlier ones as good"
    )
    numbers = {"constant": constant, "bad_customers": n, "share": share, "low": low, "high": high}
    names = ground.sample.rows["customer_id"].to_numpy(dtype=object)[customers[is_constant][:_SHOWN]]
    verdict = "refuse" if is_refused else "warn"
    return [Finding("constant_label", None, verdict, told, remedy, numbers, tuple(str(name) for name in names))]


def unsettled_findings(ground: Ground) -> list[Finding]:
    """Rows with an outcome although their window ends after the last day of which every event is known."""
    if ground.known_until is None:
        return []
    late = [day for day in ground.dates.tolist() if settled_on(day, ground.label) > ground.known_until]
    if not late:
        return []
    rows = np.flatnonzero(ground.days >= np.datetime64(late[0]))
    told = (
        f"{len(rows):,} rows of {len(late)} date(s) from {late[0]} on have an outcome, though their window ends on "
        f"{settled_on(late[0], ground.label)} or later and events are known until {ground.known_until}"
    )
    remedy = f"end the table at {_last_before(ground, late[0])} (label.last_snapshot), or hand in later data"
    numbers = {"rows": len(rows), "dates": len(late), "first": late[0].isoformat(),
               "known_until": ground.known_until.isoformat()}  # fmt: skip
    keys = tuple(ground.key(int(row)) for row in rows[:_SHOWN])
    return [Finding("truncated_window", None, "refuse", told, remedy, numbers, keys)]


def truncation_findings(ground: Ground) -> list[Finding]:
    """The bad rate of the last dates breaks away from that before, beyond noise and beyond every earlier move.

    Tails of one date up to a quarter of a window are tried, each against as many dates before it as a window holds. A
    tail counts when its difference is significant by customer cluster (shared out over the tails tried), its ratio
    passes `warn_rate_ratio`, and it moved clearly further than any tail of its length that ended earlier, up or down:
    rates follow the times, which all customers share. Refused when the interval of the ratio stays below
    `refuse_rate_ratio`: windows that end with the data lose most of their bads. A rate that rises while rows vanish is
    the same fault turned round: the bads are settled first.
    """
    tails = [tail for tail in _tails(ground) if tail is not None]
    falls = [t for t in tails if t.z < 0 and t.ratio.value <= ground.settings.warn_rate_ratio and t.is_unheard_of]
    rises = [t for t in tails if t.z > 0 and t.ratio.value >= 1 / ground.settings.warn_rate_ratio and t.is_unheard_of]
    rises = [t for t in rises if t.rows_ratio <= ground.settings.refuse_rate_ratio]
    found = sorted(falls or rises, key=lambda t: (-abs(t.z), t.dates))
    if not found:
        return []
    refused = [tail for tail in found if tail.z < 0 and tail.ratio.high <= ground.settings.refuse_rate_ratio]
    return [_tail_told((refused or found)[0], ground, "refuse" if refused else "warn")]


def _tail_told(tail: _Tail, ground: Ground, verdict: str) -> Finding:
    first = ground.dates[-tail.dates].item()
    is_last = ground.days >= np.datetime64(first)
    moved = "falls" if tail.z < 0 else "rises"
    told = (
        f"the bad rate {moved} to {per_cent(tail.rate)} at the last {tail.dates} date(s), from {first} on, from "
        f"{per_cent(tail.rate_before)} before: {tail.ratio.value:.2f} of it ({tail.ratio.low:.2f} to "
        f"{tail.ratio.high:.2f}, z {tail.z:.1f}), more than at any earlier date; rows with an outcome per date are "
        f"{tail.rows_ratio:.2f} of those before"
    )
    remedy = (
        f"if the data end before the windows of these dates do, end the table at {_last_before(ground, first)}; "
        "otherwise say under leaks.accept what changed"
    )
    numbers = {
        "dates": tail.dates, "first": first.isoformat(), "rate": tail.rate, "rate_before": tail.rate_before,
        "ratio": tail.ratio.value, "low": tail.ratio.low, "high": tail.ratio.high, "z": tail.z,
        "rows_ratio": tail.rows_ratio, "rows": int(is_last.sum()),
        "without_outcome": int((ground.all_days >= np.datetime64(first)).sum() - is_last.sum()),
    }  # fmt: skip
    return Finding("truncated_window", None, verdict, told, remedy, numbers)


def _tails(ground: Ground) -> list[_Tail | None]:
    date = np.searchsorted(ground.dates, ground.days)
    rows, bads = np.bincount(date), np.bincount(date, weights=ground.sample.is_bad)
    dates = _Dates(date, rows.astype(float), bads.astype(float), _dates_of_a_window(ground))
    # A quarter of a window: further back a cut window has lost too little to tell it from a change of the times.
    longest = max(1, round(dates.window / 4))
    lengths = [k for k in range(1, longest + 1) if len(rows) - k >= FEWEST_DATES - 1]
    return [_tail(ground, dates, k, ground.settings.significance / len(lengths)) for k in lengths]


def _tail(ground: Ground, dates: _Dates, k: int, significance: float) -> _Tail | None:
    """The tail of the last k dates; null where it is no different from before beyond noise."""
    rows, bads, date = dates.rows, dates.bads, dates.date
    end, before = len(rows), max(dates.window, k, 2)
    start = max(end - k - before, 0)
    is_in = date >= start
    is_late = date[is_in] >= end - k
    ratio, z = rate_ratio(ground.sample.is_bad[is_in], is_late, ground.sample.codes[is_in], ground.settings.confidence)
    if 2 * stats.norm.sf(abs(z)) > significance:
        return None
    earlier = [abs(_move(rows, bads, last, k, before)) for last in range(k + 2, end - k + 1)]
    is_unheard_of = abs(_move(rows, bads, end, k, before)) >= _BEYOND * max(earlier, default=0.0)
    ahead = slice(start, end - k)
    rows_ratio = float(rows[end - k :].mean() / rows[ahead].mean())
    rate, rate_before = (float(bads[part].sum() / rows[part].sum()) for part in (slice(end - k, None), ahead))
    return _Tail(k, ratio, z, rows_ratio, rate, rate_before, is_unheard_of)


def _move(rows: Floats, bads: Floats, end: int, k: int, before: int) -> float:
    """Logarithm of the rate of the k dates before `end` over that of the dates before them."""
    late, early = slice(end - k, end), slice(max(end - k - before, 0), end - k)
    rate, rate_before = ((bads[part].sum() + 0.5) / (rows[part].sum() + 1) for part in (late, early))
    return float(np.log(rate / rate_before))


def _dates_of_a_window(ground: Ground) -> int:
    """How many dates have a window that reaches beyond the last date; a quarter of them where no window is told."""
    days = ground.dates.tolist()
    if not ground.has_window:
        return max(1, len(days) // 4)
    return max(1, sum(1 for day in days if settled_on(day, ground.label) > days[-1]))


def _bad_customers(ground: Ground) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]] | None:
    """Rows, bad rows and one row of each bad customer seen on three dates or more beyond the window of its first."""
    customers, is_bad = ground.customers, ground.sample.is_bad
    if not len(customers):
        return None
    rows = np.bincount(customers)
    bads = np.bincount(customers, weights=is_bad).astype(np.int64)
    # Rows are sorted by day: the first row of a customer is its earliest, the last its latest.
    first = np.unique(customers, return_index=True)[1]
    last = len(customers) - 1 - np.unique(customers[::-1], return_index=True)[1]
    starts, inverse = np.unique(ground.days[first], return_inverse=True)
    settled = np.array([settled_on(day, ground.label) for day in starts.tolist()], dtype="datetime64[D]")[inverse]
    is_long = (bads > 0) & (rows >= FEWEST_DATES) & (ground.days[last] >= settled)
    return (rows[is_long], bads[is_long], first[is_long]) if is_long.any() else None


def _last_before(ground: Ground, first: dt.date) -> str:
    earlier = ground.dates[ground.dates < np.datetime64(first)]
    return str(earlier[-1]) if len(earlier) else "an earlier date"


def _window(ground: Ground) -> str:
    if not ground.has_window:
        return f"none is told: {FEWEST_DATES} dates or more"
    months = ground.label.window_months
    return f"{months} months" if months is not None else f"{ground.label.window_days} days"
