"""Levels by segment: planted ones found again, noise left at the whole, points that still add up, forms that agree."""

from __future__ import annotations

import dataclasses
import io
import json

import duckdb
import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pytest

from pipeline.errors import DamagedModelError, ParameterError
from pipeline.features.catalog import as_json
from pipeline.params import BoosterParams, CalibrationParams, LabelParams, ScorecardParams, SplitParams
from pipeline.score.applied import PD, application, points_lost
from pipeline.score.calibration import pd_of_log_odds
from pipeline.score.exports.forms import export
from pipeline.score.exports.sql import sql_statement
from pipeline.score.model_folder import read_model, write_model
from pipeline.score.points import Scaling
from pipeline.score.segment_shifts import SegmentShifts
from pipeline.score.thin_file import ThinFileRule
from pipeline.train.calibration import Observed, fit_calibration
from pipeline.train.calibration_choice import log_loss
from pipeline.train.calibration_segments import segment_feature
from pipeline.train.fit import Setting, train_booster, train_scorecard
from pipeline.train.sample import samples
from pipeline.train.splits import mature_dates, timetable

PARAMS = CalibrationParams()
PLANTED = {"large": 1.0, "medium": 0.0, "micro": -0.8}


def _drawn(levels, n=12_000, seed=0):
    """Customers whose true ln odds of good are 0.4 + 0.8 × raw + the level of their segment."""
    rng = np.random.default_rng(seed)
    raw = 2.5 + 1.5 * rng.normal(size=n)
    segments = np.array([*levels, None], dtype=object)[np.arange(n) % (len(levels) + 1)]
    true = 0.4 + 0.8 * raw + np.array([levels.get(s, 0.0) for s in segments])
    is_bad = (rng.random(n) < 1 / (1 + np.exp(true))).astype(float)
    return Observed(raw, is_bad, np.array([f"c{i}" for i in range(n)], dtype=object), segments)


def _fitted(observed, **changes):
    return fit_calibration(observed, dataclasses.replace(PARAMS, **changes), segment_by="size_class")


def test_planted_levels_are_found_again_and_the_mean_stays():
    observed = _drawn(PLANTED)
    fit, plain = _fitted(observed), fit_calibration(observed, PARAMS)
    shifts = fit.segments.shifts
    slope = fit.calibration.segments[0][2]
    # Against the whole: the mean of the planted levels is near 0, so differences are what can be told.
    assert (shifts["large"] - shifts["micro"]) * slope == pytest.approx(1.8, abs=0.25)
    assert (shifts["medium"] - shifts["micro"]) * slope == pytest.approx(0.8, abs=0.25)
    assert None not in shifts
    pds = fit.calibration.pd(observed.shifted(shifts).raw_log_odds)
    assert pds.sum() == pytest.approx(plain.calibration.pd(observed.raw_log_odds).sum(), rel=1e-9)
    for name in PLANTED:
        is_in = observed.segments == name
        assert pds[is_in].sum() == pytest.approx(observed.is_bad[is_in].sum(), rel=0.1)
    assert fit.segments.gain > fit.segments.gain_error > 0


def test_levels_of_their_own_predict_other_customers_better():
    fit, plain = _fitted(_drawn(PLANTED)), fit_calibration(_drawn(PLANTED), PARAMS)
    others = _drawn(PLANTED, seed=99)
    divided = fit.calibration.log_odds(others.shifted(fit.segments.shifts).raw_log_odds)
    whole = plain.calibration.log_odds(others.raw_log_odds)
    assert log_loss(divided, others.is_bad).mean() < log_loss(whole, others.is_bad).mean()
    for name in PLANTED:
        is_in = others.segments == name
        assert pd_of_log_odds(divided)[is_in].sum() == pytest.approx(others.is_bad[is_in].sum(), rel=0.15)


def test_segments_that_do_not_differ_stay_at_the_whole():
    """20 draws without any difference: the one-standard-error rule lets through about one in six at most."""
    taken = [bool(_fitted(_drawn(dict.fromkeys(PLANTED, 0.0), 4000, seed)).segments.shifts) for seed in range(20)]
    assert sum(taken) <= 5


