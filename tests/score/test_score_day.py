"""A day from the ledger to the published run, on an engine that hands on rows as it likes, and one that loses some."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import yaml
from deltalake import DeltaTable

from pipeline.cli import _run
from pipeline.engine import connect
from pipeline.errors import CreditbookError, GateError, StorageError, TargetUnreachableError
from pipeline.features import catalog
from pipeline.flows.deliver import deliver_published
from pipeline.flows.ingest import ingest
from pipeline.flows.monitor import monitor
from pipeline.flows.score_day import score, score_as_of, score_days
from pipeline.flows.setting import open_setting
from pipeline.score.booster import Booster
from pipeline.score.holding import acceptances
from pipeline.score.model_folder import read_model, write_model, write_role
from pipeline.score.run_check import verify
from pipeline.score.scorecard import Scorecard
from pipeline.tables.ledger import BY_NAME

OCTOBER, NOVEMBER = dt.date(2025, 10, 31), dt.date(2025, 11, 30)
OLD = {"worst_days_late_12m": [1.0, 20.0], "open_amount": [100.0, 20000.0], "days_since_last_order": [60.0]}
NEW = {"mean_days_late_3m": [0.0, 15.0], "open_amount": [500.0, 30000.0], "utilisation": [0.3, 0.9]}


class InPieces:
    """An engine that applies a function to pieces of the rows as it likes, as a cluster does."""

    def __init__(self, engine, pieces):
        self._engine, self._pieces = engine, pieces

    def __getattr__(self, name):
        return getattr(self._engine, name)

    def map_batches(self, rows, function, schema, name):
        pieces = self._pieces(self._engine.collect(rows, order_by=["as_of", "customer_id"]))
        done = [function(batch) for piece in pieces for batch in piece.combine_chunks().to_batches()]
        return self._engine.register(name, pa.Table.from_batches(done, schema))


def backwards_by_seven(rows):
    return [rows.slice(start, 7) for start in range(0, rows.num_rows, 7)][::-1]


@pytest.fixture
def on_engine(monkeypatch):
    def use(pieces):
        def opened(params, scratch):
            return InPieces(connect(params, scratch), pieces)

        monkeypatch.setattr("pipeline.flows.setting.connect", opened)

    return use


@pytest.fixture(scope="module")
def ledger(tmp_path_factory, repository):
    """A project of 80 customers, its ledger taken in."""
    root = tmp_path_factory.mktemp("day") / "project"
    root.mkdir()
    shutil.copytree(repository / "policy", root / "policy")
    params = yaml.safe_load((repository / "params.yaml").read_text(encoding="utf-8"))
    params["ingest"]["demo"] = {"customers": 80, "months": 30, "seed": 2}
    params["score"]["as_of"] = OCTOBER
    # The models here are made up: what they were "developed" on says nothing of this book.
    params["score"]["breakers"] |= {
        name: {"warn": 99.0, "stop": 99.0} for name in ("drift", "nulls", "mean_pd", "segments", "moved_two_grades")
    }
    (root / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    ingest(open_setting(root))
    return root


@pytest.fixture
def project(ledger, tmp_path, make_model, make_characteristic):
    """A copy of the project with two models of which none is in force yet; `champion(name)` puts one in force."""
    root = tmp_path / "project"
    shutil.copytree(ledger, root)
    for name, bounds in (("old", OLD), ("new", NEW)):
        woes = {2: [0.6, -0.9], 3: [0.8, 0.1, -1.2]}
        card = Scorecard(
            tuple(make_characteristic(n, at, woes[len(at) + 1], -0.1, 0.9) for n, at in bounds.items()),
            560.0, 20.0, 600.0, 30.0,
        )  # fmt: skip
        entries = [catalog.by_name(n).as_json() for n in bounds]
        told = {n: {"splits": at, "counts": [5] * (len(at) + 1), "missing": 3} for n, at in bounds.items()}
        development = {
            "default_rate": 0.03, "rows": 1000, "bads": 30,
            "score": {"splits": [2.0, 3.0], "counts": [9, 9, 9], "missing": 0}, "features": told,
        }  # fmt: skip
        model = make_model(
            predictor=card, features=card.features, catalogue=entries, development=development, version="unsaved"
        )
        golden = pd.DataFrame({n: np.linspace(-1.0, 40.0, 10) for n in bounds})
        version = write_model(root / "models", model, golden)
        (root / name).write_text(version)
    return root


def champion(project, name):
    write_role(project / "models", "champion", {"model_version": (project / name).read_text(), "since": "2025-01-01"})


def deliver_to(project, lake):
    """The setting of the project with a lake that what is published is handed on to."""
    params = yaml.safe_load((project / "params.yaml").read_text(encoding="utf-8"))
    params["deliver"]["delta"] = {"folder": str(lake)}
    (project / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    return open_setting(project)


def files(run):
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(run.iterdir()) if p.suffix != ".json"}


@pytest.mark.slow
def test_two_nights_with_a_new_model_are_the_same_however_the_engine_hands_on_the_rows(project, on_engine):
    champion(project, "old")
    score_as_of(project, OCTOBER, None, None, project / "out")
    shutil.copytree(project / "out", project / "again", symlinks=True)
    champion(project, "new")
    score_as_of(project, NOVEMBER, None, None, project / "out")
    on_engine(backwards_by_seven)
    score_as_of(project, NOVEMBER, None, None, project / "again")
    run = project / "out" / "latest"
    assert files(run) == files(project / "again" / "latest")
    changes = pq.read_table(run / "changes.parquet").to_pandas()
    of_pd = changes[changes["quantity"] == "pd"]
    assert len(of_pd) > 20
    assert of_pd["from_model"].abs().sum() > 0
    assert set(of_pd["top_feature_1"].dropna()) <= {*NEW, "rating_status"}
    notes = json.loads((run / "manifest.json").read_text(encoding="utf-8"))["notes"]
    assert not any("orders_halved" in note or "changes:" in note for note in notes)


def put_a_booster_in_force(project, night):
    """Fitted on the spot on a night's rows: LightGBM is what workers must be able to run."""
    import lightgbm

    rows = night.dropna(subset=["industry_section"])
    sections = tuple(sorted(rows["industry_section"].unique()))
    read = (*OLD, "industry_section")
    codes = rows["industry_section"].map({name: code for code, name in enumerate(sections)})
    is_bad = np.random.default_rng(2).random(len(rows)) < 0.1 + 0.5 * (rows["worst_days_late_12m"] > 5)
    data = lightgbm.Dataset(
        rows[list(OLD)].assign(industry_section=codes).to_numpy(float), is_bad.astype(int), feature_name=list(read),
        categorical_feature=["industry_section"],
    )  # fmt: skip
    settings = {"objective": "binary", "num_leaves": 5, "min_data_in_leaf": 5, "num_threads": 1, "verbose": -1}
    text = lightgbm.train({**settings, "seed": 1}, data, 15).model_to_string()
    model = replace(
        read_model(project / "models" / (project / "old").read_text()),
        kind="booster", features=read, catalogue=[catalog.by_name(name).as_json() for name in read],
        predictor=Booster.from_text(text, read, {"industry_section": sections}), version="unsaved",
    )  # fmt: skip
    (project / "booster").write_text(write_model(project / "models", model, rows.head(20)))
    champion(project, "booster")


