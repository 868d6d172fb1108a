"""The portfolio report and the monitoring of a project with a past: back-filled runs, cohorts, gates, MLflow."""

import datetime as dt
import json
import shutil

import mlflow
import pyarrow.parquet as pq
import pytest
from portfolio_by_hand import Books, herfindahl, lifetime_losses, month_end, rolled
from project_copy import creditbook, hashes

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("main_job"),
    # MLflow's own store and client warn about their own future.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


def done(project, *arguments):
    ran = creditbook(project, *arguments)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def project(ran, tmp_path_factory):
    """A copy with runs of a matured day, of the month before and of the extract date, monitored."""
    root = tmp_path_factory.mktemp("portfolio") / "project"
    shutil.copytree(ran.root, root, symlinks=True, ignore=shutil.ignore_patterns(".git", ".dvc"))
    last = json.loads((root / "data" / "receipts" / "score.json").read_text(encoding="utf-8"))["as_of"]
    year, month = int(last[:4]), last[5:7]
    assert month == "12"
    done(root, "score", "--from", f"{year - 2}-12-31", "--to", f"{year - 2}-12-31")
    done(root, "score", "--from", f"{year}-11-30", "--to", last)
    done_in(root, "stage", "monitor")
    return root


def done_in(root, *arguments):
    import os
    import subprocess
    import sys

    ran = subprocess.run(
        [sys.executable, "-m", "pipeline.cli", *arguments], cwd=root, env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def written(project, tmp_path_factory):
    """The folder of the report of the newest day."""
    out = tmp_path_factory.mktemp("portfolio_written")
    done(project, "portfolio", "--out", str(out))
    return next(out.iterdir())


def test_the_report_is_written_in_both_languages_with_its_figures_and_twice_the_same(project, written, tmp_path):
    done(project, "portfolio", "--out", str(tmp_path))
    folder = next(tmp_path.iterdir())
    assert hashes(folder) == hashes(written)
    lists = {f"{name}.{kind}" for name in ("worklist", "reviews") for kind in ("csv", "parquet")}
    pages = {"portfolio.json", "portfolio.en.html", "portfolio.zh.html"}
    assert {path.name for path in folder.iterdir()} == pages | lists
    told = json.loads((folder / "portfolio.json").read_text(encoding="utf-8"))
    manifest = json.loads((project / "data" / "scored" / "latest" / "manifest.json").read_text(encoding="utf-8"))
    # The items of the ledger and the positions of the run are two ways to the same money.
    assert told["ageing"]["total"] == manifest["totals"]["open_amount"]
    assert told["ageing"]["overdue"] == manifest["totals"]["overdue_amount"]
    assert told["expected_loss"]["total"] == manifest["totals"]["expected_loss"]
    assert sum(sum(row) for row in told["migration"]["counts"]) == told["migration"]["both"]
    assert told["run_before"].endswith("-11-30")
    book = pq.read_table(project / "data" / "scored" / "latest" / "scored_book.parquet", columns=["name"])
    names = set(book["name"].to_pylist())
    assert not any(name in (folder / "portfolio.en.html").read_text(encoding="utf-8") for name in names)


def test_receivables_days_concentration_rolls_and_lifetime_loss_are_those_reckoned_by_hand(project, written):
    told = json.loads((written / "portfolio.json").read_text(encoding="utf-8"))
    day = dt.date.fromisoformat(told["run"]["as_of"])
    books = Books(project / "data" / "ledger")
    now, before, since = books.open(day), books.open(month_end(day, 1)), month_end(day, 3)
    for place, row in enumerate(told["ageing"]["buckets"]):
        assert float(row["amount"]) == pytest.approx(now[now["bucket"] == place]["cents"].sum() / 100)
    billed, last = books.billed(day, since), told["over_time"][-1]
    days = (day - since).days
    credit = books.credit(day)
    assert credit < 0
    assert last["dso"] == pytest.approx(days * (now["cents"].sum() + credit) / billed)
    assert last["best_possible_dso"] == pytest.approx(days * (now[now["late"] == 0]["cents"].sum() + credit) / billed)
    # Three months to the end of February begin on 1 December.
    february, begun = month_end(day, 10), month_end(day, 13)
    (row,) = [row for row in told["over_time"] if row["as_of"] == february.isoformat()]
    assert (row["days"], float(row["billed"])) == ((february - begun).days, books.billed(february, begun) / 100)
    assert told["rolls"]["month"][1]["shares"]["31_60"] == pytest.approx(rolled(before, now, 1, 2))
    assert told["rolls"]["month"][0]["shares"]["1_30"] == pytest.approx(rolled(before, now, 0, 1))
    book = pq.read_table(project / "data" / "scored" / "latest" / "scored_book.parquet").to_pandas()
    book = book.set_index("customer_id").astype({"ead": float, "lgd": float, "pd": float})
    assert told["concentration"]["customer_id"]["hhi"] == pytest.approx(herfindahl(book["ead"]))
    lifetime = told["provisions"]["lifetime"]
    cases = [(case["weight"], case["factor"]) for case in lifetime["scenarios"]["cases"]]
    losses = lifetime_losses(now, book, cases, lifetime["window_days"], day)
    for place, row in enumerate(lifetime["buckets"]):
        assert float(row["loss"]) == pytest.approx(losses[now["bucket"] == place].sum() / 100, abs=0.01)


def test_a_day_without_a_run_is_refused_with_what_is_there(project):
    ran = creditbook(project, "portfolio", "--as-of", "2019-01-31")
    assert ran.returncode == 66
    assert "no published run here, published are" in ran.stderr


def test_matured_cohorts_drift_and_gates_are_kept(project):
    monitor = project / "data" / "monitor"
    told = json.loads((monitor / "monitoring.json").read_text(encoding="utf-8"))
    assert [gate["name"] for gate in told["gates"]] == [
        "score_development", "score_month", "inputs_development", "inputs_month", "inputs_year",
        "level", "grades", "order",
    ]  # fmt: skip
    assert {one["against"] for one in told["drift_over_time"]} >= {"month"}
    rows = pq.read_table(monitor / "performance.parquet").to_pylist()
    assert [row["known"] is not None for row in rows] == [True, False, False]
    assert rows[0]["level_low"] < rows[0]["level"] < rows[0]["level_high"]
    assert all(0 < row["expected_gini"] < 1 for row in rows)
    # The two back-filled runs have left no receipt; their drift is kept as that of the newest is.
    kept = pq.read_table(monitor / "history.parquet").to_pylist()
    assert {row["run_id"] for row in rows} <= {row["run_id"] for row in kept if row["quantity"] == "score"}


def test_what_was_monitored_is_in_mlflow_once(project):
    done_in(project, "stage", "monitor")
    mlflow.set_tracking_uri(f"sqlite:///{project / 'models' / 'mlflow' / 'mlflow.db'}")
    told = json.loads((project / "data" / "monitor" / "monitoring.json").read_text(encoding="utf-8"))
    client = mlflow.MlflowClient()
    experiment = client.get_experiment_by_name("creditbook")
    found = client.search_runs([experiment.experiment_id], f"tags.monitored_run = '{told['run_id']}'")
    assert len(found) == 1
    assert found[0].data.metrics["gate.score_development"] == pytest.approx(told["gates"][0]["value"])
    for row in pq.read_table(project / "data" / "monitor" / "performance.parquet").to_pylist():
        (one,) = client.search_runs([experiment.experiment_id], f"tags.monitored_run = '{row['run_id']}'")
        assert one.data.metrics["expected"] == pytest.approx(row["expected"])
        assert one.data.metrics.get("level", 0.0) == pytest.approx(row["level"] or 0.0)


def standing(night):
    """By rule, how many customers at risk have an alert of it in a published run."""
    book = pq.read_table(night / "scored_book.parquet", columns=["customer_id", "rating_status"]).to_pandas()
    at_risk = set(book.loc[book["rating_status"].isin(("rated", "thin_file")), "customer_id"])
    alerts = pq.read_table(night / "alerts.parquet", columns=["customer_id", "rule", "state"]).to_pandas()
    return alerts[(alerts["state"] != "closed") & alerts["customer_id"].isin(at_risk)]["rule"].value_counts()


def test_the_rules_replayed_on_month_ends_say_what_the_nights_said(project):
    scored = project / "data" / "scored"
    last = json.loads((scored / "latest" / "manifest.json").read_text(encoding="utf-8"))["as_of"]
    done(project, "warnings", "--from", f"{last[:4]}-10-31", "--to", last)
    told = json.loads((project / "data" / "warnings" / "warnings.json").read_text(encoding="utf-8"))
    nights = [standing(scored / f"as_of={day}") for day in (last, f"{last[:4]}-11-30")]
    # The ratings of the replay are those of models of their day, not of the one in force.
    rules = {r["rule"]: r for r in told["rules"] if r["rule"] not in {"grade_down_two", "pd_doubled", "sector_default"}}
    # Rules on a month before are first judged in November, so that they are told of December alone.
    assert {rule["days_judged"] for rule in rules.values()} == {1, 2}
    for name, rule in rules.items():
        said = sum(int(night.get(name, 0)) for night in nights[: rule["days_judged"]])
        assert rule["standing"]["hits"] == said, name
    # Measured for these rules and this day: the portfolio report shows it.
    done(project, "portfolio", "--out", str(project / "beside"))
    beside = json.loads((project / "beside" / f"as_of={last}" / "portfolio.json").read_text(encoding="utf-8"))
    assert beside["alerts"]["measured"] == told
    assert creditbook(project, "warnings", "--from", last, "--to", f"{last[:4]}-01-31").returncode == 78
