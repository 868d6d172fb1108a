"""The replay of policies on a project that has run: models of their day, pages, exit codes, the same bytes twice."""

import datetime as dt
import json

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from project_copy import creditbook, hashes

from pipeline.engine import connect_duckdb
from pipeline.flows import known_models
from pipeline.flows.known_models import model_known_on
from pipeline.flows.setting import open_setting
from pipeline.flows.walk_forward import walk_forward
from pipeline.history.definition import parse_definition
from pipeline.history.point_in_time import known_by
from pipeline.labels.outcomes import snapshot_outcomes
from pipeline.score.applied import FormulaText
from pipeline.tables.canonical import ledger_of

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("main_job")]

_ADDED = ("revision", "superseded_on")


@pytest.fixture(scope="module")
def handed_in(ran):
    """The tables of the ledger as they came, and its extract date."""
    folder = ran.root / "data" / "ledger"
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    tables = {
        name: rows.drop_columns([c for c in _ADDED if c in rows.column_names])
        for name in manifest["files"]
        for rows in [pq.read_table(folder / f"{name}.parquet")]
    }
    return tables, dt.date.fromisoformat(manifest["extract_date"])


@pytest.fixture(scope="module")
def refit_on(handed_in):
    """A month end on which enough outcomes had matured for a fit, and much was still to come."""
    extract = handed_in[1]
    return dt.date(extract.year - 1, 6, 30)


def poisoned(tables, day):
    """The same, and on the day after it becomes known that everybody had been insolvent for a year."""
    ids = tables["customers"]["customer_id"].unique().to_pylist()
    event = {
        "kind": "insolvency", "occurred_on": day - dt.timedelta(days=365), "known_on": day + dt.timedelta(days=1)
    }  # fmt: skip
    rows = [{**event, "event_id": f"late-{customer}", "customer_id": customer} for customer in ids]
    events = tables["events"]
    late = pa.Table.from_pylist(rows, schema=pa.schema([events.schema.field(n) for n in rows[0]]))
    return {**tables, "events": pa.concat_tables([events, late], promote_options="default")}


def test_outcomes_of_a_day_are_those_of_the_ledger_handed_in_on_that_day(ran, handed_in, refit_on):
    tables, extract = handed_in
    setting = open_setting(ran.root)
    definition = parse_definition(setting.project.definition.read_text(encoding="utf-8"))

    def outcomes(ledger):
        found = snapshot_outcomes(ledger, setting.params.label, definition, engine.keep)
        return engine.collect(found, order_by=("as_of", "customer_id"))

    engine = connect_duckdb(2, "2GB")
    try:
        late = ledger_of(engine.register, poisoned(tables, refit_on), extract_date=extract)
        then = {name: rows.filter(pc.less_equal(rows["known_on"], refit_on)) for name, rows in tables.items()}
        cut, truth = (
            outcomes(known_by(late, refit_on)),
            outcomes(ledger_of(engine.register, then, extract_date=refit_on)),
        )
    finally:
        engine.close()
    assert cut.equals(truth)
    assert pc.sum(truth["is_bad"]).as_py() > 20


def test_a_model_of_a_day_knows_no_label_that_was_told_later(ran, handed_in, refit_on, monkeypatch):
    tables, extract = handed_in
    setting = open_setting(ran.root)
    truth = model_known_on(setting, refit_on)
    late = poisoned(tables, refit_on)
    with monkeypatch.context() as patched:
        patched.setattr(
            known_models, "ledger_in", lambda engine, _: ledger_of(engine.register, late, extract_date=extract)
        )
        found = model_known_on(setting, refit_on)
    assert found.fitted_on == refit_on
    assert (found.snapshots, found.bads) == (truth.snapshots, truth.bads)
    assert FormulaText.of(found.model) == FormulaText.of(truth.model)


def test_a_walk_gives_each_month_what_its_night_would_have_seen(ran, handed_in):
    setting, extract = open_setting(ran.root), handed_in[1]
    columns = ["mean_days_late_3m", "industry_section"]
    first, last = dt.date(extract.year - 2, 9, 1), dt.date(extract.year - 2, 11, 30)
    months = list(walk_forward(setting, first, last, columns).months())
    assert [month.as_of for month in months] == sorted(month.as_of for month in months)
    assert [month.is_hypothetical for month in months] == [True, False, False]
    for month in months:
        assert month.is_hypothetical == (month.known.fitted_on is None)
        assert month.known.fitted_on is None or month.known.fitted_on <= month.as_of
        assert len(month.positions) == len(month.features) == len(month.rating.pd) == len(month.answers.pd)
        assert set(columns) <= set(month.features.columns)
    # The row of a training snapshot is the row of its day.
    stored = pq.read_table(setting.project.features, columns=["customer_id", "as_of", *columns]).to_pandas()
    then = stored[stored["as_of"] == months[-1].as_of].set_index("customer_id")[columns]
    seen = months[-1].features.set_index("customer_id").loc[then.index, columns]
    assert seen.equals(then)


