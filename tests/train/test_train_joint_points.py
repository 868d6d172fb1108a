"""Points of every bin's own, fitted jointly around coefficient times WoE."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from pipeline.params import ScorecardParams
from pipeline.score.explanation.contributions import contributions_of
from pipeline.statistics.discrimination import auc
from pipeline.train import joint_points
from pipeline.train.binning import fit_bins
from pipeline.train.sample import Sample
from pipeline.train.scorecard import fit_scorecard
from pipeline.train.segment_points import with_segment_points

WOE = ScorecardParams()
BINS = dataclasses.replace(WOE, points_from="bins")
CATALOGUE = [
    {"name": "late", "holds": "number", "risk": "rises"},
    {"name": "days", "holds": "number", "risk": "either"},
    {"name": "trade", "holds": "category", "risk": "either"},
]


def _sample(rows=6000, seed=1, repeat=1, turned=0.0):
    """Lateness raises the risk and so do days, seen alone; once lateness is known, only extreme ones matter."""
    draw = np.random.default_rng(seed)
    late = draw.normal(size=rows)
    days = 0.8 * late + 0.6 * draw.normal(size=rows)
    trade = draw.choice(["metal", "food", "wood"], rows)
    logit = -2.2 + 0.8 * late + 2.0 * (days > 1.0) + 1.0 * (days < -1.0) + 0.5 * (trade == "wood")
    logit = logit - turned * (late > 0.7)
    is_bad = (draw.random(rows) < 1 / (1 + np.exp(-logit))).astype(float)
    frame = pd.DataFrame({"late": np.where(draw.random(rows) < 0.1, np.nan, late), "days": days, "trade": trade})
    names = np.array([f"c{i:05d}" for i in range(rows)], dtype=object)
    return Sample(
        frame.loc[np.repeat(np.arange(rows), repeat)].reset_index(drop=True),
        np.repeat(is_bad, repeat),
        np.repeat(names, repeat),
        np.full(rows * repeat, None, dtype=object),
    )


def test_own_points_order_held_out_rows_better_where_the_line_is_wrong():
    train, test = _sample(), _sample(seed=2)
    line, own = (fit_scorecard(train, CATALOGUE, settings, 1).scorecard for settings in (WOE, BINS))
    aucs = [auc(-card.log_odds(test.rows), test.is_bad) for card in (line, own)]
    assert aucs[1] > aucs[0] + 0.003


def test_bins_are_held_to_the_line_as_strictly_as_customers_they_were_not_fitted_on_ask():
    """Where the line is right and defaults are few, strictly; where it is wrong and they are many, hardly."""
    straight = _sample(rows=700)
    logit = -2.2 + 1.2 * straight.rows["late"].fillna(0.0).to_numpy()
    is_bad = (np.random.default_rng(3).random(700) < 1 / (1 + np.exp(-logit))).astype(float)
    strict, loose = (
        fit_scorecard(sample, CATALOGUE, BINS, 1)
        for sample in (dataclasses.replace(straight, is_bad=is_bad), _sample())
    )
    assert strict.joint.step_spread <= 0.2
    assert loose.joint.step_spread >= 0.4
    for fit in (strict, loose):
        told = fit.as_json()["joint_points"]
        assert min(told["losses"], key=told["losses"].get) == f"{told['step_spread']:g}"
        assert [c["coefficient"] for c in fit.coefficients] == [c.coefficient for c in fit.scorecard.characteristics]
    assert fit_scorecard(straight, CATALOGUE, WOE, 1).as_json()["joint_points"] is None


def test_the_strictness_is_chosen_with_weights_of_evidence_that_do_not_know_the_customers_held_out(monkeypatch):
    """Forty categories of chance: weights of evidence of all rows seem to foretell the held-out ones."""
    draw = np.random.default_rng(5)
    rows = pd.DataFrame({"late": draw.normal(size=3000), "trade": draw.choice([f"t{i:02d}" for i in range(40)], 3000)})
    is_bad = (draw.random(3000) < 1 / (1 + np.exp(2.0 - 0.8 * rows["late"].to_numpy()))).astype(float)
    names = np.array([f"c{i:05d}" for i in range(3000)], dtype=object)
    sample = Sample(rows, is_bad, names, np.full(3000, None, dtype=object))
    catalogue = [feature for feature in CATALOGUE if feature["name"] != "days"]
    settings = dataclasses.replace(BINS, selection="all", min_bads_per_bin=1, min_goods_per_bin=1, min_bin_share=0.01)
    own = fit_scorecard(sample, catalogue, settings, 1).joint.losses
    monkeypatch.setattr(joint_points._Design, "woe", lambda self, card: _woe_of(card))
    known = fit_scorecard(sample, catalogue, settings, 1).joint.losses
    assert known["0.1"] < own["0.1"]


def _woe_of(card):
    return [np.array([b.woe for b in c.bins]) for c in card.characteristics]


def test_points_never_turn_against_a_declared_direction_where_the_rows_would_have_them_turn():
    train = _sample(turned=1.5)
    free = [{**feature, "risk": "either"} for feature in CATALOGUE]
    declared, undeclared = (fit_scorecard(train, told, BINS, 1).scorecard for told in (CATALOGUE, free))
    assert max(_steps_of_late(undeclared)) > 1.0
    assert max(_steps_of_late(declared)) <= 0.0


def _steps_of_late(card):
    late = next(c for c in card.characteristics if c.feature == "late")
    return np.diff([b.points for b in late.bins if b.kind == "range"])


def test_the_level_is_that_of_the_sample_and_contributions_add_up():
    train = _sample()
    card = fit_scorecard(train, CATALOGUE, BINS, 1).scorecard
    expected = 1 / (1 + np.exp(card.log_odds(train.rows)))
    assert expected.mean() == pytest.approx(train.is_bad.mean(), abs=1e-5)
    told = card.contributions(train.rows.head(50)).sum(axis=1)
    assert told.to_numpy() == pytest.approx(-card.log_odds(train.rows.head(50)), abs=1e-9)


def test_rows_of_one_customer_count_as_one():
    once, thrice = (fit_scorecard(_sample(repeat=n), CATALOGUE, BINS, 1).scorecard for n in (1, 3))
    for one, three in zip(once.characteristics, thrice.characteristics, strict=True):
        assert [b.points for b in three.bins] == pytest.approx([b.points for b in one.bins], abs=0.15)


def test_few_goods_among_bads_are_no_reason_to_be_neutral_few_bads_are():
    train = _sample()
    first = [np.flatnonzero(train.is_bad == outcome) for outcome in (0, 1)]
    for goods, bads, is_told in ((2, 40, True), (60, 4, False)):
        days = train.rows["days"].to_numpy().copy()
        days[first[0][:goods]] = days[first[1][:bads]] = np.nan
        changed = dataclasses.replace(train, rows=train.rows.assign(days=days))
        bins = fit_bins(changed, CATALOGUE, WOE).characteristics["days"].bins
        missing = next(b for b in bins if b.kind == "missing")
        assert (missing.woe < -1.0) if is_told else (missing.woe == 0.0)


def test_a_level_of_a_category_moves_its_rows_by_itself_even_where_the_line_has_no_coefficient():
    train = _sample()
    card = fit_scorecard(train, CATALOGUE, BINS, 1).scorecard
    flat = dataclasses.replace(
        card,
        characteristics=tuple(
            dataclasses.replace(c, coefficient=0.0) if c.feature == "trade" else c for c in card.characteristics
        ),
    )
    shifted = with_segment_points(flat, "trade", {"wood": 0.4, "food": -0.2}, train)
    moved = shifted.log_odds(train.rows) - flat.log_odds(train.rows)
    assert moved == pytest.approx(train.rows["trade"].map({"wood": 0.4, "food": -0.2, "metal": 0.0}).to_numpy())


def test_points_of_bins_and_of_segments_are_told_as_what_each_feature_adds():
    train = _sample(2000)
    card = fit_scorecard(train, CATALOGUE, BINS, 1).scorecard
    levelled = with_segment_points(card, "trade", {"wood": -0.4}, train)
    before, after = (contributions_of(one, train.rows) for one in (card, levelled))
    assert len(after.raw) == 2000
    assert after.unit == "points"
    for position, one in enumerate(levelled.characteristics):
        of_label = {b.label: b.points for b in one.bins}
        told = [after.labels[position][at] for at in after.bins[:, position]]
        assert after.added[:, position].tolist() == [of_label[label] for label in told]
    is_wood = (train.rows["trade"] == "wood").to_numpy()
    np.testing.assert_allclose(after.raw - before.raw, np.where(is_wood, -0.4 * card.factor, 0.0), rtol=0, atol=1e-9)
    trade = after.names.index("trade")
    own = before.added[:, before.names.index("trade")] if "trade" in before.names else 0.0
    moved = after.added[:, trade] - own
    np.testing.assert_allclose(moved, np.where(is_wood, -0.4 * card.factor, 0.0), rtol=0, atol=1e-9)
