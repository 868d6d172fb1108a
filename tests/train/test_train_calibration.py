"""Shapes of calibration: known truth found again, chosen only where the data tell, and never turning the order."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import ParameterError
from pipeline.params import CalibrationParams, ValidateParams
from pipeline.read_params import parse_params
from pipeline.score.calibration import Calibration
from pipeline.train.calibration import Observed, fit_calibration
from pipeline.train.calibration_choice import choose
from pipeline.train.calibration_shapes import SHAPES, beta, isotonic, platt
from pipeline.train.measures import pd_measures
from pipeline.train.sample import Sample


def _drawn(log_odds_of, n=20_000, seed=0, rows=1):
    """Customers with `rows` equal rows each, whose true ln odds of good are a function of the raw ones."""
    rng = np.random.default_rng(seed)
    raw = 2.5 + 1.5 * rng.normal(size=n)
    is_bad = (rng.random(n) < 1 / (1 + np.exp(log_odds_of(raw)))).astype(float)
    names = np.array([f"c{i}" for i in range(n)], dtype=object)
    return Observed(np.repeat(raw, rows), np.repeat(is_bad, rows), np.repeat(names, rows))


def _straight(raw):
    return 0.4 + 0.8 * raw


def _bent(raw):
    """Flat for risky customers, steep for safe ones: no line fits."""
    return np.where(raw < 2.0, 0.8 + 0.15 * raw, 1.1 + 1.8 * (raw - 2.0))


def _off(knots, truth):
    x = np.linspace(0.0, 5.0, 51)
    return np.max(np.abs(Calibration("shape", knots).log_odds(x) - truth(x)))


def test_beta_finds_a_line_and_a_beta_curve_again():
    assert _off(beta(_drawn(_straight)), _straight) < 0.25

    def curved(raw):
        p = 1 / (1 + np.exp(raw))
        return -(0.6 + 1.5 * np.log(p) - 0.3 * np.log1p(-p))

    assert _off(beta(_drawn(curved, 60_000)), curved) < 0.3
    assert _off(platt(_drawn(curved, 60_000)), curved) > 0.0


def test_isotonic_follows_what_no_line_can():
    observed = _drawn(_bent, 60_000)
    assert _off(isotonic(observed), _bent) < 0.6 < _off(platt(observed), _bent)


def test_isotonic_blocks_are_the_pooled_rates_of_a_hand_count():
    # Two values, 10 customers each, 5 and 1 bad: two blocks at their rates, smoothed by half a customer of each kind.
    raw = np.repeat([1.0, 3.0], 10)
    is_bad = np.array([1] * 5 + [0] * 5 + [1] + [0] * 9, dtype=float)
    knots = isotonic(Observed(raw, is_bad, np.array([f"c{i}" for i in range(20)], dtype=object)))
    assert knots[1:-1] == ((1.0, pytest.approx(np.log(5.5 / 5.5))), (3.0, pytest.approx(np.log(9.5 / 1.5))))


def test_what_the_data_cannot_tell_apart_stays_a_line():
    choice = choose(_drawn(_straight, 8000), CalibrationParams())
    assert choice.method == "platt"
    assert set(choice.losses) == {"platt", "beta", "isotonic"}
    assert choice.losses["platt"]["gain"] == choice.losses["platt"]["behind"] == 0.0
    for name in ("beta", "isotonic"):
        told = choice.losses[name]
        assert (told["behind"], told["behind_error"]) == (-told["gain"], told["gain_error"])


def test_a_bend_that_the_data_show_is_taken_with_its_gain():
    choice = choose(_drawn(_bent, 30_000), CalibrationParams())
    assert choice.method in {"beta", "isotonic"}
    assert choice.losses[choice.method]["gain"] > choice.losses[choice.method]["gain_error"] > 0
    assert "over Platt's line" in choice.reason
    # Platt's line stays as far behind the method taken as that one gains over it.
    line, taken = choice.losses["platt"], choice.losses[choice.method]
    assert (line["behind"], line["behind_error"]) == pytest.approx((taken["gain"], taken["gain_error"]))
    assert taken["behind"] == 0.0


def test_a_customer_seen_in_many_months_is_one_witness():
    """The same customers 12 times over: the same losses, the same standard error, the same number of bads."""
    once, often = (choose(_drawn(_bent, 4000, rows=rows), CalibrationParams()) for rows in (1, 12))
    for name, told in once.losses.items():
        if name != "isotonic":
            assert often.losses[name]["gain_error"] == pytest.approx(told["gain_error"], rel=0.01)
    assert once.barred == often.barred


def test_isotonic_needs_its_bads_whatever_is_set():
    few = _drawn(_straight, 1500)
    assert few.bad_customers < 300
    choice = choose(few, CalibrationParams(method="isotonic"))
    assert choice.method == "platt"
    assert f"{few.bad_customers} bad customers, 300 are needed" in choice.reason
    assert "isotonic" not in choose(few, CalibrationParams()).losses


@pytest.mark.parametrize("method", ["platt", "beta", "isotonic"])
def test_whatever_the_shape_the_level_is_that_of_the_rows(method):
    observed = _drawn(_bent, 30_000)
    fit = fit_calibration(observed, CalibrationParams(method=method))
    assert fit.calibration.method == method
    assert fit.calibration.pd(observed.raw_log_odds).sum() == pytest.approx(observed.is_bad.sum(), rel=1e-9)


def test_below_the_count_the_shape_is_drawn_to_one_and_it_is_said():
    observed = _drawn(lambda raw: 1.5 + 0.5 * raw, 1500, seed=3)
    drawn = fit_calibration(observed, CalibrationParams())
    free = fit_calibration(observed, CalibrationParams(shrink_below_bads=10))
    assert observed.bad_customers < 500
    assert 0 < drawn.shape_weight < 1 == free.shape_weight
    assert free.slope < drawn.slope < 1
    assert any("fewer than 500" in remark for remark in drawn.remarks)
    assert not free.remarks


def test_long_run_rate_is_the_mean_pd_of_all_rows_seen():
    observed, training = _drawn(_straight, 4000, seed=1), _drawn(_straight, 9000, seed=2)
    params = CalibrationParams(tendency="long_run", long_run_rate=0.017, long_run_source="insurer's study 2003 to 2023")
    fit = fit_calibration(observed, params, training)
    everybody = np.concatenate([observed.raw_log_odds, training.raw_log_odds])
    assert fit.calibration.pd(everybody).mean() == pytest.approx(0.017, rel=1e-9)
    assert fit.level_weight is None
    told = fit.as_json()["tendency"]
    shift = told.pop("shift")
    assert told == {"kind": "long_run", "rate": 0.017, "source": "insurer's study 2003 to 2023"}
    # Without what the rate adds the same rows expect the defaults that they hold.
    bads = observed.is_bad.sum() + training.is_bad.sum()
    back = 1 / (1 + np.exp(fit.calibration.log_odds(everybody) - shift))
    assert back.sum() == pytest.approx(bads, rel=1e-9)
    assert shift > 0.3
    assert bads / len(everybody) > 0.017
    seen = fit_calibration(observed, CalibrationParams(), training)
    assert seen.as_json()["tendency"] == {"kind": "observed", "rate": None, "source": None, "shift": 0.0}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{tendency: long_run}", "long_run_rate: expected a default rate between 0 and 1, found None"),
        ("{tendency: long_run, long_run_rate: 0.02}", "long_run_source: say in words"),
        ("{long_run_rate: 0.02}", "is used with tendency: long_run only"),
    ],
)
def test_a_long_run_rate_comes_with_its_source(text, told):
    with pytest.raises(ParameterError, match=told):
        parse_params(f"calibration: {text}", "params.yaml")


@pytest.mark.parametrize(("bads", "is_told"), [(9, False), (10, True)])
def test_what_rests_on_clusters_needs_ten_bad_ones(bads, is_told):
    n = 400
    is_bad = (np.arange(n) < bads).astype(float)
    names = np.array([f"c{i:03d}" for i in range(n)], dtype=object)
    sample = Sample(pd.DataFrame(index=range(n)), is_bad, names, np.array([None] * n, dtype=object))
    told = pd_measures(np.linspace(0.2, 0.01, n), sample, ValidateParams(bootstrap_rounds=50))
    slope, reach = told["calibration_slope"], 1.96 * told["calibration_slope_error"]
    assert told["calibration_slope_low"] < slope - reach < slope + reach < told["calibration_slope_high"]
    assert (told["calibration_error"]["p_value"] is not None) == is_told
    assert (told["spiegelhalter"]["z_by_cluster"] is not None) == is_told
    assert told["spiegelhalter"]["z"] is not None
    error = told["calibration_error"]
    assert error["value"] > 0
    assert (error["low"] is not None) == (error["high"] is not None) == is_told
    assert (error["shown"] is not None) == (told["spiegelhalter"]["factor_error"] is not None) == is_told


@settings(max_examples=60, deadline=None)
@given(
    raw=st.lists(st.floats(-9, 9).map(lambda v: round(v, 3)), min_size=12, max_size=60),
    seed=st.integers(0, 1000),
    method=st.sampled_from(sorted(SHAPES)),
)
def test_no_shape_turns_the_order_round(raw, seed, method):
    rng = np.random.default_rng(seed)
    values = np.array(raw)
    is_bad = (rng.random(len(values)) < 0.4).astype(float)
    if is_bad.min() == is_bad.max() or np.ptp(values) == 0:
        return
    knots = SHAPES[method](Observed(values, is_bad, np.array([f"c{i % 9}" for i in range(len(values))], dtype=object)))
    assert all(x1 > x0 and y1 >= y0 for (x0, y0), (x1, y1) in itertools.pairwise(knots))
    Calibration(method, knots)