@pytest.fixture(scope="module")
def span(handed_in):
    """Four month ends with outcomes that are all known; no model could be fitted by the first of them."""
    extract = handed_in[1]
    return f"{extract.year - 2}-09-30", f"{extract.year - 2}-12-31"


@pytest.fixture(scope="module")
def candidates(ran, tmp_path_factory):
    folder = tmp_path_factory.mktemp("candidates")
    text = (ran.root / "policy" / "limits.yaml").read_text(encoding="utf-8")
    assert "headroom: 2.5" in text
    (folder / "copy.yaml").write_text(text, encoding="utf-8")
    (folder / "tight.yaml").write_text(text.replace("headroom: 2.5", "headroom: 1.0"), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def replayed(ran, span, candidates, tmp_path_factory):
    """The folder of a replay with two candidates; made twice, with the same bytes."""
    outs = [tmp_path_factory.mktemp(name) for name in ("one", "two")]
    for number, out in enumerate(outs):
        done = creditbook(
            ran.root, "backtest", "--from", span[0], "--to", span[1], "--policy", str(candidates / "copy.yaml"),
            "--policy", str(candidates / "tight.yaml"), "--out", str(out), PYTHONHASHSEED=str(number),
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
    assert hashes(outs[0]) == hashes(outs[1])
    (folder,) = outs[0].iterdir()
    return folder


def test_the_report_tells_an_equal_candidate_and_a_tighter_one(replayed):
    assert {path.name for path in replayed.iterdir()} == {"backtest.json", "backtest.en.html", "backtest.zh.html"}
    told = json.loads((replayed / "backtest.json").read_text(encoding="utf-8"))
    assert [one["name"] for one in told["policies"]] == ["stood", "current", "copy", "tight"]
    pairs = {(one["first"], one["second"]): one for one in told["differences"]}
    assert pairs["current", "copy"]["verdict"] == "same"
    assert pairs["current", "copy"]["net"] == {"value": "0.00", "low": "0.00", "high": "0.00"}
    tight, current = (told["policies_figures"][name] for name in ("tight", "current"))
    assert float(tight["refused"]["value"]) > float(current["refused"]["value"]) > 0
    assert [month["is_mature"] for month in told["months"]] == [True] * 4
    assert [month["is_hypothetical"] for month in told["months"]] == [True, False, False, False]
    assert [month["is_judged"] for month in told["months"]] == [False, True, True, True]
    assert told["policies"][3]["changes"] == [["limits.need.headroom", "2.5", "1.0"]]
    assert str(replayed.parent) not in (replayed / "backtest.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_keeps_within_its_width_and_says_the_verdict_first(chromium, replayed, tmp_path, language):
    text = (replayed / f"backtest.{language}.html").read_text(encoding="utf-8")
    for width, height in ((1280, 1000), (390, 844)):
        found, done = chromium.probe(text, chromium.LOOKS, tmp_path, width, height)
        assert found == {
            "overflow": "0", "width": str(width), "charts": "3", "flat": "0", "broken": "0", "loaded": "0",
            "scripts": "0",
        }  # fmt: skip
        assert chromium.complaints(done) == []


@pytest.mark.parametrize(
    ("span", "policy", "code", "said"),
    [
        (("2024-01-31", "2999-01-31"), None, 78, "lies after the extract date"),
        (("2024-01-31", "2024-03-31"), "typo.yaml", 78, "limits.need.headrom: unknown key"),
    ],
)
def test_what_cannot_be_replayed_is_told_before_anything_is_computed(ran, candidates, span, policy, code, said):  # noqa: PLR0917 - a row of the table
    (candidates / "typo.yaml").write_text(
        (candidates / "copy.yaml").read_text(encoding="utf-8").replace("headroom: 2.5", "headrom: 2.5"),
        encoding="utf-8",
    )
    options = [] if policy is None else ["--policy", str(candidates / policy)]
    done = creditbook(ran.root, "backtest", "--from", span[0], "--to", span[1], *options)
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr
    assert "Traceback" not in done.stderr
    assert not (ran.root / "data" / "backtest").exists()
