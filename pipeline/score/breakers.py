"""Circuit breakers: a run beside the run before and the model's development, before anyone acts on it.

Each breaker has a threshold that warns and one that stops. What cannot be compared is grey and stops nothing.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from pipeline.score.drift import SCORE, Cuts, drift_in, moved_most

if TYPE_CHECKING:
    import datetime as dt
    from collections import Counter
    from collections.abc import Iterator, Mapping

    from pipeline.night_params import BreakerParams, Threshold
    from pipeline.score.book_figures import BookFigures
    from pipeline.score.drift import Drift, Light
    from pipeline.score.model import Model

_TWO_GRADES = 2
_SURROUNDINGS = "group and outside events"
# The tables by which a customer is told of through others: who belongs to whom, and the economy's series.
_TIES = frozenset({"customers", "indicators"})


@dataclass(frozen=True)
class Breaker:
    """One comparison: its value against the thresholds (above `warn`: amber, above `stop`: red), in words `says`."""

    name: str
    value: float | None
    warn: float
    stop: float
    light: Light
    says: str

    def as_json(self) -> dict[str, Any]:
        """Plain values, as the manifest's `gates` hold them."""
        return asdict(self)


@dataclass(frozen=True)
class Seen:
    """What the breakers look at: the night's figures, its day and model, the day of the run before (null without one),
    and by table the newest `known_on` up to the day (null: an empty table; a table that was not handed in is not
    there)."""

    figures: BookFigures
    model: Model
    as_of: dt.date
    before: dt.date | None
    newest: Mapping[str, dt.date | None]


def breakers_of(seen: Seen, settings: BreakerParams) -> list[Breaker]:
    """Every breaker of one run, in a fixed order; pure, so that equal runs tell the same."""
    return [
        *_against_before(seen, settings),
        *_inputs(seen, settings),
        *_tables(seen.as_of, seen.newest, settings.stale_days),
    ]


def _against_before(seen: Seen, settings: BreakerParams) -> Iterator[Breaker]:
    figures = seen.figures
    shares = {
        "customers": settings.customers,
        "exposure": settings.exposure,
        "moved_two_grades": settings.moved_two_grades,
        "mean_pd": settings.mean_pd,
        "new_defaults": settings.new_defaults,
        "segments": settings.segments,
    }
    why = _not_comparable(seen, settings)
    if why:
        yield from (_grey(name, threshold, why) for name, threshold in shares.items())
        return
    was, now = figures.customers_before, figures.customers
    yield _lit("customers", abs(now - was) / was, settings.customers, f"{was:,} customers, now {now:,}")
    then, here = float(figures.open_amount_before), float(figures.open_amount)
    moved = abs(here - then) / then if then > 0 else None
    yield _lit("exposure", moved, settings.exposure, f"open amounts of {then:,.2f}, now {here:,.2f}")
    graded = figures.steps.total()
    jumped = sum(count for notches, count in figures.steps.items() if notches >= _TWO_GRADES)
    share = jumped / graded if graded else None
    yield _lit("moved_two_grades", share, settings.moved_two_grades, f"{jumped:,} of {graded:,} graded customers moved")
    yield _mean_pd(figures, settings.mean_pd)
    yield _new_defaults(figures, settings.new_defaults)
    yield _segments(figures, settings.segments)


def _not_comparable(seen: Seen, settings: BreakerParams) -> str:
    if seen.before is None:
        return "no run before"
    days = (seen.as_of - seen.before).days
    if days > settings.compare_within_days:
        return f"the run before is {days} days old"
    fewest = min(seen.figures.customers_before, seen.figures.customers)
    if fewest < settings.min_customers:
        return f"a book of {fewest} customers moves by single ones"
    return ""


def _mean_pd(figures: BookFigures, threshold: Threshold) -> Breaker:
    """Mean PD of the customers with one on both days and in default on neither; the larger over the smaller, less 1."""
    both, sum_then, sum_here = figures.of_both
    if not both:
        return _grey("mean_pd", threshold, "nobody has a PD on both days, default aside")
    then, here = sum_then / both, sum_here / both
    ratio = max(then, here) / max(min(then, here), 1e-9) - 1
    return _lit("mean_pd", ratio, threshold, f"mean PD of {both:,} customers not in default {then:.4f}, now {here:.4f}")


def _new_defaults(figures: BookFigures, threshold: Threshold) -> Breaker:
    """Share of the customers with a grade on both days, in default not then, that now are: each of them is on hold."""
    at_risk, fell = figures.fallen
    says = f"{fell:,} of {at_risk:,} customers graded and not in default before are in default now"
    return _lit("new_defaults", fell / at_risk if at_risk else None, threshold, says)


