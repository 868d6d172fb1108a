"""What was published while a night was reckoned: when the night is still worth publishing, and when not."""

from __future__ import annotations

import datetime as dt

import pytest

from pipeline.errors import MissingInputError, OvertakenError
from pipeline.flows.overtaken import RestsOn, require_not_overtaken
from pipeline.score.meanwhile import run_of_day, runs_before
from pipeline.score.policy import read_policy

DAY = dt.date(2025, 12, 31)
READ = {"ledger": "old", "policy": "p1"}


@pytest.fixture
def out(tmp_path):
    """Published are a run for the day, one a month and one 123 days before it."""
    for day, run in (("2025-12-31", "a"), ("2025-11-30", "b"), ("2025-08-30", "c")):
        publish(tmp_path, day, run)
    return tmp_path


def publish(out, day, run):
    (out / ".runs" / run).mkdir(parents=True, exist_ok=True)
    (out / f"as_of={day}").unlink(missing_ok=True)
    (out / f"as_of={day}").symlink_to(f".runs/{run}")


@pytest.fixture
def night(out, repository):
    """Reads what lies there, then lets something happen, then asks whether the night may be published; `now` are the
    versions in force by then."""

    alerts = read_policy(repository / "policy").alerts

    def ask(happens, now=READ):
        own, before = run_of_day(out, DAY), runs_before(out, DAY, alerts)
        assert [path.name for path in (own, before.previous, before.looked_back)] == ["a", "b", "c"]
        happens(out)
        rests_on = RestsOn(DAY, own, before, READ)
        require_not_overtaken(out, rests_on, alerts, lambda: now() if callable(now) else now)

    return ask


def another_of_the_day(out):
    publish(out, "2025-12-31", "d")


def gone():
    raise MissingInputError("the ledger is just being replaced")


def test_what_was_not_overtaken_is_published(night):
    night(lambda out: None, now=READ | {"ledger": "new"})
    night(lambda out: publish(out, "2026-01-31", "later"))
    night(lambda out: publish(out, "2025-12-31", "a"), now=gone)
    # Removed as too old, or by hand: nobody is turned back.
    night(lambda out: (out / "as_of=2025-12-31").unlink(), now=gone)


def test_another_run_of_the_day_stands_only_where_it_knew_more(night):
    night(another_of_the_day)


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (READ | {"ledger": "new"}, r"run d of 2025-12-31 was published .* 1 input\(s\) that .* e\.g\. the ledger;"),
        (READ | {"policy": "p2"}, r"1 input\(s\) that are replaced by now, e\.g\. the policy;"),
        (gone, r"2 input\(s\) that are replaced by now, e\.g\. the ledger;"),
    ],
)
def test_the_slower_of_two_runs_of_a_day_does_not_win_with_what_was_replaced(night, now, told):
    with pytest.raises(OvertakenError, match=told) as refused:
        night(another_of_the_day, now)
    assert refused.value.exit_code == 75


@pytest.mark.parametrize(
    ("day", "run"),
    [
        ("2025-12-30", "d"),  # newer than the run before
        ("2025-11-30", "d"),  # the run before, published anew
        ("2025-09-30", "d"),  # 92 days back: alert rules look there now
        ("2025-08-30", "d"),  # what they look back to, published anew
    ],
)
def test_an_earlier_run_that_the_night_is_compared_with_must_be_the_one_it_read(night, day, run):
    with pytest.raises(OvertakenError, match=r"an earlier day was published in .* score 2025-12-31 again") as refused:
        night(lambda out: publish(out, day, run))
    assert refused.value.exit_code == 75


def test_a_day_older_than_those_compared_with_may_be_filled_in_meanwhile(night):
    night(lambda out: publish(out, "2025-06-30", "d"))
