"""Which snapshot serves what: training, calibration and test apart by time and by customer group."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pipeline.errors import UnfitForTrainingError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipeline.params import LabelParams, SplitParams
    from pipeline.train.label import Label

ROLES = ("train", "calibration", "test")
UNDATED = "undated"
# Fewer month ends than this teach a model one season of one year.
_FEWEST_TRAINING_DATES = 3


@dataclass(frozen=True)
class Timetable:
    """The dates of each role, the dates purged between them, and how customer groups are shared out.

    `purge` is `whole`, `shortened`, `none`, `shared` (training and calibration use the same dates), `tested_later` (as
    `shared`, and nothing is kept for a test) or `undated` (the rows have no dates: the roles are apart by customer
    group only); `limitations` says in words what that cost.
    """

    window: str
    shares: tuple[float, float, float]
    seed: int
    purge: str = "whole"
    train: tuple[dt.date, ...] = ()
    calibration: tuple[dt.date, ...] = ()
    test: tuple[dt.date, ...] = ()
    purged: tuple[dt.date, ...] = ()
    limitations: tuple[str, ...] = ()

    def role(self, book: pd.DataFrame) -> pd.Series:
        """`train`, `calibration`, `test` or `` per row: the role of the row's customers where it is also the date's.

        Needs customer_id, group_key and as_of. Rows without a good or bad outcome are the caller's to leave out.
        """
        roles = self.customer_role(book)
        if self.is_undated:
            return roles.rename("role")
        days = pd.Series(as_days(book["as_of"]), index=book.index)
        serves = [(roles == name) & days.isin(list(getattr(self, name))) for name in ROLES]
        return roles.where(serves[0] | serves[1] | serves[2], "").rename("role")

    @property
    def is_undated(self) -> bool:
        """The rows have no dates, so that no role has any."""
        return self.purge == UNDATED

    @property
    def has_test(self) -> bool:
        """Customers are kept for a test."""
        return self.shares[2] > 0.0

    @property
    def held_out(self) -> str:
        """What the test is, in words."""
        return "other customers, no dates" if self.is_undated else "other customers at later dates"

    def customer_role(self, book: pd.DataFrame) -> pd.Series:
        """`train`, `calibration` or `test` per row by its customer group alone, whatever the date."""
        return self.group_role(customer_groups(book)).rename("customer_role")

    def group_role(self, groups: pd.Series) -> pd.Series:
        """The role of each customer group, drawn by a hash of its name."""
        names = {name: _role_of(str(name), self.shares, self.seed) for name in groups.unique()}
        return groups.map(names).astype("str")

    def is_out_of_time(self, book: pd.DataFrame) -> pd.Series:
        """Rows of the test dates, whatever the customer."""
        return pd.Series(as_days(book["as_of"]), index=book.index).isin(list(self.test))

    def as_json(self) -> dict[str, Any]:
        """Plain values, dates as ISO text."""
        return {
            **{name: [day.isoformat() for day in getattr(self, name)] for name in (*ROLES, "purged")},
            "purge": self.purge,
            "window": self.window,
            "customer_shares": dict(zip(ROLES, self.shares, strict=True)),
            "seed": self.seed,
            "limitations": list(self.limitations),
        }

    def text(self) -> str:
        """The timetable for a terminal, one line a role."""
        if self.is_undated:
            told = ", ".join(f"{name} {share:.0%}" for name, share in zip(ROLES, self.shares, strict=True))
            return "\n".join([f"rows without dates, shared out by group: {told}", *self._limits()])
        lines = [f"{'role':<12} {'snapshots':>9}  {'first':<10}  {'last':<10}  customers"]
        for name, share in zip(ROLES, self.shares, strict=True):
            days = getattr(self, name)
            if not days:
                continue
            lines.append(f"{name:<12} {len(days):>9}  {days[0]}  {days[-1]}  {share:.0%} of the groups")
        lines.append(f"{'purged':<12} {len(self.purged):>9}  between the roles; the window is {self.window}")
        return "\n".join([*lines, *self._limits()])

    def _limits(self) -> list[str]:
        return [f"limitation: {limitation}" for limitation in self.limitations]


def timetable(dates: Iterable[dt.date], label: LabelParams | Label, settings: SplitParams) -> Timetable:
    """Allots mature snapshot dates to training, calibration and test, a whole performance window purged between them.

    A window is purged when every outcome of one role is settled before the first day of the next: `window_months`, or
    `window_days` + `days` for a label of lateness. Dates are shared out as the customers are, training the longest.
    Raises UnfitForTrainingError when the history is too short and `settings.purge` is `required`.
    """
    days = sorted(set(dates))
    shares = (settings.train_share, settings.calibration_share, settings.test_share)
    blank = Timetable(_window(label), shares, settings.seed)
    gaps = [_settled_index(days, day, label) for day in days]
    cuts = _apart(gaps, shares, len(days))
    if cuts is not None:
        return _cut(replace(blank, limitations=_without_window(label)), days, cuts)
    if settings.purge == "required" or not days:
        raise UnfitForTrainingError(_too_short(days, blank.window))
    return _shortened(blank, days, gaps) or _shared(blank, days)


def timetable_tested_later(dates: Iterable[dt.date], label: LabelParams | Label, settings: SplitParams) -> Timetable:
    """The timetable of a model that later months test: every mature date trains and calibrates, nothing is kept back.

    Training and calibration are apart by customer group, in the ratio of their shares. Raises UnfitForTrainingError
    without a mature date.
    """
    days = tuple(sorted(set(dates)))
    if not days:
        raise UnfitForTrainingError("split: no snapshot date has a known outcome yet; hand in a longer history")
    train = settings.train_share / (settings.train_share + settings.calibration_share)
    told = (
        f"training and calibration share {len(days)} date(s) and are apart by customer only; the test is the time after"
    )
    shares = (train, 1.0 - train, 0.0)
    blank = Timetable(_window(label), shares, settings.seed, purge="tested_later", limitations=(told,))
    return replace(blank, train=days, calibration=days)


def undated_timetable(label: LabelParams | Label, settings: SplitParams) -> Timetable:
    """The timetable of rows without dates: training, calibration and test are groups of customers, drawn by hash."""
    told = (
        "the rows have no dates: training, calibration and test are apart by customer group only, nothing is measured "
        "at later dates (out of time), and no performance window can be purged between the roles"
    )
    shares = (settings.train_share, settings.calibration_share, settings.test_share)
    return Timetable(_window(label), shares, settings.seed, purge=UNDATED, limitations=(told,))


def is_undated(book: pd.DataFrame) -> bool:
    """No row of the book has a date."""
    return bool(book["as_of"].isna().all())


def mature_dates(book: pd.DataFrame) -> list[dt.date]:
    """The snapshot dates at which somebody is known to have stayed good: their window has run its course."""
    return sorted(set(as_days(book.loc[book["is_bad"] == 0, "as_of"])))


def customer_groups(book: pd.DataFrame) -> pd.Series:
    """The cluster of each row: customers tied by a group at any date stand together, named by their first group key.

    A customer that changes groups would otherwise sit on both sides of a split.
    """
    from scipy import sparse
    from scipy.sparse import csgraph

    customers, _ = pd.factorize(book["customer_id"], sort=True)
    keys, names = pd.factorize(book["group_key"], sort=True)
    n_customers = int(customers.max()) + 1 if len(customers) else 0
    size = n_customers + len(names)
    edges = sparse.coo_array((np.ones(len(book)), (customers, keys + n_customers)), shape=(size, size))
    _, component = csgraph.connected_components(edges, directed=False)
    # Names are sorted, so the first of each component is its smallest.
    tied, first = np.unique(component[n_customers:], return_index=True)
    found = np.asarray(names, dtype=object)[first[np.searchsorted(tied, component[keys + n_customers])]]
    return pd.Series(found, index=book.index, name="cluster")


def hashed_share(seed: int, key: str) -> float:
    """A number in [0, 1) that depends on seed and key alone, on every machine.

    >>> round(hashed_share(1, "C-1"), 6) == round(hashed_share(1, "C-1"), 6)
    True
    """
    return int.from_bytes(hashlib.sha256(f"{seed}:{key}".encode()).digest()[:8]) / 2**64


def as_days(column: pd.Series) -> list[dt.date]:
    """Dates of a column that may hold dates or timestamps."""
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return list(column.dt.date)
    return [day.date() if isinstance(day, dt.datetime) else day for day in column]


def _role_of(key: str, shares: tuple[float, float, float], seed: int) -> str:
    drawn = hashed_share(seed, key)
    if drawn < shares[0]:
        return "train"
    return "calibration" if shares[2] == 0.0 or drawn < shares[0] + shares[1] else "test"


def _settled_index(days: Sequence[dt.date], day: dt.date, label: LabelParams | Label) -> int:
    settled = settled_on(day, label)
    return next((i for i, later in enumerate(days) if later >= settled), len(days))


def settled_on(day: dt.date, label: LabelParams | Label) -> dt.date:
    """The day by which every outcome of a snapshot has happened; the day itself where no window is told."""
    if label.window_months is not None:
        month = day.month - 1 + label.window_months
        year, month = day.year + month // 12, month % 12 + 1
        end = dt.date(year, month, min(day.day, _month_length(year, month)))
    else:
        end = day + dt.timedelta(days=label.window_days or 0)
    return end + dt.timedelta(days=(label.days or 0) if label.kind == "late" else 0)


def _month_length(year: int, month: int) -> int:
    following = dt.date(year + month // 12, month % 12 + 1, 1)
    return (following - dt.timedelta(days=1)).day


def _apart(gaps: Sequence[int], shares: tuple[float, float, float], n: int) -> tuple[int, int, int, int] | None:
    """(last train, first calibration, last calibration, first test) with `gaps[i]` the first index free of date i."""
    best: tuple[tuple[float, int, int], tuple[int, int, int, int]] | None = None
    for last_train in range(_FEWEST_TRAINING_DATES - 1, n):
        for last_calibration in range(gaps[last_train], n):
            cut = (last_train, gaps[last_train], last_calibration, gaps[last_calibration])
            counts = np.array([cut[0] + 1, cut[2] - cut[1] + 1, n - cut[3]])
            if cut[3] >= n or counts[0] < counts.max():
                continue
            distance = float(np.abs(counts / counts.sum() - np.array(shares)).sum())
            rank = (round(distance, 9), -int(counts.sum()), -cut[0])
            if best is None or rank < best[0]:
                best = (rank, cut)
    return None if best is None else best[1]


def _shortened(blank: Timetable, days: list[dt.date], gaps: list[int]) -> Timetable | None:
    longest = max((gap - i for i, gap in enumerate(gaps)), default=0)
    for steps in range(longest - 1, 0, -1):
        cuts = _apart([min(gap, i + steps) for i, gap in enumerate(gaps)], blank.shares, len(days))
        if cuts is None:
            continue
        told = (
            f"{steps - 1} snapshot(s) instead of a window of {blank.window} are purged between the roles: "
            "their outcomes overlap in time; customers are apart"
        )
        return _cut(replace(blank, purge="shortened" if steps > 1 else "none", limitations=(told,)), days, cuts)
    return None


def _shared(blank: Timetable, days: list[dt.date]) -> Timetable:
    """Training and calibration on all dates but the last, the test on the last: only the customers are apart."""
    early = tuple(days[:-1] or days)
    told = [
        f"{len(days)} mature snapshot date(s) are too few to keep the roles apart by time: training and calibration "
        f"share {len(early)} of them and are apart by customer only",
        f"no window is purged before the test date {days[-1]}: outcomes of training and test overlap in time",
    ]
    if len(days) == 1:
        told[1] = "the test uses the same date as training: it is out of sample but not out of time"
    return replace(blank, purge="shared", train=early, calibration=early, test=(days[-1],), limitations=tuple(told))


def _cut(blank: Timetable, days: list[dt.date], cuts: tuple[int, int, int, int]) -> Timetable:
    last_train, first_calibration, last_calibration, first_test = cuts
    return replace(
        blank,
        train=tuple(days[: last_train + 1]),
        calibration=tuple(days[first_calibration : last_calibration + 1]),
        test=tuple(days[first_test:]),
        purged=tuple(days[last_train + 1 : first_calibration] + days[last_calibration + 1 : first_test]),
    )


def _window(label: LabelParams | Label) -> str:
    if label.window_months is None and label.window_days is None:
        return "no length told"
    length = f"{label.window_months} months" if label.window_months is not None else f"{label.window_days} days"
    return f"{length} and the {label.days} days of lateness" if label.kind == "late" else length


def _without_window(label: LabelParams | Label) -> tuple[str, ...]:
    if label.window_months is not None or label.window_days is not None:
        return ()
    told = "no performance window is told, so none is purged between the dates: outcomes may overlap in time"
    return (told,)


def _too_short(days: list[dt.date], window: str) -> str:
    span = f"from {days[0]} to {days[-1]}" if days else "at all"
    return (
        f"split: {len(days)} mature snapshot date(s) {span} cannot hold training ({_FEWEST_TRAINING_DATES} or more), "
        f"calibration and test with a window of {window} purged between them; hand in a longer history, or set "
        "split.purge: best_effort to train with less and have the report say so"
    )
