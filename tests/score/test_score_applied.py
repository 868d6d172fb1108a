"""Models applied in batches, wherever they run: the answers of the whole book, to the last bit."""

from __future__ import annotations

import datetime as dt
import pickle
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from pipeline.engine import connect_duckdb
from pipeline.errors import ContractError, DamagedModelError
from pipeline.score import applied
from pipeline.score.applied import LOG_ODDS, PD, PREVIOUS_PD, THIN_PD, FormulaText, application, points_lost
from pipeline.score.booster import Booster
from pipeline.score.calibration import Calibration

FEATURES = ("days_late_3m", "days_late_12m", "overdue_share", "industry_section")
SECTIONS = {"industry_section": ("C", "F", "G")}
DAY = dt.date(2025, 6, 30)
WORKER = """
import pickle, sys
import pyarrow as pa
apply = pickle.load(sys.stdin.buffer)
rows = pa.ipc.open_stream(sys.stdin.buffer).read_all()
with pa.ipc.new_stream(sys.stdout.buffer, apply.schema) as out:
    for batch in rows.to_batches(max_chunksize=7):
        out.write_batch(apply(batch))
"""


@pytest.fixture(scope="module")
def booster_text():
    import lightgbm

    rng = np.random.default_rng(3)
    rows = np.column_stack([rng.normal(10, 10, 400), rng.normal(8, 8, 400), rng.random(400), rng.integers(0, 3, 400)])
    is_bad = (rows[:, 0] + 20 * rows[:, 2] + rng.normal(0, 8, 400) > 28).astype(int)
    data = lightgbm.Dataset(rows, is_bad, feature_name=list(FEATURES), categorical_feature=["industry_section"])
    settings = {"objective": "binary", "num_leaves": 7, "min_data_in_leaf": 10, "num_threads": 1, "verbose": -1}
    return lightgbm.train({**settings, "seed": 1}, data, 20).model_to_string()


@pytest.fixture(params=["card", "card with a broken line", "booster"])
def any_model(request, make_model, knots, booster_text):
    if request.param == "card":
        return make_model()
    if request.param == "card with a broken line":
        return make_model(knots, version="scorecard-knots0000000")
    booster = Booster.from_text(booster_text, FEATURES, SECTIONS)
    line = Calibration.line("platt", 0.1, 0.9)
    return make_model(kind="booster", predictor=booster, calibration=line, version="booster-test0000000")


@pytest.fixture
def rows(make_rows):
    """Feature rows of a day, as an engine hands them on."""
    frame = make_rows(150).assign(as_of=DAY, orders=np.arange(150.0))
    table = pa.Table.from_pandas(frame, preserve_index=False)
    texts = {"customer_id", "industry_section"}
    schema = pa.schema([pa.field(f.name, pa.string() if f.name in texts else f.type) for f in table.schema])
    return table.cast(schema).combine_chunks()


def in_batches(apply, rows: pa.Table, size: int) -> pa.Table:
    return pa.Table.from_batches([apply(batch) for batch in rows.to_batches(max_chunksize=size)], apply.schema)


@pytest.mark.parametrize("size", [1, 7, 150])
def test_batches_of_any_size_get_the_answers_of_the_whole_book_to_the_last_bit(any_model, rows, size):
    whole = rows.to_pandas()
    found = in_batches(application(any_model, None, rows.schema), rows, size).to_pandas()
    assert found[LOG_ODDS].tolist() == any_model.log_odds(whole).tolist()
    assert found[PD].tolist() == any_model.pd(whole).tolist()
    assert points_lost(found, any_model).tolist() == any_model.points_lost(whole).to_numpy().tolist()


def test_the_order_of_the_rows_changes_no_answer(any_model, rows):
    apply = application(any_model, None, rows.schema)
    shuffled = rows.take(np.random.default_rng(1).permutation(rows.num_rows))
    found = in_batches(apply, shuffled, 7).sort_by("customer_id")
    assert found.combine_chunks() == in_batches(apply, rows, 150).combine_chunks()


