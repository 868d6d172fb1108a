"""The report reads what validation really hands on: a small book is measured and told."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from pipeline.params import LabelParams, SplitParams, ValidateParams
from pipeline.report.model_report import render
from pipeline.score.master_scale import MasterScale
from pipeline.score.thin_file import ThinFile, ThinFileRule
from pipeline.train.splits import mature_dates, timetable
from pipeline.train.validation import validate

POOL = ThinFile(0.05, 1, 40, 0.75, ThinFileRule(3, 3))


@dataclass(frozen=True)
class Forecaster:
    """Stands for a model: its PD is a column, bent by `power`."""

    kind: str
    power: float
    version: str = "made-by-hand"
    thin_file: ThinFile = POOL

    def pd(self, rows: pd.DataFrame) -> np.ndarray:
        return rows["risk"].to_numpy(dtype=float) ** self.power


def economy(bad_share: float) -> pd.DataFrame:
    """400 customers over 44 month ends; the risk of a customer stays, an outcome is drawn from it."""
    rng = np.random.default_rng(3)
    days = [day.date() for day in pd.date_range("2018-01-31", periods=44, freq="ME")]
    risk = np.clip(rng.gamma(1.0, bad_share, 400), 1e-4, 0.6) if bad_share else np.full(400, 0.01)
    customer = np.repeat(np.arange(400), len(days))
    is_bad = rng.random(len(customer)) < (risk[customer] if bad_share else 0.0)
    names = np.array([f"C-{i:03d}" for i in range(400)], dtype=object)[customer]
    return pd.DataFrame(
        {
            "customer_id": names,
            "as_of": days * 400,
            "group_key": names,
            "outcome": np.where(is_bad, "bad", "good"),
            "is_bad": is_bad.astype("int8"),
            "risk": risk[customer],
        }
    )


def told(given, bad_share: float) -> str:
    book = economy(bad_share)
    table = timetable(mature_dates(book), LabelParams(), SplitParams(0.5, 0.25, 0.25))
    models = {"champion": Forecaster("scorecard", 1.0), "challenger": Forecaster("booster", 0.9)}
    scale = MasterScale.load(dict(given.master_scale))
    found = validate(models, book, table, scale, ValidateParams(bootstrap_rounds=60), naive={"by_risk": ["risk"]})
    columns = ["customer_id", "as_of", "group_key", "outcome", "is_bad"]
    return render(
        dataclasses.replace(given, validation=found.report, roc=found.frames["roc"], snapshots=book[columns], book=None)
    )


def test_a_measured_book_is_told_with_its_intervals(given):
    html = told(given, 0.06)
    assert "The scorecard tells risky customers from safe ones" in html
    assert "the rule &#34;by risk&#34;" in html
    assert "Not shown: the true PD is known of a demo book only." in html
    assert "None" not in html.replace("None:", "")
    assert "nan" not in html.lower().replace("dominant", "").split("reproduction-title")[0].replace("finan", "")


@pytest.mark.filterwarnings("error")
def test_a_book_in_which_nothing_happened_is_told_too(given):
    html = told(given, 0.0)
    assert "Too little happened to judge the scorecard: 0 bad customers in the test." in html
    assert "none: no bad snapshot in this role" in html
    assert "The ROC curve is not shown" in html
