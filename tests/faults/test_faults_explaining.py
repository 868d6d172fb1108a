"""`creditbook explain` in full: a file that is the tables of its customers, whole or not there, or what is wrong."""

from __future__ import annotations

import errno
import shutil
import subprocess
import sys
from dataclasses import replace

import lightgbm
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_night import JUNE, NOVEMBER, put_in_force, small_card, tree

from pipeline import datasets
from pipeline.cli import _run
from pipeline.engine import write_parquet
from pipeline.errors import ContractError, DamagedModelError, MissingInputError, OutputError, StorageError
from pipeline.features import catalog
from pipeline.flows.explain import explain_customer_whole
from pipeline.flows.explain_book import explain_book
from pipeline.flows.explained_run import Sources
from pipeline.flows.score_day import score, score_as_of
from pipeline.flows.setting import open_setting
from pipeline.score.booster import Booster
from pipeline.score.run_check import verify
from pipeline.score.thin_file import ThinFile, ThinFileRule
from pipeline.score.written_tables import ParquetTable

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("faults")]

HERE = Sources()
NAMES = ("worst_days_late_12m", "open_amount", "industry_section")
SPLITS = {"worst_days_late_12m": [1.0, 20.0], "open_amount": [100.0, 20_000.0]}


def booster():
    """A booster of three features, one of them a category, with a pool's card of one."""
    rng = np.random.default_rng(5)
    rows = np.column_stack([rng.normal(10, 15, 500), rng.normal(9000, 9000, 500), rng.integers(0, 3, 500)])
    rows[rng.random(rows.shape) < 0.1] = np.nan
    is_bad = np.nan_to_num(rows[:, 0]) + rng.normal(0, 9, 500) > 20
    data = lightgbm.Dataset(rows, is_bad.astype(int), feature_name=list(NAMES), categorical_feature=[NAMES[2]])
    settings = {"objective": "binary", "num_leaves": 5, "min_data_in_leaf": 10, "num_threads": 1, "verbose": -1}
    text = lightgbm.train({**settings, "seed": 1}, data, 10).model_to_string()
    pool = small_card({"open_amount": [100.0, 20_000.0]}).predictor
    return replace(
        small_card(SPLITS, (NAMES[2],)),
        kind="booster",
        predictor=Booster.from_text(text, NAMES, {NAMES[2]: ("C", "G", "F")}),
        thin_file=ThinFile(0.06, 30, 500, 0.5, ThinFileRule(3, 3), pool),
        catalogue=[catalog.by_name(name).as_json() for name in NAMES],
    )


@pytest.fixture(scope="module")
def night(project, tmp_path_factory):
    """A project whose stage scored the last day, and June by a booster; nothing here is to be changed."""
    root = tmp_path_factory.mktemp("explaining") / "project"
    shutil.copytree(project, root)
    score(open_setting(root))
    put_in_force(root, booster())
    score_as_of(root, JUNE, None, None, root / "by_booster")
    return root


@pytest.fixture
def changed(night, tmp_path):
    """A copy that may be changed."""
    return shutil.copytree(night, tmp_path / "project", symlinks=True)


def book_of(out):
    return pq.read_table(out / "latest" / "scored_book.parquet").to_pylist()


def printed(capsys, *arguments):
    """What is printed of a customer, as pairs of name and the rest of its line; then the numbers of the lines below."""
    capsys.readouterr()
    explain_customer_whole(*arguments)
    text = capsys.readouterr().out
    return text[text.index("What each feature adds") :]


def printed_of(row):
    """What is printed of a row of the file: names with what they add, down to the raw score, then PD and score."""
    names = [key.removeprefix("contribution_") for key in row if key.startswith("contribution_")]
    added = {name: f"{row[f'contribution_{name}']:+.6f}" for name in names if row[f"contribution_{name}"] is not None}
    return {
        "base": f"{row['base']:.6f}", **added, "raw": f"{row['raw_score']:.6f}", "PD": f"{row['pd']:.6%}",
        "score": str(row["score"]),
    }  # fmt: skip


def table_in(text):
    """The same of what was printed."""
    found, lines = {}, text.strip().splitlines()[1:]
    sums = next(at for at, line in enumerate(lines) if line.startswith("  raw score"))
    for line in lines[: sums + 1]:
        found[line.split()[0]] = line.split()[-1]
    for line in lines[sums + 1 :]:
        if line.split()[0] in {"PD", "score"}:
            found[line.split()[0]] = line.split()[1]
    return found


