"""Reads params.yaml: its keys and types, what the values may be, and which of them must agree."""

from __future__ import annotations

import math
import re
import zoneinfo
from typing import TYPE_CHECKING, Any

from pipeline.errors import ParameterError
from pipeline.night_params import Threshold
from pipeline.params import Bounds, Params
from pipeline.plain_yaml import read_yaml
from pipeline.sections import build

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.night_params import BreakerParams, DeliverParams
    from pipeline.params import (
        BoosterMember,
        BoosterParams,
        CalibrationParams,
        CommitteeParams,
        EngineParams,
        IngestParams,
    )


def parse_params(text: str, origin: str = "params.yaml") -> Params:
    """Reads params.yaml. Raises ParameterError naming every unknown key and every wrong type or value at once."""
    raw = read_yaml(text, origin)
    breaches: list[str] = []
    params: Params = build(Params, raw, "", breaches)
    if not breaches:
        breaches.extend(_inconsistencies(params))
    if breaches:
        listed = "\n".join(f"  - {_without_secret(breach)}" for breach in breaches)
        raise ParameterError(
            f"{origin}: {len(breaches)} breach(es):\n{listed}\nCorrect the keys named; none was ignored."
        )
    return params


def _without_secret(breach: str) -> str:
    """Where the database is named, a connection string may stand by mistake: what was found is not repeated."""
    return re.sub(r", found .*", "", breach, flags=re.DOTALL) if breach.startswith("deliver.postgres") else breach


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
    "fit_scorecard.max_psi": (0, 10),
    "fit_scorecard.psi_significance": (1e-6, 0.5),
    "fit_scorecard.bin_confidence": (0.5, 0.999),
    "fit_scorecard.expert.below_bad_customers": (0, 1_000_000),
    "fit_scorecard.max_bins": (2, 20),
    "fit_scorecard.pdo": (1, 1000),
    "fit_scorecard.base_odds": (0.01, 1e6),
    "fit_booster.learning_rate": (1e-4, 1),
    "fit_booster.max_leaves": (2, 1024),
    "fit_booster.max_depth": (-1, 1000),
    "fit_booster.feature_share": (1e-6, 1),
    "fit_booster.row_share": (0.01, 1),
    "fit_booster.l2": (0, 1e9),
    "fit_booster.noise": (0, 100),
    "fit_booster.newton_steps": (1, 100),
    "fit_booster.min_rows_per_category": (1, 1_000_000),
    "fit_booster.category_smoothing": (0, 10_000),
    "fit_booster.category_l2": (0, 10_000),
    "fit_booster.max_rounds": (1, 100_000),
    "fit_booster.folds": (2, 20),
    "fit_booster.trials": (0, 10_000),
    "fit_booster.standard_errors": (0, 10),
    "fit_booster.members_below_bads": (0, 100_000_000),
    "fit_booster.price_rounds": (50, 100_000),
    "fit_booster.price_confidence": (0.5, 0.999),
    "fit_booster.threads": (1, 1024),
    "calibration.min_bads": (1, 1_000_000),
    "calibration.folds": (2, 50),
    "calibration.slope_spread": (0.01, 10),
    "calibration.level_spread": (0.01, 10),
    "calibration.segment_from_bads": (2, 1_000_000),
    "validate.bootstrap_rounds": (50, 100_000),
    "validate.confidence": (0.5, 0.999),
    "validate.min_bad_customers": (2, 100_000),
    "validate.significance": (1e-6, 0.5),
    "validate.tests.p_value.amber": (1e-6, 0.5),
    "validate.tests.p_value.red": (1e-9, 0.5),
    "validate.tests.power": (0.5, 0.999),
    "validate.tests.blind_auc": (0.001, 0.5),
    "validate.tests.blind_level": (1.01, 1000),
    "validate.tests.blind_slope": (0.01, 10),
    "validate.tests.blind_psi": (0.01, 10),
    "validate.tests.psi_significance": (1e-6, 0.5),
    "validate.tests.accounts_max_age_months": (1, 120),
    "validate.tests.new_below_months": (1, 120),
    "validate.tests.expected_defaults": (1, 100),
    "validate.tests.min_years": (2, 100),
    "validate.tests.shuffles": (2, 1000),
    "score.wait_seconds": (0, 86_400),
    "score.workers": (1, 64),
    "score.keep.leaving": (0, 1000),
    "validate.tests.poison.customers": (1, 10_000),
    "validate.tests.poison.rows": (100, 10_000_000),
    "score.breakers.compare_within_days": (1, 10_000),
    "score.breakers.min_customers": (1, 1_000_000),
    "score.breakers.drift_significance": (1e-6, 0.5),
    "deliver.wait_seconds": (1, 3600),
    "monitor.significance": (1e-6, 0.5),
    "monitor.amber_significance": (1e-6, 0.5),
    "monitor.confidence": (0.5, 0.999),
    "monitor.rounds": (50, 100_000),
    "monitor.seed": (0, 2**31 - 1),
    "monitor.min_bad_customers": (2, 100_000),
    "monitor.max_level_factor": (1, 100),
    "portfolio.top": (1, 1000),
    "portfolio.worklist": (1, 10_000),
    "portfolio.confidence": (0.5, 0.999),
    "portfolio.rounds": (50, 100_000),
    "portfolio.seed": (0, 2**31 - 1),
    "portfolio.fewest_customers": (2, 100_000),
    "portfolio.warning_months": (1, 120),
    "portfolio.hhi_moderate": (0, 1),
    "portfolio.hhi_high": (0, 1),
    "backtest.refit_months": (1, 120),
    "backtest.first_fit_snapshots": (1, 120),
    "backtest.confidence": (0.5, 0.999),
    "backtest.rounds": (50, 100_000),
    "backtest.seed": (0, 2**31 - 1),
    "backtest.min_bad_customers": (2, 100_000),
    "statement.reached_by": (0.05, 0.95),
    "statement.fewest_comparable": (5, 1_000_000),
    "promotion.margin": (0, 0.5),
    "promotion.confidence": (0.5, 0.999),
    "promotion.rounds": (50, 100_000),
    "promotion.seed": (0, 2**31 - 1),
    "promotion.power": (0.5, 0.999),
    "promotion.min_bad_customers": (2, 100_000),
    "promotion.max_level_factor": (1, 100),
    "promotion.min_slope": (0, 1),
    "promotion.max_slope": (1, 100),
    "promotion.grade_significance": (0, 0.5),
    "promotion.max_psi": (0, 10),
    "promotion.psi_significance": (1e-6, 0.5),
    "promotion.parity_tolerance": (0, 0.01),
}


