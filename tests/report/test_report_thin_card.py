"""How the card of the thin pool was fitted stands beside its points, in both languages."""

from __future__ import annotations

import dataclasses
import json

import pytest

from pipeline.report.blocks import Table
from pipeline.report.chapters.thin_card import thin_card
from pipeline.report.words import words_in
from pipeline.score.scorecard import Bin, Characteristic, Scorecard

DAYS_LATE = "mean_days_late_12m"
COMMON = {"idea": "x", "psi": None, "psi_noise": None, "bins": 2, "p_value": None, "step": None}
FITTED = {
    "selection": [
        {**COMMON, "feature": DAYS_LATE, "fate": "selected", "reason": "adds to the others", "iv": 0.21, "step": 1},
        {
            **COMMON,
            "feature": "industry",
            "fate": "unbinnable",
            "reason": "null on every row",
            "iv": None,
            "step": None,
        },
    ],
    "coefficients": [
        {"feature": DAYS_LATE, "coefficient": 0.81, "unpenalised": 0.92, "standard_error": 0.25, "p_value": 0.0002}
    ],
    "bin_stability": [
        {
            "feature": DAYS_LATE,
            "bin": "below 10",
            "early_share": 0.4,
            "late_share": 0.5,
            "early_rate": 0.02,
            "late_rate": 0.03,
            "ratio": {"value": 1.5, "low": 0.6, "high": 3.9, "error": 0.4},
            "p_value": 0.31,
            "is_turned": False,
            "turn": None,
        }
    ],
    "bin_rates": [],
    "bin_confidence": 0.9,
    "psi_significance": 0.01,
}


@pytest.fixture
def thin(given):
    bins = (
        Bin("below 10", "range", 0.0, 4.0, None, 10.0, count=60, bads=2),
        Bin("10 or more", "range", 0.0, -9.0, 10.0, None, count=20, bads=2),
        Bin("no value", "missing", 0.0, 0.0),
    )
    card = Scorecard((Characteristic(DAYS_LATE, 1.0, bins, "rises", 0.1, 0.75),), 544.5, 20.0, 600.0, 30.0)
    return dataclasses.replace(given, thin_card=json.loads(card.to_json()))


def test_fates_coefficients_and_bins_over_time_stand_beside_the_points(thin):
    points, fates, coefficients, time = thin_card(thin, FITTED, words_in("en"))
    assert all(isinstance(table, Table) for table in (points, fates, coefficients, time))
    assert [row[0].note for row in fates.rows] == [DAYS_LATE, "industry"]
    assert [row[1].text for row in fates.rows] == ["adds to the others", "null on every row"]
    assert [row[4].text for row in fates.rows] == ["< 0.001", "–"]
    assert [cell.text for cell in coefficients.rows[0][1:]] == ["0.810", "0.920", "0.250", "< 0.001"]
    assert "each customer group as one witness" in coefficients.notes[0]
    assert (time.rows[0][0].text, time.rows[0][5].text, time.rows[0][6].text) == ("below 10", "1.50", "0.310")
    # The stricter of 5 % and of what 90 % leave decides: exp((1.960 + 0.842) × 0.4).
    assert (thin.significance, thin.power) == (0.05, 0.8)
    assert time.rows[0][6].note == "shown from 3.07"


def test_the_tables_have_their_words_in_chinese(thin):
    _, fates, coefficients, time = thin_card(thin, FITTED, words_in("zh"))
    assert fates.caption == "信息不足客户池评分卡可用的每个特征的结果"
    assert [row[1].text for row in fates.rows][1] == "每一行均为空值"
    assert [column.title for column in coefficients.columns[2:4]] == ["单独拟合", "标准误差"]
    assert "分箱" in time.caption


def test_a_fit_of_an_earlier_version_tells_the_points_alone(thin):
    (points,) = thin_card(thin, {"bin_rates": [], "bin_confidence": None}, words_in("en"))
    assert points.caption == "Points of the card of the thin pool"
