"""The portfolio of a day in figures, from published runs, the ledger's items and dated policy, as one plain mapping."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.history.snapshots import months_before
from pipeline.score.portfolio.ageing import Buckets, ageing, claims
from pipeline.score.portfolio.amounts import told, whole_cents
from pipeline.score.portfolio.concentration import concentration
from pipeline.score.portfolio.early_warning import (
    alert_lives,
    alerts_of_the_day,
    early_warning,
    outcomes_of_alerts,
)
from pipeline.score.portfolio.expected_loss import costs_of_default, expected_loss
from pipeline.score.portfolio.left_over import EarlierDay, left_over
from pipeline.score.portfolio.lifetime_loss import lifetime_loss
from pipeline.score.portfolio.limit_changes import limit_changes
from pipeline.score.portfolio.migration import migration
from pipeline.score.portfolio.provision_matrix import provision_matrix
from pipeline.score.portfolio.receivable_days import outstanding_over_time
from pipeline.score.portfolio.recoveries import recoveries
from pipeline.score.portfolio.reviews import days_looked_at, reviews_of
from pipeline.score.portfolio.rolls import Rounds, moves, roll_matrix, worse_rates
from pipeline.score.portfolio.strategies import strategies
from pipeline.score.portfolio.worklist import cases_of, worklist

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    import pandas as pd
    import pyarrow as pa

    from pipeline.night_params import PortfolioParams
    from pipeline.score.policy import Policy
    from pipeline.score.policy_sections import Wording
    from pipeline.score.portfolio.sections import CollectionsSection, ProvisionsSection

_PARTS = ("customer_id", "group", "industry", "region", "country")
_YEAR = 12
_LISTED_CENTS = {"loss_cents": "expected_loss", "overdue_cents": "overdue_amount"}


@dataclass(frozen=True)
class Receivables:
    """The claims of the ledger through time, as known on each day.

    `items`: open items (portfolio/ageing.py) of every one of `days`, oldest first, the report's day last. `lost_on`,
    `written_off_on`: by item. `billed`: cents of the months before each day, which began after `starts`.
    `default_days`: the first days of each customer's defaults up to the day, in order. `data_version`: of the ledger.
    `insolvent`: customers whose default of the day is an insolvency.
    """

    items: pd.DataFrame
    days: Sequence[dt.date]
    lost_on: Mapping[str, dt.date]
    written_off_on: Mapping[str, dt.date]
    billed: Mapping[dt.date, int]
    starts: Mapping[dt.date, dt.date]
    default_days: Mapping[str, Sequence[dt.date]]
    data_version: str
    insolvent: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Runs:
    """What was published: the run told of, the one a month before (null: none), and what all runs up to it say.

    `book`, `before`: scored books. `alerts`: of all runs. `at_risk`: as_of and customer_id of who was scored and not in
    default, run by run. `told`: as_of, run_id, versions, label and base currency of the run, as its manifest says, and
    `before`: which run it was compared with and which lies before it now.
    `policy`: that of the run; null where it can no longer be read. `listed`: the scored books of the days on which the
    lists of alerts to look into were made before (score/portfolio/left_over.py), oldest first.
    """

    told: Mapping[str, Any]
    as_of: dt.date
    book: pa.Table
    before_on: dt.date | None
    before: pa.Table | None
    alerts: pd.DataFrame
    at_risk: pd.DataFrame
    policy: Policy | None
    listed: Mapping[dt.date, pa.Table] = field(default_factory=dict)


@dataclass(frozen=True)
class House:
    """What people have set: dated policy, the grades from best to worst with the default grade last, the alert rules
    with their titles, the loss given default where the run tells none, and the parameters of the report."""

    provisions: ProvisionsSection
    collections: CollectionsSection
    grades: Sequence[str]
    rules: Mapping[str, Wording]
    lgd_default: float
    settings: PortfolioParams


def portfolio(
    runs: Runs,
    held: Receivables,
    master: pd.DataFrame,
    house: House,
    level: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Every figure of the portfolio report, money as decimal text, days as ISO text, null where nothing can be told.

    `master`: customer_id, group_id, industry, region, country and collector as known on the day. `level`: value, low
    and high of observed over expected defaults of the model on customers it was not fitted on, and where that comes
    from; null without.
    """
    settings, day = house.settings, runs.as_of
    rounds = Rounds(settings.rounds, settings.confidence, settings.seed)
    buckets = Buckets(house.provisions.bucket_ends)
    book = book_frame(runs.book, master)
    before = None if runs.before is None else book_frame(runs.before, master)
    groups = dict(zip(book["customer_id"], book["group"], strict=True))
    month = held.days[-2] if len(held.days) > 1 else None
    lgd = {c: house.lgd_default if np.isnan(v) else v for c, v in zip(book["customer_id"], book["lgd"], strict=True)}
    ends = None if level is None else (float(level["low"]), float(level["high"]))
    # Who owes and is in no run of the day would be an error upstream; the default's loss stands in, never nothing.
    lgd |= dict.fromkeys(set(held.items["customer_id"]) - lgd.keys(), house.lgd_default)
    matrix = provision_matrix(
        held.items, held.days, held.lost_on, lgd, groups, policy=house.provisions, buckets=buckets, rounds=rounds
    )
    return {
        "run": {**runs.told, "ledger_is_that_of_the_run": held.data_version == runs.told["data_version"]},
        "month_before": None if month is None else month.isoformat(),
        "run_before": None if runs.before_on is None else runs.before_on.isoformat(),
        "confidence": settings.confidence,
        "level": None if level is None else dict(level),
        "exposure": _exposure(book, before),
        "ageing": ageing(held.items, day, month, buckets),
        "over_time": outstanding_over_time(held.items, held.billed, held.starts, held.days[-_YEAR - 1 :], buckets),
        "rolls": _rolls(held, groups, buckets, rounds),
        "expected_loss": expected_loss(book, before, ends, rounds),
        "strategies": strategies(book, runs.policy),
        "migration": None if before is None else migration(book, before, house.grades),
        "concentration": concentration(book, _PARTS, settings.top, settings.hhi_moderate, settings.hhi_high),
        "provisions": {
            "matrix": matrix,
            "lifetime": _lifetime(runs, held, book, house, buckets, ends),
            "recoveries": _recoveries(held, groups, house, buckets, rounds),
        },
        "alerts": _alerts(runs, held, house),
        "limits": limit_changes(book, before, settings.top),
        "worklist": worklist(
            claims(held.items, day), *work_of(runs, held, book, house.collections), house.collections, settings.worklist
        ),
        "costs": costs_of_default(book, groups, settings.top),
    }


