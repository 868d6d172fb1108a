"""What a worker process of a night does: takes up a job, does it on the parts that come, until the line is closed."""

from __future__ import annotations

import pickle
import signal
import sys
import traceback
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

import pyarrow as pa

from pipeline.errors import CreditbookError
from pipeline.score.crew_line import Line

if TYPE_CHECKING:
    from pipeline.score.crew import Job
    from pipeline.score.crew_line import Tables


def work(line: Line) -> None:
    """Does jobs until the process at the other end is gone."""
    job: Job | None = None
    with suppress(EOFError, ConnectionError):
        while True:
            words, rows = line.heard()
            if job is None or not rows:
                job = words
                continue
            line.say(*_done(job, rows))


def _done(job: Job, rows: Tables) -> tuple[object, Tables]:
    """What the job tells and its tables, or the error it raised."""
    try:
        done = job(rows)
    except Exception as error:
        return _to_send(error), {}
    return done.told, done.tables


def _to_send(error: Exception) -> Exception:
    """The error with where it was raised, as one that can be sent."""
    error.add_note("in a worker process:\n" + "".join(traceback.format_exception(error)))
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return CreditbookError(f"internal error: {type(error).__name__}: {error}; run again with score.workers: 1")
    return error


if __name__ == "__main__":
    # An interruption reaches all processes of a terminal: the one that started us ends us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The others have the other cores.
    pa.set_cpu_count(1)
    work(Line(Connection(int(sys.argv[1]))))