@pytest.mark.parametrize(("out", "day", "every"), [("data/scored", None, 5), ("by_booster", JUNE, 12)])
def test_the_file_of_the_book_is_the_tables_of_its_customers(night, tmp_path, capsys, out, day, every):  # noqa: PLR0917 - fixtures
    sources = Sources(out=night / out)
    before = tree(night / out)
    explain_book(night, tmp_path / "explained.parquet", sources, day)
    rows = pq.read_table(tmp_path / "explained.parquet").to_pylist()
    book = book_of(night / out)
    assert [row["customer_id"] for row in rows] == [row["customer_id"] for row in book]
    told = 0
    for row, published in list(zip(rows, book, strict=True))[::every]:
        text = printed(capsys, night, row["customer_id"], sources, day)
        assert (row["pd"], row["score"]) == (published["pd"], published["score"])
        if row["base"] is None:
            assert text.splitlines()[1].startswith("  nothing: ")
            continue
        told += 1
        assert table_in(text) == printed_of(row)
    assert told >= 3
    assert {row["model"] for row in rows} >= {"thin_file"} | ({"booster"} if day else {"scorecard"})
    assert tree(night / out) == before
    assert verify(night / out / "latest") == []


def test_features_built_again_from_the_ledger_give_the_same_bytes(night, changed, tmp_path, capsys):
    explain_book(night, tmp_path / "kept.parquet", HERE, None)
    assert "explained, features as the night left them" in capsys.readouterr().out
    (changed / "data" / "night" / "features.parquet").unlink()
    explain_book(changed, tmp_path / "built.parquet", HERE, None)
    assert "features built again from the ledger of the run, as known on" in capsys.readouterr().out
    assert (tmp_path / "kept.parquet").read_bytes() == (tmp_path / "built.parquet").read_bytes()


def test_what_is_gone_is_named_with_what_to_do(changed, tmp_path):
    rated = next(row["customer_id"] for row in book_of(changed / "data" / "scored") if row["model"] == "scorecard")
    file = tmp_path / "explained.parquet"
    with pytest.raises(MissingInputError, match=r"no customer 'nobody'.*nearest"):
        explain_customer_whole(changed, "nobody", HERE, None)
    with pytest.raises(MissingInputError, match="no published run here"):
        explain_book(changed, file, HERE, NOVEMBER)
    (changed / "data" / "receipts" / "score.json").unlink()
    (changed / "data" / "ledger").rename(changed / "elsewhere")
    told = r"features of the run of .* are kept no more .* cannot be built again: .*run ingest first, or take in"
    for explain in (
        lambda: explain_customer_whole(changed, rated, HERE, None),
        lambda: explain_book(changed, file, HERE, None),
    ):
        with pytest.raises(MissingInputError, match=told):
            explain()
    explain_book(changed, file, Sources(tables=changed / "elsewhere"), None)
    file.unlink()
    model = next((changed / "models").glob("scorecard-*"))
    (changed / "models").rename(changed / "others")
    with pytest.raises(MissingInputError, match=model.name):
        explain_book(changed, file, HERE, None)
    assert not file.exists()


def test_whoever_comes_out_otherwise_is_refused_and_the_file_of_before_stays(changed, tmp_path):
    file, kept = tmp_path / "explained.parquet", changed / "data" / "night" / "features.parquet"
    file.write_bytes(b"of before")
    rated = next(row["customer_id"] for row in book_of(changed / "data" / "scored") if row["model"] == "scorecard")
    features = pq.read_table(kept).to_pandas()
    is_theirs = features["customer_id"] == rated
    # Into another bin: late is on time, on time late.
    late = features.loc[is_theirs, "worst_days_late_12m"].iloc[0]
    features.loc[is_theirs, "worst_days_late_12m"] = 0.0 if late >= 1 else 50.0
    write_parquet(pa.Table.from_pandas(features, schema=pq.read_schema(kept), preserve_index=False), kept)
    told = rf"of \d+ customers rated .* 1 come out with another PD .* e\.g\. '{rated}': PD .*score the day again"
    with pytest.raises(ContractError, match=told):
        explain_book(changed, file, HERE, None)
    with pytest.raises(ContractError, match=r"of 1 customers rated .* 1 come out with another PD"):
        explain_customer_whole(changed, rated, HERE, None)
    write_parquet(pq.read_table(kept).filter(pa.array(~is_theirs)), kept)
    with pytest.raises(ContractError, match=rf"1 have no features .*'{rated}': no features"):
        explain_book(changed, file, HERE, None)
    assert file.read_bytes() == b"of before"
    assert list((changed / "data" / "scratch").iterdir()) == []