def _alerts(runs: Runs, held: Receivables, house: House) -> dict[str, Any]:
    lives, settings, rules = alert_lives(runs.alerts), house.settings, tuple(house.rules)
    return {
        "titles": {name: {"en": title.en, "zh": title.zh} for name, title in house.rules.items()},
        "day": alerts_of_the_day(_of_day(runs.alerts, runs.as_of), rules),
        "lives": outcomes_of_alerts(lives, held.default_days, rules, runs.as_of),
        "warning": early_warning(
            lives,
            runs.at_risk,
            held.default_days,
            rules,
            as_of=runs.as_of,
            months=settings.warning_months,
            fewest=settings.fewest_customers,
            confidence=settings.confidence,
        ),
    }


def work_of(
    runs: Runs, held: Receivables, book: pd.DataFrame, policy: CollectionsSection
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Every case of collection and every alert to look into, whole (score/portfolio/worklist.py, reviews.py); `book` is
    `book_frame`."""
    day = runs.as_of
    cases = cases_of(claims(held.items, day), book, policy, held.insolvent)
    days = list(runs.at_risk["as_of"].unique())
    who = book[["customer_id", "collector"]]
    lists = {one: EarlierDay(_listed(table, who), _of_day(runs.alerts, one)) for one, table in runs.listed.items()}
    left, looked_at = left_over(lists, days, policy), days_looked_at(day, days)
    return cases, reviews_of(book, _of_day(runs.alerts, day), cases, policy, as_of=day, looked_at=looked_at, left=left)


def _listed(book: pa.Table, who: pd.DataFrame) -> pd.DataFrame:
    """What a list needs of an earlier book; who collects is told as on the report's day."""
    plain = book.select(["customer_id", "grade", "alert_severity", "alert_count"]).to_pandas()
    plain = plain.rename(columns={"alert_severity": "severity", "alert_count": "alerts"})
    cents = {name: whole_cents(book[column]) for name, column in _LISTED_CENTS.items()}
    found: pd.DataFrame = plain.assign(**cents).merge(who, on="customer_id", how="left")
    return found


def _recoveries(
    held: Receivables, groups: Mapping[str, str], house: House, buckets: Buckets, rounds: Rounds
) -> dict[str, Any] | None:
    return recoveries(
        held.items,
        held.days,
        held.written_off_on,
        groups,
        months=house.provisions.outcome_months,
        fewest=house.provisions.fewest_customers,
        buckets=buckets,
        rounds=rounds,
    )


def book_frame(book: pa.Table, master: pd.DataFrame) -> pd.DataFrame:
    """A scored book in numbers: cents for money (NaN where a limit is null), doubles, and who the customer is.

    `group` is the parent group or the customer itself, by what is known on the report's day.
    """
    names = ["customer_id", "rating_status", "pd", "lgd", "grade", "segment", "limit_action"]
    plain = book.select([*names, "alert_severity", "alert_count"]).to_pandas()
    plain = plain.rename(columns={"alert_severity": "severity", "alert_count": "alerts"})
    frame = plain.assign(
        ead_cents=whole_cents(book["ead"]),
        open_cents=whole_cents(book["open_amount"]),
        overdue_cents=whole_cents(book["overdue_amount"]),
        loss_cents=whole_cents(book["expected_loss"]),
        limit_cents=_or_nan(book["limit_current"]),
        suggested_cents=_or_nan(book["limit_suggested"]),
    )
    known = master.set_index("customer_id").reindex(frame["customer_id"])
    who = {name: known[name].to_numpy() for name in ("industry", "region", "country", "collector")}
    pairs = zip(known["group_id"], frame["customer_id"], strict=True)
    told_group = [group if isinstance(group, str) else customer for group, customer in pairs]
    found: pd.DataFrame = frame.assign(**who, group=told_group)
    return found


def _or_nan(column: pa.ChunkedArray) -> np.ndarray:
    cents = whole_cents(column).astype(float)
    cents[column.is_null().to_numpy()] = np.nan
    return cents


def _of_day(alerts: pd.DataFrame, day: dt.date) -> pd.DataFrame:
    return alerts[alerts["as_of"] == day]


def _exposure(book: pd.DataFrame, before: pd.DataFrame | None) -> dict[str, Any]:
    names = ("open_cents", "overdue_cents", "ead_cents", "limit_cents")
    then = {} if before is None else {name: told(float(before[name].sum())) for name in names}
    return {
        "customers": len(book),
        "rated": int(book["rating_status"].isin(("rated", "thin_file")).sum()),
        "in_default": int((book["rating_status"] == "in_default").sum()),
        "customers_before": None if before is None else len(before),
        "in_default_before": None if before is None else int((before["rating_status"] == "in_default").sum()),
        **{name.removesuffix("_cents"): told(float(book[name].sum())) for name in names},
        **{f"{name.removesuffix('_cents')}_before": then.get(name) for name in names},
    }


def _rolls(held: Receivables, groups: Mapping[str, str], buckets: Buckets, rounds: Rounds) -> dict[str, Any] | None:
    days = held.days[-_YEAR - 1 :]
    if len(days) < 2:
        return None
    rows = moves(held.items, days, held.written_off_on, buckets)
    return {
        "month": roll_matrix(rows[rows["as_of"] == days[-1]], buckets),
        "from": days[-2].isoformat(),
        "to": days[-1].isoformat(),
        "year": worse_rates(rows, groups, buckets, rounds),
        "months": len(days) - 1,
        "first": days[0].isoformat(),
    }


def _lifetime(  # noqa: PLR0917 - what the loss is made of
    runs: Runs, held: Receivables, book: pd.DataFrame, house: House, buckets: Buckets, ends: tuple[float, float] | None
) -> dict[str, Any] | None:
    """Null where the model's label is no default, so that its PD cannot be scaled to the life of an item."""
    label = runs.told["label"]
    if label.get("kind") != "default":
        return None
    months = label.get("window_months")
    window = (months_before(runs.as_of, -months) - runs.as_of).days if months else int(label["window_days"])
    return lifetime_loss(
        claims(held.items, runs.as_of),
        book.set_index("customer_id"),
        window,
        house.provisions,
        buckets,
        runs.as_of,
        ends,
    )
