"""The command as an operator meets it: JSON lines, no names of customers, no passwords, signals, exit codes."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import traced_command
import yaml
from hand_made import day, hand_in, small_ledger
from small_night import COMMAND, NOVEMBER, REPOSITORY, command, make_project, tree

from pipeline.cli import _run
from pipeline.flows import log
from pipeline.score.run_check import verify

MARK = "Zyxomark"
NIGHT = ["score", "--as-of", "2025-09-30"]


@pytest.fixture(scope="module")
def marked(tmp_path_factory):
    """A project whose customers all bear the mark in their name, with a broken ledger beside the sound one."""
    root = make_project(tmp_path_factory.mktemp("marked") / "project", {"customers": 2, "months": 18, "seed": 1})
    path = root / "params.yaml"
    params = yaml.safe_load(path.read_text(encoding="utf-8"))
    params["ingest"] |= {"source": "given", "extract_date": day("2025-12-31")}
    params["score"]["breakers"]["stale_days"] = {}
    path.write_text(yaml.safe_dump(params), encoding="utf-8")
    tables = small_ledger(12)
    for number, row in enumerate(tables["customers"]):
        row |= {"name": f"{MARK}, {number} GmbH", "address": f"{MARK} street {number}", "phone": f"{MARK}{number}"}
    hand_in(root / "given", tables)
    broken = root / "broken"
    shutil.copytree(root / "given", broken)
    (broken / "customers.parquet").unlink()
    lines = [f"{row['customer_id']},{row['name']},2022-01-01,2022-01-01" for row in tables["customers"]]
    # Commas in names without quotes, a customer twice with two names, one that is not known yet.
    lines += [f"C9,{MARK},2022-01-01,2022-01-01", f"C9,{MARK} AG,2022-01-01,2022-01-01", f"C8,{MARK},2022-01-01,"]
    header = "customer_id,name,customer_since,known_on\n"
    (broken / "customers.csv").write_text(header + "\n".join(lines) + "\n", encoding="utf-8")
    return root


def told_by(capfd, monkeypatch, root, *arguments, code=0):
    """What the command wrote to both streams, run in this process; its exit code is as expected."""
    monkeypatch.chdir(root)
    capfd.readouterr()
    assert _run(list(arguments)) == code, capfd.readouterr()
    told = capfd.readouterr()
    return told.out + told.err


def objects(told):
    """Every line as the JSON object it must be."""
    lines = told.splitlines()
    assert lines
    found = [json.loads(line) for line in lines]
    for one in found:
        assert {"at", "level", "event", "message"} <= set(one)
    return found


def every_way(root):
    """Commands and the codes they end with, good and bad; in this order."""
    run = "data/scored/latest"
    return [
        (["check", "given"], 0),
        (["check", "broken"], 65),
        (["check", "nowhere"], 66),
        (["stage", "label"], 66),
        (["stage", "ingest"], 0),
        (NIGHT, 0),
        (NIGHT, 0),
        (["score", "--as-of", "2026-06-30"], 78),
        (["--debug", "score", "--as-of", "2026-06-30"], 78),
        (["verify", run], 0),
        (["verify", "nowhere"], 66),
        (["explain", "C0001"], 0),
        (["explain", "nobody"], 66),
        (["export-card", "--format", "json", "--out", "card.json"], 0),
        (["--debug", "export-card", "--format", "json", "--out", "params.yaml/card.json"], 73),
        (["compare", "champion", "nobody"], 66),
        (["promote", "nobody"], 66),
        (["rollback"], 66),
        (["portfolio", "--as-of", "2020-01-31"], 66),
        (["score"], 2),
        (["score", "--as-of", "30.9.2025"], 2),
        (["no-such-command"], 2),
        (["--debug", "stage", "fit_scorecard"], 66),
    ]


@pytest.mark.slow
def test_every_line_of_every_command_is_a_json_object_and_none_names_a_customer(marked, tmp_path, monkeypatch, capfd):
    root = shutil.copytree(marked, tmp_path / "project")
    monkeypatch.setenv(log.FORMAT, "json")
    monkeypatch.setenv("CREDITBOOK_DEBUG", "0")
    events = set()
    for arguments, code in every_way(root):
        monkeypatch.setenv("CREDITBOOK_DEBUG", "0")
        told = told_by(capfd, monkeypatch, root, *arguments, code=code)
        found = objects(told)
        events |= {one["event"] for one in found}
        if arguments[0] != "explain":
            assert MARK not in told, arguments
        if code:
            assert (found[-1]["level"], found[-1]["exit_code"]) == ("error", code)
            assert ("Traceback" in found[-1].get("traceback", "")) == (arguments[0] == "--debug")
    due = {"ledger_checked", "ledger_taken_in", "book_scored", "published", "night_metrics", "tables_absent"}
    assert events >= due | {"verified", "customer_explained", "failed", "usage"}
    # The names are there, for those who read the book.
    assert MARK in pq.read_table(root / "data" / "scored" / "latest" / "scored_book.parquet")["name"][0].as_py()


def test_lines_for_people_name_no_customer_either(marked, tmp_path, monkeypatch, capfd):
    root = shutil.copytree(marked, tmp_path / "project")
    params = yaml.safe_load((root / "params.yaml").read_text(encoding="utf-8"))
    told_by(capfd, monkeypatch, root, "stage", "ingest")
    told = told_by(capfd, monkeypatch, root, *NIGHT)
    params["ingest"]["source"] = "broken"
    (root / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    monkeypatch.setenv("CREDITBOOK_DEBUG", "0")
    told += told_by(capfd, monkeypatch, root, "--debug", "stage", "ingest", code=65)
    assert "Traceback" in told
    assert "customers.customer_id" in told
    assert MARK not in told


def test_warnings_and_records_of_libraries_become_objects(capsys, monkeypatch):
    import logging
    import warnings

    monkeypatch.setenv(log.FORMAT, "json")
    monkeypatch.setattr(logging, "lastResort", logging.lastResort)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        log.listen_to_libraries()
        warnings.warn("old option", DeprecationWarning, stacklevel=1)
        logging.getLogger("some.library").propagate = False
        logging.getLogger("some.library").warning("slow %s", "disk")
    first, second = objects(capsys.readouterr().err)
    assert (first["event"], first["message"], first["category"]) == (
        "library_warning",
        "old option",
        "DeprecationWarning",
    )
    assert (second["event"], second["message"], second["logger"]) == ("library", "slow disk", "some.library")


def test_the_password_of_a_registry_is_told_to_nobody(marked, tmp_path, monkeypatch, capfd):
    from pipeline.errors import TargetUnreachableError
    from pipeline.registry import open_registry

    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://clerk:s3cret-word@127.0.0.1:9")
    with pytest.raises(TargetUnreachableError) as refused:
        open_registry(tmp_path, None, "e", "m").registered("v")
    assert "127.0.0.1:9" in str(refused.value)
    assert "s3cret" not in str(refused.value)


def test_no_file_of_the_project_holds_a_secret():
    listed = subprocess.run(["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    names = [name for name in listed.stdout.splitlines() if name.endswith((".yaml", ".yml", ".toml", ".cfg", "config"))]
    secret = re.compile(r"(?i)(password|passwd|secret|token|api_?key)\s*[:=]\s*\S|://[^/\s:]+:[^@\s]+@")
    held = [name for name in names if secret.search((REPOSITORY / name).read_text(encoding="utf-8"))]
    assert "params.yaml" in names
    assert held == []


@pytest.mark.slow
@pytest.mark.xdist_group("faults")
@pytest.mark.parametrize(
    ("sent", "code", "word"), [(signal.SIGTERM, 143, "terminated"), (signal.SIGINT, 130, "interrupted")]
)
def test_a_signal_while_features_are_built_ends_the_night_with_its_code_and_nothing_half(
    copied, tmp_path, sent, code, word
):
    out, scratch = tmp_path / "out", copied / "data" / "scratch"
    # A shell without job control starts what runs in the background deaf to SIGINT; here it is heard.
    heard = ["env", "--default-signal=INT", COMMAND]
    arguments = [*heard, "--log-format", "json", "score", "--as-of", str(NOVEMBER), "--out", str(out)]
    started = subprocess.Popen(arguments, cwd=copied, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 120
    # The engine's own folder is there from when the features begin.
    while not list(scratch.glob("duckdb-*/*")) and time.monotonic() < until:
        time.sleep(0.02)
    time.sleep(0.3)
    started.send_signal(sent)
    told = "".join(started.communicate(timeout=120))
    assert started.returncode == code
    assert objects(told)[-1] | {"at": ""} == {
        "at": "", "level": "error", "event": "interrupted", "exit_code": code,
        "message": f"{word}; nothing half-written was left in place; run again",
    }  # fmt: skip
    assert not out.exists()
    assert list(scratch.iterdir()) == []


@pytest.mark.slow
@pytest.mark.xdist_group("faults")
def test_a_signal_in_the_middle_of_publishing_leaves_the_old_runs_and_nothing_aside(later_night):
    later_night.reset()
    before = tree(later_night.out)
    flushes = [call for call in later_night.traced.calls if call.name == "fsync"]
    done = traced_command.signalled_at(flushes[3], "TERM", later_night.command, later_night.scratch / "term.log")
    assert done.returncode == 143
    assert "terminated; nothing half-written" in done.stderr
    assert tree(later_night.out) == before
    assert verify(later_night.out / "latest") == []


def test_an_end_asked_of_the_main_job_reaches_its_stage(tmp_path):
    """`creditbook run` alone gets the signal, as under a supervisor; dvc and the stage below it end too."""
    root = make_project(tmp_path / "project", {"customers": 300, "months": 60, "seed": 1})
    for name in ("dvc.yaml", ".dvcignore"):
        shutil.copy2(REPOSITORY / name, root / name)
    shutil.copytree(REPOSITORY / "pipeline", root / "pipeline")
    (root / ".dvc").mkdir()
    shutil.copy2(REPOSITORY / ".dvc" / "config", root / ".dvc" / "config")
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    started = subprocess.Popen([COMMAND, "run"], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for line in started.stdout:
        if "demo economy" in line:
            break
    assert _processes_in(root)
    started.send_signal(signal.SIGTERM)
    _, err = started.communicate(timeout=120)
    assert started.returncode == 143, err
    assert "terminated" in err
    assert _processes_in(root) == []
    assert not (root / "data" / "ledger").exists()


def _processes_in(root):
    """Processes whose working folder is the project's."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            where = (entry / "cwd").readlink()
        except OSError:
            continue
        found += [entry.name] if where == root else []
    return found


def test_the_command_itself_ends_with_75_while_another_publishes(copied, tmp_path):
    import fcntl

    out = tmp_path / "out"
    out.mkdir()
    with (out / ".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done = command(copied, "score", "--as-of", str(NOVEMBER), "--out", str(out))
    assert done.returncode == 75
    assert "another run is at work here" in done.stderr
