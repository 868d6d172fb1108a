"""What the validation tests read: rows that no model has seen, by year, and the book as it is rated."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.train.splits import settled_on

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from pipeline.params import ValidateParams
    from pipeline.score.master_scale import MasterScale
    from pipeline.score.model import Model
    from pipeline.train.committee_monitored import Monitored
    from pipeline.train.committee_poison import Poison
    from pipeline.train.label import Label
    from pipeline.train.sample import Sample
    from pipeline.train.splits import Timetable

    Floats = NDArray[np.float64]
    Texts = NDArray[np.object_]


@dataclass(frozen=True)
class Cohort:
    """The unseen rows of one day with their outcomes; no day for rows without dates. At later dates customers of the
    training are among them (`cohorts_of`)."""

    day: dt.date | None
    sample: Sample


@dataclass(frozen=True)
class Ledger:
    """What only a ledger tells; nulls and nothing for a table of one's own.

    `ratings`: by moment (`now`, `year_before`, `two_years_before`, `development`) the book as the champion rates it:
    customer_id, status, grade, pd, is_overridden, has_open, accounts_age_months. `intake`: rows and quarantined rows by
    table. `outcomes`: how the windows of all settled snapshots ended, counted. `poison`: what rows of later days
    changed; null where none could be poured in. `monitored`: how the model in force has done; null where nothing
    watched it.
    """

    ratings: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    intake: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    outcomes: Mapping[str, int] = field(default_factory=dict)
    poison: Poison | None = None
    monitored: Monitored | None = None


@dataclass(frozen=True)
class Ground:
    """Everything the tests read. `report` is what `validate` measured already; `leaks` by role what the detector found.

    `now_clusters` names the customer group of each row of the newest snapshot, `now`, as a sample's clusters do.
    `groups` divides the rows of out_of_time, `rivals` are risk scores of them (higher is riskier; NaN where unknown).
    """

    models: Mapping[str, Model]
    parts: Mapping[str, Sample]
    table: Timetable
    label: Label
    scale: MasterScale
    settings: ValidateParams
    report: Mapping[str, Any]
    cohorts: tuple[Cohort, ...]
    development: Sample
    now: pd.DataFrame
    now_clusters: Texts = field(default_factory=lambda: np.empty(0, dtype=object))
    groups: Mapping[str, Texts] = field(default_factory=dict)
    rivals: Mapping[str, Floats] = field(default_factory=dict)
    ledger: Ledger = field(default_factory=Ledger)
    leaks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def panel(self) -> Sample:
        """All customers at all test dates; the other customers where rows have no dates."""
        return self.parts["test" if self.table.is_undated else "out_of_time"]

    @property
    def newest(self) -> Cohort:
        """The last cohort, on which every test that assumes independence stands."""
        return self.cohorts[0]

    def in_newest(self) -> NDArray[np.bool_]:
        """Which rows of the panel are the newest cohort's."""
        if self.table.is_undated:
            return np.ones(len(self.panel.is_bad), dtype=bool)
        return np.asarray(self.panel.days == self.newest.day)

    def enough(self, sample: Sample) -> bool:
        """`min_bad_customers` customers with a bad row and as many with a good one."""
        goods = len(np.unique(sample.codes[sample.is_bad == 0]))
        return min(sample.bad_customers, goods) >= self.settings.min_bad_customers


def cohorts_of(whole: Sample, table: Timetable, label: Label) -> tuple[Cohort, ...]:
    """Cohorts of unseen rows, newest first, each window settled before the next one begins.

    A customer is unseen at every date if no model was fitted on it; else from the first date after the purge that
    follows its role, and where no whole window was purged from the first test date on. The newest cohort stands on the
    last test date. Rows without dates are one cohort, of the test customers.
    """
    unseen = whole.part(_is_unseen(whole, table))
    if table.is_undated:
        return (Cohort(None, unseen),)
    found: list[Cohort] = []
    for day in sorted(set(unseen.days), reverse=True):
        if day > max(table.test) or (found and settled_on(day, label) > _day(found[-1])):
            continue
        found.append(Cohort(day, unseen.part(unseen.days == day)))
    return tuple(found)


def development_sample(whole: Sample, table: Timetable) -> Sample:
    """Customers that no points were fitted on, at the last training date: what the model could do when it was young.

    For rows without dates the calibration customers.
    """
    role = _customer_role(whole, table)
    if table.is_undated:
        return whole.part(role == "calibration")
    return whole.part((role != "train") & (whole.days == max(table.train)))


def _is_unseen(whole: Sample, table: Timetable) -> NDArray[np.bool_]:
    role = _customer_role(whole, table)
    if table.is_undated:
        return np.asarray(role == "test")
    is_whole = table.purge == "whole"
    days = whole.days.astype("datetime64[D]")
    free = {"train": table.calibration if is_whole else table.test, "calibration": table.test}
    late = {name: days >= np.datetime64(min(dates)) for name, dates in free.items()}
    return np.asarray(
        (role == "test") | ((role == "train") & late["train"]) | ((role == "calibration") & late["calibration"])
    )


def _customer_role(whole: Sample, table: Timetable) -> Texts:
    import pandas as pd

    found: Texts = table.group_role(pd.Series(whole.clusters)).to_numpy(dtype=object)
    return found


def _day(cohort: Cohort) -> dt.date:
    if cohort.day is None:
        raise ValueError("rows without dates are one cohort")
    return cohort.day


def counts_of(sample: Sample) -> dict[str, Any]:
    """Rows, customers and bad customers, as a result tells them."""
    return {"rows": len(sample.is_bad), "customers": sample.customers, "bads": sample.bad_customers}


def names_of(names: Sequence[str]) -> tuple[str, ...]:
    """Champion first, then the others in order."""
    return tuple(sorted(names, key=lambda name: (name != "champion", name)))
