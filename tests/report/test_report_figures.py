"""Numbers as text."""

from __future__ import annotations

import datetime as dt
import io
import math
from decimal import Decimal

import numpy as np
import pytest
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from pipeline.report import figures
from pipeline.report.charts import _dates
from pipeline.report.drawing import NARROW, WIDE

THIN = "\u202f"


@pytest.mark.parametrize("unknown", [None, math.nan, math.inf, "text", np.float64("nan")])
def test_what_is_not_known_is_a_dash_and_never_a_number(unknown):
    assert figures.decimal(unknown) == figures.share(unknown) == figures.probability(unknown) == "–"
    assert figures.count(unknown) == figures.signed(unknown) == "–"


@pytest.mark.parametrize(
    ("value", "text"),
    [(1234567, "1,234,567"), (Decimal("1234567.89"), "1,234,568"), (np.int64(0), "0"), (-5, "−5"), (-0.2, "0")],
)
def test_counts_are_grouped_and_zero_has_no_sign(value, text):
    assert figures.count(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (0.00005, "0.005"), (0.0007, "0.070"), (0.0028, "0.28"), (0.0453, "4.53"), (0.36, "36.0"), (1, "100")],
)
def test_a_pd_keeps_the_digits_that_tell_good_grades_apart(value, text):
    assert figures.probability(value) == f"{text}{THIN}%"


def test_a_difference_always_carries_its_sign_except_zero():
    assert [figures.signed(v, 3) for v in (0.0564, -0.0564, 0.0001, -0.0001)] == ["+0.056", "−0.056", "0.000", "0.000"]


def test_feature_values_show_four_figures_and_no_trailing_zeros():
    shown = [figures.plain(v) for v in (0.000123456, 12.5, 10_000_000.0, "C26", None)]
    assert shown == ["0.0001235", "12.5", "10,000,000", "C26", "–"]


def test_a_figure_without_both_bounds_has_no_interval():
    assert figures.measured({"value": 0.5, "low": None, "high": 0.6}) == figures.Measured("0.50")
    assert figures.measured({"value": 0.5, "low": 0.4, "high": 0.6}).interval == "0.40 to 0.60"
    assert figures.measured(None).value == "–"


@pytest.mark.parametrize("months", [5, 14, 26, 31, 35, 37, 70])
def test_every_span_of_months_has_dates_to_read_on_both_sheets(months):
    """A warning of the locator would be an error here."""
    first = dt.date(2021, 1, 31)
    spans = [(0.0, float(day)) for day in (0, 31 * months)]
    for sheet in (WIDE, NARROW):
        figure = Figure(figsize=(sheet.width, 3.0))
        FigureCanvasSVG(figure)
        axes = figure.subplots()
        axes.plot([first + dt.timedelta(days=day) for _, day in spans], [0.0, 1.0])
        _dates(axes, sheet)
        figure.canvas.print_svg(io.StringIO())
        assert 2 <= len(axes.xaxis.get_ticklocs()) <= 12
