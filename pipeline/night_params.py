"""The sections of params.yaml that the nights and months after a fit read; `pipeline.params` has the others."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - the reader resolves the hints
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Threshold:
    """Of a circuit breaker: a value above `warn` is told, one above `stop` keeps the run from being published."""

    warn: float
    stop: float


@dataclass(frozen=True)
class BreakerParams:
    """What a run is compared by before it is published; docs/night.md says what each is and why.

    A run before that is more than `compare_within_days` old, or a book of fewer than `min_customers`, is not compared.
    `stale_days`: by table, days since it last learned something.
    """

    compare_within_days: int = 45
    min_customers: int = 50
    customers: Threshold = Threshold(0.05, 0.25)
    exposure: Threshold = Threshold(0.20, 0.60)
    moved_two_grades: Threshold = Threshold(0.10, 0.30)
    mean_pd: Threshold = Threshold(0.25, 0.95)
    new_defaults: Threshold = Threshold(0.03, 0.10)
    segments: Threshold = Threshold(0.10, 0.30)
    drift: Threshold = Threshold(0.25, 1.00)
    drift_significance: float = 0.01
    nulls: Threshold = Threshold(0.10, 0.50)
    stale_days: dict[str, Threshold] = field(
        default_factory=lambda: {"invoices": Threshold(7, 45), "payments": Threshold(7, 45)}
    )


@dataclass(frozen=True)
class KeepParams:
    """Published runs that are kept: those of the last `days` days, month ends of the last `month_ends` months; null:
    all of them. Reckoned from the newest published day. A run that goes is removed when `leaving` later ones have gone
    after it, so that whoever reads it can finish."""

    days: int | None = 400
    month_ends: int | None = 120
    leaving: int = 3


@dataclass(frozen=True)
class ScoreParams:
    """The day to score (null: the extract date), where runs are published and what stops one from being so.

    `wait_seconds`: for another run that is publishing; 0 leaves at once. `workers`: processes that score a large book
    side by side, fewer on fewer cores; 1: none beside the night's own.
    """

    as_of: dt.date | None = None
    out: str = "data/scored"
    role: Literal["champion", "challenger"] = "champion"
    wait_seconds: int = 60
    workers: int = 4
    breakers: BreakerParams = BreakerParams()
    keep: KeepParams = KeepParams()


@dataclass(frozen=True)
class PostgresParams:
    """A PostgreSQL database: the environment variable that holds the connection string, and the schema."""

    dsn_env: str = "CREDITBOOK_POSTGRES_DSN"
    schema: str = "creditbook"


@dataclass(frozen=True)
class DeltaParams:
    """A Delta Lake table in a folder; relative to the project."""

    folder: str


@dataclass(frozen=True)
class DeliverParams:
    """Where a published run is handed on (docs/targets.md); null: nowhere.

    Published days before `first_day` are left out (null: none is). `wait_seconds`: for a target's answer, and for
    another delivery to end.
    """

    wait_seconds: int = 30
    first_day: dt.date | None = None
    postgres: PostgresParams | None = None
    delta: DeltaParams | None = None


@dataclass(frozen=True)
class MonitorParams:
    """PSI cut-offs by custom, and the level of the test that says whether a PSI exceeds its noise.

    A fall of the Gini is amber below `amber_significance`, the level of custom, and red below `significance`.
    `confidence`, `rounds` and `seed`: of the intervals of cohorts that have matured, by group of customers. Fewer than
    `min_bad_customers` decide nothing; beyond `max_level_factor`, either way, the level of the PDs is red.
    """

    psi_watch: float = 0.10
    psi_act: float = 0.25
    significance: float = 0.01
    amber_significance: float = 0.05
    confidence: float = 0.95
    rounds: int = 500
    seed: int = 1
    min_bad_customers: int = 10
    max_level_factor: float = 2.0


@dataclass(frozen=True)
class BacktestParams:
    """The replay of a policy over the past (docs/backtest.md): where reports go, and what the replay assumes.

    `refit_months`: months from one refit of the card to the next; `first_fit_snapshots`: month ends with a known
    outcome before the first. `referred`: what becomes of a case that goes to a person: the limit is kept, or approved
    as suggested. `confidence`, `rounds` and `seed`: of the bootstrap by group of customers. Fewer than
    `min_bad_customers` groups with a default decide nothing.
    """

    out: str = "data/backtest"
    refit_months: int = 12
    first_fit_snapshots: int = 6
    referred: Literal["kept", "approved"] = "kept"
    confidence: float = 0.95
    rounds: int = 1000
    seed: int = 1
    min_bad_customers: int = 10


@dataclass(frozen=True)
class PortfolioParams:
    """The monthly report of the portfolio (docs/portfolio.md): where it goes, how many rows its lists have, intervals.

    `top`: the largest names told one by one; `worklist`: rows of the collections worklist. `rounds` and `seed`: of the
    bootstrap by group of customers. `fewest_customers`: fewer tell no rate. `warning_months`: within which a default
    counts as warned of. `hhi_moderate`, `hhi_high`: bounds of the Herfindahl index.
    """

    out: str = "data/portfolio"
    top: int = 10
    worklist: int = 25
    confidence: float = 0.95
    rounds: int = 500
    seed: int = 1
    fewest_customers: int = 30
    warning_months: int = 12
    hhi_moderate: float = 0.10
    hhi_high: float = 0.18


@dataclass(frozen=True)
class StatementParams:
    """The customer's page (docs/statement.md): where it goes, and how far its steps may go.

    `reached_by`: the share of comparable customers who have the value a step goes to, or a better one.
    `fewest_comparable`: with fewer nobody is compared, since a quantile would tell of single customers.
    """

    out: str = "data/statements"
    reached_by: float = 0.25
    fewest_comparable: int = 30
