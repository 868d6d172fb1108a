"""params.yaml as frozen dataclasses, one per section; `read_params` reads and checks them."""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass, field
from typing import Any, Literal

from pipeline.night_params import (
    BacktestParams,
    DeliverParams,
    MonitorParams,
    PortfolioParams,
    ScoreParams,
    StatementParams,
)


@dataclass(frozen=True)
class EngineParams:
    """Where expressions run.

    `memory_limit` (such as "2GB"): of DuckDB, or of the driver and of each executor of Spark. `threads`: of DuckDB, or
    the cores Spark may use in all. `master` (Spark needs it): "spark://host:port", "local[2]", "yarn", "k8s://…".
    `shared_folder`: a folder or object-store path all workers reach; null is data/spark of the project. `options`:
    further Spark settings.
    """

    kind: Literal["duckdb", "spark"] = "duckdb"
    memory_limit: str = "2GB"
    threads: int = 2
    master: str | None = None
    shared_folder: str | None = None
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class DemoParams:
    """The size of the demo economy and its seed."""

    customers: int = 2000
    months: int = 72
    seed: int = 1


@dataclass(frozen=True)
class IngestParams:
    """What comes in: `source` is "demo" or a folder; `max_bad_share` overrides a table's threshold of bad rows.

    `table` is a modelling table of one's own instead of a ledger, with the `catalogue` that says what is in it; then
    `source` must be "demo", which is not used.
    """

    source: str = "demo"
    table: str | None = None
    catalogue: str | None = None
    mapping: str | None = None
    base_currency: str = "EUR"
    extract_date: dt.date | None = None
    max_bad_share: dict[str, float] = field(default_factory=dict)
    demo: DemoParams = DemoParams()


@dataclass(frozen=True)
class LabelParams:
    """What is predicted: `default` by the written definition, or `late`: an item due in the window `days` late or more.

    Exactly one of `window_months` and `window_days` is set.
    """

    kind: Literal["default", "late"] = "default"
    days: int = 90
    window_months: int | None = 12
    window_days: int | None = None
    posting_lag_days: int = 30
    observation_months: int = 12
    customer_share: float = 1.0
    share_seed: int = 1
    first_snapshot: dt.date | None = None
    last_snapshot: dt.date | None = None


@dataclass(frozen=True)
class SplitParams:
    """Shares of customer groups by role; `purge` "best_effort" lets a history train that is too short for a whole
    performance window between the eras."""

    train_share: float = 0.6
    calibration_share: float = 0.2
    test_share: float = 0.2
    purge: Literal["required", "best_effort"] = "required"
    seed: int = 1


@dataclass(frozen=True)
class LeakParams:
    """When the leak detector warns and when it refuses; docs/leaks.md says why each stands where it does.

    Bounds of AUC, of shares and of rates are those of intervals at `confidence`. `accept` names checks or columns whose
    findings a person takes on themselves, each with the reason.
    """

    confidence: float = 0.95
    refuse_auc: float = 0.95
    warn_auc: float = 0.90
    warn_margin: float = 0.10
    refuse_fill_auc: float = 0.80
    warn_fill_auc: float = 0.65
    few_goods: float = 0.10
    refuse_pure_share: float = 0.5
    warn_pure_share: float = 0.1
    fewest_values: int = 6
    refuse_twin_share: float = 0.05
    warn_twin_share: float = 0.001
    refuse_constant_share: float = 0.9
    warn_constant_share: float = 0.5
    refuse_rate_ratio: float = 0.5
    warn_rate_ratio: float = 0.75
    significance: float = 0.001
    accept: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ExpertParams:
    """When policy/expert_card.yaml takes the place of a fitted card: with fewer bad customers than this in training."""

    below_bad_customers: int = 5


@dataclass(frozen=True)
class ScorecardParams:
    """How the scorecard is binned, selected and scaled.

    `must_have` and `never_use` name features; what is never to be used no model reads, the booster neither. `max_psi`:
    of a feature's bins between the halves of the training dates, where it also exceeds what chance shows at
    `psi_significance`. `selection`: forward and backward steps by tests, or all that pass what comes before the steps.
    `points_from`: of a bin its coefficient times WoE, or its own, all bins fitted jointly around that. `points`: as
    they come out, or whole numbers.
    """

    min_iv: float = 0.02
    max_correlation: float = 0.7
    max_variables: int = 12
    max_bins: int = 8
    min_bin_share: float = 0.03
    min_bads_per_bin: int = 5
    min_goods_per_bin: int = 20
    max_p_value: float = 0.1
    must_have: tuple[str, ...] = ()
    never_use: tuple[str, ...] = ()
    max_psi: float = 0.25
    psi_significance: float = 0.01
    bin_confidence: float = 0.95
    selection: Literal["stepwise", "all"] = "stepwise"
    points_from: Literal["woe", "bins"] = "woe"
    points: Literal["exact", "whole"] = "exact"
    pdo: float = 20.0
    base_score: float = 600.0
    base_odds: float = 30.0
    expert: ExpertParams = ExpertParams()


