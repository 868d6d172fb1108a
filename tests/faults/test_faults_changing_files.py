"""A ledger, or what is handed in, that changes while it is read: the old or the new is used, never a mixture. And
runs that are published while another is reckoned."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pyarrow.parquet as pq
import pytest
import yaml
from hand_made import day, hand_in, invoice, small_ledger
from small_night import make_project, take_in, tree

from pipeline.errors import OvertakenError, StorageError
from pipeline.flows import backtest_facts, known_models, score_day
from pipeline.flows.setting import open_setting
from pipeline.tables import gather

DAY = day("2025-09-30")


@pytest.fixture(scope="module")
def grown(tmp_path_factory):
    """A project whose ledger is the old one; beside it lies a newer ledger, of the same customers and one invoice each
    more."""
    root = make_project(tmp_path_factory.mktemp("grown") / "project", {"customers": 2, "months": 18, "seed": 1})
    path = root / "params.yaml"
    params = yaml.safe_load(path.read_text(encoding="utf-8"))
    params["ingest"] |= {"source": "given", "extract_date": day("2025-12-31")}
    params["score"]["breakers"]["stale_days"] = {}
    path.write_text(yaml.safe_dump(params), encoding="utf-8")
    newer = small_ledger(20)
    newer["invoices"] += [invoice(f"L{n}", f"C{n:04d}", "2025-09-15", "2025-10-15", "500.00") for n in range(20)]
    for name, tables in (("newer", newer), ("older", small_ledger(20))):
        hand_in(root / "given", tables)
        take_in(root)
        shutil.copytree(root / "data" / "ledger", root / "data" / name)
    return root


@pytest.fixture
def project(grown, tmp_path):
    return shutil.copytree(grown, tmp_path / "project")


def open_amount(out):
    """The sum of a published run, and the ledger it says it was reckoned from."""
    manifest = json.loads((out / "latest" / "manifest.json").read_text(encoding="utf-8"))
    return manifest["totals"]["open_amount"], manifest["versions"]["ledger"]


def version(root, name):
    return json.loads((root / "data" / name / "manifest.json").read_text(encoding="utf-8"))["data_version"]


def swap(root):
    """Another process puts the newer ledger in place, as intake does: two renames."""
    data = root / "data"
    script = "import os, sys; os.rename(sys.argv[1], sys.argv[2]); os.rename(sys.argv[3], sys.argv[1])"
    places = [str(data / "ledger"), str(data / "gone"), str(data / "newer")]
    subprocess.run([sys.executable, "-c", script, *places], check=True)


def append(root):
    """Another process writes on into a file that is being read."""
    with (root / "data" / "ledger" / "invoices.parquet").open("ab") as file:
        file.write(b"more")


def take_away(root):
    (root / "data" / "ledger" / "payments.parquet").unlink()


@pytest.mark.parametrize("change", [swap, append, take_away])
def test_a_ledger_that_changes_while_it_is_read_ends_the_night_and_the_next_uses_the_new_one(
    project, monkeypatch, change
):
    real = score_day.tell_of_absent
    with monkeypatch.context() as patch:
        # The files were opened and their hashes found true; most of the reading lies ahead.
        patch.setattr(score_day, "tell_of_absent", lambda present: (change(project), real(present))[1])
        with pytest.raises(StorageError, match=r"\d file\(s\) or folder\(s\) changed while they were read") as refused:
            score_day.score_as_of(project, DAY, None, None, project / "out")
    assert refused.value.exit_code == 74
    assert not (project / "out").exists()
    if change is swap:
        newer = version(project, "ledger")
        assert newer != version(project, "gone")
        score_day.score_as_of(project, DAY, None, None, project / "out")
        assert open_amount(project / "out") == ("30000.00", newer)  # 20 x (1,000.00 + 500.00)


@pytest.mark.slow
def test_ledgers_swapped_all_the_time_give_runs_of_one_or_of_the_other(project, monkeypatch):
    script = (
        "import os, sys, time\n"
        "ledger, other, gone = sys.argv[1:]\n"
        "while True:\n"
        "    os.rename(ledger, gone); os.rename(other, ledger); os.rename(gone, other)\n"
        "    time.sleep(0.9)\n"
    )
    data = project / "data"
    due = {("20000.00", version(project, "older")), ("30000.00", version(project, "newer"))}
    writer = subprocess.Popen([sys.executable, "-c", script, *(str(data / n) for n in ("ledger", "newer", "gone"))])
    outcomes = []
    try:
        for number in range(4):
            out = project / f"out{number}"
            try:
                score_day.score_as_of(project, DAY, None, None, out)
                outcomes.append(open_amount(out))
            except StorageError as noticed:
                outcomes.append("noticed" if "changed while they were read" in str(noticed) else str(noticed))
    finally:
        writer.terminate()
        writer.wait()
    assert len(outcomes) == 4
    assert set(outcomes) <= {*due, "noticed"}
    assert outcomes.count("noticed") == sum(not (project / f"out{number}").exists() for number in range(4))


@pytest.mark.parametrize(
    ("flow", "step", "read"),
    [
        (known_models, "snapshot_dates", lambda setting: known_models.models_of_months(setting, [DAY])),
        (backtest_facts, "defaults_begun", lambda setting: backtest_facts.facts_of(setting, [DAY])),
    ],
)
def test_what_looks_back_over_the_past_uses_one_ledger_too(project, monkeypatch, flow, step, read):
    real = getattr(flow, step)
    monkeypatch.setattr(flow, step, lambda *given: (swap(project), real(*given))[1])
    with pytest.raises(StorageError, match="changed while they were read"):
        read(open_setting(project))


@pytest.mark.slow
def test_of_two_nights_of_one_day_the_slower_with_the_older_ledger_publishes_nothing(project, monkeypatch):
    out, real = project / "out", score_day.drafting

    def after_a_faster_night(place, wait):
        monkeypatch.setattr(score_day, "drafting", real)
        swap(project)
        score_day.score_as_of(project, DAY, None, None, place)
        return real(place, wait)

    # The older ledger was read; before the lock is taken a newer one is taken in, and its night published.
    monkeypatch.setattr(score_day, "drafting", after_a_faster_night)
    with pytest.raises(OvertakenError, match=r"1 input\(s\) that are replaced by now, e\.g\. the ledger") as refused:
        score_day.score_as_of(project, DAY, None, None, out)
    assert refused.value.exit_code == 75
    assert open_amount(out) == ("30000.00", version(project, "ledger"))
    assert [path.name for path in (out / ".runs").iterdir()] == [(out / "latest").resolve().name]


@pytest.mark.parametrize("how", ["grows", "is replaced"])
def test_what_is_handed_in_and_changes_while_it_is_read_is_not_taken_in(project, monkeypatch, how):
    given = project / "given"
    before = tree(project / "data" / "ledger")
    rows = pq.read_table(given / "invoices.parquet")
    real = gather.read_extract

    def read(path, formats):
        extract = real(path, formats)
        # The writer is at work while the last table is read: invoices were read, and are written anew.
        if path.name == "payments.parquet":
            target = given / ("invoices.parquet" if how == "grows" else "aside")
            pq.write_table(rows.slice(0, rows.num_rows - 1), target)
            target.replace(given / "invoices.parquet")
        return extract

    monkeypatch.setattr(gather, "read_extract", read)
    with pytest.raises(StorageError, match=r"1 file\(s\) or .* changed while they were read, e\.g\. invoices\.parquet"):
        take_in(project)
    assert tree(project / "data" / "ledger") == before
