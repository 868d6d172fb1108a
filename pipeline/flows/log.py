"""What a command tells while it works: lines for people, or one JSON object a line for the machines that watch it.

CREDITBOOK_LOG_FORMAT (the option --log-format) chooses: `text`, or `json` with `at` (UTC), `level`, `event`, `message`
and the facts of the event as values. Both name customers by their number only, never by name.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
import sys
import time
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TextIO

from pipeline.errors import without_passwords

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMAT = "CREDITBOOK_LOG_FORMAT"

Level = Literal["info", "warning", "error"]


def is_json() -> bool:
    """The lines are JSON objects."""
    return os.environ.get(FORMAT, "text") == "json"


def say(event: str, message: str, **facts: Any) -> None:
    """Something was done; on standard output."""
    _write("info", event, message, facts, to_stderr=False)


def progress(event: str, message: str, **facts: Any) -> None:
    """Something is under way; on standard error."""
    _write("info", event, message, facts, to_stderr=True)


def warn(event: str, message: str, **facts: Any) -> None:
    """Something a person should look at; on standard error."""
    _write("warning", event, message, facts, to_stderr=True)


def fail(event: str, message: str, **facts: Any) -> None:
    """Why the command ends; on standard error."""
    _write("error", event, message, facts, to_stderr=True)


def passed_on(line: str) -> None:
    """A line of a process this one started: as it is where it is a JSON object already."""
    if is_json() and line.startswith("{"):
        print(line, flush=True)
    else:
        say("output", line)


def answer(event: str, text: str) -> None:
    """What a person asked for, on standard output: the text as it stands, or one object with the text as message."""
    _write("info", event, text, {}, to_stderr=False)


def listen_to_libraries() -> None:
    """What libraries warn of becomes objects too where the lines are objects; else it stays as it is."""
    if not is_json():
        return
    warnings.showwarning = _warned
    logging.lastResort = _Objects(logging.WARNING)


def _warned(  # noqa: PLR0917 - the signature of warnings.showwarning
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,  # noqa: ARG001
    line: str | None = None,  # noqa: ARG001
) -> None:
    warn("library_warning", str(message), category=category.__name__, at_line=f"{Path(filename).name}:{lineno}")


class _Objects(logging.Handler):
    """Records of libraries as objects."""

    def emit(self, record: logging.LogRecord) -> None:
        """Writes the record in one line."""
        warn("library", record.getMessage(), logger=record.name)


class Steps:
    """Seconds spent by step; a step entered twice adds up."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Times what is done inside."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.monotonic() - started

    def rounded(self) -> dict[str, float]:
        """Seconds by step, to the hundredth."""
        return {name: round(seconds, 2) for name, seconds in self.seconds.items()}


def _write(level: Level, event: str, message: str, facts: dict[str, Any], *, to_stderr: bool) -> None:
    line = message
    if is_json():
        at = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        told = {"at": at, "level": level, "event": event, "message": message.strip(), **facts}
        line = json.dumps(told, ensure_ascii=False, default=str)
    print(without_passwords(line), file=sys.stderr if to_stderr else sys.stdout, flush=True)
