"""A model folder is whole and true, or it is refused before a library opens it."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipeline.errors import DamagedModelError, MissingInputError
from pipeline.score.booster import Booster
from pipeline.score.calibration import Calibration
from pipeline.score.feature_columns import encode
from pipeline.score.model_folder import read_model, read_role, write_model, write_role

FEATURES = ("days_late_3m", "days_late_12m", "overdue_share", "industry_section")
SECTIONS = {"industry_section": ("C", "F", "G")}


@pytest.fixture
def written(tmp_path, model, make_rows):
    version = write_model(tmp_path, model, make_rows(150))
    return tmp_path / version


@pytest.fixture(scope="module")
def booster_text():
    import lightgbm

    rng = np.random.default_rng(3)
    rows = np.column_stack([rng.normal(10, 10, 400), rng.normal(8, 8, 400), rng.random(400), rng.integers(0, 3, 400)])
    is_bad = (rows[:, 0] + 20 * rows[:, 2] + rng.normal(0, 8, 400) > 28).astype(int)
    data = lightgbm.Dataset(rows, is_bad, feature_name=list(FEATURES), categorical_feature=["industry_section"])
    settings = {
        "objective": "binary",
        "num_leaves": 7,
        "min_data_in_leaf": 10,
        "num_threads": 1,
        "verbose": -1,
        "seed": 1,
    }
    return lightgbm.train(settings, data, 20).model_to_string()


@pytest.fixture
def booster_model(make_model, booster_text):
    booster = Booster.from_text(booster_text, FEATURES, SECTIONS)
    return make_model(kind="booster", predictor=booster, calibration=Calibration.line("platt", 0.1, 0.9))


def test_a_scorecard_comes_back_with_the_same_scores(written, model, make_rows):
    again = read_model(written)
    rows = make_rows(400, seed=9)
    assert again.version == written.name
    assert again.pd(rows).tolist() == model.pd(rows).tolist()
    assert again.score(rows).tolist() == model.score(rows).tolist()
    assert len(again.golden.features) == 100


def test_the_version_is_the_hash_of_the_files_and_writing_twice_changes_nothing(written, model, make_rows):
    before = {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in written.iterdir()}
    assert write_model(written.parent, model, make_rows(150)) == written.name
    assert {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in written.iterdir()} == before
    other = replace(model, label={**model.label, "days": 60})
    assert write_model(written.parent, other, make_rows(150)) != written.name
    assert not list(written.parent.glob(".*"))


def test_a_broken_calibration_is_kept_in_its_own_file(tmp_path, make_model, knots, make_rows):
    version = write_model(tmp_path, make_model(knots), make_rows(150))
    assert read_model(tmp_path / version).calibration == knots


@pytest.mark.parametrize(
    "name",
    [
        "scorecard.json",
        "calibration.json",
        "catalogue.json",
        "thin_file.json",
        "development.json",
        "golden.json",
        "manifest.json",
    ],
)
def test_a_flipped_byte_a_truncation_or_a_lost_file_is_refused(written, name):
    path = written / name
    whole = path.read_bytes()
    for at in (len(whole) // 3, len(whole) // 2):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(DamagedModelError) as refused:
            read_model(written)
        assert refused.value.exit_code == 65
    path.write_bytes(whole[:-20])
    with pytest.raises(DamagedModelError):
        read_model(written)
    path.unlink()
    with pytest.raises(MissingInputError) as missing:
        read_model(written)
    assert missing.value.exit_code == 66
    assert name in str(missing.value)


def test_a_model_whose_golden_rows_score_differently_is_refused_though_all_hashes_hold(
    tmp_path, model, make_rows, monkeypatch
):
    version = write_model(tmp_path, model, make_rows(150))
    monkeypatch.setattr("pipeline.score.calibration.np.exp", lambda value: np.e ** (value + 1e-6))
    with pytest.raises(DamagedModelError, match=r"of 100 golden rows score differently"):
        read_model(tmp_path / version)


def test_writing_again_mends_a_damaged_folder(written, model, make_rows):
    (written / "scorecard.json").write_text("{}")
    write_model(written.parent, model, make_rows(150))
    assert read_model(written).version == written.name


def test_a_role_names_a_model_that_is_there(written):
    with pytest.raises(MissingInputError, match="no model is champion"):
        read_role(written.parent, "champion")
    with pytest.raises(MissingInputError, match="no model 'scorecard-nowhere' to make champion"):
        write_role(written.parent, "champion", {"model_version": "scorecard-nowhere", "since": "2025-06-30"})
    write_role(written.parent, "champion", {"model_version": written.name, "since": "2025-06-30"})
    assert read_role(written.parent, "champion").version == written.name
    (written.parent / "champion.json").write_text('{"model_version": "../elsewhere"}')
    with pytest.raises(DamagedModelError, match="no model version"):
        read_role(written.parent, "champion")


def test_a_booster_scores_the_same_alone_in_a_batch_and_after_reload(tmp_path, booster_model, make_rows):
    rows = make_rows(300)
    batch = booster_model.pd(rows)
    again = read_model(tmp_path / write_model(tmp_path, booster_model, rows))
    assert again.pd(rows).tolist() == batch.tolist()
    assert [again.pd(rows.iloc[[i]])[0] for i in range(60)] == batch[:60].tolist()


def test_a_booster_takes_columns_by_name_and_unseen_categories_as_null(booster_model, make_rows):
    rows = make_rows(200)
    shuffled = rows[["industry_section", "overdue_share", "customer_id", "days_late_12m", "days_late_3m"]]
    assert booster_model.pd(shuffled).tolist() == booster_model.pd(rows).tolist()
    strange = rows.assign(industry_section="never seen")
    unknown = rows.assign(industry_section=pd.Series([None] * len(rows), dtype=object))
    assert booster_model.pd(strange).tolist() == booster_model.pd(unknown).tolist()
    codes = encode(pd.DataFrame({"industry_section": ["F", None, "?", "C"]}), ["industry_section"], SECTIONS)
    assert codes[:, 0].tolist()[0::3] == [1.0, 0.0]
    assert np.isnan(codes[1:3, 0]).all()


def test_a_boosters_contributions_add_up(booster_model, make_rows):
    rows = make_rows(200)
    assert np.abs(booster_model.contributions(rows).sum(axis=1) + booster_model.log_odds(rows)).max() < 1e-9


def test_a_booster_with_its_features_in_another_order_is_refused(booster_text):
    with pytest.raises(DamagedModelError, match=r"not the 4 of the manifest in order"):
        Booster.from_text(
            booster_text, ("days_late_12m", "days_late_3m", "overdue_share", "industry_section"), SECTIONS
        )


def test_a_damaged_booster_text_is_refused_before_lightgbm_sees_it(tmp_path, booster_model, make_rows, monkeypatch):
    folder = tmp_path / write_model(tmp_path, booster_model, make_rows(120))
    text = (folder / "booster.txt").read_text()
    (folder / "booster.txt").write_text(text[: len(text) // 2])
    monkeypatch.setattr("lightgbm.Booster", lambda **_: pytest.fail("the damaged text reached LightGBM"))
    with pytest.raises(DamagedModelError, match=r"booster\.txt"):
        read_model(folder)


def test_the_manifest_lists_every_file_with_its_hash(written):
    manifest = json.loads((written / "manifest.json").read_text())
    assert set(manifest["files"]) == {p.name for p in written.iterdir()} - {"manifest.json"}
