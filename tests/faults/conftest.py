"""What the tests of faults share: a small project with two nights published, and the third under strace."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import traced_command
from small_night import COMMAND, JUNE, NOVEMBER, OCTOBER, SEPTEMBER, make_project, take_in, tree

from pipeline.flows.score_day import score_as_of


@pytest.fixture(scope="session")
def project(tmp_path_factory) -> Path:
    """A project of 60 customers, its ledger taken in; nothing is published yet."""
    # Two month ends are kept, and September by what looks back to it: the night removes June.
    keep = {"days": 40, "month_ends": 0, "leaving": 0}
    demo = {"customers": 60, "months": 18, "seed": 2}
    return take_in(make_project(tmp_path_factory.mktemp("faults") / "project", demo, score__keep=keep))


@pytest.fixture
def copied(project, tmp_path) -> Path:
    """A copy of the project for a test that changes it."""
    return Path(shutil.copytree(project, tmp_path / "project"))


class LaterNight:
    """The night of 30 November after three that were published: undisturbed, and as often as wanted disturbed."""

    def __init__(self, project: Path, scratch: Path):
        self.project, self.scratch = project, scratch
        self.out, self._before = scratch / "out", scratch / "before"
        for day in (JUNE, SEPTEMBER, OCTOBER):
            score_as_of(project, day, None, None, self._before)
        # On one processor, so that the same thread makes the same calls every time.
        one = ["taskset", "--cpu-list", str(min(os.sched_getaffinity(0)))]
        night = ["score", "--project", str(project), "--as-of", str(NOVEMBER), "--out", str(self.out)]
        self.command = [*one, COMMAND, *night]
        self.reset()
        self.traced = traced_command.trace(self.command, self.out, scratch / "undisturbed.log")
        self.undisturbed = tree(self.out)

    def reset(self, state: Path | None = None) -> None:
        """Puts a state of the published runs in place; null: three nights, as if the last had never begun."""
        shutil.rmtree(self.out, ignore_errors=True)
        shutil.copytree(state or self._before, self.out, symlinks=True)


@pytest.fixture(scope="session")
def later_night(project, tmp_path_factory) -> LaterNight:
    scratch = tmp_path_factory.mktemp("later_night")
    reason = traced_command.why_not(scratch)
    if reason:
        pytest.skip(reason)
    return LaterNight(project, scratch)