@pytest.mark.slow
@pytest.mark.xdist_group("spark")
def test_a_night_with_a_new_model_on_spark_is_the_one_on_duckdb(project, tmp_path, spark, monkeypatch):
    """The booster, and the card of the night before beside it, are applied on the workers."""
    champion(project, "old")
    score(open_setting(project))
    put_a_booster_in_force(project, pq.read_table(open_setting(project).project.night).to_pandas())
    params = yaml.safe_load((project / "params.yaml").read_text(encoding="utf-8"))
    params["score"]["as_of"] = NOVEMBER
    (project / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    beside = Path(shutil.copytree(project, tmp_path / "beside", symlinks=True))
    score(open_setting(project))
    on_spark = spark.engine()
    monkeypatch.setattr("pipeline.flows.setting.connect", lambda *_: on_spark)
    score(open_setting(beside))
    both = [open_setting(root).project for root in (project, beside)]
    runs = [one.root / "data" / "scored" / "latest" for one in both]
    assert files(runs[0]) == files(runs[1])
    pd.testing.assert_frame_equal(*(pq.read_table(one.night).to_pandas() for one in both), rtol=0, atol=1e-9)
    receipts = [json.loads(one.receipt.read_text(encoding="utf-8")) for one in both]
    assert receipts[0]["counts"] == receipts[1]["counts"]
    assert receipts[0]["totals"] == receipts[1]["totals"]
    book = pq.read_table(runs[1] / "scored_book.parquet").to_pandas()
    assert (book["model"] == "booster").sum() > 30
    changes = pq.read_table(runs[1] / "changes.parquet").to_pandas()
    assert (changes.loc[changes["quantity"] == "pd", "from_model"].abs() > 0).sum() > 20


@pytest.mark.parametrize(
    ("pieces", "told"),
    [
        (lambda rows: [rows.slice(1)], "1 missing, e.g. customer"),
        (lambda rows: [rows, rows.slice(0, 2)], "2 there more than once, e.g. customer"),
    ],
)
def test_an_engine_that_loses_or_doubles_a_row_publishes_nothing(project, on_engine, pieces, told):
    champion(project, "old")
    on_engine(pieces)
    with pytest.raises(CreditbookError, match=told) as refused:
        score_as_of(project, OCTOBER, None, None, project / "out")
    assert refused.value.exit_code == 70
    assert not (project / "out").exists()


@pytest.mark.slow
def test_drift_is_measured_on_the_answers_that_were_published(project):
    champion(project, "new")
    setting = open_setting(project)
    score(setting)
    monitor(setting)
    night = pq.read_table(setting.project.night).to_pandas()
    model = read_model(project / "models" / (project / "new").read_text())
    assert {"customer_id", "as_of", *NEW, "model_log_odds", "model_pd", "industry_section", "size_class"} <= set(night)
    assert night["model_pd"].tolist() == model.pd(night).tolist()
    book = pq.read_table(project / "data" / "scored" / "latest" / "scored_book.parquet").to_pandas()
    rated = book[book["model"] == "scorecard"].set_index("customer_id")["pd"]
    assert len(rated) > 30
    assert night.set_index("customer_id")["model_pd"].reindex(rated.index).tolist() == rated.tolist()
    told = json.loads((setting.project.monitoring / "monitoring.json").read_text(encoding="utf-8"))["drift"]
    assert told[0]["quantity"] == "score"
    assert {d["rows"] for d in told} == {int((book["rating_status"] == "rated").sum())}


def test_a_model_that_reads_what_the_catalogue_no_longer_has_is_told(project, make_model):
    model = read_model(project / "models" / (project / "old").read_text())
    first = replace(model.predictor.characteristics[0], feature="promises_kept")
    card = replace(model.predictor, characteristics=(first, *model.predictor.characteristics[1:]))
    entries = [{**model.catalogue[0], "name": "promises_kept"}, *model.catalogue[1:]]
    gone = replace(model, predictor=card, features=card.features, catalogue=entries)
    golden = pd.DataFrame({n: np.linspace(-1.0, 40.0, 10) for n in card.features})
    (project / "gone").write_text(write_model(project / "models", gone, golden))
    champion(project, "gone")
    with pytest.raises(CreditbookError, match=r"1 of 3 columns the model reads are missing, e\.g\. 'promises_kept'"):
        score_as_of(project, OCTOBER, None, None, project / "out")


@pytest.fixture
def strict(project):
    """The project with a breaker that no run passes: the mean PD may not move at all."""

    def tighten(**thresholds):
        params = yaml.safe_load((project / "params.yaml").read_text(encoding="utf-8"))
        params["score"]["breakers"] |= {name: {"warn": 0.0, "stop": stop} for name, stop in thresholds.items()}
        (project / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")

    champion(project, "old")
    score_as_of(project, OCTOBER, None, None, project / "out")
    champion(project, "new")
    return tighten


def test_a_run_that_a_breaker_stops_is_kept_aside_and_readers_see_the_old_one(project, strict):
    strict(mean_pd=0.0)
    out = project / "out"
    before = files(out / "latest")
    with pytest.raises(GateError, match=r"1 circuit breaker\(s\) stopped the run of 2025-11-30") as refused:
        score_as_of(project, NOVEMBER, None, None, out)
    assert refused.value.exit_code == 80
    assert (out / "latest").resolve().name == json.loads((out / "latest" / "manifest.json").read_text())["run_id"]
    assert files(out / "latest") == before
    assert not (out / f"as_of={NOVEMBER}").exists()
    (held,) = (path for path in (out / ".held").iterdir() if path.is_dir())
    assert verify(held) == []
    why = (out / ".held" / f"{held.name}.md").read_text(encoding="utf-8")
    assert "| mean_pd | red |" in why
    assert held.name in str(refused.value)
    gates = json.loads((held / "manifest.json").read_text())["gates"]
    assert [gate["name"] for gate in gates if gate["light"] == "red"] == ["mean_pd"]


def test_whoever_accepts_a_stopped_run_publishes_it_and_is_remembered(project, strict):
    strict(mean_pd=0.0)
    out = project / "out"
    with pytest.raises(GateError):
        score_as_of(project, NOVEMBER, None, None, out)
    (held,) = (path for path in (out / ".held").iterdir() if path.is_dir())
    kept = files(held)
    score_as_of(project, NOVEMBER, None, None, out, accept="the new model was agreed on Monday", by="A. Clerk")
    assert (out / "latest").resolve().name == held.name
    assert files(out / "latest") == kept
    assert list((out / ".held").iterdir()) == []
    (decision,) = acceptances(out)
    assert (decision.run_id, decision.breakers, decision.by) == (held.name, ("mean_pd",), "A. Clerk")
    assert decision.reason == "the new model was agreed on Monday"
    # The nightly job repeats the run without being asked again.
    score_as_of(project, NOVEMBER, None, None, out)
    shutil.rmtree(out / ".runs" / held.name)
    score_as_of(project, NOVEMBER, None, None, out)
    assert files(out / "latest") == kept
    assert len(acceptances(out)) == 1


@pytest.mark.slow
def test_a_run_that_nobody_has_looked_at_cannot_be_accepted(project, strict, capsys):
    out = project / "out"
    score_as_of(project, OCTOBER, None, None, out, accept="no need", by="A. Clerk")
    assert "--accept: nothing stops run" in capsys.readouterr().out
    strict(mean_pd=0.0)
    with pytest.raises(GateError, match="nobody can have looked at") as refused:
        score_as_of(project, NOVEMBER, None, None, out, accept="agreed on Monday", by="A. Clerk")
    assert refused.value.exit_code == 80
    assert acceptances(out) == []
    (held,) = (path for path in (out / ".held").iterdir() if path.is_dir())
    # A damaged one cannot be looked at either; it is held anew.
    (held / "scored_book.csv").write_text("")
    with pytest.raises(GateError, match="nobody can have looked at"):
        score_as_of(project, NOVEMBER, None, None, out, accept="agreed on Monday", by="A. Clerk")
    assert verify(held) == []
    score_as_of(project, NOVEMBER, None, None, out, accept="agreed on Monday", by="A. Clerk")
    assert [one.run_id for one in acceptances(out)] == [held.name] == [(out / "latest").resolve().name]


@pytest.mark.parametrize("days", [["--as-of", "2025-10-31"], ["--from", "2025-08-31", "--to", "2025-10-31"]])
def test_who_accepts_is_not_told_without_what_is_accepted(days, capsys):
    assert _run(["score", *days, "--by", "A. Clerk"]) == 2
    assert "it goes with --accept" in capsys.readouterr().err


def test_another_definition_of_default_is_another_run_of_the_same_day(project):
    champion(project, "old")
    out, path = project / "out", project / "policy" / "default_definition.yaml"
    score_as_of(project, OCTOBER, None, None, out)
    before = json.loads((out / "latest" / "manifest.json").read_text())
    text = path.read_text(encoding="utf-8")
    assert "\n  days: 90\n" in text
    path.write_text(text.replace("\n  days: 90\n", "\n  days: 5\n"), encoding="utf-8")
    score_as_of(project, OCTOBER, None, None, out)
    after = json.loads((out / "latest" / "manifest.json").read_text())
    assert after["run_id"] != before["run_id"]
    assert after["versions"]["default_definition"] != before["versions"]["default_definition"]
    # Five days past due instead of ninety: more customers are in default.
    assert after["counts"]["by_status"]["in_default"] > before["counts"]["by_status"].get("in_default", 0)


def test_a_run_is_told_receipted_and_handed_on_though_the_removal_of_old_ones_fails(
    project, monkeypatch, tmp_path, capsys
):
    champion(project, "old")
    setting = deliver_to(project, tmp_path / "mnt" / "lake")

    def full(*_args):
        raise StorageError("no old run can be removed")

    monkeypatch.setattr("pipeline.score.publish.prune", full)
    # The target is down besides: both are told, and the code is that of the target.
    with pytest.raises(TargetUnreachableError, match=r"is not there; mount(.|\n)*removed: no old run"):
        score(setting)
    (tmp_path / "mnt").mkdir()
    with pytest.raises(
        StorageError, match=r"^score\.keep: .* is published; old .* no old run can be removed$"
    ) as refused:
        score(setting)
    assert refused.value.exit_code == 74
    run = (project / "data" / "scored" / "latest").resolve()
    held = DeltaTable(tmp_path / "mnt" / "lake").to_pyarrow_table(columns=["run_id"])
    assert set(held["run_id"].to_pylist()) == {run.name}
    assert verify(run) == []
    assert f"(run {run.name})" in capsys.readouterr().out
    assert json.loads(setting.project.receipt.read_text(encoding="utf-8"))["run_id"] == run.name


def test_back_filling_scores_every_month_end_with_what_was_known_then(project):
    champion(project, "new")
    out = project / "out"
    # Retention keeps none of them; they were asked for.
    params = yaml.safe_load((project / "params.yaml").read_text(encoding="utf-8"))
    params["score"]["keep"] = {"days": 0, "month_ends": 0, "leaving": 0}
    (project / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    score_days(project, (dt.date(2025, 8, 15), OCTOBER), None, None, out)
    days = [dt.date(2025, 8, 31), dt.date(2025, 9, 30), OCTOBER]
    assert sorted(path.name for path in out.glob("as_of=*")) == [f"as_of={day}" for day in days]
    score_as_of(project, days[0], None, None, project / "alone")
    assert files(out / f"as_of={days[0]}") == files(project / "alone" / "latest")
    with pytest.raises(CreditbookError, match="no month end lies from"):
        score_days(project, (dt.date(2025, 8, 1), dt.date(2025, 8, 2)), None, None, out)
    with pytest.raises(CreditbookError, match="--from 2025-10-31 lies after --to 2025-08-31"):
        score_days(project, (OCTOBER, days[0]), None, None, out)


def test_a_day_filled_in_names_the_later_run_to_score_again_and_is_silent_once_it_is(project, capsys):
    champion(project, "new")
    out, september = project / "out", dt.date(2025, 9, 30)
    score_as_of(project, OCTOBER, None, None, out)
    assert "later run(s)" not in capsys.readouterr().err
    score_days(project, (september, september), None, None, out)
    (hint,) = [line for line in capsys.readouterr().err.splitlines() if "later run(s)" in line]
    assert "1 later run(s) were compared with other runs than lie before them now" in hint
    assert hint.endswith("score again, oldest first: creditbook score --as-of 2025-10-31")
    score_as_of(project, OCTOBER, None, None, out)
    assert "later run(s)" not in capsys.readouterr().err


def as_handed_in_on(day, source, folder):
    """The ledger as it was on a day: what was known by then, without the facts that came to light later."""
    folder.mkdir()
    for path in sorted(source.glob("*.parquet")):
        rows = pq.read_table(path)
        rows = rows.filter(pc.less_equal(rows["known_on"], pa.scalar(day)))
        for column in BY_NAME[path.stem]:
            if column.is_revealed and column.name in rows.column_names:
                is_later = pc.fill_null(pc.greater(rows[column.name], pa.scalar(day)), False)
                for name in (column.name, *column.reveals):
                    place = rows.column_names.index(name)
                    kept = pc.if_else(is_later, pa.scalar(None, rows[name].type), rows[name])
                    rows = rows.set_column(place, name, kept)
        pq.write_table(rows, folder / path.name)


@pytest.mark.slow
def test_a_back_filled_book_is_byte_for_byte_the_one_the_ledger_of_that_day_gave(project, tmp_path):
    champion(project, "new")
    day = dt.date(2025, 8, 31)
    then = tmp_path / "then"
    shutil.copytree(project, then)
    as_handed_in_on(day, project / "data" / "demo", tmp_path / "source")
    params = yaml.safe_load((then / "params.yaml").read_text(encoding="utf-8"))
    params["ingest"] |= {"source": str(tmp_path / "source"), "extract_date": day}
    (then / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    ingest(open_setting(then))
    rows = [pq.read_metadata(root / "data" / "ledger" / "payments.parquet").num_rows for root in (then, project)]
    assert rows[0] < 0.95 * rows[1]
    for root in (then, project):
        score_days(root, (day, day), None, None, tmp_path / f"out-{root.name}")
    now, once = (tmp_path / f"out-{root.name}" / f"as_of={day}" for root in (project, then))
    assert files(now) == files(once)
    assert (now.resolve().name == once.resolve().name) is False
    assert len(files(now)) == 5


def test_a_target_that_is_down_undoes_nothing_and_is_served_when_it_is_up(project, tmp_path):
    champion(project, "new")
    setting = deliver_to(project, tmp_path / "mnt" / "lake")
    with pytest.raises(TargetUnreachableError, match="is not there; mount or make it"):
        score(setting)
    run = project / "data" / "scored" / "latest"
    assert verify(run) == []
    receipt = json.loads(setting.project.receipt.read_text(encoding="utf-8"))
    assert receipt["run_id"] == run.resolve().name
    (tmp_path / "mnt").mkdir()
    deliver_published(project, None)
    held = DeltaTable(tmp_path / "mnt" / "lake").to_pyarrow_table().sort_by("customer_id")
    book = pq.read_table(run / "scored_book.parquet")
    assert held.select(book.column_names).to_pylist() == book.to_pylist()
    assert set(held["run_id"].to_pylist()) == {receipt["run_id"]}


def test_a_damaged_book_of_acceptances_is_refused(project, strict):
    strict(mean_pd=0.0)
    (project / "out" / "accepted.jsonl").write_text('{"run_id": 1}\n', encoding="utf-8")
    with pytest.raises(CreditbookError, match=r"accepted\.jsonl, line 1: no record of an acceptance"):
        score_as_of(project, NOVEMBER, None, None, project / "out")


def test_a_night_tells_its_figures_and_no_customer_by_name(project, tmp_path, capsys, monkeypatch):
    champion(project, "new")
    names = pq.read_table(project / "data" / "ledger" / "customers.parquet")["name"].drop_null().to_pylist()
    assert len(set(names)) > 50
    monkeypatch.setenv("CREDITBOOK_LOG_FORMAT", "json")
    score_as_of(project, OCTOBER, None, None, tmp_path / "out")
    told = capsys.readouterr()
    events = {event["event"]: event for event in map(json.loads, (told.out + told.err).splitlines())}
    assert verify(tmp_path / "out" / "latest") == []
    manifest = json.loads((tmp_path / "out" / "latest" / "manifest.json").read_text())
    assert manifest["run_id"] == events["published"]["run_id"]
    assert events["book_scored"]["by_status"] == manifest["counts"]["by_status"]
    assert events["book_scored"]["customers"] == sum(manifest["counts"]["by_status"].values()) > 70
    metrics = events["night_metrics"]
    assert set(metrics["seconds"]) == {"features", "book", "breakers", "publishing"}
    assert metrics["seconds"]["features"] > 0
    assert metrics["peak_mib"] > 50
    assert not [name for name in names if name in told.out + told.err]