def test_a_model_that_is_not_what_it_was_is_refused(changed, tmp_path):
    card = next((changed / "models").glob("scorecard-*")) / "scorecard.json"
    card.write_text(card.read_text(encoding="utf-8").replace('"points": ', '"points": 1', 1), encoding="utf-8")
    with pytest.raises(DamagedModelError, match=r"scorecard\.json"):
        explain_book(changed, tmp_path / "explained.parquet", HERE, None)


def test_no_file_is_put_among_the_published_runs_or_in_place_of_a_folder(night, tmp_path):
    out = night / "data" / "scored"
    before = tree(out)
    for place in (out / "latest" / "x.parquet", out / ".runs" / "x.parquet", (out / "latest").resolve() / "a" / "x"):
        with pytest.raises(OutputError, match="in a published run, which never changes"):
            explain_book(night, place, HERE, None)
    with pytest.raises(OutputError, match="a folder is there"):
        explain_book(night, tmp_path, HERE, None)
    assert tree(out) == before


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        ([], 2, "give a customer's number, or --parquet FILE"),
        (["C", "--parquet", "x.parquet"], 2, "give a customer's number, or --parquet FILE"),
        (["--all"], 2, "give a customer's number, or --parquet FILE"),
        (["nobody", "--all"], 66, "no customer 'nobody'"),
        (["--parquet", "/proc/x.parquet"], 73, "/proc/x.parquet cannot be created"),
    ],
)
def test_the_command_says_what_is_wrong_with_its_code(  # noqa: PLR0917 - fixtures
    night, monkeypatch, capsys, arguments, code, told
):
    monkeypatch.chdir(night)
    assert _run(["explain", *arguments]) == code
    found = capsys.readouterr()
    assert found.out == ""
    assert told in found.err


@pytest.mark.parametrize("at", [(ParquetTable, "_write"), (datasets, "sync_folder")])
def test_a_disk_that_fails_while_rows_are_written_or_flushed_leaves_the_file_of_before(
    night, tmp_path, monkeypatch, at
):
    file = tmp_path / "explained.parquet"
    file.write_bytes(b"of before")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(*at, full)
    with pytest.raises(StorageError, match="No space left on device"):
        explain_book(night, file, HERE, None)
    assert list(tmp_path.iterdir()) == [file]
    assert file.read_bytes() == b"of before"
    assert list((night / "data" / "scratch").iterdir()) == []


KILLED = """
import os, signal, sys
from pipeline.score.written_tables import ParquetTable
from pathlib import Path
killed = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
setattr(*{"rows": (ParquetTable, "close"), "rename": (Path, "replace")}[sys.argv[1]], killed)
from pipeline.cli import _run
_run(sys.argv[2:])
"""


@pytest.mark.parametrize(("at", "aside"), [("rows", 0), ("rename", 1)])
def test_killed_before_its_rows_or_its_name_are_there_the_old_file_stands_and_the_next_sweeps(
    changed, tmp_path, at, aside
):
    file = tmp_path / "out" / "explained.parquet"
    file.parent.mkdir()
    file.write_bytes(b"of before")
    arguments = ["explain", "--parquet", str(file), "--project", str(changed)]
    done = subprocess.run([sys.executable, "-c", KILLED, at, *arguments], capture_output=True, check=False)
    assert done.returncode == -9
    assert file.read_bytes() == b"of before"
    assert len(list(file.parent.glob(".*.aside"))) == aside
    assert len(list((changed / "data" / "scratch").glob("explain-*"))) == 1
    explain_book(changed, file, HERE, None)
    assert pq.read_table(file).num_rows == len(book_of(changed / "data" / "scored"))
    assert list(file.parent.iterdir()) == [file]
    assert list((changed / "data" / "scratch").iterdir()) == []
