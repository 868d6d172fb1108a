"""A small book with known truth: a latent quality of each customer moves features and the monthly hazard of default."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

if TYPE_CHECKING:
    import datetime as dt

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
sys.path.insert(0, str(Path(__file__).parent))

WINDOW = 12


@dataclass(frozen=True)
class Economy:
    """`book` as labels and features join, `truth` the PD of each row, `catalogue` the features' definitions as JSON."""

    book: pd.DataFrame
    truth: np.ndarray
    catalogue: list[dict]


def economy(customers: int = 400, months: int = 44, seed: int = 1, base_hazard: float = -6.2) -> Economy:
    """Month-end rows until default; the last window is left out, so that every row is mature."""
    rng = np.random.default_rng(seed)
    quality = _paths(rng, rng.normal(size=customers), months + WINDOW)
    hazard = 1 / (1 + np.exp(-(base_hazard - 1.3 * quality)))
    falls = rng.random(hazard.shape) < hazard
    default_month = np.where(falls.any(axis=1), falls.argmax(axis=1), 10_000)
    customer, month = (index.ravel() for index in np.meshgrid(np.arange(customers), np.arange(months), indexing="ij"))
    alive = default_month[customer] > month
    customer, month = customer[alive], month[alive]
    state = quality[customer, month]
    is_bad = (default_month[customer] <= month + WINDOW).astype("int8")
    days = np.array([d.date() for d in pd.date_range("2018-01-31", periods=months, freq="ME")], dtype=object)
    names = np.array([f"C-{i:04d}" for i in range(customers)], dtype=object)
    groups = np.array([f"C-{i:04d}" if i % 10 else f"G-{i // 20:03d}" for i in range(customers)], dtype=object)
    book = pd.DataFrame(
        {
            "customer_id": names[customer],
            "as_of": days[month],
            "group_key": groups[customer],
            "outcome": np.where(is_bad == 1, "bad", "good"),
            "is_bad": is_bad,
            **_features(rng, state, customer, month, customers),
        }
    )
    order = np.lexsort([book["customer_id"].to_numpy(dtype=str), month])
    return Economy(book.iloc[order].reset_index(drop=True), _truth(state, base_hazard)[order], catalogue())


def catalogue() -> list[dict]:
    """Definitions as the features' room writes them."""
    risks = {
        "mean_days_late_3m": "rises",
        "mean_days_late_12m": "rises",
        "overdue_share": "rises",
        "max_days_past_due": "rises",
        "equity_ratio": "falls",
        "orders_ratio_6m": "falls",
        "age_years": "falls",
        "noise_count": "rises",
        "noise_ratio": "either",
        "always_null": "rises",
        "always_zero": "falls",
        "industry": "either",
    }
    return [
        {
            "name": name,
            "idea": name.removesuffix("_3m").removesuffix("_6m").removesuffix("_12m"),
            "months": next((k for k in (3, 6, 12) if name.endswith(f"_{k}m")), None),
            "unit": "category" if name == "industry" else "ratio",
            "risk": risk,
            "holds": "category" if name == "industry" else "number",
            "title_en": name.replace("_", " "),
            "title_zh": name,
        }
        for name, risk in risks.items()
    ]


def _paths(rng: np.random.Generator, start: np.ndarray, months: int) -> np.ndarray:
    quality = [start]
    for _ in range(months - 1):
        quality.append(0.97 * quality[-1] + np.sqrt(1 - 0.97**2) * rng.normal(size=start.shape))
    return np.column_stack(quality)


def _features(rng, state, customer, month, customers) -> dict:
    n = len(state)
    habit = rng.normal(size=customers)[customer]
    late = 8 - 6 * state + 4 * habit + 4 * rng.normal(size=n)
    equity = 0.3 + 0.12 * state + 0.1 * rng.normal(size=n)
    has_accounts = (np.arange(customers) % 3 > 0)[customer]
    sector = np.array(["A", "C", "F", "G"], dtype=object)[np.arange(customers) % 4][customer]
    sector[(np.arange(customers) % 50 == 0)[customer]] = None
    return {
        "mean_days_late_3m": late + 3 * rng.normal(size=n),
        "mean_days_late_12m": late,
        "overdue_share": np.clip(0.1 - 0.2 * state + 0.15 * rng.normal(size=n), 0, 1),
        "max_days_past_due": np.floor(np.clip(10 - 15 * state + 15 * rng.normal(size=n), 0, 200)),
        "equity_ratio": np.where(has_accounts, equity, np.nan),
        "orders_ratio_6m": np.exp(0.3 * state + 0.4 * rng.normal(size=n)),
        "age_years": (np.arange(customers) % 30)[customer] + month / 12,
        "noise_count": np.floor(rng.exponential(3, size=n)),
        "noise_ratio": rng.normal(size=n),
        "always_null": np.full(n, np.nan),
        "always_zero": np.zeros(n),
        "industry": sector,
    }


def _truth(state: np.ndarray, base_hazard: float) -> np.ndarray:
    """PD of the window given the state, interpolated over a grid of simulated paths."""
    rng = np.random.default_rng(99)
    grid = np.linspace(-5, 5, 41)
    pds = []
    for quality in grid:
        paths = _paths(rng, np.full(2000, quality), WINDOW + 1)[:, 1:]
        hazard = 1 / (1 + np.exp(-(base_hazard - 1.3 * paths)))
        pds.append(1 - np.prod(1 - hazard, axis=1).mean())
    return np.interp(state, grid, pds)


@pytest.fixture(scope="session")
def make_economy():
    """The generator itself, for cases of another size or seed."""
    return economy


@pytest.fixture(scope="session")
def small_economy() -> Economy:
    """400 customers over 44 month ends."""
    return economy()


@pytest.fixture(scope="session")
def month_ends():
    """Makes `n` month ends from January 2019 on."""

    def ends(n: int) -> list[dt.date]:
        return [day.date() for day in pd.date_range("2019-01-31", periods=n, freq="ME")]

    return ends
