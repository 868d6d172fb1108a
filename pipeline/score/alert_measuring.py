"""How an alert rule has done on history: precision, lift, recall, lead time and load, with intervals by customer group.

Everything is read from days of the past: what the rule said then, with only what was known then, and what came after.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.score.alert_life import Lives
from pipeline.statistics.bootstrap import Resamples, ratio_interval, resamples, statistic_interval
from pipeline.statistics.proportions import jeffreys_interval

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    import numpy.typing as npt

    Flags = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]
    Whole = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Witness:
    """What became of the customers watched.

    `days` oldest first; `ends` the last day of each day's window; `until`: outcomes are known up to here. `clusters`:
    group of each customer as a code from 0. `at_risk`, shape (days, customers): graded and not in default.
    `defaults`: (customer, first day) of each default by column number, in any order.
    """

    days: Sequence[dt.date]
    ends: Sequence[dt.date]
    until: dt.date
    clusters: Whole
    at_risk: Flags
    defaults: Sequence[tuple[int, dt.date]]

    @cached_property
    def lead(self) -> Floats:
        """Days from each day to the customer's next default after it, NaN where none came, shape as `at_risk`."""
        found = np.full(self.at_risk.shape, np.nan)
        for customer, began in self.defaults:
            for at, day in enumerate(self.days):
                ahead = (began - day).days
                if ahead > 0 and not found[at, customer] <= ahead:
                    found[at, customer] = ahead
        return found

    @cached_property
    def is_hit(self) -> Flags:
        """A default follows within the window of the day."""
        windows = np.array([(end - day).days for day, end in zip(self.days, self.ends, strict=True)])
        with np.errstate(invalid="ignore"):
            found: Flags = self.lead <= windows[:, None]
        return found

    @cached_property
    def is_ripe(self) -> Flags:
        """The window of the day is over."""
        return np.array([end <= self.until for end in self.ends], dtype=bool)

    @cached_property
    def groups(self) -> int:
        """How many groups of customers there are."""
        return int(self.clusters.max()) + 1 if len(self.clusters) else 0

    def per_group(self, rows: Flags | Whole) -> Floats:
        """Rows that are set, or counts of rows, added up by group."""
        rows_of = rows.sum(axis=0).astype(float)
        return np.bincount(self.clusters, weights=rows_of, minlength=self.groups).astype(np.float64)


@dataclass(frozen=True)
class Doubt:
    """How intervals are drawn: confidence, bootstrap rounds and seed; fewer than `fewest` groups tell no rate."""

    confidence: float
    rounds: int
    seed: int
    fewest: int


def measured(lives: Lives, seen: Witness, doubt: Doubt) -> dict[str, Any]:
    """The figures of one rule.

    `precision`: of the alerts opened on ripe days, the share followed by default within the window. `base`: the same of
    the customers and days at risk with no alert standing. `lift`: the first over the second. `recall`: of the defaults
    of customers at risk on the day before, the share with an alert standing on a day of the window before it. `reach`:
    the same share of all customers and days at risk, default or not: what a recall is worth shows against it. `lead`:
    days from opening to default of the alerts that hit, in the middle. `load`: alerts opened per 100 customers at risk
    and day of the replay; `standing`: share of them with an alert. Alerts that stood on the first day judged are not
    counted as opened. Null where too few groups of customers tell it.
    """
    return _figures(lives.opened.astype(np.int64), lives, seen, doubt)


def measured_together(parts: Sequence[Lives], seen: Witness, doubt: Doubt) -> dict[str, Any] | None:
    """The figures of all rules that were ever judged, on the days on which every one of them was; null without one.

    As `measured`: `opened`, `precision`, `lead` and `load` are of alerts, two rules that open on one customer count
    two; `base`, `recall`, `reach` and `standing` are of customers with an alert of any rule or of none. Beside them
    `warned`: customers who go from no alert at all to one or more, per 100 at risk and day; `rules`: how many rules
    these are; `first_judged`: the first such day.
    """
    told = [part for part in parts if part.is_told.any()]
    if not told:
        return None
    pooled = together(told)
    if not pooled.is_told.any():
        return None
    alerts: Whole = np.stack([part.opened for part in told]).astype(np.int64).sum(axis=0)
    counted = seen.at_risk & pooled.is_told[:, None]
    first = 100.0 * seen.per_group(pooled.opened & counted)
    return {
        **_figures(alerts, pooled, seen, doubt),
        "warned": _rate(first, seen.per_group(counted), _draws(seen, doubt), doubt, times=100.0),
        "rules": len(told),
        "first_judged": seen.days[int(pooled.is_told.argmax())].isoformat(),
    }


def _draws(seen: Witness, doubt: Doubt) -> Resamples:
    return resamples(np.arange(max(seen.groups, 1)), doubt.rounds, doubt.confidence, doubt.seed)


