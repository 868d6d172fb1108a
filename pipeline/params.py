"""params.yaml as frozen dataclasses: unknown keys refused, every breach told at once."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
import typing
from dataclasses import dataclass, field
from typing import Any, Literal

from pipeline.errors import ParameterError
from pipeline.plain_yaml import read_yaml
from pipeline.sections import build

if typing.TYPE_CHECKING:
    from collections.abc import Mapping


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
class ScorecardParams:
    """How the scorecard is binned, selected and scaled."""

    min_iv: float = 0.02
    max_correlation: float = 0.7
    max_variables: int = 12
    max_bins: int = 8
    min_bin_share: float = 0.03
    min_bads_per_bin: int = 5
    min_goods_per_bin: int = 20
    max_p_value: float = 0.1
    pdo: float = 20.0
    base_score: float = 600.0
    base_odds: float = 30.0


@dataclass(frozen=True)
class BoosterParams:
    """How the booster is grown."""

    learning_rate: float = 0.05
    max_leaves: int = 15
    max_depth: int = 4
    min_rows_per_leaf: int = 100
    feature_share: float = 0.7
    row_share: float = 0.8
    l2: float = 10.0
    max_rounds: int = 600
    early_stopping_rounds: int = 50
    folds: int = 3
    threads: int = 2
    seed: int = 1


@dataclass(frozen=True)
class CalibrationParams:
    """How raw log odds become a PD: `min_bads` is the count of bad customers below which the slope is shrunk."""

    method: Literal["platt"] = "platt"
    min_bads: int = 20


@dataclass(frozen=True)
class ValidateParams:
    """How uncertainty is measured: rounds of the bootstrap by customer group, level of the intervals."""

    bootstrap_rounds: int = 500
    confidence: float = 0.95
    seed: int = 1


@dataclass(frozen=True)
class ReportParams:
    """The language of the report."""

    language: Literal["en"] = "en"


@dataclass(frozen=True)
class ScoreParams:
    """The day to score (null: the extract date) and where runs are published."""

    as_of: dt.date | None = None
    out: str = "data/scored"
    role: Literal["champion", "challenger"] = "champion"


@dataclass(frozen=True)
class MonitorParams:
    """PSI cut-offs by custom, and the level of the test that says whether a PSI exceeds its noise."""

    psi_watch: float = 0.10
    psi_act: float = 0.25
    significance: float = 0.01


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
    score: ScoreParams = ScoreParams()
    monitor: MonitorParams = MonitorParams()
    registry: RegistryParams = RegistryParams()


def parse_params(text: str, origin: str = "params.yaml") -> Params:
    """Reads params.yaml. Raises ParameterError naming every unknown key and every wrong type or value at once."""
    raw = read_yaml(text, origin)
    breaches: list[str] = []
    params: Params = build(Params, raw, "", breaches)
    if not breaches:
        breaches.extend(_inconsistencies(params))
    if breaches:
        listed = "\n".join(f"  - {breach}" for breach in breaches)
        raise ParameterError(
            f"{origin}: {len(breaches)} breach(es):\n{listed}\nCorrect the keys named; none was ignored."
        )
    return params


def as_dict(params: object) -> dict[str, Any]:
    """The parameters as plain values, dates as ISO text."""
    plain: dict[str, Any] = dataclasses.asdict(params)  # type: ignore[call-overload]
    return plain


_BOUNDS: Mapping[str, tuple[float, float]] = {
    "engine.threads": (1, 1024),
    "ingest.demo.customers": (2, 10_000_000),
    "ingest.demo.months": (18, 600),
    "label.days": (1, 365),
    "label.posting_lag_days": (0, 365),
    "label.observation_months": (0, 120),
    "label.customer_share": (0.001, 1),
    "label.share_seed": (0, 2**31 - 1),
    "split.train_share": (0.05, 0.9),
    "split.calibration_share": (0.05, 0.9),
    "split.test_share": (0.05, 0.9),
    "leaks.confidence": (0.5, 0.999),
    "leaks.refuse_auc": (0.5, 1),
    "leaks.warn_auc": (0.5, 1),
    "leaks.refuse_fill_auc": (0.5, 1),
    "leaks.warn_fill_auc": (0.5, 1),
    "leaks.few_goods": (0, 1),
    "leaks.fewest_values": (2, 1000),
    "leaks.significance": (1e-6, 0.5),
    "fit_scorecard.max_variables": (1, 100),
    "fit_scorecard.max_bins": (2, 20),
    "fit_scorecard.pdo": (1, 1000),
    "fit_scorecard.base_odds": (0.01, 1e6),
    "fit_booster.learning_rate": (1e-4, 1),
    "fit_booster.max_leaves": (2, 1024),
    "fit_booster.max_rounds": (1, 100_000),
    "fit_booster.folds": (2, 20),
    "fit_booster.threads": (1, 1024),
    "validate.bootstrap_rounds": (50, 100_000),
    "validate.confidence": (0.5, 0.999),
}


def _inconsistencies(params: Params) -> list[str]:
    found = []
    for path, (low, high) in _BOUNDS.items():
        value: Any = params
        for name in path.split("."):
            value = getattr(value, name)
        if not low <= value <= high:
            found.append(f"{path}: {value} lies outside {low:g} to {high:g}")
    if (params.label.window_months is None) == (params.label.window_days is None):
        found.append("label: set exactly one of window_months and window_days, the other to null")
    window = params.label.window_months or params.label.window_days
    if window is not None and window < 1:
        found.append("label: the performance window must be at least 1")
    shares = params.split.train_share + params.split.calibration_share + params.split.test_share
    if abs(shares - 1) > 1e-9:
        found.append(f"split: the three shares add up to {shares:g}, not to 1")
    found.extend(_engine_inconsistencies(params.engine))
    found.extend(
        f"leaks.accept.{name}: give the reason, in words"
        for name, why in params.leaks.accept.items()
        if not why.strip()
    )
    found.extend(_of_own_table(params.ingest))
    found.extend(
        f"ingest.max_bad_share.{table}: {share} lies outside 0 to 1"
        for table, share in params.ingest.max_bad_share.items()
        if not 0 <= share <= 1
    )
    return found


_MEMORY = re.compile(r"[1-9]\d*(MB|GB|TB)")
_MASTER = re.compile(r"(spark://[^/\s]+:\d+(,[^/\s]+:\d+)*|local(\[[^\]]+\])?|yarn|k8s://\S+)")

_OURS = ("spark.master", "spark.sql.ansi.enabled", "spark.sql.session.timeZone", "spark.sql.caseSensitive")


def _engine_inconsistencies(engine: EngineParams) -> list[str]:
    found = []
    if not _MEMORY.fullmatch(engine.memory_limit):
        found.append(f"engine.memory_limit: expected a size such as 2GB or 512MB, found {engine.memory_limit!r}")
    elif engine.kind == "spark" and engine.memory_limit.endswith("MB") and int(engine.memory_limit[:-2]) < 512:
        found.append(f"engine.memory_limit: Spark needs 512MB at least, found {engine.memory_limit}")
    if engine.kind == "spark" and engine.master is None:
        found.append(
            "engine.master: Spark needs a master, such as spark://host:7077, local[2], yarn or k8s://https://host"
        )
    if engine.master is not None and not _MASTER.fullmatch(engine.master):
        found.append(f"engine.master: expected spark://host:port, local[2], yarn or k8s://…, found {engine.master!r}")
    if engine.kind == "duckdb":
        given = [name for name in ("master", "shared_folder", "options") if getattr(engine, name)]
        found.extend(f"engine.{name}: is for kind spark only; remove it or set engine.kind: spark" for name in given)
    found.extend(
        f"engine.options.{name}: a Spark setting begins with spark." for name in engine.options if name[:6] != "spark."
    )
    found.extend(f"engine.options.{name}: results rest on it; remove it" for name in _OURS if name in engine.options)
    return found


def _of_own_table(ingest: IngestParams) -> list[str]:
    found = []
    if (ingest.table is None) != (ingest.catalogue is None):
        found.append("ingest: set both table and catalogue, or neither")
    if ingest.table is not None:
        used = {"mapping": ingest.mapping, "source": None if ingest.source == "demo" else ingest.source}
        found += [
            f"ingest.{name}: {value!r} is of a ledger and ingest.table is set; one of them only (beside a table "
            "source: demo, mapping: null)"
            for name, value in used.items()
            if value is not None
        ]
    return found