def _inconsistencies(params: Params) -> list[str]:
    """Every value out of its bounds and every pair that contradicts itself, each named by its path."""
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
    found.extend(_member_inconsistencies(params.fit_booster.members))
    found.extend(_too_deep(params.fit_booster))
    found.extend(_tendency_inconsistencies(params.calibration))
    found.extend(_engine_inconsistencies(params.engine))
    found.extend(_breaker_inconsistencies(params.score.breakers))
    found.extend(_committee_inconsistencies(params.validate.tests))
    found.extend(
        f"score.keep.{name}: {value} lies outside 0 to 100000"
        for name, value in vars(params.score.keep).items()
        if value is not None and not 0 <= value <= 100_000
    )
    if params.promotion.time_zone not in zoneinfo.available_timezones():
        found.append(f"promotion.time_zone: no zone {params.promotion.time_zone!r}; name one such as Europe/Berlin")
    found.extend(
        f"leaks.accept.{name}: give the reason, in words"
        for name, why in params.leaks.accept.items()
        if not why.strip()
    )
    found.extend(
        f"report.{name}: name at least one, and each once; found {list(given)}"
        for name, given in (("language", params.report.language), ("formats", params.report.formats))
        if not given or len(set(given)) < len(given)
    )
    found.extend(_of_own_table(params.ingest))
    found.extend(_of_targets(params.deliver))
    found.extend(
        f"ingest.max_bad_share.{table}: {share} lies outside 0 to 1"
        for table, share in params.ingest.max_bad_share.items()
        if not 0 <= share <= 1
    )
    return found


