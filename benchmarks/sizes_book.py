"""A made-up book whose PDs are right, as small and as tied together as ours: what a test that rejects here does wrong.

Customers have a constant monthly hazard, so that the PD of the next twelve months is known exactly; one who defaults is
replaced by another; one slot in ten is tied to a second one of its group, which shares the hazard and, three times in
ten, the month of default. Windows of neighbouring month ends overlap, as in a panel.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pipeline.params import ValidateParams
from pipeline.score.master_scale import MasterScale
from pipeline.train.committee_ground import Cohort, Ground
from pipeline.train.label import Label
from pipeline.train.sample import Sample
from pipeline.train.splits import Timetable

if TYPE_CHECKING:
    from collections.abc import Sequence

WINDOW, YEARS, TEST_DATES = 12, 4, 5
TIED_SHARE, TIED_DEFAULTS = 0.1, 0.3
PARTS = np.array(["north", "south", "east", "west"], dtype=object)
SCALE = MasterScale.load(
    {
        "grades": [
            {"grade": f"G{i + 1:02d}", "pd_below": upper, "pd": upper * 0.7, "segment": "medium"}
            for i, upper in enumerate((0.0025, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 1.0))
        ]
    }
)


@dataclass(frozen=True)
class Design:
    """How many customers at a time, their default rate, and the spread of their log odds."""

    name: str
    customers: int
    rate: float
    spread: float = 1.1


@dataclass(frozen=True)
class Known:
    """Stands for a model: its PD is a column."""

    column: str = "pd"

    def pd(self, rows: pd.DataFrame) -> np.ndarray:
        """The PD that stands in the rows."""
        return rows[self.column].to_numpy(dtype=float)


def simulated(
    design: Design, seed: int, *, factor: float = 1.0, blur: float = 0.0, is_shuffled: bool = False
) -> Ground:
    """A ground of the validation tests. Defaults are `factor` times the forecast ones; `blur` is the standard deviation
    of noise on the log odds of the test dates, which lowers the order; shuffled PDs have no order at all."""
    rng = np.random.default_rng([seed, design.customers])
    months = WINDOW * YEARS + TEST_DATES
    last = months - WINDOW - 1
    tested = range(last - TEST_DATES + 1, last + 1)
    cohort_months = [last - WINDOW * year for year in range(YEARS)]
    book = _book(design, rng, sorted({*tested, *cohort_months}), factor)
    if is_shuffled:
        book = book.assign(pd=rng.permutation(book["pd"].to_numpy()))
    if blur:
        logit = np.log(book["pd"] / (1 - book["pd"])) + blur * rng.normal(size=len(book))
        is_late = book["month"] > last - WINDOW
        book = book.assign(pd=np.where(is_late, 1 / (1 + np.exp(-logit)), book["pd"]))
    panel = _sample(book[book["month"].isin(tested)])
    cohorts = tuple(Cohort(_day(m), _sample(book[book["month"] == m])) for m in cohort_months)
    young = _book(Design(design.name, young_customers(design), design.rate, design.spread), rng, [last], 1.0)
    table = Timetable("12 months", (0.6, 0.2, 0.2), 1, test=tuple(_day(m) for m in tested))
    return Ground(
        models={"champion": Known()},  # type: ignore[dict-item]
        parts={"out_of_time": panel},
        table=table,
        label=Label("default", 90, WINDOW, None),
        scale=SCALE,
        settings=ValidateParams(bootstrap_rounds=200),
        report={},
        cohorts=cohorts,
        development=_sample(young),
        now=pd.DataFrame(),
        groups={"part": PARTS[panel.rows["slot"].to_numpy() % len(PARTS)]},
    )


def young_customers(design: Design) -> int:
    """How many customers the book holds at development of whom no points were fitted."""
    return max(int(0.4 * design.customers), 20)


def _book(design: Design, rng: np.random.Generator, wanted: Sequence[int], factor: float) -> pd.DataFrame:
    """One row per slot and wanted month: customer_id, group, pd, is_bad."""
    n = design.customers
    tied = np.arange(n) % int(2 / TIED_SHARE)
    # Slots 0 and 1 of every twenty are one group.
    leader = np.where(tied == 1, np.arange(n) - 1, np.arange(n))
    pd_now = _drawn(design, rng, n)[leader]
    number = np.zeros(n, dtype=np.int64)
    pds, numbers, falls = [], [], []
    for _ in range(max(wanted) + 1 + WINDOW):
        pds.append(pd_now.copy())
        numbers.append(number.copy())
        hazard = 1.0 - (1.0 - np.clip(pd_now * factor, 0, 0.999)) ** (1.0 / WINDOW)
        own = rng.random(n)
        draw = np.where(rng.random(n) < TIED_DEFAULTS, own[leader], own)
        falls.append(draw < hazard)
        fresh = _drawn(design, rng, n)
        number = number + falls[-1]
        pd_now = np.where(falls[-1], fresh, pd_now)
    pd_at, number_at, fall_at = np.array(pds), np.array(numbers), np.array(falls)
    rows = []
    for month in wanted:
        # The customer of that month falls in the next twelve months: its first fall, for then another takes its place.
        is_bad = fall_at[month : month + WINDOW].any(axis=0)
        rows.append(
            pd.DataFrame(
                {
                    "month": month,
                    "slot": np.arange(n),
                    "customer_id": leader * 1000 + np.where(tied == 1, 500, 0) + number_at[month],
                    "group": leader,
                    "number": number_at[month],
                    "pd": pd_at[month],
                    "is_bad": is_bad.astype(float),
                }
            )
        )
    return pd.concat(rows, ignore_index=True)


def _drawn(design: Design, rng: np.random.Generator, n: int) -> np.ndarray:
    """PDs whose mean is the rate."""
    middle = _middle(design)
    return np.asarray(1 / (1 + np.exp(-(middle + design.spread * rng.normal(size=n)))))


@cache
def _middle(design: Design) -> float:
    """The mean of the log odds at which the mean PD is the rate."""
    grid = np.linspace(-4, 4, 400)
    weight = np.exp(-(grid**2) / 2)
    low, high = -12.0, 4.0
    for _ in range(60):
        middle = (low + high) / 2
        mean = float((weight / (1 + np.exp(-(middle + design.spread * grid)))).sum() / weight.sum())
        low, high = (middle, high) if mean < design.rate else (low, middle)
    return low


def _sample(rows: pd.DataFrame) -> Sample:
    ordered = rows.sort_values(["month", "customer_id"], ignore_index=True)
    # A tied pair is one cluster; a replacement is another customer, yet of the same group when it has one.
    clusters = (ordered["group"].astype(str) + "-" + ordered["number"].astype(str)).to_numpy(dtype=object)
    is_tied = (ordered["group"].to_numpy() % int(2 / TIED_SHARE)) == 0
    clusters = np.where(is_tied, ordered["group"].astype(str), clusters)
    days = np.array([_day(month) for month in ordered["month"]], dtype=object)
    return Sample(ordered, ordered["is_bad"].to_numpy(dtype=float), clusters, days)


def _day(month: int) -> dt.date:
    return dt.date(2018 + month // 12, month % 12 + 1, 28)