def test_a_worker_in_another_process_gives_the_same_answers(any_model, rows):
    apply = application(any_model, None, rows.schema)
    here = in_batches(apply, rows, 150)
    sent = pickle.dumps(apply)
    stream = pa.BufferOutputStream()
    with pa.ipc.new_stream(stream, rows.schema) as writer:
        writer.write_table(rows)
    done = subprocess.run(
        [sys.executable, "-c", WORKER], input=sent + stream.getvalue().to_pybytes(), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    assert pa.ipc.open_stream(done.stdout).read_all().combine_chunks() == here.combine_chunks()


def test_what_travels_is_text_also_after_the_model_was_used(any_model, rows):
    apply = application(any_model, None, rows.schema)
    before = pickle.dumps(apply)
    in_batches(apply, rows, 150)
    any_model.pd(rows.to_pandas())
    assert pickle.dumps(application(any_model, None, rows.schema)) == pickle.dumps(apply) == before
    assert b"lightgbm" not in before.replace(any_model.kind.encode(), b"")


@pytest.fixture(params=["duckdb", pytest.param("spark", marks=[pytest.mark.slow, pytest.mark.xdist_group("spark")])])
def engine(request, tmp_path):
    if request.param == "spark":
        yield request.getfixturevalue("spark_engine")
        return
    opened = connect_duckdb(2, "500MB", tmp_path)
    yield opened
    opened.close()


def test_the_engine_gives_what_the_process_gives(any_model, rows, engine):
    apply = application(any_model, None, rows.schema)
    answered = engine.map_batches(engine.register("rows", rows), apply, apply.schema, "applied")
    found = engine.collect(answered, order_by=["customer_id"])
    assert found.combine_chunks() == in_batches(apply, rows, 7).combine_chunks()


def test_the_columns_that_came_in_go_out_unchanged_before_the_answers(model, rows):
    found = in_batches(application(model, None, rows.schema), rows, 7)
    assert found.select(rows.column_names).combine_chunks() == rows
    assert found.column_names[rows.num_columns :] == [
        LOG_ODDS,
        PD,
        THIN_PD,
        *(f"points_lost_{name}" for name in FEATURES),
    ]


def test_the_model_of_the_run_before_answers_beside_the_new_one(model, make_model, knots, rows):
    old = make_model(knots, version="scorecard-older0000000")
    found = in_batches(application(model, old, rows.schema), rows, 7).to_pandas()
    assert found[PREVIOUS_PD].tolist() == old.pd(rows.to_pandas()).tolist()
    assert found[PD].tolist() == model.pd(rows.to_pandas()).tolist()


def test_the_same_model_or_one_whose_features_are_gone_is_not_applied_again(model, make_model, rows):
    assert PREVIOUS_PD not in application(model, model, rows.schema).schema.names
    gone = make_model(version="scorecard-older0000000")
    first = replace(gone.predictor.characteristics[0], feature="promises_broken")
    card = replace(gone.predictor, characteristics=(first, *gone.predictor.characteristics[1:]))
    catalogue = [*gone.catalogue, {**gone.catalogue[0], "name": "promises_broken"}]
    gone = replace(gone, predictor=card, features=card.features, catalogue=catalogue)
    assert PREVIOUS_PD not in application(model, gone, rows.schema).schema.names


def test_an_empty_batch_is_answered_by_an_empty_batch(any_model, rows):
    apply = application(any_model, None, rows.schema)
    empty = apply(pa.RecordBatch.from_pylist([], schema=rows.schema))
    assert (empty.num_rows, empty.schema) == (0, apply.schema)


def test_a_text_is_read_once_in_a_process(any_model, rows, monkeypatch):
    read = []
    real = applied.predictor_of
    monkeypatch.setattr(applied, "predictor_of", lambda kind, texts: read.append(kind) or real(kind, texts))
    applied._built.cache_clear()
    apply = application(any_model, None, rows.schema)
    in_batches(apply, rows, 7)
    in_batches(pickle.loads(pickle.dumps(apply)), rows, 7)
    assert read == [any_model.kind]


def test_a_text_that_changed_on_its_way_is_refused_before_a_library_reads_it(any_model, rows, monkeypatch):
    monkeypatch.setattr(applied, "predictor_of", lambda kind, texts: pytest.fail("read in spite of its hash"))
    applied._built.cache_clear()
    apply = application(any_model, None, rows.schema)
    (name, text), *others = apply.model.texts
    damaged = replace(apply.model, texts=((name, text + " "), *others))
    with pytest.raises(DamagedModelError, match="not what was sent to the engine's worker"):
        replace(apply, model=damaged)(rows.to_batches()[0])


def test_columns_that_the_model_reads_and_the_rows_lack_are_told_before_anything_runs(model, rows):
    with pytest.raises(ContractError, match=r"1 of 4 columns the model reads are missing, e\.g\. 'overdue_share'"):
        application(model, None, rows.drop_columns("overdue_share").schema)


def test_an_infinite_value_is_told_by_its_feature(model, make_rows):
    rows = pa.RecordBatch.from_pandas(make_rows(3).assign(overdue_share=np.inf), preserve_index=False)
    with pytest.raises(ContractError, match=r"features\.overdue_share: 3 of 3 values are infinite"):
        application(model, None, rows.schema)(rows)


def test_the_hash_is_over_every_text(model):
    text = FormulaText.of(model)
    assert {name for name, _ in text.texts} == {
        *("scorecard.json", "calibration.json"),
        *("scaling.json", "thin_file.json"),
    }
    other = FormulaText.of(replace(model, calibration=Calibration.line("platt", 0.5, 0.5)))
    assert text.sha256 != other.sha256