def test_a_segment_with_too_few_bad_customers_stays_at_the_whole():
    observed = _drawn(PLANTED)
    least = {level.segment: level.bad_customers for level in _fitted(observed).segments.levels}
    fit = _fitted(observed, segment_from_bads=least["large"] + 1)
    assert set(fit.segments.shifts) == {"medium", "micro"}
    told = {level.segment: level for level in fit.segments.levels}
    assert (told["large"].shift, told["large"].own, told["large"].bad_customers) == (None, None, least["large"])


def test_without_two_segments_of_enough_bads_there_is_one_level_and_it_is_said():
    observed = _drawn(PLANTED)
    fit = _fitted(observed, segment_from_bads=100_000)
    assert fit.segments.shifts == {}
    assert "none of 3 segments with 100000 bad customers or more" in fit.segments.reason
    assert fit.calibration == fit_calibration(observed, PARAMS).calibration


def test_levels_are_drawn_to_the_whole_by_what_their_bads_can_tell():
    fit = _fitted(_drawn(PLANTED, 4000, seed=4))
    for level in fit.segments.levels:
        assert 0 < level.weight < 1
        assert abs(level.shift * fit.calibration.segments[0][2]) < abs(level.own)
    by_bads = sorted(fit.segments.levels, key=lambda level: level.bad_customers)
    assert [level.weight for level in by_bads] == sorted(level.weight for level in by_bads)


def test_the_long_run_rate_stays_the_mean_of_all_rows_seen():
    observed, training = _drawn(PLANTED, seed=1), _drawn(PLANTED, seed=2)
    params = dataclasses.replace(PARAMS, tendency="long_run", long_run_rate=0.02, long_run_source="a study")
    fit = fit_calibration(observed, params, training, segment_by="size_class")
    assert fit.segments.shifts
    both = observed.with_rows_of(training).shifted(fit.segments.shifts)
    assert fit.calibration.pd(both.raw_log_odds).mean() == pytest.approx(0.02, rel=1e-9)


def test_only_the_customer_master_may_divide_the_customers():
    catalogue = as_json()
    assert segment_feature(catalogue, PARAMS) == ("size_class", "")
    assert (
        segment_feature(catalogue, dataclasses.replace(PARAMS, segment_by="industry_section"))[0] == "industry_section"
    )
    assert segment_feature(catalogue, dataclasses.replace(PARAMS, segment_by=None))[0] is None
    # Every category of the ledger is of the customer master; one that payments can move is refused.
    moved = [{**f, "columns": ["payments.paid_on"]} if f["name"] == "size_class" else f for f in catalogue]
    assert segment_feature(moved, PARAMS) == (None, "size_class: is told from payments")
    for name, told in [
        ("size_class", "is told from payments"),
        ("mean_days_late_12m", "serves people alone"),
        ("tenure_months", "is no category"),
        ("nonsense", "is no feature of the catalogue"),
    ]:
        with pytest.raises(ParameterError, match=f"'{name}' {told}.*industry_section"):
            segment_feature(moved, dataclasses.replace(PARAMS, segment_by=name))


def test_what_is_never_to_be_used_divides_nobody():
    assert segment_feature(as_json(), PARAMS, ("size_class",)) == (
        None,
        "size_class: stands on fit_scorecard.never_use",
    )
    with pytest.raises(ParameterError, match=r"stands on fit_scorecard\.never_use"):
        segment_feature(as_json(), dataclasses.replace(PARAMS, segment_by="size_class"), ("size_class",))


@pytest.mark.parametrize("text", ["{}", '{"feature": "a", "shifts": {}, "mean": 0}', "[]", '{"feature": "a"}'])
def test_damaged_shifts_are_told(text):
    with pytest.raises(DamagedModelError, match="fit the model again"):
        SegmentShifts.from_json(text)


@pytest.fixture(scope="module")
def economy(make_economy):
    return make_economy(600, 44, 5, -5.2)