def _segments(figures: BookFigures, threshold: Threshold) -> Breaker:
    """The largest change of a segment's share of the customers that have one."""
    then, here = _shares(figures.segments_before), _shares(figures.segments)
    if not then or not here:
        return _grey("segments", threshold, "nobody has a segment on one of the days")
    moves = {name: abs(here.get(name, 0.0) - then.get(name, 0.0)) for name in sorted(then | here)}
    name = max(moves, key=lambda one: moves[one])
    told = f"{name} {then.get(name, 0.0):.1%} of the book, now {here.get(name, 0.0):.1%}"
    return _lit("segments", moves[name], threshold, told)


def _shares(counts: Counter[str]) -> dict[str, float]:
    return {name: count / counts.total() for name, count in counts.items()}


def _inputs(seen: Seen, settings: BreakerParams) -> Iterator[Breaker]:
    """Score and features of the rated customers against the model's development: distribution, and nulls."""
    rated, model, bins = seen.figures.rated, seen.model, seen.figures.bins
    watched = {"drift": settings.drift, "inputs": settings.drift, "nulls": settings.nulls}
    if bins is None or rated < settings.min_customers:
        why = f"{rated} rated customers are too few to tell"
        yield from (_grey(name, threshold, why) for name, threshold in watched.items())
        return
    cuts = Cuts(settings.drift.warn, settings.drift.stop, settings.drift_significance)
    score = drift_in(model, bins, SCORE, cuts)
    yield _drifted("drift", score, settings.drift, score.light)
    # Accounts age by the calendar, and an economy has one value a day: what an input does to the book stops, not the
    # input alone.
    own = [name for name in model.development["features"] if not is_shared(model.catalogue_by_name[name])]
    most = moved_most(model, bins, own)
    if most is None:
        yield _grey("inputs", settings.drift, "the model reads no feature of the customers' own")
    else:
        worst = drift_in(model, bins, most, cuts)
        yield _drifted("inputs", worst, settings.drift, "amber" if worst.light == "red" else worst.light)
    yield _nulls(seen, settings.nulls)


def _drifted(name: str, one: Drift, threshold: Threshold, light: Light) -> Breaker:
    what = "the score" if one.quantity == SCORE else f"most in {one.quantity}"
    says = f"{what}: PSI {one.psi or 0:.2f} where chance shows {one.noise or 0:.2f}"
    return Breaker(name, one.psi, threshold.warn, threshold.stop, light, says)


def is_shared(entry: Mapping[str, Any]) -> bool:
    """Told of a customer's surroundings: the economy, the industry, the group. Many customers share a value of one day,
    and so few values have no distribution that could be compared with that of all days at development.

    What the events tell of the customer itself, such as an external rating or a court case, is its own.
    """
    source = set(entry.get("source", ()))
    return "indicators" in source or (entry.get("subject") == _SURROUNDINGS and bool(source & _TIES))


def _nulls(seen: Seen, threshold: Threshold) -> Breaker:
    """The largest rise of a feature's share of nulls over development."""
    rises = {}
    for name, told in seen.model.development["features"].items():
        whole = sum(told["counts"]) + told["missing"]
        before = told["missing"] / whole if whole else 0.0
        rises[name] = (seen.figures.nulls[name] / seen.figures.rated - before, before)
    if not rises:
        return _grey("nulls", threshold, "the model reads no feature")
    name = max(sorted(rises), key=lambda one: rises[one][0])
    rise, before = rises[name]
    return _lit(
        "nulls", max(rise, 0.0), threshold, f"{name} null on {before:.1%} at development, now {before + rise:.1%}"
    )


def _tables(
    as_of: dt.date, newest: Mapping[str, dt.date | None], thresholds: Mapping[str, Threshold]
) -> Iterator[Breaker]:
    """Days since a table last learned something."""
    for table, threshold in sorted(thresholds.items()):
        name = f"stale_{table}"
        if table not in newest:
            yield _grey(name, threshold, "not handed in")
            continue
        day = newest[table]
        if day is None:
            yield _grey(name, threshold, "without a row")
            continue
        yield _lit(name, float((as_of - day).days), threshold, f"last known {day}, scored {as_of}")


def _lit(name: str, value: float | None, threshold: Threshold, says: str) -> Breaker:
    if value is None:
        return _grey(name, threshold, f"cannot be compared: {says}")
    light: Light = "red" if value > threshold.stop else "amber" if value > threshold.warn else "green"
    return Breaker(name, float(value), threshold.warn, threshold.stop, light, says)


def _grey(name: str, threshold: Threshold, why: str) -> Breaker:
    return Breaker(name, None, threshold.warn, threshold.stop, "grey", why)
