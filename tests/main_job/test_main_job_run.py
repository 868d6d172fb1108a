"""The main job as a user meets it: `creditbook run` on a small demo book."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from project_copy import copy_of_the_repository, creditbook, hashes

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("main_job")]

STAGES = ["ingest", "label", "build_features", "fit_scorecard", "fit_booster", "validate", "report", "score", "monitor"]
REPEATED = ("data/ledger", "data/labels", "data/features", "models/candidates", "data/scored/latest")
# Stands in for the training libraries on the path of the import system, so that using one is seen.
WITHOUT_TRAINING = """
import sys

class Refusal:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"sklearn", "optbinning", "shap", "mlflow", "lightgbm", "matplotlib"}:
            raise ImportError(f"the night run asked for {name}")

sys.meta_path.insert(0, Refusal())
from pipeline.cli import main
main()
"""


def test_every_stage_is_announced_and_the_summary_says_what_came_out(ran):
    announced = re.findall(r"^\[(\d)/9\] (\w+)", ran.told, flags=re.MULTILINE)
    assert [int(number) for number, _ in announced] == list(range(1, 10))
    assert {name for _, name in announced} == set(STAGES)
    for part in ("Models, on other customers at later dates", "champion", "Gini", "The book on", "expected loss"):
        assert part in ran.told
    named = re.search(r"^report +(\S+)$", ran.told, flags=re.MULTILINE)
    assert named
    assert (ran.root / named[1]).is_file()


def test_validation_poured_rows_of_later_days_into_every_table_and_nothing_changed(ran):
    told = json.loads((ran.root / "models" / "validation" / "validation.json").read_text(encoding="utf-8"))
    found = next(one for one in told["tests"] if one["id"] == "future_poison")
    assert (found["light"], found["value"]) == ("green", 0)
    assert {one["table"] for one in found["details"]} == {
        path.stem for path in (ran.root / "data/ledger").glob("*.parquet")
    }
    assert [one for one in found["details"] if one["columns"] and not one["noticed"]] == []
    assert found["shown"] > 0.8 * found["against"]
    # The first validation comes before anything was published, let alone monitored.
    monitored = [one for one in told["tests"] if one["id"] == "monitored"]
    assert [(one["light"], one["why"]) for one in monitored] == [("grey", "not_monitored")]
    assert told["monitored"] is None


def test_a_second_run_repeats_nothing_but_the_look_at_the_source(ran):
    before = {folder: hashes(ran.root / folder) for folder in REPEATED}
    again = creditbook(ran.root, "run")
    assert again.returncode == 0, again.stdout + again.stderr
    assert re.findall(r"\[\d/9\] (\w+)$", again.stdout, flags=re.MULTILINE) == ["ingest"]
    assert {folder: hashes(ran.root / folder) for folder in REPEATED} == before


def test_another_copy_with_other_threads_hash_seed_and_time_zone_gives_the_same_bytes(ran, tmp_path):
    # What validation measures is not compared; it puts the first pair in force.
    measured = {"validate__bootstrap_rounds": 50, "validate__tests__shuffles": 2}
    changed = {"engine__threads": 1, "fit_booster__threads": 1, **measured}
    params = {"customers": 500, "months": 60, "seed": 3}
    project = copy_of_the_repository(tmp_path / "other", ingest__demo=params, **changed)
    for stage in ("ingest", "label", "build_features", "fit_scorecard", "fit_booster", "validate", "score"):
        done = creditbook(project, "stage", stage, PYTHONHASHSEED="7", TZ="Asia/Tokyo")
        assert done.returncode == 0, done.stdout + done.stderr
    for folder in REPEATED:
        assert hashes(project / folder) == hashes(ran.root / folder), folder


def test_the_published_run_is_whole_and_a_changed_byte_is_found(ran, tmp_path):
    latest = ran.root / "data" / "scored" / "latest"
    assert creditbook(ran.root, "verify", str(latest)).returncode == 0
    copied = tmp_path / latest.resolve().name
    shutil.copytree(latest.resolve(), copied)
    book = copied / "scored_book.csv"
    book.write_bytes(book.read_bytes().replace(b"rated", b"ratad", 1))
    refused = creditbook(ran.root, "verify", str(copied))
    assert refused.returncode == 65
    assert "scored_book.csv" in refused.stderr


def test_every_customer_of_the_ledger_has_one_row_and_the_statuses_add_up(ran):
    book = pq.read_table(ran.root / "data" / "scored" / "latest" / "scored_book.parquet")
    ledger = pq.read_table(ran.root / "data" / "ledger" / "customers.parquet", columns=["customer_id"])
    assert book["customer_id"].to_pylist() == sorted(set(ledger["customer_id"].to_pylist()))
    manifest = json.loads((ran.root / "data" / "scored" / "latest" / "manifest.json").read_text(encoding="utf-8"))
    assert sum(manifest["counts"]["by_status"].values()) == book.num_rows
    assert manifest["counts"]["by_status"]["rated"] > 0.5 * book.num_rows


def test_the_night_run_asks_for_no_training_library(ran, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TRAINING, "score", "--as-of", "2025-11-30", "--out", str(tmp_path / "out")],
        cwd=ran.root,
        env={**os.environ, "PYTHONPATH": str(ran.root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "as_of=2025-11-30" / "scored_book.parquet").is_file()


def test_one_customer_is_explained_in_the_terminal_and_a_stranger_is_told_apart(ran):
    book = pq.read_table(ran.root / "data" / "scored" / "latest" / "scored_book.parquet").to_pylist()
    rated = next(row for row in book if row["rating_status"] == "rated" and row["reason_1_en"])
    card = creditbook(ran.root, "explain", rated["customer_id"])
    assert card.returncode == 0
    for part in (rated["customer_id"], rated["name"], rated["grade"], rated["reason_1_en"]):
        assert part in card.stdout
    stranger = creditbook(ran.root, "explain", "nobody")
    assert stranger.returncode == 66
    assert "no customer 'nobody'" in stranger.stderr


def test_metrics_and_plots_are_shown_as_a_user_of_dvc_expects(ran):
    shown = subprocess.run(
        [sys.executable, "-m", "dvc", "metrics", "show", "--json"],
        cwd=ran.root,
        capture_output=True,
        text=True,
        check=True,
    )
    metrics = json.loads(shown.stdout)[""]["data"]["models/validation/metrics.json"]["data"]
    assert -1 <= metrics["champion.out_of_time.gini_low"] <= metrics["champion.out_of_time.gini"] <= 1
    subprocess.run([sys.executable, "-m", "dvc", "plots", "show"], cwd=ran.root, capture_output=True, check=True)
    page = ran.root / "dvc_plots" / "index.html"
    assert "false_alarm_rate" in page.read_text(encoding="utf-8")


def test_a_stage_is_a_plain_command_and_an_unknown_one_is_a_usage_error(ran):
    assert creditbook(ran.root, "stage", "monitor").returncode == 0
    wrong = creditbook(ran.root, "stage", "reprot")
    assert wrong.returncode == 2
    assert "is no stage" in wrong.stderr


def test_the_demo_command_writes_the_truth_beside_the_ledger_never_inside(tmp_path):
    done = creditbook(
        Path(__file__).parents[2],
        "demo-book",
        str(tmp_path / "book"),
        "--customers",
        "40",
        "--months",
        "20",
        "--seed",
        "2",
    )
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "book").iterdir())) == 14
    assert {path.name for path in tmp_path.iterdir()} == {"book", "book-truth"}


def test_an_experiment_changes_a_parameter_and_measures_again(ran, tmp_path):
    project = tmp_path / "experiment"
    shutil.copytree(ran.root, project, symlinks=True)
    before = json.loads((project / "models" / "validation" / "metrics.json").read_text(encoding="utf-8"))
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "exp", "run", "-S", "validate.bootstrap_rounds=60", "validate"],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(project), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    after = json.loads((project / "models" / "validation" / "metrics.json").read_text(encoding="utf-8"))
    assert after["champion.test.gini"] == before["champion.test.gini"]
    assert after["champion.out_of_time.gini_low"] != before["champion.out_of_time.gini_low"]
    assert "fit_scorecard" not in re.findall(r"Running stage '(\w+)'", done.stdout)
