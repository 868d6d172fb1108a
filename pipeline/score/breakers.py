"""Circuit breakers: a run beside the run before and the model's development, before anyone acts on it.

Each breaker has a threshold that warns and one that stops. What cannot be compared is grey and stops nothing.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.compute as pc

from pipeline.score.drift import SCORE, Cuts, drift_of
from pipeline.score.summary import totals_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping

    import pandas as pd

    from pipeline.night_params import BreakerParams, Threshold
    from pipeline.score.drift import Drift, Light
    from pipeline.score.previous import PreviousRun
    from pipeline.score.scored_book import ScoredRun

_TWO_GRADES = 2
_SURROUNDINGS = "group and outside events"


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
    """What the breakers look at beside the run: the day's features with answers (score/applied.py), and by table the
    newest `known_on` up to the day (null: an empty table; a table that was not handed in is not there)."""

    features: pd.DataFrame
    newest: Mapping[str, dt.date | None]


def breakers_of(run: ScoredRun, seen: Seen, settings: BreakerParams) -> list[Breaker]:
    """Every breaker of one run, in a fixed order; pure, so that equal runs tell the same."""
    return [
        *_against_before(run, settings),
        *_inputs(run, seen, settings),
        *_tables(run.as_of, seen.newest, settings.stale_days),
    ]


def _against_before(run: ScoredRun, settings: BreakerParams) -> Iterator[Breaker]:
    before = run.previous
    shares = {
        "customers": settings.customers,
        "exposure": settings.exposure,
        "moved_two_grades": settings.moved_two_grades,
        "mean_pd": settings.mean_pd,
        "segments": settings.segments,
    }
    why = _not_comparable(run, before, settings)
    if before is None or why:
        yield from (_grey(name, threshold, why) for name, threshold in shares.items())
        return
    now: pd.DataFrame = run.book.select(["customer_id", "pd", "segment"]).to_pandas()
    was = before.book
    yield _lit(
        "customers",
        abs(len(now) - len(was)) / len(was),
        settings.customers,
        f"{len(was):,} customers, now {len(now):,}",
    )
    then, here = _sum(was["open_amount"]), float(totals_of(run.book)["open_amount"])
    moved = abs(here - then) / then if then > 0 else None
    yield _lit("exposure", moved, settings.exposure, f"open amounts of {then:,.2f}, now {here:,.2f}")
    notches = np.abs(run.book["notches"].drop_null().to_numpy(zero_copy_only=False).astype(float))
    jumped = int((notches >= _TWO_GRADES).sum())
    share = jumped / len(notches) if len(notches) else None
    yield _lit(
        "moved_two_grades", share, settings.moved_two_grades, f"{jumped:,} of {len(notches):,} graded customers moved"
    )
    yield _mean_pd(was, now, settings.mean_pd)
    yield _segments(was, now, settings.segments)


def _not_comparable(run: ScoredRun, before: PreviousRun | None, settings: BreakerParams) -> str:
    if before is None:
        return "no run before"
    days = (run.as_of - before.as_of).days
    if days > settings.compare_within_days:
        return f"the run before is {days} days old"
    fewest = min(len(before.book), run.book.num_rows)
    if fewest < settings.min_customers:
        return f"a book of {fewest} customers moves by single ones"
    return ""


def _mean_pd(was: pd.DataFrame, now: pd.DataFrame, threshold: Threshold) -> Breaker:
    """Mean PD of the customers rated on both days; the larger over the smaller, less 1."""
    both = was[["customer_id", "pd"]].merge(now[["customer_id", "pd"]], on="customer_id", suffixes=("_was", "_now"))
    both = both.dropna()
    if not len(both):
        return _grey("mean_pd", threshold, "nobody has a PD on both days")
    then, here = float(both["pd_was"].astype(float).mean()), float(both["pd_now"].astype(float).mean())
    ratio = max(then, here) / max(min(then, here), 1e-9) - 1
    return _lit("mean_pd", ratio, threshold, f"mean PD of {len(both):,} customers {then:.4f}, now {here:.4f}")


def _segments(was: pd.DataFrame, now: pd.DataFrame, threshold: Threshold) -> Breaker:
    """The largest change of a segment's share of the customers that have one."""
    then, here = (rows["segment"].dropna().value_counts(normalize=True) for rows in (was, now))
    if not len(then) or not len(here):
        return _grey("segments", threshold, "nobody has a segment on one of the days")
    moves = here.sub(then, fill_value=0.0).abs()
    name = str(sorted(moves.index[moves == moves.max()])[0])
    told = f"{name} {then.get(name, 0.0):.1%} of the book, now {here.get(name, 0.0):.1%}"
    return _lit("segments", float(moves.max()), threshold, told)


def _inputs(run: ScoredRun, seen: Seen, settings: BreakerParams) -> Iterator[Breaker]:
    """Score and features of the rated customers against the model's development: distribution, and nulls."""
    rated = run.book.filter(pc.equal(run.book["rating_status"], "rated"))["customer_id"].to_pylist()
    rows = seen.features[seen.features["customer_id"].isin(set(rated))]
    watched = {"drift": settings.drift, "inputs": settings.drift, "nulls": settings.nulls}
    if len(rows) < settings.min_customers:
        why = f"{len(rows)} rated customers are too few to tell"
        yield from (_grey(name, threshold, why) for name, threshold in watched.items())
        return
    score, *features = drift_of(
        run.model, rows, Cuts(settings.drift.warn, settings.drift.stop, settings.drift_significance)
    )
    yield _drifted("drift", score, settings.drift, score.light)
    # Accounts age by the calendar, and an economy has one value a day: what an input does to the book stops, not the
    # input alone.
    own = [one for one in features if not is_shared(run.model.catalogue_by_name[one.quantity])]
    if own:
        yield _drifted("inputs", own[0], settings.drift, "amber" if own[0].light == "red" else own[0].light)
    else:
        yield _grey("inputs", settings.drift, "the model reads no feature of the customers' own")
    yield _nulls(run, rows, settings.nulls)


def _drifted(name: str, one: Drift, threshold: Threshold, light: Light) -> Breaker:
    what = "the score" if one.quantity == SCORE else f"most in {one.quantity}"
    says = f"{what}: PSI {one.psi or 0:.2f} where chance shows {one.noise or 0:.2f}"
    return Breaker(name, one.psi, threshold.warn, threshold.stop, light, says)


def is_shared(entry: Mapping[str, Any]) -> bool:
    """Told of a customer's surroundings: the economy, the industry, the group. Many customers share a value of one day,
    and so few values have no distribution that could be compared with that of all days at development."""
    return entry.get("subject") == _SURROUNDINGS or "indicators" in entry.get("source", ())


def _nulls(run: ScoredRun, rows: pd.DataFrame, threshold: Threshold) -> Breaker:
    """The largest rise of a feature's share of nulls over development."""
    rises = {}
    for name, told in run.model.development["features"].items():
        whole = sum(told["counts"]) + told["missing"]
        before = told["missing"] / whole if whole else 0.0
        rises[name] = (float(rows[name].isna().mean()) - before, before)
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


def _sum(amounts: pd.Series[Any]) -> float:
    return float(sum(amount for amount in amounts if amount is not None))
