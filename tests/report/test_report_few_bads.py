"""One bad customer among the test rows: the report gives the figures and reads nothing into them."""

from __future__ import annotations

import dataclasses

import pytest

from pipeline.report.blocks import Table, Text, Tiles
from pipeline.report.chapters.calibration import calibration
from pipeline.report.chapters.discrimination import discrimination
from pipeline.report.chapters.verdict import verdict
from pipeline.report.words import words_in

NO_ENDS = {"low": None, "high": None, "rounds": 0}
COUNTS = {"rows": 300, "bads": 1, "customers": 60, "bad_customers": 1, "default_rate": 1 / 300}


@pytest.fixture
def few(given):
    """The test role with one bad row, as validation tells it; the slope would be read as shown."""
    report = {**given.validation, "tests": [], "samples": {**given.validation["samples"], "test": COUNTS}}
    report["models"] = {name: with_few(told) for name, told in report["models"].items()}
    report["differences"] = {pair: {"test": {"value": 0.2, **NO_ENDS}} for pair in report["differences"]}
    return dataclasses.replace(given, validation=report, comparison=None)


def with_few(model: dict) -> dict:
    ratio = {"value": 0.04, **NO_ENDS}
    order = {name: {"value": 0.99, **NO_ENDS} for name in ("auc", "gini", "ks")}
    slope = {"calibration_slope": 3.0, "calibration_slope_low": 2.0, "calibration_slope_high": 4.0}
    test = {**model["roles"]["test"], **COUNTS, **order, **slope, "observed_over_expected": ratio, "mean_pd": 25 / 300}
    return {**model, "roles": {**model["roles"], "test": test}}


@pytest.mark.parametrize(("language", "lead", "figures", "forbidden"), [
    ("en", "Too little happened to judge the scorecard: 1 bad customer in the test.",
     ("(1 snapshot).", "The Gini is 0.99 (no interval: too few bad customers to tell).",
      "observed over expected 0.04 (no interval: too few bad customers to tell)."), ("riskier", "1 snapshots")),
    ("zh", "出险太少，无法评判评分卡：测试样本中有1个坏客户。",
     ("（1个快照）", "Gini为0.99（无区间：坏客户太少，无法判断）。",
      "实际/预期比为0.04（无区间：坏客户太少，无法判断）。"), ("风险更高",)),
])  # fmt: skip
def test_the_first_page_gives_the_figures_and_no_verdict(few, language, lead, figures, forbidden):
    words = words_in(language)
    page = verdict(few, words)
    told = " ".join(block.text for block in page.blocks if isinstance(block, Text))
    assert page.lead == lead
    assert [text for text in figures if text not in told] == []
    assert [text for text in forbidden if text in told] == []
    tiles = next(block for block in page.blocks if isinstance(block, Tiles)).tiles
    assert tiles[1].interval == words("why.too_few_bads")
    # The slope of 3.00 (2.00 to 4.00) stands under "What is shown" where enough turned bad.
    assert "3.00" not in str(page.blocks)


@pytest.mark.parametrize(("language", "says"), [
    ("en", "too few bad customers to tell"), ("zh", "坏客户太少，无法判断"),
])  # fmt: skip
def test_the_chapters_read_nothing_into_one_bad_customer(few, language, says):
    words = words_in(language)
    level = table(calibration(few, words), words("calibration.level_caption"))
    assert level.rows[0][-1].text == says
    assert level.rows[0][-1].note == words("spread.too_few")
    pairs = table(discrimination(few, words), words("discrimination.difference_caption"))
    assert pairs.rows[0][-1].text == says
    assert pairs.rows[0][2].note == words("why.too_few_bads")


def table(chapter, caption: str) -> Table:
    return next(block for block in chapter.blocks if isinstance(block, Table) and block.caption == caption)
