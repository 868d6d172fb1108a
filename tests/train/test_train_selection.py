"""What a committee can do to the selection: must-have and never-use lists, and stability over the training dates."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipeline.errors import ParameterError
from pipeline.params import ScorecardParams
from pipeline.report.sentences import translated
from pipeline.statistics.logistic import fit_logistic
from pipeline.train.bin_shift import bin_shifts, later_half
from pipeline.train.binning import fit_bins
from pipeline.train.sample import Sample
from pipeline.train.scorecard import fit_scorecard
from pipeline.train.selection import most_characteristics
from pipeline.train.selection_lists import check_lists
from pipeline.train.stepwise import Search, _close, walk

PARAMS = ScorecardParams()
N = 4000


def book(seed=5):
    """Two strong features, one that is almost the first, one that drifts, one of noise, one constant; two dates."""
    rng = np.random.default_rng(seed)
    strong, other = rng.normal(size=N), rng.normal(size=N)
    is_late = np.arange(N) >= N // 2
    logit = -3.2 + 1.0 * strong + 0.8 * other
    return {
        "strong": strong,
        "almost_strong": strong + 0.1 * rng.normal(size=N),
        "twin": strong.copy(),
        "other": other,
        "drifting": 0.6 * other + 3.0 * is_late + rng.normal(size=N),
        "noise": rng.normal(size=N),
        "constant": np.ones(N),
        "other_kept_down": -other + 0.3 * rng.normal(size=N),
    }, (rng.random(N) < 1 / (1 + np.exp(-logit))).astype(float)


def sample_of(columns, is_bad, days=(dt.date(2020, 1, 31), dt.date(2021, 1, 31))):
    names = np.array([f"c{i:05d}" for i in range(N)], dtype=object)
    dates = np.array([days[int(i >= N // 2)] for i in range(N)], dtype=object)
    return Sample(pd.DataFrame({"customer_id": names, **columns}), is_bad, names, dates)


CATALOGUE = [
    {"name": name, "idea": name, "risk": "rises", "holds": "number", "title_en": name}
    for name in ("strong", "almost_strong", "twin", "other", "drifting", "noise", "constant", "other_kept_down")
]


@pytest.fixture(scope="module")
def sample():
    return sample_of(*book())


def fates_of(sample, **changes):
    fit = fit_scorecard(sample, CATALOGUE, replace(PARAMS, **changes), 1)
    return fit, {fate.feature: fate for fate in fit.selection}


def test_without_lists_the_stronger_of_two_that_correlate_stays_and_the_drifting_one_is_unstable(sample):
    fit, fates = fates_of(sample)
    assert set(fit.scorecard.features) == {"strong", "other"}
    assert fates["almost_strong"].fate == "correlated"
    assert fates["drifting"].fate == "unstable"
    assert "PSI" in fates["drifting"].reason
    assert fates["drifting"].psi > 1
    assert fates["strong"].psi < 0.05


def test_a_must_have_comes_in_first_and_puts_out_the_stronger_one_that_correlates(sample):
    fit, fates = fates_of(sample, must_have=("almost_strong",))
    assert fit.scorecard.features[0] == "almost_strong"
    assert fates["almost_strong"].step == 1
    assert fates["almost_strong"].is_must_have
    assert fates["strong"].reason.endswith("almost_strong, which must be in the card")


def test_a_must_have_that_is_unstable_stays_and_its_complaint_is_told(sample):
    fit, fates = fates_of(sample, must_have=("drifting",), never_use=("other",))
    assert "drifting" in fit.scorecard.features
    assert "must-have list" in fates["drifting"].reason
    assert "its bins moved" in fates["drifting"].reason


def test_a_must_have_without_bins_or_against_its_sign_is_left_out_and_told(sample):
    fit, fates = fates_of(sample, must_have=("constant", "other", "other_kept_down"))
    assert {"constant", "other_kept_down"}.isdisjoint(fit.scorecard.features)
    for name in ("constant", "other_kept_down"):
        assert fates[name].fate in {"unbinnable", "wrong_sign"}
        assert fates[name].reason.startswith("must-have left out: ")


def test_a_must_have_with_a_coefficient_against_its_weights_is_left_out_and_told():
    """Beside x, more of y means less risk, though alone it means more."""
    rng = np.random.default_rng(8)
    x = rng.normal(size=N)
    y = x + 0.8 * rng.normal(size=N)
    is_bad = (rng.random(N) < 1 / (1 + np.exp(3.2 - 2.2 * x + 0.9 * y))).astype(float)
    sample = sample_of({"x": x, "y": y}, is_bad)
    catalogue = [{**CATALOGUE[0], "name": name, "idea": name} for name in ("x", "y")]
    fit = fit_scorecard(sample, catalogue, replace(PARAMS, must_have=("x", "y"), max_correlation=0.95), 1)
    fate = next(f for f in fit.selection if f.feature == "y")
    assert fit.scorecard.features == ("x",)
    assert fate.fate == "wrong_sign"
    assert fate.reason.startswith("must-have left out: its coefficient")


def test_without_steps_all_that_is_left_comes_in_as_far_as_the_card_has_room(sample):
    fit, fates = fates_of(sample, selection="all", points_from="bins", max_correlation=0.99, min_iv=0.0)
    assert set(fit.scorecard.features) == {"strong", "almost_strong", "other"}
    assert fates["noise"].fate in {"weak", "unbinnable"}
    fit, fates = fates_of(sample, selection="all", max_variables=1)
    assert fit.scorecard.features == ("strong",)
    assert fates["other"].fate == "beyond_maximum"
    assert fates["other"].reason == "the card is full: 1 characteristics of higher information value"


def test_a_must_have_that_the_steps_would_put_out_stays_with_a_remark():
    """`idle` says nothing; `again` is a second window of the idea of `strong`, with a tenth of its limit, and has the
    third of two places."""
    # Eight cells of 500 rows: 450 or 300 goods by `strong`, one more by `idle`, two more by `again`.
    cells = np.array([(x, y, z) for x in (-1.0, 1.0) for y in (-1.0, 1.0) for z in (-1.0, 1.0)])
    goods = [int(375 + 75 * x + (y > 0) + 2 * (z > 0)) for x, y, z in cells]
    woe = np.repeat(cells, 500, axis=0)
    good = np.concatenate([np.repeat([1.0, 0.0], [n, 500 - n]) for n in goods])
    names = ["strong", "idle", "again"]
    ideas = {"strong": "lateness", "again": "lateness", "idle": "idle"}
    search = Search(names, woe, good, np.arange(N), ideas, frozenset(), frozenset(names), PARAMS, [], {})
    walk(search, 2)
    fit = fit_logistic(np.column_stack([np.ones(N), woe[:, search.chosen]]), good, np.arange(N))
    p = dict(zip((names[i] for i in search.chosen), fit.p_values[1:], strict=True))
    assert search.chosen == [0, 1, 2]
    assert "strong" not in search.remarks
    assert search.remarks["idle"] == [f"not significant beside the others: p {p['idle']:.3f} above 0.1"]
    assert search.remarks["again"] == [
        f"not significant beside the others: p {p['again']:.3f} above 0.01",
        "the card is full: 2 characteristics for the bad customers there are",
    ]
    assert "不显著" in translated("; ".join(search.remarks["again"]), "zh")
    free = Search(names, woe, good, np.arange(N), ideas, frozenset(), frozenset(), PARAMS, [], {})
    walk(free, 2)
    assert free.remarks == {}


@pytest.mark.parametrize(
    ("bad_customers", "max_variables", "says"),
    [
        (132, 12, "12 characteristics, as many as fit_scorecard.max_variables allows"),  # 132 bads would carry 16
        (96, 12, "12 characteristics, as many as fit_scorecard.max_variables allows"),  # 96 / 8 = 12: the same
        (95, 12, "11 characteristics for the bad customers there are"),
        (3, 12, "1 characteristics for the bad customers there are"),
    ],
)
def test_a_full_card_names_the_limit_that_bound(bad_customers, max_variables, says):
    is_bad = (np.arange(N) < bad_customers).astype(float)
    settings = replace(PARAMS, max_variables=max_variables)
    search = Search(
        ["x"],
        np.zeros((N, 1)),
        1 - is_bad,
        np.arange(N),
        {"x": "x"},
        frozenset(),
        frozenset(),
        settings,
        [],
        {},
    )
    most = most_characteristics(sample_of({"x": np.zeros(N)}, is_bad), settings)
    _close(search, [0], np.array([4.0]), np.array([0.0001]), most)
    assert search.fates["x"][:2] == ("beyond_maximum", f"the card is full: {says}")


def test_without_steps_a_feature_that_could_only_count_against_its_direction_earns_no_points_and_is_left_out():
    """Beside x, more of y means less risk, though alone it means more."""
    rng = np.random.default_rng(8)
    x = rng.normal(size=N)
    y = x + 0.8 * rng.normal(size=N)
    is_bad = (rng.random(N) < 1 / (1 + np.exp(3.2 - 2.2 * x + 0.9 * y))).astype(float)
    catalogue = [{**CATALOGUE[0], "name": name, "idea": name} for name in ("x", "y")]
    for points_from in ("bins", "woe"):
        settings = replace(PARAMS, selection="all", points_from=points_from, max_correlation=0.95)
        fit = fit_scorecard(sample_of({"x": x, "y": y}, is_bad), catalogue, settings, 1)
        fate = next(f for f in fit.selection if f.feature == "y")
        assert fit.scorecard.features == ("x",)
        assert [told["feature"] for told in fit.coefficients] == ["x"]
        assert (fate.fate, fate.step) == ("wrong_sign", None)


def test_of_two_must_haves_that_are_one_the_second_is_left_out_and_told(sample):
    fit, fates = fates_of(sample, must_have=("strong", "twin"))
    assert "twin" not in fit.scorecard.features
    assert fates["twin"].fate == "correlated"
    assert fates["twin"].reason.startswith("must-have left out: correlates 1.00 with strong")


def test_a_never_used_feature_is_not_even_binned(sample, monkeypatch):
    looked_at = []
    import pipeline.train.scorecard as module

    def spy(sample, catalogue, *rest):
        looked_at.extend(f["name"] for f in catalogue)
        return fit_bins(sample, catalogue, *rest)

    monkeypatch.setattr(module, "fit_bins", spy)
    fit, fates = fates_of(sample, never_use=("strong",))
    assert "strong" not in looked_at
    assert "strong" not in fit.scorecard.features
    assert (fates["strong"].fate, fates["strong"].iv) == ("never_use", None)


def test_every_breach_of_the_lists_is_told_at_once():
    wrong = replace(PARAMS, must_have=("a", "x", "x", "b"), never_use=("b", "y"), max_variables=3)
    with pytest.raises(ParameterError) as told:
        check_lists(wrong, ["a", "b"])
    text = str(told.value)
    assert text.startswith("params.yaml: 5 breach(es):")
    for part in (
        "must_have: 'x' is no feature of the catalogue",
        "never_use: 'y' is no feature of the catalogue",
        "must_have: 'x' stands there 2 times",
        "'b' stands on must_have and on never_use",
        "must_have: 4 features, above max_variables 3",
    ):
        assert part in text


def test_rows_without_dates_or_of_one_date_have_no_halves():
    columns, is_bad = book()
    for days in ((None, None), (dt.date(2020, 1, 31), dt.date(2020, 1, 31))):
        assert later_half(sample_of(columns, is_bad, days)) is None
        assert bin_shifts(sample_of(columns, is_bad, days), []) == {}


def test_noise_counts_customers_and_not_their_months():
    columns, is_bad = book()
    plain = sample_of(columns, is_bad)
    few = replace(plain, clusters=np.array([f"g{i % 50}" for i in range(N)], dtype=object))
    found = fit_bins(plain, CATALOGUE[:1], PARAMS).characteristics["strong"]
    assert bin_shifts(plain, [found])["strong"].noise(0.01) < 0.02
    assert bin_shifts(few, [found])["strong"].noise(0.01) > 0.3
