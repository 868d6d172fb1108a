"""`creditbook run`: dvc repro with its progress told, then what came out; the exit code of a failed stage passes on."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from pipeline.errors import CreditbookError, MissingInputError
from pipeline.flows import log
from pipeline.flows.role_history import locked_roles, settle
from pipeline.flows.role_restoring import restore_roles
from pipeline.flows.setting import open_setting
from pipeline.flows.summary import summary

if TYPE_CHECKING:
    from collections.abc import Iterator

_RUNNING = re.compile(r"^Running stage '(?P<stage>\w+)'")
_SKIPPED = re.compile(r"^Stage '(?P<stage>\w+)' (?:didn't change|is cached)")
_EXITED = re.compile(r"exited with (?P<code>\d+)")
# DVC's own talk that says nothing to someone who waits for a result.
_NOISE = (
    "> ",
    "Updating lock file",
    "Generating lock file",
    "To track the changes",
    "git add",
    "To enable auto",
    "Use `dvc",
    "dvc config core.autostage",
)


class StageFailedError(CreditbookError):
    """A stage ended with an error, which it has told itself; carries its exit code."""

    def __init__(self, exit_code: int) -> None:
        super().__init__("a stage failed; its message stands above, and no earlier result was changed")
        self.exit_code = exit_code


def reproduce(root: Path) -> None:
    """Runs every stage that is out of date, in order, and prints the summary.

    Raises StageFailedError with the stage's own exit code.
    """
    setting = open_setting(root)
    recipe = root / "dvc.yaml"
    if not recipe.is_file():
        raise MissingInputError(f"{root.resolve()}: no dvc.yaml here; change to a project folder")
    # A role file or a register that was lost, or a move that was cut short, is written again before DVC looks for it.
    with locked_roles(setting.project.models):
        restore_roles(setting)
        settle(setting.project.models)
    stages = list(yaml.safe_load(recipe.read_text(encoding="utf-8"))["stages"])
    started = time.monotonic()
    code = _follow(root, stages)
    if code:
        raise StageFailedError(code)
    seconds = time.monotonic() - started
    log.say("run_finished", f"\nall stages are up to date after {seconds:.0f} s\n", seconds=round(seconds, 1))
    log.say("summary", summary(setting))


def _follow(root: Path, stages: list[str]) -> int:
    """Runs dvc repro and tells its progress; 0, or the exit code of the stage that failed.

    Whatever ends this process early ends dvc and its stage too, and waits for them.
    """
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    process = subprocess.Popen(
        [sys.executable, "-m", "dvc", "repro"],
        cwd=root,
        env={**environment, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        # A group of its own, so that an end asked of this process alone reaches the stage as well.
        start_new_session=True,
    )
    try:
        return _told(process, stages)
    except BaseException:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        # To the end of its output: the stage, dvc's child, may be cleaning up.
        process.communicate()
        raise


def _told(process: subprocess.Popen[str], stages: list[str]) -> int:
    """Tells what dvc repro says until it ends; 0, or the exit code of the stage that failed."""
    failed_with, begun = 0, 0
    for line in _lines(process):
        exited = _EXITED.search(line)
        failed_with = int(exited["code"]) if exited else failed_with
        stage, state = _stage_in(line, stages)
        if stage:
            begun += 1
            text = f"[{begun}/{len(stages)}] {stage}{state}"
            log.say("stage", text, stage=stage, number=begun, stages=len(stages), up_to_date=bool(state))
        elif line.strip() and not line.strip().startswith(_NOISE):
            log.passed_on(f"    {line}" if not log.is_json() else line)
    code = process.wait()
    return failed_with or code


def _lines(process: subprocess.Popen[str]) -> Iterator[str]:
    if process.stdout is None:
        return
    for line in process.stdout:
        yield line.rstrip("\n")


def _stage_in(line: str, stages: list[str]) -> tuple[str, str]:
    """The stage that a line announces and what is said of it; two empty texts when it announces none."""
    for pattern, state in ((_RUNNING, ""), (_SKIPPED, ": up to date")):
        found = pattern.match(line)
        if found and found["stage"] in stages:
            return found["stage"], state
    return "", ""
