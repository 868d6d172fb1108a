"""The page of a replay that has little to tell: no month with known outcomes, nothing delivered, one month."""

import datetime as dt

import numpy as np
import pytest

from pipeline.flows.backtest_told import FORMAT
from pipeline.report.backtest_report import BacktestReport, render
from pipeline.score.backtest.backtest import CURRENT, STOOD, Windows
from pipeline.score.backtest.items import NEVER

RUN = {
    "id": "0" * 16, "from": "2023-01-31", "to": "2023-03-31", "extract_date": "2025-12-31", "base_currency": "EUR",
    "data_version": "d", "code_version": "c", "margin_share": 0.15, "lost_share": 1.0,
    "backtest": {
        "confidence": 0.95, "min_bad_customers": 2, "referred": "kept", "refit_months": 12, "first_fit_snapshots": 6
    },
}  # fmt: skip
MODEL = {
    "version": "m", "fitted_on": None, "is_hypothetical": True, "is_expert": False, "features": [], "dates": None,
    "first_date": None, "last_date": None,
    "snapshots": None, "bads": None, "bad_customers": None, "months": 3,
}  # fmt: skip


def told_of(past, policy, windows):
    figures, _ = past.replay({CURRENT: policy}, windows)
    by_key = {row["key"]: row for row in figures["months"]}
    nothing = {"deliveries": 0, "amount": "0.00", "lost": "0.00", "policies": None}
    months = [
        {
            "as_of": seen.as_of.isoformat(), "model": "m", "is_hypothetical": bool(windows.is_hypothetical[at]),
            "is_mature": bool(windows.is_mature[at]), "is_judged": bool(windows.is_judged[at]),
            **{name: by_key.get(at, nothing)[name] for name in nothing},
            "limits": {name: one["by_month"][at] for name, one in figures["limits"].items()},
        }
        for at, seen in enumerate(past.seen)
    ]  # fmt: skip
    policies = [{"name": name, "version": None, "changes": []} for name in (STOOD, CURRENT)]
    left_out = [[dt.date(2023, 1, 31).isoformat(), "too few"]]
    return {
        "format": FORMAT, "run": RUN, "policies": policies, "models": [MODEL], "refits_left_out": left_out, **figures,
        "months": months,
    }  # fmt: skip


@pytest.fixture(scope="module")
def past(past_of):
    return past_of()


@pytest.mark.parametrize(("language", "said"), [("en", "nothing can be decided yet"), ("zh", "尚无从判定")])
def test_without_known_outcomes_nothing_is_said_of_losses(past, policy, language, said):
    none = Windows(np.full(3, NEVER - 1), np.zeros(3, dtype=bool), np.ones(3, dtype=bool))
    page = render(BacktestReport(told_of(past, policy, none), language))
    assert said in page
    assert page.count("<svg") == 4  # two drawings in two widths: refused, and limits over need
    assert ">nan" not in page.lower()
