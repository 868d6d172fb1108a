"""A small model, a small policy day and a book of positions that the tests of scoring share."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from pipeline.score.applied import application
from pipeline.score.calibration import Calibration
from pipeline.score.model import Model
from pipeline.score.points import Scaling
from pipeline.score.policy import Policy, read_policy
from pipeline.score.scorecard import Bin, Characteristic, Scorecard, fold
from pipeline.score.scored_book import ScoredRun, score_book
from pipeline.score.thin_file import ThinFile, ThinFileRule

if TYPE_CHECKING:
    from pipeline.score.previous import EarlierRun, PreviousRun

AS_OF = dt.date(2025, 6, 30)
FACTOR = 20 / math.log(2)
LABEL = {"kind": "default", "days": 90, "window_months": 12, "window_days": None}


def characteristic(
    feature: str, splits: list[float], woes: list[float], missing: float, slope: float
) -> Characteristic:
    bounds = [None, *splits, None]
    bins = [
        Bin(
            label=f"[{low}, {high})",
            kind="range",
            woe=woe,
            points=FACTOR * slope * woe,
            lower=low,
            upper=high,
            count=100,
            bads=1 if woe > 0 else 6,
        )
        for low, high, woe in zip(bounds, bounds[1:], woes, strict=False)
    ]
    bads = int(missing < 0)
    bins.append(Bin(label="missing", kind="missing", woe=missing, points=FACTOR * slope * missing, count=10, bads=bads))
    mean = sum(b.points * b.count for b in bins) / sum(b.count for b in bins)
    return Characteristic(feature, slope, tuple(bins), "rises", 0.3, mean)


def industry(slope: float) -> Characteristic:
    named = {("C", "F"): -0.4, ("G", "J", "O'Neil"): 0.3}
    bins = [
        Bin(label="/".join(names), kind="categories", woe=woe, points=FACTOR * slope * woe, categories=names, count=50)
        for names, woe in named.items()
    ]
    bins.append(Bin(label="missing", kind="missing", woe=-0.1, points=FACTOR * slope * -0.1, count=5))
    bins.append(Bin(label="unseen", kind="unseen", woe=0.0, points=0.0, count=0))
    mean = sum(b.points * b.count for b in bins) / sum(b.count for b in bins)
    return Characteristic("industry_section", slope, tuple(bins), "either", 0.05, mean)


def entry(name: str, idea: str, months: int | None, en: str, zh: str) -> dict[str, Any]:
    return {
        "name": name, "idea": idea, "subject": "payment behaviour", "source": ["invoices"], "months": months,
        "unit": "days",
        "risk": "rises", "holds": "category" if months is None and idea.startswith("industry") else "number",
        "null_means": "nothing was paid", "null_means_zh": "无付款",
        "title_en": f"Title of {idea}", "title_zh": f"{idea}标题", "en": en, "zh": zh, "doc": "",
    }  # fmt: skip


LATE_EN, LATE_ZH = "Paid {value:.0f} days late over {months} months", "近{months}个月逾期{value:.0f}天"
CATALOGUE = [
    entry("days_late_3m", "days_late", 3, LATE_EN, LATE_ZH),
    entry("days_late_12m", "days_late", 12, LATE_EN, LATE_ZH),
    entry("overdue_share", "overdue_share", None, "{value:.0%} of the balance is overdue", "逾期占比{value:.0%}"),
    entry("industry_section", "industry_section", None, "Industry {value}", "行业{value}"),
]  # fmt: skip


def small_card() -> Scorecard:
    return Scorecard(
        characteristics=(
            characteristic("days_late_3m", [5.0, 30.5], [0.5, -0.2, -1.1], -0.3, 0.8),
            characteristic("days_late_12m", [0.1, 7.3, 20.0], [0.7, 0.1, -0.6, -1.3], 0.05, 0.7),
            characteristic("overdue_share", [0.05, 0.35], [0.6, -0.5, -1.9], -0.15, 1.1),
            industry(0.9),
        ),
        intercept_points=600 + FACTOR * (3.2 - math.log(30.0)),
        pdo=20.0,
        base_score=600.0,
        base_odds=30.0,
    )


KNOTS = Calibration("knots", ((-2.0, -1.5), (1.0, 1.2), (3.0, 2.9), (5.0, 4.0)))


def small_model(calibration: Calibration | None = None, **changes: Any) -> Model:
    line = calibration or Calibration.line("platt", 0.25, 0.85)
    card, settled = fold(small_card(), line)
    model = Model(
        kind="scorecard",
        label=LABEL,
        features=card.features,
        catalogue=CATALOGUE,
        predictor=card,
        calibration=settled,
        scaling=Scaling(20.0, 600.0, 30.0),
        thin_file=ThinFile(0.06, 30, 500, 0.5, ThinFileRule(3, 3)),
        development={"default_rate": 0.03, "rows": 1000, "bads": 30},
        version="scorecard-test00000000",
    )
    return replace(model, **changes)


def feature_rows(count: int, seed: int = 7) -> pd.DataFrame:
    """Random rows with nulls, unseen categories and values that lie exactly on the bounds of bins."""
    rng = np.random.default_rng(seed)
    edges = {"days_late_3m": [5.0, 30.5], "days_late_12m": [0.1, 7.3, 20.0], "overdue_share": [0.05, 0.35]}
    columns: dict[str, Any] = {"customer_id": [f"K{i:06d}" for i in range(count)]}
    for name, at in edges.items():
        values = rng.normal(at[-1] / 2, at[-1], count)
        on_edge = rng.random(count) < 0.2
        values[on_edge] = rng.choice(at, on_edge.sum())
        values[rng.random(count) < 0.15] = np.nan
        columns[name] = values
    sections = np.array(["C", "F", "G", "J", "O'Neil", "Z-unseen", None], dtype=object)
    columns["industry_section"] = rng.choice(sections, count)
    return pd.DataFrame(columns)


POSITION = {
    "as_of": AS_OF, "name": "Firm", "group_id": None, "country": "DE", "size_class": None, "is_natural_person": False,
    "is_public_body": False, "is_in_book": True, "is_in_default": False, "open_amount": Decimal("10000.00"),
    "overdue_amount": Decimal("0.00"), "max_days_past_due": 0, "committed_orders_amount": Decimal("0.00"),
    "limit_current": None, "limit_valid_from": None, "billing_12m_amount": Decimal("365000.00"),
    "mean_terms_days": 30.0, "cover_amount": Decimal("0.00"), "covered_share": None, "cover_ends_on": None,
    "equity_amount": None, "cost_of_sales_amount": None, "accounts_end_on": None, "invoices_due_12m_count": 12,
    "history_months": 40, "has_external_rating": False, "grade_override": None, "grade_override_ends_on": None,
    "limit_override": None, "limit_override_ends_on": None, "group_default_count": 0,
}  # fmt: skip

SAFE = {"days_late_3m": 1.0, "days_late_12m": 0.0, "overdue_share": 0.0, "industry_section": "G"}
RISKY = {"days_late_3m": 45.0, "days_late_12m": 25.0, "overdue_share": 0.8, "industry_section": "C"}


@dataclass(frozen=True)
class Book:
    """Rows of positions and features that belong together."""

    positions: pd.DataFrame
    features: pd.DataFrame


def book_of(*customers: dict[str, Any]) -> Book:
    """One row per customer; keys of SAFE are features, all others overwrite POSITION."""
    positions, features = [], []
    for number, changes in enumerate(customers):
        customer_id = changes.get("customer_id", f"C{number}")
        features.append({"customer_id": customer_id, **{k: changes.get(k, v) for k, v in SAFE.items()}})
        own = {k: v for k, v in changes.items() if k not in SAFE}
        positions.append({**POSITION, "customer_id": customer_id, **own})
    frame = pd.DataFrame(positions, columns=["customer_id", *POSITION]).astype({"mean_terms_days": float})
    return Book(frame, pd.DataFrame(features))


def applied_to(features: pd.DataFrame, model: Model, previous: Model | None = None) -> pd.DataFrame:
    """The features with the answers of the models, in one batch."""
    rows = pa.RecordBatch.from_pandas(features, preserve_index=False)
    return application(model, previous, rows.schema)(rows).to_pandas()


def scored_book(  # noqa: PLR0917 - the six inputs of a night
    positions: pd.DataFrame,
    features: pd.DataFrame,
    model: Model,
    policy: Policy,
    previous: PreviousRun | None,
    as_of: dt.date,
    *,
    positions_before: pd.DataFrame | None = None,
    features_before: pd.DataFrame | None = None,
    looked_back: EarlierRun | None = None,
) -> ScoredRun:
    """One night from plain features: the models are applied to them first."""
    applied = applied_to(features, model, None if previous is None else previous.model)
    points_before = None if features_before is None else applied_to(features_before, model)
    return score_book(
        positions,
        applied,
        model,
        policy,
        previous,
        as_of,
        positions_before=positions_before,
        points_before=points_before,
        looked_back=looked_back,
    )


@pytest.fixture
def scored() -> Any:
    return scored_book


@pytest.fixture
def applied() -> Any:
    return applied_to


def random_customers(count: int, seed: int) -> list[dict[str, Any]]:
    """Customers of every status and grade, with groups, cover, accounts, present limits and limits by hand."""
    rng = np.random.default_rng(seed)

    def amount(most: float, share: float) -> Decimal | None:
        return Decimal(f"{rng.uniform(0, most):.2f}") if rng.random() < share else None

    def day(back: int) -> dt.date:
        return AS_OF - dt.timedelta(days=int(rng.integers(0, back)))

    return [
        {
            "customer_id": f"K{number:03d}",
            "grade_override": f"G{rng.integers(1, 11):02d}",
            "group_id": f"H{rng.integers(0, 4)}" if rng.random() < 0.6 else None,
            "is_in_book": rng.random() < 0.9,
            "is_in_default": rng.random() < 0.1,
            "history_months": int(rng.choice([1, 40])),
            "open_amount": amount(60_000, 1.0),
            "billing_12m_amount": amount(2_000_000, 1.0),
            "cover_amount": amount(50_000, 0.4) or Decimal("0.00"),
            "equity_amount": amount(900_000, 0.7),
            "cost_of_sales_amount": amount(4_000_000, 0.7),
            "accounts_end_on": day(900),
            "limit_current": amount(200_000, 0.6),
            "limit_valid_from": day(200),
            "overdue_amount": amount(2_000, 0.3) or Decimal("0.00"),
            "max_days_past_due": int(rng.choice([0, 20, 40, 90])),
            "limit_override": str(amount(100_000, 1.0)) if rng.random() < 0.05 else None,
        }
        for number in range(count)
    ]


@pytest.fixture
def make_customers() -> Any:
    return random_customers


@pytest.fixture(scope="session")
def policy() -> Policy:
    return read_policy(Path(__file__).parents[2] / "policy")


@pytest.fixture
def model() -> Model:
    return small_model()


@pytest.fixture
def make_model() -> Any:
    return small_model


@pytest.fixture
def make_book() -> Any:
    return book_of


@pytest.fixture
def make_characteristic() -> Any:
    return characteristic


@pytest.fixture
def make_entry() -> Any:
    return entry


@pytest.fixture
def make_rows() -> Any:
    return feature_rows


@pytest.fixture
def card() -> Scorecard:
    return small_card()


@pytest.fixture
def knots() -> Calibration:
    return KNOTS


@pytest.fixture
def as_of() -> dt.date:
    return AS_OF


@pytest.fixture
def risky() -> dict[str, Any]:
    return dict(RISKY)
