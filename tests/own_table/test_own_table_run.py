"""A table from `ingest.table` to a report, by the command a user types; and what a table cannot give, told."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow.parquet as pq
import pytest
from own_tables import catalogue_text, made_rows
from project_copy import ONE_PAGE, Ran, change_params, copy_of_the_repository, creditbook, hashes

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("own_table")]

YEARLY = {"key": None, "entity": "id", "date": {"column": "year", "format": "year"}, "window": {"months": 12}}
PRODUCTS = ("data/ledger", "data/labels", "data/features", "models/candidates", "data/receipts")


def project_with(folder: Path, rows: pd.DataFrame, **catalogue) -> Path:
    """A project beside a table and its catalogue, a short search and few rounds of the bootstrap."""
    # No time in the gzip file: the hash of the source stands in what is taken in.
    rows.to_csv(folder / "table.csv.gz", index=False, compression={"method": "gzip", "mtime": 0})
    (folder / "catalogue.yaml").write_text(catalogue_text(**catalogue), encoding="utf-8")
    return copy_of_the_repository(
        folder / "project",
        ingest__table="../table.csv.gz",
        ingest__catalogue="../catalogue.yaml",
        fit_booster__trials=2,
        fit_booster__price_rounds=50,
        validate__bootstrap_rounds=60,
        **ONE_PAGE,
    )


@pytest.fixture(scope="module")
def undated_run(tmp_path_factory) -> Ran:
    project = project_with(tmp_path_factory.mktemp("undated_run"), made_rows())
    done = creditbook(project, "run")
    assert done.returncode == 0, done.stdout + done.stderr
    return Ran(project, done.stdout)


@pytest.fixture(scope="module")
def dated_run(tmp_path_factory) -> Ran:
    project = project_with(tmp_path_factory.mktemp("dated_run"), made_rows(6000, years=10), **YEARLY)
    done = creditbook(project, "run")
    assert done.returncode == 0, done.stdout + done.stderr
    return Ran(project, done.stdout)


def page_of(project: Path) -> str:
    """The report's words, without mark-up and drawings."""
    page = (project / "models" / "report" / "model_report.html").read_text(encoding="utf-8")
    page = re.sub(r"<(style|svg)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def metrics_of(project: Path) -> dict[str, float]:
    return json.loads((project / "models" / "validation" / "metrics.json").read_text(encoding="utf-8"))


def test_a_run_ends_with_what_came_out_and_why_there_is_no_book(undated_run):
    for part in (
        "Models, on other customers (the rows have no dates)",
        "champion",
        "No book: the project works on the modelling table 'Made table', not on a ledger",
        "report",
        "ingest.table is set: ingest.source is not used",
    ):
        assert part in undated_run.told
    assert "expected loss" not in undated_run.told
    assert metrics_of(undated_run.root)["champion.test.auc_low"] > 0.6


def test_a_second_run_repeats_nothing_but_the_look_at_the_table(undated_run):
    before = {folder: hashes(undated_run.root / folder) for folder in PRODUCTS}
    again = creditbook(undated_run.root, "run")
    assert again.returncode == 0, again.stdout + again.stderr
    assert re.findall(r"\[\d/9\] (\w+)$", again.stdout, flags=re.MULTILINE) == ["ingest"]
    assert {folder: hashes(undated_run.root / folder) for folder in PRODUCTS} == before


def test_a_run_with_dates_measures_at_later_dates(dated_run):
    assert "Models, on other customers at later dates" in dated_run.told
    assert metrics_of(dated_run.root)["champion.out_of_time.auc_low"] > 0.6
    rates = pd.read_csv(dated_run.root / "models" / "validation" / "default_rate.csv")
    assert rates["as_of"].tolist()[0] == "2010-12-31"


def test_the_files_have_the_shape_of_a_ledger_s(undated_run):
    data = undated_run.root / "data"
    snapshots = pq.read_table(data / "labels" / "snapshots.parquet")
    assert {"customer_id", "as_of", "group_key", "outcome", "is_bad", "event_on", "window_end"} <= set(
        snapshots.column_names
    )
    features = pq.read_table(data / "features" / "training.parquet")
    told = json.loads((data / "features" / "catalogue.json").read_text(encoding="utf-8"))
    assert features.column_names == ["customer_id", "as_of", *(f["name"] for f in told)]
    assert told[0]["special"][1] == {"code": -9.0, "en": "refused to say", "zh": "拒绝提供"}
    assert not (data / "features" / "positions.parquet").exists()


def test_the_report_of_rows_without_dates_says_what_cannot_be_told(undated_run):
    page = page_of(undated_run.root)
    for part in (
        "Model report: failure",
        "Modelling table Made table",
        "A row is bad where the column failed holds 1, good where it holds 0",
        "no definition of default is applied to it",
        "Not shown: the rows have no dates.",
        "No timetable is drawn: the rows have no dates.",
        "Out of time · nothing, since the rows have no dates",
        "a modelling table tells no open items, limits or covers",
        "refused to say",
        "who typed it",
        "is null to the booster",
    ):
        assert part in page, part
    for part in ("month end", "days past due", "probation", "one supplier", "at later dates and", "NaT", "None"):
        assert part not in page, part


def test_the_report_of_rows_with_dates_draws_rates_and_timetable(dated_run):
    page = page_of(dated_run.root)
    assert "Model report: failure within 12 months" in page
    assert "Default rate at 10 dates" in (dated_run.root / "models/report/model_report.html").read_text("utf-8")
    assert "the rows have no dates" not in page
    assert "month end" not in page.replace("12 months", "")


def test_receipts_say_that_there_is_no_ledger(undated_run):
    receipt = json.loads((undated_run.root / "data" / "receipts" / "score.json").read_text(encoding="utf-8"))
    assert receipt["status"] == "no ledger"
    assert "Made table" in receipt["why"]
    drift = json.loads((undated_run.root / "data" / "monitor" / "monitoring.json").read_text(encoding="utf-8"))
    assert drift["status"] == "no ledger"
    assert drift["drift"] == []
    assert pq.read_table(undated_run.root / "data" / "night" / "features.parquet").num_rows == 0
    assert not (undated_run.root / "data" / "scored").exists()


def test_scoring_a_day_of_a_table_is_refused_plainly(undated_run):
    refused = creditbook(undated_run.root, "score", "--as-of", "2025-12-31")
    assert refused.returncode == 66
    assert "not on a ledger: a table tells no open items, limits or book of a day" in refused.stderr


def test_both_models_are_registered_with_the_words_of_the_target(undated_run):
    manifests = [json.loads(p.read_text("utf-8")) for p in (undated_run.root / "models").glob("*-*/manifest.json")]
    assert {m["kind"] for m in manifests} == {"scorecard", "booster"}
    assert all(m["label"]["title_en"] == "failure" for m in manifests)
    assert "in force: champion scorecard-" in undated_run.told


def test_other_threads_hash_seed_and_time_zone_give_the_same_bytes(undated_run, tmp_path):
    project = project_with(tmp_path, made_rows())
    change_params(project, engine__threads=1, fit_booster__threads=1)
    for stage in ("ingest", "label", "build_features", "fit_scorecard", "fit_booster", "score"):
        done = creditbook(project, "stage", stage, PYTHONHASHSEED="7", TZ="Asia/Tokyo")
        assert done.returncode == 0, done.stderr
    for folder in PRODUCTS:
        assert hashes(project / folder) == hashes(undated_run.root / folder), folder


@pytest.fixture
def again(undated_run, tmp_path) -> Path:
    """A copy of what was run, with its table beside it, to be spoilt."""
    shutil.copytree(undated_run.root, tmp_path / "project", symlinks=True)
    for name in ("table.csv.gz", "catalogue.yaml"):
        shutil.copy(undated_run.root.parent / name, tmp_path / name)
    return tmp_path / "project"


@pytest.mark.parametrize(
    ("spoil", "code", "part"),
    [
        (lambda folder: (folder / "table.csv.gz").unlink(), 66, "ingest.table"),
        (lambda folder: (folder / "catalogue.yaml").unlink(), 66, "ingest.catalogue"),
        (lambda folder: (folder / "catalogue.yaml").write_text("name: x\n", "utf-8"), 78, "target: missing"),
        (lambda folder: made_rows(50).assign(more=1).to_csv(folder / "table.csv.gz"), 65, "not in the catalogue"),
        (lambda folder: made_rows(50).assign(late="x").to_csv(folder / "table.csv.gz", index=False), 65, "no number"),
    ],
    ids=["no table", "no catalogue", "wrong catalogue", "unnamed column", "text for a number"],
)
def test_bad_input_is_told_and_leaves_what_was_there(again, spoil, code, part):
    before = hashes(again / "data")
    spoil(again.parent)
    refused = creditbook(again, "stage", "ingest")
    assert refused.returncode == code, refused.stdout + refused.stderr
    assert part in refused.stderr
    assert hashes(again / "data") == before


def test_a_table_without_enough_bads_is_refused_by_the_fit(again):
    rows = made_rows(200)
    rows["failed"] = [1, 1, *([0] * 198)]
    rows.to_csv(again.parent / "table.csv.gz", index=False)
    for stage in ("ingest", "label", "build_features"):
        assert creditbook(again, "stage", stage).returncode == 0
    refused = creditbook(again, "stage", "fit_scorecard")
    assert refused.returncode == 65
    assert "training on rows without dates" in refused.stderr


def test_features_of_another_table_are_not_fitted_on(again):
    made_rows(200, seed=8).to_csv(again.parent / "table.csv.gz", index=False)
    for stage in ("ingest", "label"):
        assert creditbook(again, "stage", stage).returncode == 0
    refused = creditbook(again, "stage", "fit_scorecard")
    assert refused.returncode == 65
    assert "are of different tables" in refused.stderr


def test_a_project_goes_back_from_a_table_to_a_ledger(again):
    change_params(
        again, ingest__table=None, ingest__catalogue=None, ingest__demo={"customers": 60, "months": 30, "seed": 2}
    )
    for stage in ("ingest", "label", "build_features"):
        done = creditbook(again, "stage", stage)
        assert done.returncode == 0, done.stderr
    assert (again / "data" / "features" / "positions.parquet").is_file()
    assert json.loads((again / "data" / "labels" / "label.json").read_text("utf-8"))["kind"] == "default"
    assert not (again / "data" / "ledger" / "table.parquet").exists()