@pytest.fixture(scope="module")
def book(economy):
    """A third of the micro firms are bad from 2019 on: training cannot know it, calibration can."""
    rows = economy.book
    number = rows["customer_id"].str[2:].astype(int)
    size = pd.Series(np.array(["large", "medium", "micro", None], dtype=object)[number % 4], index=rows.index)
    late = pd.to_datetime(rows["as_of"]).dt.year >= 2019
    turned = late & (size == "micro") & (number % 3 == 0)
    return rows.assign(
        size_class=size,
        is_bad=np.where(turned, 1, rows["is_bad"]),
        invoices_due_12m_count=9,
        history_months=30,
    )


@pytest.fixture(scope="module")
def catalogue(economy):
    of_size = {"name": "size_class", "idea": "size_class", "months": None, "unit": "category", "risk": "either"}
    return [
        *economy.catalogue,
        {**of_size, "holds": "category", "title_en": "Size", "title_zh": "规模", "columns": ["customers.size_class"]},
    ]


@pytest.fixture(scope="module")
def table(book):
    return timetable(mature_dates(book), LabelParams(), SplitParams(0.4, 0.3, 0.3))


def _setting(**changes):
    few = dataclasses.replace(PARAMS, segment_from_bads=5, **changes)
    return Setting(LabelParams(), Scaling(), few, ThinFileRule(3, 3), 0.75, None)


@pytest.fixture(scope="module")
def models(book, catalogue, table):
    """A card that does not read the column, one in whole points, one that weighs the column itself, and a booster."""
    small, with_it = ScorecardParams(max_variables=3, min_iv=0.1), ScorecardParams(must_have=("size_class",))
    cards = {"exact": small, "whole": dataclasses.replace(small, points="whole"), "weighed": with_it}
    made = {name: train_scorecard(book, catalogue, table, params, _setting()) for name, params in cards.items()}
    quick = BoosterParams(trials=0, max_rounds=60)
    return {**made, "booster": train_booster(book, catalogue, table, quick, _setting())}


CARDS = ("exact", "whole", "weighed")


@pytest.fixture(params=[*CARDS, "booster"])
def fitted(request, models):
    return models[request.param]


@pytest.fixture(params=CARDS)
def fitted_card(request, models):
    return models[request.param]


@pytest.fixture(scope="module")
def rows(book, table):
    return samples(book, table)["test"].rows.head(400)


def test_a_level_is_in_force_and_moves_the_pd_of_its_segment_alone(fitted, rows):
    told = fitted.details["calibration"]["segments"]
    shifts = {level["segment"]: level["shift"] for level in told["levels"] if level["shift"] is not None}
    assert told["feature"] == "size_class"
    assert shifts["micro"] < 0
    frame = rows.assign(size_class="micro")
    other = rows.assign(size_class="never seen")
    assert (fitted.model.pd(frame) > fitted.model.pd(other)).all()


def test_a_card_that_does_not_read_the_column_is_shifted_by_just_that(models, rows):
    told = models["exact"].details["calibration"]["segments"]["levels"]
    model = models["exact"].model
    blank = model.log_odds(rows.assign(size_class=None))
    for level in told:
        moved = model.log_odds(rows.assign(size_class=level["segment"])) - blank
        np.testing.assert_allclose(moved, level["shift"], rtol=1e-9)


def test_a_card_that_weighs_the_column_keeps_its_own_points_below_the_shift(models, book, catalogue, table, rows):
    plain = train_scorecard(
        book, catalogue, table, ScorecardParams(must_have=("size_class",)), _setting(segment_by=None)
    )
    assert plain.details["calibration"]["segments"]["feature"] is None
    model = models["weighed"].model
    assert model.features == plain.model.features
    for level in models["weighed"].details["calibration"]["segments"]["levels"]:
        frame = rows.assign(size_class=level["segment"])
        np.testing.assert_allclose(model.log_odds(frame) - plain.model.log_odds(frame), level["shift"], rtol=1e-9)
    held, was = (
        next(c for c in m.predictor.characteristics if c.feature == "size_class") for m in (model, plain.model)
    )
    assert [sum(b.count for b in c.bins) for c in (held, was)] == [len(samples(book, table)["train"].is_bad)] * 2