def _member_inconsistencies(members: tuple[BoosterMember, ...]) -> list[str]:
    found = []
    for i, member in enumerate(members):
        for name, value in vars(member).items():
            low, high = _BOUNDS.get(f"fit_booster.{name}", (-math.inf, math.inf))
            if value is not None and not isinstance(value, str) and not low <= value <= high:
                found.append(f"fit_booster.members[{i}].{name}: {value} lies outside {low:g} to {high:g}")
    if not 1 <= len(members) <= _MOST_MEMBERS:
        found.append(
            f"fit_booster.members: expected 1 to {_MOST_MEMBERS}, found {len(members)}; "
            "{} is one grown as the section says"
        )
    return found


def _too_deep(booster: BoosterParams) -> list[str]:
    """A symmetric tree of d levels has 2^d leaves, whatever its rows."""
    named = {"fit_booster": booster} | {f"fit_booster.members[{i}]": each for i, each in enumerate(booster.members)}
    depths = {
        name: booster.max_depth if each.max_depth is None else each.max_depth
        for name, each in named.items()
        if (each.trees or booster.trees) == "symmetric"
    }
    return [
        f"{name}: a symmetric tree is 1 to {_DEEPEST} levels deep, max_depth is {depth}"
        for name, depth in depths.items()
        if not 1 <= depth <= _DEEPEST
    ]


def _tendency_inconsistencies(calibration: CalibrationParams) -> list[str]:
    rate, source = calibration.long_run_rate, calibration.long_run_source
    if calibration.tendency == "observed":
        given = [name for name, value in (("long_run_rate", rate), ("long_run_source", source)) if value is not None]
        return [f"calibration.{name}: is used with tendency: long_run only; set that or null" for name in given]
    found = []
    if rate is None or not 0 < rate < 1:
        found.append(f"calibration.long_run_rate: expected a default rate between 0 and 1, found {rate}")
    if not (source or "").strip():
        found.append("calibration.long_run_source: say in words where the long-run rate comes from")
    return found


_MOST_MEMBERS = 100
_DEEPEST = 12
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


def _of_targets(deliver: DeliverParams) -> list[str]:
    found = []
    postgres, delta = deliver.postgres, deliver.delta
    if postgres is not None and not re.fullmatch(r"[A-Z][A-Z0-9_]*", postgres.dsn_env):
        # What stands there may be the connection string itself: it is not repeated.
        found.append(
            "deliver.postgres.dsn_env: expected the name of an environment variable, in capitals, such as "
            "CREDITBOOK_POSTGRES_DSN; the connection string stands in the environment, never in this file"
        )
    if postgres is not None and not re.fullmatch(r"(?!pg_)[a-z_][a-z0-9_]{0,62}", postgres.schema):
        found.append(
            f"deliver.postgres.schema: expected small letters, digits and _, not beginning with pg_; "
            f"found {postgres.schema!r}"
        )
    if delta is not None and (not delta.folder.strip() or "://" in delta.folder):
        found.append(f"deliver.delta.folder: expected a folder, mounted if it is far away, found {delta.folder!r}")
    return found


def _committee_inconsistencies(tests: CommitteeParams) -> list[str]:
    """Bounds that do not stand in order: of a p-value red lies below amber, of everything else above it."""
    found = []
    for name, value in vars(tests).items():
        if not isinstance(value, Bounds):
            continue
        low, high = (value.red, value.amber) if name == "p_value" else (value.amber, value.red)
        if not 0 <= low <= high:
            found.append(
                f"validate.tests.{name}: amber {value.amber:g} and red {value.red:g} must be 0 or more, and red not "
                f"{'above' if name == 'p_value' else 'below'} amber"
            )
    return found


def _breaker_inconsistencies(breakers: BreakerParams) -> list[str]:
    """Thresholds that do not stand in order."""
    named = {name: value for name, value in vars(breakers).items() if isinstance(value, Threshold)}
    named |= {f"stale_days.{table}": value for table, value in breakers.stale_days.items()}
    return [
        f"score.breakers.{name}: warn {value.warn:g} and stop {value.stop:g} must be 0 or more, and stop not below warn"
        for name, value in named.items()
        if not 0 <= value.warn <= value.stop
    ]
