"""The customer's page from a finished project: whole, the same from night or ledger, honest when it cannot."""

import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest
from project_copy import creditbook, hashes

from pipeline.errors import ContractError, DamagedRunError, MissingInputError, ParameterError
from pipeline.features.feature import Risk, Unit
from pipeline.flows.published_runs import run_of
from pipeline.flows.setting import open_setting
from pipeline.flows.statement import write_statement
from pipeline.flows.statement_day import published_day
from pipeline.report import figures
from pipeline.report.statement.steps import both_values
from pipeline.report.words import words_in
from pipeline.score.comparables import comparables
from pipeline.score.statement.prospects import Seat, prospects

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("main_job")]


@pytest.fixture(scope="module")
def book(ran):
    return pd.read_parquet(ran.root / "data" / "scored" / "latest" / "scored_book.parquet")


@pytest.fixture(scope="module")
def rated(book):
    """A customer with a middling grade and without a manual decision."""
    return book.loc[(book["model"] == "scorecard") & (book["grade"] == "G07"), "customer_id"].iloc[0]


@pytest.fixture(scope="module")
def copy(ran, tmp_path_factory):
    root = tmp_path_factory.mktemp("statement") / "project"
    shutil.copytree(ran.root, root, symlinks=True, ignore=shutil.ignore_patterns(".git", ".dvc", "mlflow", "demo*"))
    return root


def test_the_page_is_the_same_from_what_the_night_left_and_from_the_ledger(ran, copy, rated, tmp_path):
    done = creditbook(ran.root, "statement", rated, "--language", "zh", "--out", str(tmp_path / "night"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{rated}.zh (statement.html, statement.pdf)" in done.stdout
    (copy / "data" / "receipts" / "score.json").unlink()
    write_statement(copy, rated, None, tmp_path / "ledger", "zh")
    assert hashes(tmp_path / "night") == hashes(tmp_path / "ledger")
    assert "等级" in next((tmp_path / "night").rglob("*.html")).read_text(encoding="utf-8")


def assert_reads_as_it_is(move):
    """The printed goal differs from what is, and reads 0 only where it is 0."""
    for language in ("en", "zh"):
        with figures.written_in(language):
            before, after = both_values(move.feature.unit, move.before, move.after, words_in(language))
        assert before != after, move
        if move.feature.unit is not Unit.FLAG:
            assert (re.search("[1-9]", after) is None) is (move.after == 0), move


def test_steps_of_the_demo_book_never_worsen_and_stay_within_reach(ran):
    setting = open_setting(ran.root)
    found = published_day(setting, run_of(ran.root / setting.params.score.out, None))
    day, told = found.day, 0
    ends = dict(zip(found.book["customer_id"], day.positions["accounts_end_on"].notna(), strict=True))
    assert {one: found.has_rows_of(one, "financials") for one in ends} == ends
    assert 0 < sum(ends.values()) < len(ends)
    for at in np.flatnonzero(found.book["rating_status"].isin(("rated", "thin_file")))[::20]:
        peers = comparables(found.book, day.features, at, day.policy.scale, 10)
        if peers is None:
            continue
        now = prospects(Seat.of(day, int(at)), peers.at, 0.25)
        assert now.now.pd == found.book["pd"].iloc[at]
        for one in now.single:
            told += 1
            assert one.outcome.pd < now.now.pd
            for move in one.moves:
                values = day.features[move.feature.name].iloc[peers.at]
                better = values <= move.after if move.feature.risk is Risk.RISES else values >= move.after
                assert better.sum() >= 0.25 * values.notna().sum()
                assert_reads_as_it_is(move)
    assert told > 10


def test_what_cannot_be_told_is_said_with_its_code_and_nothing_is_written(copy, rated, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(MissingInputError, match=r"no customer 'NOBODY'.*nearest"):
        write_statement(copy, "NOBODY", None, out, "en")
    with pytest.raises(MissingInputError, match="no published run here"):
        write_statement(copy, rated, pd.Timestamp("1999-12-31").date(), out, "en")
    policy = copy / "policy" / "statement.yaml"
    whole = policy.read_text(encoding="utf-8")
    policy.write_text(whole.replace("owner:", "onwer:").replace("zh: 本公司信用管理部门", "zh: '' #"), encoding="utf-8")
    with pytest.raises(ParameterError, match="onwer"):
        write_statement(copy, rated, None, out, "en")
    policy.write_text(whole, encoding="utf-8")
    run = (copy / "data" / "scored" / "latest").resolve()
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    model = copy / "models" / manifest["versions"]["model"]["version"]
    model.rename(model.with_name("gone"))
    with pytest.raises(MissingInputError, match=model.name):
        write_statement(copy, rated, None, out, "en")
    model.with_name("gone").rename(model)
    # A definition of default that makes everybody default: the day no longer comes out as it was published.
    definition = copy / "policy" / "default_definition.yaml"
    told = definition.read_text(encoding="utf-8")
    definition.write_text(told.replace("90", "1"), encoding="utf-8")
    late = pd.read_parquet(run / "scored_book.parquet")
    late = late.loc[(late["rating_status"] == "rated") & (late["max_days_past_due"] > 20), "customer_id"].iloc[0]
    with pytest.raises(ContractError, match="comes out otherwise"):
        write_statement(copy, late, None, out, "en")
    definition.write_text(told, encoding="utf-8")
    with (run / "scored_book.parquet").open("r+b") as file:
        file.seek(100)
        file.write(b"\0\0")
    with pytest.raises(DamagedRunError, match="damaged"):
        write_statement(copy, rated, None, out, "en")
    assert not out.exists()
