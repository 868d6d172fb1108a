"""Rows with a true PD, and forecasts that know it more or less well."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from pipeline.train.sample import Sample

DAYS = [dt.date(2024, 12, 31), dt.date(2025, 12, 31)]


def sample_of(customers: int = 300, seed: int = 2, slope: float = 1.5) -> tuple[Sample, np.ndarray]:
    """Two dates a customer; the second value is the true PD of each row."""
    draw = np.random.default_rng(seed)
    names = np.repeat([f"C-{i:03d}" for i in range(customers)], 2).astype(object)
    logit = np.repeat(slope * draw.normal(size=customers) - 2.0, 2)
    pd_ = 1 / (1 + np.exp(-logit))
    days = np.array(DAYS * customers, dtype=object)
    rows = pd.DataFrame({"customer_id": names, "as_of": days, "group_key": names})
    return Sample(rows, (draw.random(2 * customers) < pd_).astype(float), names, days), pd_


def blurred(pd_: np.ndarray, noise: float) -> np.ndarray:
    logit = np.log(pd_ / (1 - pd_)) + noise * np.random.default_rng(9).normal(size=len(pd_))
    return 1 / (1 + np.exp(-logit))