@dataclass(frozen=True)
class BoosterMember:
    """What one booster of a mean does otherwise than the settings say; null: as they say."""

    row_share: float | None = None
    categories: Literal["grouped", "one_by_one"] | None = None
    cuts: Literal["best", "random"] | None = None
    trees: Literal["by_leaf", "symmetric"] | None = None
    learning_rate: float | None = None
    max_depth: int | None = None
    feature_share: float | None = None
    l2: float | None = None


_SYMMETRIC = BoosterMember(row_share=1.0, trees="symmetric", learning_rate=0.05, max_depth=6, feature_share=1.0, l2=3.0)


@dataclass(frozen=True)
class BoosterParams:
    """How the booster is grown.

    A tree sees all bad rows and draws `row_share` of the good ones, and `feature_share` of the features.
    `categories` says how a split parts them: in groups, or one by one. `cuts` says where it cuts a number: at the best
    place, or at the better of places drawn by lot, one a feature. `trees` are LightGBM's, grown leaf by leaf, or
    symmetric: one question for all nodes of a level, `max_depth` levels (12 at most), chosen with `noise` (in standard
    deviations of the gradient) that dies away, and leaves of `newton_steps` steps.
    `min_rows_per_category` and `category_smoothing` say which categories are set apart from the others (in rows of a
    node), `category_l2` is the penalty of a leaf that does so, beside `l2`; the search leaves these four as they are.
    `trials` is the budget of the search around the others, 0 for none, `standard_errors` by how many of the difference
    by customer a trial must better them; `interactions` says which features may stand in one tree: all, those of one
    subject, or one alone; `price_rounds` and `price_confidence` are of the bootstrap that says what interactions are
    worth. Trained on fewer than `members_below_bads` bad customers, a booster is the mean of its `members`, each grown
    in its own way and with a seed of its own, from `seed` on.
    """

    learning_rate: float = 0.03
    max_leaves: int = 31
    max_depth: int = 6
    min_rows_per_leaf: int = 5
    feature_share: float = 0.7
    row_share: float = 0.8
    l2: float = 10.0
    categories: Literal["grouped", "one_by_one"] = "grouped"
    cuts: Literal["best", "random"] = "best"
    trees: Literal["by_leaf", "symmetric"] = "by_leaf"
    noise: float = 1.0
    newton_steps: int = 10
    min_rows_per_category: int = 3
    category_smoothing: float = 2.0
    category_l2: float = 2.0
    max_rounds: int = 1000
    early_stopping_rounds: int = 50
    folds: int = 3
    trials: int = 12
    standard_errors: float = 3.0
    members: tuple[BoosterMember, ...] = (
        BoosterMember(),
        BoosterMember(row_share=1.0, categories="one_by_one"),
        BoosterMember(row_share=1.0, cuts="random"),
        *4 * (_SYMMETRIC,),
    )
    members_below_bads: int = 500
    interactions: Literal["free", "within_subject", "none"] = "free"
    price_rounds: int = 300
    price_confidence: float = 0.95
    threads: int = 2
    seed: int = 1


@dataclass(frozen=True)
class CalibrationParams:
    """How raw log odds become a PD; all counts are of bad customers.

    With fewer than `min_bads` only the level is calibrated, with fewer than `shrink_below_bads` the shape is drawn to
    the slope 1; `slope_spread` and `level_spread` are the standard deviations of what is known before (decision 0005).
    `tendency` is what the mean PD is calibrated to: the observed default rate, or `long_run_rate`, which
    `long_run_source` vouches for. `segment_by` names the column by whose categories customers may have a level of their
    own ("auto": the size class where there is one; null: none), each with `segment_from_bads` or more.
    """

    method: Literal["auto", "platt", "beta", "isotonic"] = "auto"
    min_bads: int = 20
    isotonic_from_bads: int = 300
    shrink_below_bads: int = 500
    slope_spread: float = 0.3
    level_spread: float = 0.25
    folds: int = 5
    seed: int = 1
    tendency: Literal["observed", "long_run"] = "observed"
    long_run_rate: float | None = None
    long_run_source: str | None = None
    segment_by: str | None = "auto"
    segment_from_bads: int = 30


@dataclass(frozen=True)
class Bounds:
    """A value above `amber` is told, one above `red` is called wrong."""

    amber: float
    red: float


@dataclass(frozen=True)
class PoisonParams:
    """How much of the ledger is poisoned with rows that nobody can have known: at most so many customers of the test
    dates, whole groups, with so many invoices, payments, orders and events in all."""

    customers: int = 40
    rows: int = 30_000