def _figures(alerts: Whole, lives: Lives, seen: Witness, doubt: Doubt) -> dict[str, Any]:
    """`alerts`: how many opened by day and customer."""
    counted = seen.at_risk & lives.is_told[:, None]
    opened = alerts * counted
    ripe = opened * seen.is_ripe[:, None]
    quiet = counted & seen.is_ripe[:, None] & ~lives.stands
    hits, missed = ripe * seen.is_hit, quiet & seen.is_hit
    defaults, caught = _caught(lives, seen)
    draws = _draws(seen, doubt)
    return {
        "days_judged": int(lives.is_told.sum()),
        "opened": int(opened.sum()),
        "precision": _rate(seen.per_group(hits), seen.per_group(ripe), draws, doubt),
        "base": _rate(seen.per_group(missed), seen.per_group(quiet), draws, doubt),
        "lift": _lift([seen.per_group(rows) for rows in (hits, ripe, missed, quiet)], draws, doubt),
        "recall": _rate(caught, defaults, draws, doubt),
        "reach": _rate(seen.per_group(_reached(lives, seen) & counted), seen.per_group(counted), draws, doubt),
        "lead": _lead(_each(seen.lead, hits), _each(np.broadcast_to(seen.clusters, hits.shape), hits), doubt),
        "load": _rate(100.0 * seen.per_group(opened), seen.per_group(counted), draws, doubt, times=100.0),
        "standing": _rate(seen.per_group(lives.stands & counted), seen.per_group(counted), draws, doubt),
    }


def _each(values: npt.NDArray[Any], counts: Whole) -> npt.NDArray[Any]:
    """The value of each of the rows counted, as often as it counts."""
    return np.repeat(values.ravel(), counts.ravel())


def _caught(lives: Lives, seen: Witness) -> tuple[Floats, Floats]:
    """By group: defaults of customers at risk on the last day before, and those an alert stood before."""
    days = np.array([day.toordinal() for day in seen.days])
    widths = np.array([end.toordinal() for end in seen.ends]) - days
    defaults, caught = np.zeros(seen.groups), np.zeros(seen.groups)
    for customer, began in seen.defaults:
        last = int(np.searchsorted(days, began.toordinal(), side="left")) - 1
        if last < 0 or began > seen.until or not (seen.at_risk[last, customer] and lives.is_told[last]):
            continue
        within = began.toordinal() - days[: last + 1] <= widths[: last + 1]
        group = seen.clusters[customer]
        defaults[group] += 1
        caught[group] += bool((lives.stands[: last + 1, customer] & within).any())
    return defaults, caught


def _reached(lives: Lives, seen: Witness) -> Flags:
    """By day and customer: an alert stands on the day, or stood on an earlier one whose window reaches beyond it."""
    found = np.zeros_like(lives.stands)
    for at, day in enumerate(seen.days):
        within = [row for row in range(at + 1) if seen.ends[row] > day]
        found[at] = lives.stands[within].any(axis=0)
    return found


def _rate(above: Floats, below: Floats, draws: Resamples, doubt: Doubt, times: float = 1.0) -> dict[str, Any]:
    """Σ above / Σ below with its interval. All or nothing has no spread to draw from: Jeffreys stands in, each group
    one witness."""
    groups = int(np.count_nonzero(below))
    told = {"hits": round(float(above.sum()) / times), "n": int(below.sum()), "groups": groups}
    if groups < doubt.fewest:
        return {**told, "value": None, "low": None, "high": None}
    share = above.sum() / below.sum()
    if share in {0.0, times}:
        low, high = jeffreys_interval(groups * share / times, groups, doubt.confidence)
        return {**told, "value": float(share), "low": low * times, "high": high * times}
    found = ratio_interval(above, below, draws).as_json()
    return {**told, **{name: found[name] for name in ("value", "low", "high")}}


def _lift(sums: list[Floats], draws: Resamples, doubt: Doubt) -> dict[str, Any]:
    hits, alerts, missed, quiet = sums
    nothing = {"value": None, "low": None, "high": None}
    if np.count_nonzero(alerts) < doubt.fewest or not (hits.sum() and missed.sum()):
        return nothing

    def lift(weights: Floats) -> Floats:
        top, bottom = (_share(weights, a, b) for a, b in ((hits, alerts), (missed, quiet)))
        found: Floats = np.divide(top, bottom, out=np.full(len(weights), np.nan), where=bottom > 0)
        return found

    found = statistic_interval(lift, draws).as_json()
    return {name: found[name] for name in nothing}


def _share(weights: Floats, above: Floats, below: Floats) -> Floats:
    # Products summed along rows, not a matrix product: BLAS may sum in another order with other threads.
    bottom = np.sum(weights * below, axis=-1)
    found: Floats = np.divide(
        np.sum(weights * above, axis=-1), bottom, out=np.full(len(weights), np.nan), where=bottom > 0
    )
    return found


def _lead(days: Floats, clusters: Whole, doubt: Doubt) -> dict[str, Any] | None:
    """The middle number of days (the lower of two) with its interval; null with too few groups of customers."""
    if len(np.unique(clusters)) < doubt.fewest:
        return None
    order = np.argsort(days, kind="stable")
    ordered = days[order]

    def middle(weights: Floats) -> Floats:
        mass = np.cumsum(weights[:, order], axis=1)
        found: Floats = ordered[(mass >= mass[:, -1:] / 2.0).argmax(axis=1)]
        return found

    draws = resamples(clusters, doubt.rounds, doubt.confidence, doubt.seed)
    found = statistic_interval(middle, draws).as_json()
    return {"n": len(days), **{name: found[name] for name in ("value", "low", "high")}}


def together(parts: Sequence[Lives]) -> Lives:
    """All rules as one, by customer: an alert stands where one of any rule does, and `opened` is where none stood the
    day before. Told on the days on which every one of the rules is."""
    stands = np.logical_or.reduce([part.stands for part in parts])
    before = np.vstack([np.zeros((1, stands.shape[1]), dtype=bool), stands[:-1]])
    is_told = np.logical_and.reduce([part.is_told for part in parts])
    return Lives(stands & ~before & is_told[:, None], stands, is_told)
