"""A made-up book whose PDs are right, as small and as tied together as ours: what a test that rejects here does wrong.

Its customers are those of sizes_tenures.py. Windows of neighbouring month ends overlap, as in a panel.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchmarks.sizes_tenures import CYCLE, HORIZON, LAST, TEST_DATES, WINDOW, YEARS, Design, Tenures, drawn
from pipeline.params import ValidateParams
from pipeline.score.master_scale import MasterScale
from pipeline.train.committee_ground import Cohort, Ground
from pipeline.train.label import Label
from pipeline.train.sample import Sample
from pipeline.train.splits import Timetable

if TYPE_CHECKING:
    from collections.abc import Sequence

PARTS = np.array(["north", "south", "east", "west"], dtype=object)
SCALE = MasterScale.load(
    {
        "grades": [
            {"grade": f"G{i + 1:02d}", "pd_below": upper, "pd": upper * 0.7, "segment": "medium"}
            for i, upper in enumerate((0.0025, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 1.0))
        ]
    }
)
SETTINGS = ValidateParams(bootstrap_rounds=200)
_DAYS = np.array([dt.date(2018 + month // 12, month % 12 + 1, 28) for month in range(HORIZON)], dtype=object)
TESTED = range(LAST - TEST_DATES + 1, LAST + 1)
COHORTS = [LAST - WINDOW * year for year in range(YEARS)]


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
    rows = rows_of(drawn(design, rng, 1, factor))
    rows = without_order(rows, rng) if is_shuffled else blurred(rows, rng, blur)
    return ground_of(rows, rows_of(drawn(design.young(), rng, 1), (LAST,)))


def without_order(rows: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """The PDs of a book dealt out anew."""
    return rows.assign(pd=rng.permutation(rows["pd"].to_numpy()))


def blurred(rows: pd.DataFrame, rng: np.random.Generator, blur: float) -> pd.DataFrame:
    """Noise of that standard deviation on the log odds of the last year's PDs; none at 0."""
    if not blur:
        return rows
    logit = np.log(rows["pd"] / (1 - rows["pd"])) + blur * rng.normal(size=len(rows))
    is_late = rows["month"] > LAST - WINDOW
    return rows.assign(pd=np.where(is_late, 1 / (1 + np.exp(-logit)), rows["pd"]))


def rows_of(book: Tenures, months: Sequence[int] = tuple(sorted({*TESTED, *COHORTS}))) -> pd.DataFrame:
    """One row per month and customer of one book, sorted so: month, slot, customer_id, group, number, pd, is_bad."""
    parts = [_month(book.at(month), month) for month in months]
    return pd.DataFrame({name: np.concatenate([one[name] for one in parts]) for name in parts[0]})


def ground_of(rows: pd.DataFrame, young: pd.DataFrame) -> Ground:
    """The ground of the tests on the rows of a book and those of its development."""
    panel = sample_of(rows[rows["month"].isin(TESTED)])
    cohorts = tuple(Cohort(_DAYS[month], sample_of(rows[rows["month"] == month])) for month in COHORTS)
    return Ground(
        models={"champion": Known()},  # type: ignore[dict-item]
        parts={"out_of_time": panel},
        table=Timetable("12 months", (0.6, 0.2, 0.2), 1, test=tuple(_DAYS[month] for month in TESTED)),
        label=Label("default", 90, WINDOW, None),
        scale=SCALE,
        settings=SETTINGS,
        report={},
        cohorts=cohorts,
        development=sample_of(young),
        now=pd.DataFrame(),
        groups={"part": PARTS[part_of(panel.rows["slot"].to_numpy())]},
    )


def part_of(slot: np.ndarray) -> np.ndarray:
    """The number of the part of the book that a place belongs to."""
    return slot % len(PARTS)


def _month(standing: Tenures, month: int) -> dict[str, np.ndarray]:
    follows = standing.slot % CYCLE == 1
    leader = np.where(follows, standing.slot - 1, standing.slot)
    customer = leader * 1000 + np.where(follows, 500, 0) + standing.number
    told = {
        "month": np.full(len(customer), month),
        "slot": standing.slot,
        "customer_id": customer,
        "group": leader,
        "number": standing.number,
        "pd": standing.pd,
        "is_bad": standing.is_bad_from(month).astype(float),
    }
    order = np.argsort(customer)
    return {name: values[order] for name, values in told.items()}


def sample_of(rows: pd.DataFrame) -> Sample:
    """Rows of a book as a sample: a tied pair is one cluster."""
    group, number = rows["group"].to_numpy(), rows["number"].to_numpy()
    # A tied pair is one cluster; a replacement is another customer, yet of the same group when it has one.
    clusters = (group * 1000 + np.where(group % CYCLE == 0, 0, number)).astype(object)
    days = _DAYS[rows["month"].to_numpy()]
    return Sample(rows.reset_index(drop=True), rows["is_bad"].to_numpy(dtype=float), clusters, days)