def test_the_report_of_the_selection_says_why_a_weak_column_stands_in_the_card(models):
    fate = next(f for f in models["exact"].details["selection"] if f["feature"] == "size_class")
    assert fate["fate"] != "selected"
    assert fate["reason"].endswith("it stands in the card for the levels of its categories")


def test_contributions_still_add_up_to_the_score(fitted, rows):
    told = fitted.model.contributions(rows)
    np.testing.assert_allclose(told.sum(axis=1), -fitted.model.log_odds(rows), atol=1e-9)
    assert told["size_class"].nunique() > 1


def test_written_and_read_it_scores_the_same_alone_and_in_a_batch(fitted, rows, tmp_path):
    version = write_model(tmp_path, fitted.model, fitted.golden_rows)
    again = read_model(tmp_path / version)
    np.testing.assert_allclose(again.pd(rows), fitted.model.pd(rows), rtol=1e-12)
    alone = np.concatenate([again.pd(rows.iloc[[i]]) for i in range(20)])
    np.testing.assert_array_equal(alone, again.pd(rows)[:20])
    batch = pa.RecordBatch.from_pandas(rows[list(again.reads)], preserve_index=False)
    applied = application(again, None, batch.schema)(batch).to_pandas()
    np.testing.assert_array_equal(applied[PD], again.pd(rows))
    np.testing.assert_array_equal(points_lost(applied, again), again.points_lost(rows).to_numpy())


def test_a_changed_shift_of_a_booster_is_noticed(models, tmp_path):
    version = write_model(tmp_path, models["booster"].model, models["booster"].golden_rows)
    path = tmp_path / version / "segment_shifts.json"
    path.write_text(path.read_text(encoding="utf-8").replace("micro", "nicro"), encoding="utf-8")
    with pytest.raises(DamagedModelError, match=r"segment_shifts.json"):
        read_model(tmp_path / version)


def test_the_shifted_column_of_a_booster_has_adverse_values_too_and_a_card_needs_none(models, rows):
    booster = models["booster"].model
    assert set(booster.adverse.features) == set(booster.features) >= {"size_class"}
    sizes = booster.adverse.features["size_class"]
    rates = {name: cell.bads / cell.rows for name, cell in zip(sizes.categories, sizes.cells, strict=True)}
    expected = [rates[size] > booster.adverse.bad_rate for size in rows["size_class"].dropna()]
    told = booster.is_adverse(rows)[:, booster.features.index("size_class")]
    assert told[rows["size_class"].notna().to_numpy()].tolist() == expected
    assert 0 < sum(expected) < len(expected)
    assert models["exact"].model.adverse is None


def test_every_form_of_the_card_holds_the_levels(fitted_card, rows, tmp_path):
    model = read_model(tmp_path / write_model(tmp_path, fitted_card.model, fitted_card.golden_rows))
    frame = rows.assign(size_class=np.array(["micro", "large", "medium", None, "unseen"] * 80, dtype=object))
    connection = duckdb.connect()
    connection.register("asked", frame[list(model.features)].reset_index(drop=True).reset_index(names="n"))
    statement = sql_statement(model.predictor, model.calibration, table="asked")
    through_sql = connection.execute(f"{statement} ORDER BY n").df()
    np.testing.assert_allclose(through_sql["card_pd"], model.pd(frame), rtol=0, atol=1e-12)
    card = json.loads(export(model, "json"))
    held = next(c for c in card["characteristics"] if c["feature"] == "size_class")
    assert ["micro"] in [b["categories"] for b in held["bins"]]
    for form in ("pmml", "md"):
        assert "micro" in export(model, form).decode()
    assert "micro (level of its own)" in export(model, "md").decode()
    points = openpyxl.load_workbook(io.BytesIO(export(model, "xlsx")))["Points"]
    assert "micro" in {row[6] for row in points.iter_rows(values_only=True) if row[0] == "size_class"}


def test_whole_points_stay_whole(models, rows):
    card = models["whole"].model.predictor
    assert (card.total_points(rows) % 1 == 0).all()
    assert "size_class" in card.features
