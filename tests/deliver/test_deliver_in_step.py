"""Bringing targets in step: what is due, in which order, what holds up what, and how the command ends."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from dataclasses import dataclass, field

import pytest
import yaml

from pipeline.cli import _run
from pipeline.deliver.target import bring_in_step
from pipeline.errors import ContractError, DamagedRunError, StorageError, TargetUnreachableError
from pipeline.flows import deliver
from pipeline.flows.setting import open_setting

MAY, JUNE, JULY = dt.date(2025, 5, 31), dt.date(2025, 6, 30), dt.date(2025, 7, 31)


@dataclass
class Memory:
    """A target that keeps run ids by day, and fails as it is told to, by day."""

    name: str = "memory"
    held: dict = field(default_factory=dict)
    fails: dict = field(default_factory=dict)
    is_down: bool = False
    rotten: frozenset = frozenset()

    def days(self):
        self._answer()
        return sorted(self.held)

    def in_step(self, runs):
        self._answer()
        return frozenset(run.as_of for run in runs if self.held.get(run.as_of) == run.run_id)

    def is_whole(self, run):
        return run.as_of not in self.rotten

    def hand_on(self, run):
        if run.as_of in self.fails:
            raise self.fails[run.as_of]
        self.held[run.as_of] = run.run_id

    def _answer(self):
        if self.is_down:
            raise TargetUnreachableError("nobody answers")


def test_the_newest_day_comes_first_and_what_is_there_is_left(published):
    may, june, july = (published(day, {}) for day in (MAY, JUNE, JULY))
    told = []
    target = Memory(held={JUNE: june.run_id, MAY: "another run of the day", dt.date(2024, 1, 31): "gone since"})
    outcome = bring_in_step(target, [may, june, july], (), told.append)
    assert [run.as_of for run in told] == [run.as_of for run in outcome.taken] == [JULY, MAY]
    assert (outcome.holds, outcome.published, outcome.beyond, outcome.failures) == (3, 3, 1, ())


def test_a_damaged_run_holds_up_no_other_and_an_error_of_the_target_ends_it(published):
    may, june, july = (published(day, {}) for day in (MAY, JUNE, JULY))
    (july.folder / "alerts.parquet").write_bytes(b"PAR1")
    target = Memory(fails={MAY: StorageError("full")})
    outcome = bring_in_step(target, [may, june, july], (), lambda run: None)
    assert [run.as_of for run in outcome.taken] == [JUNE]
    assert [(day, type(error)) for day, error in outcome.failures] == [(JULY, DamagedRunError), (MAY, StorageError)]
    assert "the run is damaged" in str(outcome.failures[0][1])
    ended = bring_in_step(Memory(fails={JUNE: ContractError("columns")}), [may, june], (), lambda run: None)
    assert (ended.taken, ended.holds, [day for day, _ in ended.failures]) == ((), 0, [JUNE])


@pytest.fixture
def project(repository, tmp_path, monkeypatch, published):
    """A project with three published days; `serve(*targets)` hands on to these and gives back the exit code."""
    runs = {day: published(day, {}) for day in (MAY, JUNE, JULY)}
    params = yaml.safe_load((repository / "params.yaml").read_text(encoding="utf-8"))

    def serve(*targets, options=(), **settings):
        params["deliver"] |= settings
        (tmp_path / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
        if targets:
            monkeypatch.setattr(deliver, "open_targets", lambda setting, out: list(targets))
        return _run(["deliver", "--project", str(tmp_path), *options])

    serve.runs = runs
    return serve


def test_a_target_in_step_beside_one_that_is_down_is_76_and_the_next_run_makes_up_for_it(project, capsys):
    up, down = Memory("lake"), Memory("database", is_down=True)
    assert project(up, down) == 76
    told = capsys.readouterr()
    assert "handed on to lake: 2025-07-31" in told.out
    assert "lake holds 3 of 3 published day(s)" in told.out
    assert "database could not be asked what it holds" in told.out
    assert "  - database: nobody answers" in told.err
    assert project(up, down) == 76
    down.is_down = False
    assert project(up, down) == 0
    assert up.held == down.held == {day: run.run_id for day, run in project.runs.items()}
    assert "handed on to lake" not in capsys.readouterr().out.split("handed on to database")[-1]


def test_one_target_that_is_down_is_69_and_one_that_took_a_part_is_76(project, capsys):
    assert project(Memory(is_down=True)) == 69
    assert project(Memory(fails={JULY: StorageError("full")})) == 74
    assert project(Memory(fails={JUNE: StorageError("full")})) == 76
    assert "memory holds 1 of 3 published day(s)\n  - memory, 2025-06-30: full" in capsys.readouterr().err


def test_only_the_days_asked_for_are_handed_on_and_a_named_one_is_read_back(project, capsys):
    target = Memory()
    assert project(target, options=("--as-of", "2025-06-30")) == 0
    assert set(target.held) == {JUNE}
    assert project(target, first_day=JUNE) == 0
    assert set(target.held) == {JUNE, JULY}
    rotten = Memory(held=dict(target.held), rotten=frozenset({JUNE}))
    capsys.readouterr()
    assert project(rotten, options=("--as-of", "2025-06-30")) == 0
    assert "handed on to memory: 2025-06-30" in capsys.readouterr().out
    assert project(target, options=("--as-of", "2025-06-29")) == 66


def test_without_a_target_the_command_is_of_no_use(project, capsys):
    assert project() == 78
    assert "params.yaml names no target" in capsys.readouterr().err


def test_what_a_target_needs_is_asked_for_before_anything_is_done(project, tmp_path, monkeypatch, capsys):
    assert project(postgres={"dsn_env": "CREDITBOOK_NO_SUCH_DSN"}) == 78
    assert "the environment has no CREDITBOOK_NO_SUCH_DSN" in capsys.readouterr().err
    for extra, module, settings in (
        ("postgres", "psycopg", {"postgres": {}, "delta": None}),
        ("delta", "deltalake", {"postgres": None, "delta": {"folder": "lake"}}),
    ):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, module, None)
            assert project(**settings) == 69
        assert f"{module} is not installed; install creditbook with the extra {extra}" in capsys.readouterr().err
    assert not (tmp_path / "lake").exists()


def test_without_a_target_no_client_is_loaded():
    rooms = "pipeline.deliver.delta, pipeline.deliver.postgres, pipeline.deliver.target"
    script = f"import sys, {rooms}; print(sorted({{'psycopg', 'deltalake', 'pyarrow'}} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "['pyarrow']"


def test_a_trial_published_elsewhere_is_not_handed_on(project, tmp_path, capsys):
    assert project(delta={"folder": "lake"}) == 0
    setting = open_setting(tmp_path)
    capsys.readouterr()
    assert deliver.open_targets(setting, tmp_path / "trial") == []
    assert "not handed on" in capsys.readouterr().err
    (target,) = deliver.open_targets(setting, tmp_path / "data" / ".." / "data" / "scored")
    assert target.folder == tmp_path / "lake"


@pytest.mark.xdist_group("postgres")
def test_both_targets_take_what_is_published_and_say_so(project, dsn, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("CREDITBOOK_TEST_DSN", dsn)
    schema = "both_targets"
    both = {"postgres": {"dsn_env": "CREDITBOOK_TEST_DSN", "schema": schema}, "delta": {"folder": "lake"}}
    assert project(**both) == 0
    out = capsys.readouterr().out
    assert out.count("handed on to postgres") == out.count("handed on to delta") == 3
    assert "postgres holds 3 of 3 published day(s)\ndelta holds 3 of 3 published day(s)" in out
    assert project(**both) == 0
    assert "handed on" not in capsys.readouterr().out
    monkeypatch.setenv("CREDITBOOK_TEST_DSN", f"host={tmp_path} dbname=postgres")
    assert project(**both) == 76
    told = capsys.readouterr()
    assert "  - postgres: the server named in CREDITBOOK_TEST_DSN cannot be reached: nothing listens there" in told.err
    assert str(tmp_path) not in told.err
