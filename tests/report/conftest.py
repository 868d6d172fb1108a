"""A hand-made report input: a small book with every part there, in the shapes that validation and fitting hand on."""

from __future__ import annotations

import datetime as dt
import json
import struct
import zlib
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from pipeline.report.model_report import ReportInput, WorkedCustomer
from pipeline.report.report_input import Effects
from pipeline.score.scorecard import Bin, Characteristic, Scorecard

POLICY = Path(__file__).resolve().parents[2] / "policy"
HOSTILE = (
    "<script>alert('x')</script>",
    "\"quoted\" & 'single'",
    "شركة التجارة",
    "🦊 Fox & Söhne",
    "{{ 7*7 }}",
    "$x_1^2$",
)
ROLES = ("train", "calibration", "test", "out_of_time")


def interval(value: float, half: float) -> dict:
    return {"value": value, "low": value - half, "high": value + half, "rounds": 500}


def counts(rows: int, bads: int, customers: int, bad_customers: int) -> dict:
    rate = bads / rows if rows else None
    return {"rows": rows, "bads": bads, "customers": customers, "bad_customers": bad_customers, "default_rate": rate}


SAMPLES = {
    "train": counts(24_000, 720, 1000, 110),
    "calibration": counts(6_000, 190, 500, 45),
    "test": counts(6_000, 180, 500, 42),
    "out_of_time": counts(24_000, 730, 2000, 160),
}


def measured(role: str, gini: float, ratio: float) -> dict:
    sample = SAMPLES[role]
    return {
        **sample,
        "auc": interval((gini + 1) / 2, 0.04),
        "gini": interval(gini, 0.08),
        "ks": interval(gini * 0.8, 0.07),
        "brier": interval(0.0271, 0.005),
        "observed_over_expected": interval(ratio, 0.3),
        "mean_pd": sample["bads"] / ratio / sample["rows"],
        "log_loss": 0.11,
        "calibration_slope": 0.97,
        "calibration_slope_error": 0.1,
        "calibration_intercept": -0.11,
        "calibration_intercept_error": 0.2,
        "calibration_at_large": 0.02,
        "calibration_at_large_error": 0.08,
        "calibration_error": {
            "value": 0.0062,
            "low": 0.0,
            "high": 0.0113,
            "by_chance": 0.0041,
            "p_value": 0.083,
            "bins": 10,
        },
        "spiegelhalter": {"z": 1.9, "p_value": 0.057, "z_by_cluster": 0.77, "p_value_by_cluster": 0.441},
    }