@dataclass(frozen=True)
class CommitteeParams:
    """By what each test of the validation is lit; docs/validation.md gives the source of every figure.

    `p_value`: below `amber` amber, below `red` red. `power`: with which a deviation counts as one the rows would have
    shown; a test that would only have shown more than `blind_*` shows nothing: of an AUC, a factor on the PD, a slope
    and a PSI. The other bounds are of shares and of the factor between mean PD and truth. `psi_significance`: of the
    noise that a PSI must exceed. `accounts_max_age_months`: older accounts are outdated. `new_below_months` of history
    make a new customer. `expected_defaults`: grades are put together for Hosmer–Lemeshow until each expects as many.
    `min_years`: fewer cohorts say nothing of the long run. `shuffles`: of the labels. `poison`: how much of the ledger
    is poisoned.
    """

    p_value: Bounds = Bounds(0.05, 0.01)
    power: float = 0.80
    blind_auc: float = 0.10
    blind_level: float = 2.0
    blind_slope: float = 0.50
    blind_psi: float = 0.25
    psi: Bounds = Bounds(0.10, 0.25)
    psi_significance: float = 0.01
    truth_factor: Bounds = Bounds(1.25, 2.0)
    unrated: Bounds = Bounds(0.05, 0.20)
    outdated: Bounds = Bounds(0.20, 0.50)
    overridden: Bounds = Bounds(0.05, 0.20)
    quarantined: Bounds = Bounds(0.01, 0.05)
    technical: Bounds = Bounds(0.01, 0.05)
    accounts_max_age_months: int = 24
    new_below_months: int = 24
    expected_defaults: float = 5.0
    min_years: int = 3
    shuffles: int = 20
    poison: PoisonParams = PoisonParams()


@dataclass(frozen=True)
class ValidateParams:
    """How uncertainty is measured: rounds of the bootstrap by customer group, level of the intervals.

    With fewer bad groups than `min_bad_customers` nothing is called shown; `significance` is the p-value below which
    the report calls something contradicted or moved. `tests`: by what the validation tests are lit.
    """

    bootstrap_rounds: int = 500
    confidence: float = 0.95
    min_bad_customers: int = 10
    significance: float = 0.05
    seed: int = 1
    tests: CommitteeParams = CommitteeParams()


@dataclass(frozen=True)
class ReportParams:
    """How the committee is told: `language` en, zh or a list of them (the first names the file that has no language in
    its name), `formats` html and pdf, `customers` whether customers are told by their ids only or by name too."""

    language: tuple[Literal["en", "zh"], ...] = ("en", "zh")
    formats: tuple[Literal["html", "pdf"], ...] = ("html", "pdf")
    customers: Literal["ids", "names"] = "ids"


@dataclass(frozen=True)
class PromotionParams:
    """What a model must show before it takes a role, and how two models are compared; docs/promotion.md says why.

    `margin`: of the Gini, that a model may lack. `confidence`, two-sided, `rounds` and `seed`: of the intervals, by
    customer group. `power`: with which a difference counts as one the rows would have shown. `refuse_from`: the first
    segment of the master scale that is refused. `time_zone`: of the day a promotion is made on.
    """

    margin: float = 0.02
    confidence: float = 0.90
    rounds: int = 1000
    seed: int = 1
    power: float = 0.80
    min_bad_customers: int = 10
    max_level_factor: float = 2.0
    min_slope: float = 0.5
    max_slope: float = 2.0
    grade_significance: float = 0.01
    max_psi: float = 0.25
    psi_significance: float = 0.01
    parity_tolerance: float = 1e-12
    refuse_from: Literal["medium", "high"] = "high"
    time_zone: str = "UTC"


@dataclass(frozen=True)
class RegistryParams:
    """MLflow: `tracking_uri` null is a SQLite file in the project; MLFLOW_TRACKING_URI overrides both."""

    experiment: str = "creditbook"
    model_name: str = "creditbook-pd"
    tracking_uri: str | None = None


@dataclass(frozen=True)
class Params:
    """All of params.yaml, one section per concern."""

    engine: EngineParams = EngineParams()
    ingest: IngestParams = IngestParams()
    label: LabelParams = LabelParams()
    split: SplitParams = SplitParams()
    leaks: LeakParams = LeakParams()
    fit_scorecard: ScorecardParams = ScorecardParams()
    fit_booster: BoosterParams = BoosterParams()
    calibration: CalibrationParams = CalibrationParams()
    validate: ValidateParams = ValidateParams()
    report: ReportParams = ReportParams()
    score: ScoreParams = field(default_factory=ScoreParams)
    deliver: DeliverParams = field(default_factory=DeliverParams)
    monitor: MonitorParams = field(default_factory=MonitorParams)
    portfolio: PortfolioParams = field(default_factory=PortfolioParams)
    backtest: BacktestParams = field(default_factory=BacktestParams)
    statement: StatementParams = field(default_factory=StatementParams)
    promotion: PromotionParams = PromotionParams()
    registry: RegistryParams = RegistryParams()


def as_dict(params: object) -> dict[str, Any]:
    """The parameters as plain values, dates as ISO text."""
    plain: dict[str, Any] = dataclasses.asdict(params)  # type: ignore[call-overload]
    return plain