def grade_table() -> list[dict]:
    rows = []
    for position, name in enumerate(f"G{i:02d}" for i in range(1, 11)):
        n, bads, pd_mean = 900 - 80 * position, round(0.4 * position**2.1), min(0.0007 * 2**position, 0.36)
        if position == 0:
            rows.append({"grade": name, **counts(0, 0, 0, 0), **dict.fromkeys(GRADE_NULLS)})
            continue
        told = {"mean_pd": pd_mean, "observed_rate": bads / n, "low": bads / n * 0.5, "high": bads / n * 1.8 + 0.004}
        rows.append({"grade": name, **counts(n, bads, n // 12, bads // 4), **told, "p_value": 0.4})
    return rows


GRADE_NULLS = ("mean_pd", "observed_rate", "low", "high", "p_value")


def model(kind: str, gini: float) -> dict:
    lift = {"train": 0.06, "calibration": 0.0, "test": 0.0, "out_of_time": 0.02}
    return {
        "kind": kind,
        "version": f"{kind}-0123456789ab",
        "roles": {role: measured(role, gini + lift[role], 1.05) for role in ROLES},
        "grades": {role: grade_table() for role in ROLES},
    }


def month_ends(first: str, n: int) -> list[dt.date]:
    return [day.date() for day in pd.date_range(first, periods=n, freq="ME")]


def validation() -> dict:
    rule = {
        role: {"auc": interval(0.7, 0.04), "gini": interval(0.4, 0.08), "ks": interval(0.3, 0.05)} for role in ROLES[2:]
    }
    truth = {"gini": 0.74, "mean_pd": 0.029}
    truth["gini_interval"] = interval(0.74, 0.06)
    near = {"gini_share": 0.85, "rank_correlation": 0.8, "mean_pd_ratio": 1.01}
    near["gini_share_interval"] = interval(0.85, 0.07)
    return {
        "timetable": {
            "train": [str(d) for d in month_ends("2019-01-31", 24)],
            "calibration": [str(d) for d in month_ends("2022-01-31", 12)],
            "test": [str(d) for d in month_ends("2024-01-31", 12)],
            "purged": [str(d) for d in (*month_ends("2021-01-31", 12), *month_ends("2023-01-31", 12))],
            "purge": "whole",
            "window": "12 months",
            "customer_shares": {"train": 0.5, "calibration": 0.25, "test": 0.25},
            "seed": 1,
            "limitations": [],
        },
        "samples": SAMPLES,
        "models": {"champion": model("scorecard", 0.63), "challenger": model("booster", 0.66)},
        "naive": {"worst_days_past_due": rule},
        "naive_absent": {"largest_lateness_6m": ["worst_days_late_with_overdue_6m"]},
        "differences": {
            "challenger - champion": {role: interval(0.03, 0.05) for role in ROLES[2:]},
            "champion - worst_days_past_due": {role: interval(0.23, 0.06) for role in ROLES[2:]},
        },
        "truth": {role: {**truth, "models": dict.fromkeys(("champion", "challenger"), near)} for role in ROLES[2:]},
        "default_rate_by_year": [],
        "parts": {
            "data_depth": {"A": part(9000, 80, 0.6), "D": part(300, 3, None)},
            "industry": {"C": part(500, 9, 0.5)},
        },
    }


def part(rows: int, bads: int, gini: float | None) -> dict:
    """One part of the book, measured for both models and the card of the thin pool."""
    told = {"gini": None if gini is None else interval(gini, 0.2), "observed_over_expected": interval(1.1, 0.4)}
    names = ("champion", "challenger", "thin_file")
    return {**counts(rows, bads, rows // 12, bads), "models": dict.fromkeys(names, told)}


def roc() -> pd.DataFrame:
    steps = np.linspace(0, 1, 40)
    frames = [
        pd.DataFrame({"model": name, "role": "test", "false_alarm_rate": steps, "hit_rate": steps**power})
        for name, power in (("champion", 0.25), ("challenger", 0.22))
    ]
    return pd.concat(frames, ignore_index=True)


def snapshots() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    days = month_ends("2019-01-31", 72)
    rows = []
    for number in range(60):
        for position, day in enumerate(days):
            bad = bool(rng.random() < 0.03)
            outcome = "immature" if position > 68 else "bad" if bad else "left" if rng.random() < 0.01 else "good"
            rows.append((f"C-{number:03d}", day, f"C-{number:03d}", outcome, {"bad": 1, "good": 0}.get(outcome)))
    frame = pd.DataFrame(rows, columns=["customer_id", "as_of", "group_key", "outcome", "is_bad"])
    position = frame["customer_id"].str[2:].astype(int)
    return frame.assign(
        industry=[HOSTILE[i % len(HOSTILE)] for i in position], data_depth=["ABCD"[i % 4] for i in position]
    )


def card() -> Scorecard:
    factor = 20 / np.log(2)

    def bins(*told) -> tuple[Bin, ...]:
        return tuple(Bin(points=factor * 0.8 * woe, woe=woe, **rest) for woe, rest in told)

    lateness = bins(
        (0.9, {"label": "below 10", "kind": "range", "upper": 10.0, "count": 900, "bads": 10}),
        (-1.1, {"label": "10 or more", "kind": "range", "lower": 10.0, "count": 300, "bads": 30}),
        (0.0, {"label": "missing", "kind": "missing"}),
    )
    industry = bins(
        (0.2, {"label": ", ".join(HOSTILE), "kind": "categories", "categories": HOSTILE, "count": 1100, "bads": 30}),
        (0.0, {"label": "unseen", "kind": "unseen"}),
        (-0.4, {"label": "missing", "kind": "missing", "count": 100, "bads": 10}),
    )
    return Scorecard(
        (
            Characteristic("mean_days_late_12m", 0.8, lateness, "rises", 0.42, 5.0),
            Characteristic("industry", 0.8, industry, "either", 0.05, 1.0),
        ),
        intercept_points=570.0,
        pdo=20.0,
        base_score=600.0,
        base_odds=30.0,
    )


def book() -> pd.DataFrame:
    grades = ["G02", "G05", "G05", "G08", "D", None]
    segments = ["low", "medium", "medium", "high", "default", None]
    actions = ["keep", "raise", "cut", "refer", "hold", "keep"]
    caps = ["grade", "need", "equity", "brand_new_cap", "in_default", None]
    return pd.DataFrame(
        {
            "as_of": dt.date(2025, 12, 31),
            "model_version": "scorecard-0123456789ab",
            "customer_id": [f"C-{i}" for i in range(6)],
            "name": list(HOSTILE),
            "pd": [0.0014, 0.011, 0.012, 0.09, 1.0, None],
            "grade": grades,
            "segment": segments,
            "open_amount": [Decimal("1000.10")] * 6,
            "overdue_amount": [Decimal("0.05")] * 6,
            "ead": [Decimal("1234.50")] * 6,
            "expected_loss": [Decimal("1.00")] * 5 + [None],
            "limit_current": [Decimal("5000.00"), None] * 3,
            "limit_suggested": [Decimal("6000.00")] * 5 + [None],
            "limit_binding_cap": caps,
            "limit_action": actions,
        }
    )


def png(width: int = 4, height: int = 3) -> bytes:
    """A grey PNG made by hand."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    rows = b"".join(b"\x00" + b"\x80" * width for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def details() -> dict:
    def fate(feature: str, name: str, reason: str, **more) -> dict:
        blank = {"iv": None, "iv_low": None, "iv_high": None, "bins": None, "p_value": None, "step": None}
        return {"feature": feature, "fate": name, "reason": reason, **blank, **more}

    log = [
        fate("industry", "selected", "in the scorecard", iv=0.05, bins=3, step=2),
        fate(
            "mean_days_late_12m",
            "selected",
            "in the scorecard",
            iv=0.42,
            iv_low=0.28,
            iv_high=0.61,
            bins=3,
            step=1,
            psi=0.012,
            psi_noise=0.0312,
        ),
        fate(
            "mean_days_late_3m",
            "correlated",
            "correlates 0.91 with mean_days_late_12m, which has the higher IV",
            iv=0.4,
        ),
        fate("noise", "weak", "IV 0.004 is below 0.02", iv=0.004, bins=2),
    ]
    coefficients = [
        {
            "feature": "mean_days_late_12m",
            "coefficient": 0.8,
            "unpenalised": 0.83,
            "standard_error": 0.1,
            "p_value": 1e-5,
        },
        {"feature": "industry", "coefficient": 0.8, "unpenalised": 0.9, "standard_error": 0.3, "p_value": 0.004},
    ]
    line = {
        "slope": 0.9,
        "intercept": 0.1,
        "remarks": ["the slope is drawn to 1"],
        "choice": {
            "method": "beta",
            "reason": "gains 0.0004 a row over Platt's line, standard error 0.0001",
            "losses": {},
            "barred": {},
        },
        "bad_customers": 45,
        "slope_of_data": 0.91,
        "shape_weight": 0.8,
        "level_weight": 0.6,
        "tendency": {"kind": "long_run", "rate": 0.02, "source": "insurer's study"},
    }
    return {
        "scorecard": {
            "kind": "scorecard",
            "selection": log,
            "coefficients": coefficients,
            "calibration": line,
            "leaks": leaks(),
            "thin_file": {
                "pool": counts(900, 40, 80, 12),
                "pd": 0.062,
                "confidence": 0.75,
                "features": ["mean_days_late_12m"],
                "why_no_card": None,
                "remarks": [],
                "gini_in_pool": {"value": 0.31, "low": -0.04, "high": 0.58},
                "bin_rates": [{"feature": "mean_days_late_12m", "bin": "young", "low": 0.021, "high": 0.284}],
                "bin_confidence": 0.9,
            },
            "by_hand": [
                {
                    "feature": "mean_days_late_12m",
                    "set": [10.0, 30.0],
                    "solved": [8.5],
                    "iv": 0.4,
                    "iv_low": 0.27,
                    "iv_high": 0.59,
                    "iv_solved": 0.42,
                    "iv_solved_low": 0.28,
                    "iv_solved_high": 0.61,
                    "beyond": {"bins": 9, "max_bins": 8, "smallest_share": 0.0041, "min_bin_share": 0.03},
                },
                {"feature": "industry", "set": [["A", "C"], ["F"]], "solved": None, "iv": 0.05, "iv_solved": None},
            ],
            "bin_confidence": 0.95,
            "psi_significance": 0.01,
            "bin_rates": [
                {"feature": "mean_days_late_12m", "bin": "below 10", "customers": 70, "low": 0.002, "high": 0.061},
            ],
            "bin_stability": [
                bin_over_time("mean_days_late_12m", "below 10", 0.004, 0.41),
                bin_over_time("mean_days_late_12m", "10 or more", 0.03, 0.012),
                {
                    **bin_over_time("industry", "A, C", 0.01, None),
                    "is_turned": True,
                    "turn": {"against": 0.021, "error": 0.007, "degrees": 20, "p_value": 0.0035},
                },
            ],
        },
        "booster": {
            "kind": "booster",
            "rounds": 360,
            "member_rounds": [120, 110, 130],
            "fold_rounds": [110, 120, 140],
            "unused": ["noise"],
            "gains": {},
            "search": {
                "best": 1,
                "standard_errors": 1.5,
                "trials": [
                    _trial({"l2": 10.0, "max_leaves": 15}, [0.1, 0.12]),
                    _trial({"l2": 3.25, "max_leaves": 8}, [0.09, 0.12], error=0.0021),
                    _trial({"l2": 90.0, "max_leaves": 4}, [0.3], is_pruned=True),
                ],
            },
            "interactions": {
                "rows": 4000,
                "gini": interval(0.6, 0.05),
                "gini_without": interval(0.57, 0.05),
                "gini_gain": interval(0.03, 0.02),
                "loss_gain": interval(0.0004, 0.0005),
            },
        },
    }


def _trial(parameters: dict, losses: list[float], *, is_pruned: bool = False, error: float | None = None) -> dict:
    return {"parameters": parameters, "losses": losses, "is_pruned": is_pruned, "error": error}


def bin_over_time(feature: str, label: str, rate: float, p: float | None) -> dict:
    """One bin in both halves; no p-value: a half had no bad row."""
    ratio = None if p is None else {"value": 1.2, "low": 1.1 if p < 0.05 else 0.8, "high": 1.8, "error": 0.2}
    shares = {"early_share": 0.5, "late_share": 0.4, "early_rate": rate, "late_rate": 1.2 * rate}
    ends = {"early_low": 0.5 * rate, "early_high": 2 * rate, "late_low": rate, "late_high": 3 * rate}
    return {"feature": feature, "bin": label, "is_turned": False, **shares, **ends, "ratio": ratio, "p_value": p}


def leaks() -> dict:
    power = {"value": 0.97, "low": 0.955, "high": 0.98, "bads": 120, "goods": 800}
    finding = {"numbers": {}, "remedy": "leave it out", "examples": [], "accepted": None}
    return {
        "findings": [
            {
                **finding,
                "check": "pure_value",
                "column": "industry",
                "verdict": "warn",
                "told": f"the value {HOSTILE[0]} stands in 40 rows",
                "examples": [HOSTILE[1]],
            },
            {
                **finding,
                "check": "truncated_window",
                "column": None,
                "verdict": "accepted",
                "told": "the bad rate falls",
                "accepted": "a state aid programme",
            },
        ],
        "strongest": [{"column": "mean_days_late_12m", "overall": power, "where_filled": None, "fill": 0.66}],
        "unjudged": {"constant_label": "every customer has one row"},
        "idle": ["gone"],
        "columns": 146,
    }


def comparison(verdict: str = "undecided", shift: float = 0.0) -> dict:
    """Two models on the rows neither has seen, as `creditbook compare` tells it."""
    counted = counts(1900, 130, 370, 42)
    difference = {"value": 0.04 + shift, "low": -0.01 + shift, "high": 0.09 + shift, "error": 0.03, "rounds": 500}
    order = {
        **counted,
        "gini_first": interval(0.62, 0.05),
        "gini_second": interval(0.58, 0.05),
        "difference": difference,
        "detectable": 0.065,
        "verdict": verdict,
    }
    cell = {
        **counts(90, 4, 40, 3),
        "low": 0.01,
        "high": 0.12,
        "loss": {"value": 66223.9, "low": 51000.2, "high": 90210.0},
    }
    cost = {"value": 9.0, "low": 2.0, "high": 16.0, "bad_customers": 12}
    cells = ("both_accept", "only_first_accepts", "only_second_accepts", "both_refuse")
    nothing = {**order, "difference": None, "gini_first": None, "gini_second": None, "verdict": "too_few"}
    level = {"observed_over_expected": interval(1.0, 0.2), "slope": interval(1.1, 0.2), "log_loss": 0.19}
    level |= {"shift": 0.0, "at_observed_rate": None}
    rated = counts(1740, 110, 335, 35)
    return {
        "first": {"model_version": "scorecard-old", "kind": "scorecard"},
        "second": {"model_version": "scorecard-0123456789ab", "kind": "scorecard"},
        "rows": {**counted, "left_out": {"customers": 5, "dates": 6}, "first_as_of": "2024-04-30"},
        "why_none": None,
        "confidence": 0.9,
        "power": 0.8,
        "min_bad_customers": 10,
        "rated": rated,
        "thin": counts(160, 20, 59, 11),
        "gini": order,
        "gini_rated": {**order, **rated},
        "log_loss": None,
        "calibration": [level, level],
        "refuse_from": "high",
        "swap": {"cells": dict.fromkeys(cells, cell), "cost": cost, "dates": 5},
        "parts": {"segment": {"medium": order, "low": nothing}, "industry": {HOSTILE[0]: order}},
    }


def made_from(day: str, data: str) -> dict[str, str]:
    """What the evidence of a model tells it was made from: one policy, and data and parameters of its own."""
    policy = {"policy_default_definition": "71" * 32, "policy_master_scale": "d4" * 32, "policy_bins": "44" * 32}
    return {"extract_date": day, "data_version": data * 32, **policy, "params_hash": data * 32}


def before() -> dict:
    """The model before, with its evidence."""
    lineage = made_from("2024-12-31", "cd")
    return {
        "model_version": "scorecard-old",
        "kind": "scorecard",
        "features": ["mean_days_late_12m", "noise"],
        "evidence": {"kind": "scorecard", "lineage": lineage, "validation": model("scorecard", 0.5)},
        "comparison": comparison(),
        "why_none": None,
    }


def monitored() -> dict:
    """What monitoring told last of the model in force."""
    level = {"name": "level", "value": 1.4, "low": 1.1, "high": 1.8, "light": "amber"}
    month = {"name": "inputs_month", "value": None, "low": None, "high": None, "light": "grey"}
    score = {"name": "score_development", "value": 0.017, "low": None, "high": None, "noise": 0.0398, "light": "green"}
    return {"model_version": "scorecard-old", "as_of": "2025-11-30", "gates": [level, month, score]}


def effects() -> Effects:
    """Lateness works alone; the effect of noise depends on lateness."""
    rng = np.random.default_rng(3)
    late, noise = rng.normal(10, 5, 600), rng.normal(0, 1, 600)
    industry = [HOSTILE[i % len(HOSTILE)] if i % 7 else None for i in range(600)]
    moved = pd.DataFrame(
        {"mean_days_late_12m": late / 10, "noise": noise * (late > 10), "industry": [0.1] * 600, "idle": [0.0] * 600}
    )
    return Effects(
        moved, pd.DataFrame({"mean_days_late_12m": late, "noise": noise, "industry": industry, "idle": late})
    )


def bin_years() -> pd.DataFrame:
    rows = [
        ("mean_days_late_12m", year, bin_, 100 + 10 * bin_ * (year - 2019)) for year in (2019, 2020) for bin_ in (0, 1)
    ]
    return pd.DataFrame(rows, columns=["feature", "year", "bin", "rows"])


def sample_input() -> ReportInput:
    names = ("mean_days_late_12m", "mean_days_late_3m", "industry", "noise")
    titles = ("Days late, 12 months", "Days late, 3 months", f"Industry {HOSTILE[0]}", "Noise")
    identity = {"method": "identity", "knots": [[0.0, 0.0], [1.0, 1.0]], "folded": None}
    return ReportInput(
        label={"kind": "default", "days": 90, "window_months": 12, "window_days": None},
        validation=validation(),
        roc=roc(),
        snapshots=snapshots(),
        catalogue=[{"name": n, "title_en": t, "title_zh": t} for n, t in zip(names, titles, strict=True)],
        details=details(),
        definition=yaml.safe_load((POLICY / "default_definition.yaml").read_text(encoding="utf-8")),
        master_scale=yaml.safe_load((POLICY / "master_scale.yaml").read_text(encoding="utf-8")),
        limit_policy=yaml.safe_load((POLICY / "limits.yaml").read_text(encoding="utf-8")),
        scorecard=json.loads(card().to_json()),
        scorecard_calibration=identity,
        worked=WorkedCustomer(HOSTILE[0], "2024-06-30", {"mean_days_late_12m": 12.5, "industry": HOSTILE[0]}),
        pictures={"bar.png": png(), "beeswarm.png": png(), "dependence_industry.png": png()},
        weights={"mean_days_late_12m": 0.61, "industry": 0.12},
        book=book(),
        base_currency="EUR",
        before=before(),
        monitored=monitored(),
        comparison=comparison(),
        in_force={"champion": {"model_version": "scorecard-0123456789ab"}},
        bin_years=bin_years(),
        effects=effects(),
        lineage=made_from("2025-12-31", "ab"),
        provenance={"extract_date": "2025-12-31", "champion": "scorecard-0123456789ab", "data_version": "ab" * 32},
        commands=("make run", "creditbook verify data/scored/latest"),
    )


@pytest.fixture(scope="session")
def given() -> ReportInput:
    """Everything there."""
    return sample_input()


@pytest.fixture(scope="session")
def hostile() -> tuple[str, ...]:
    """Texts that a report must show as text."""
    return HOSTILE
