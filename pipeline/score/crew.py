"""The processes of a night that work on its parts side by side; what comes out comes in the order of the parts."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import deque
from dataclasses import dataclass, field
from itertools import chain, cycle, islice
from multiprocessing import Pipe
from typing import TYPE_CHECKING, Any, Protocol

from pipeline.errors import StorageError
from pipeline.score.cores import one_ahead
from pipeline.score.crew_line import Line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from pipeline.score.crew_line import Tables

PARTS_ALONE = 3
"""So many parts are not worth starting a process for, which takes a second or two."""
_PARTS_AT_A_HAND = 2


@dataclass(frozen=True)
class Done:
    """What a job makes of a part: tables, and what is told beside them."""

    told: Any
    tables: Tables = field(default_factory=dict)


class Job(Protocol):
    """A pure function of a part's tables that can be pickled; no part hangs on another."""

    def __call__(self, rows: Tables) -> Done:
        """Works on one part."""


class Crew:
    """So many worker processes, started when there is enough for them to do; with fewer than two this process does it
    all. Nothing that comes out hangs on how many they are.

    Workers write nothing and end with this process, however it ends.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._hands: list[_Hand] = []

    def __enter__(self) -> Crew:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for hand in self._hands:
            hand.end()
        self._hands.clear()

    def each(self, job: Job, parts: Iterator[Tables]) -> Iterator[Done]:
        """The job done on every part, in their order; some parts are under way while one is looked at.

        Raises what the job raised, and StorageError when a worker was ended from outside.
        """
        first = deque(islice(parts, PARTS_ALONE + 1 if self._workers > 1 else 0))
        is_worth_it = len(first) > PARTS_ALONE
        rows = one_ahead(chain(_taken_from(first), parts))
        yield from self._shared_out(job, rows) if is_worth_it else map(job, rows)

    def _shared_out(self, job: Job, parts: Iterator[Tables]) -> Iterator[Done]:
        while len(self._hands) < self._workers:
            self._hands.append(_Hand())
        for hand in self._hands:
            hand.say(job)
        # In turn: each does its parts in order, so that the next one done is at the hand whose turn came first.
        turns, waiting = cycle(self._hands), deque[_Hand]()
        for rows in parts:
            if len(waiting) == _PARTS_AT_A_HAND * len(self._hands):
                yield waiting.popleft().done()
            hand = next(turns)
            hand.say(None, rows)
            waiting.append(hand)
        while waiting:
            yield waiting.popleft().done()


def _taken_from(parts: deque[Tables]) -> Iterator[Tables]:
    """The parts; none is held once it is given."""
    while parts:
        yield parts.popleft()


class _Hand:
    """One worker process and the line to it."""

    def __init__(self) -> None:
        ours, theirs = Pipe()
        # Started anew, not forked: the threads of the libraries would be missing in a copy of this process.
        command = [sys.executable, "-P", "-m", "pipeline.score.crew_worker", str(theirs.fileno())]
        paths = [os.path.abspath(path) for path in sys.path]  # noqa: PTH100 - an empty one is where we stand
        alone = {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(paths)}
        with theirs:
            self._process = subprocess.Popen(
                command, env={**os.environ, **alone}, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()]
            )
        self._line = Line(ours)

    def say(self, job: Job | None, rows: Tables | None = None) -> None:
        """A job to be done from now on, or rows to do it on."""
        try:
            self._line.say(job, rows)
        except ConnectionError as error:
            raise self._gone() from error

    def done(self) -> Done:
        """The part it was given first; waits for it."""
        try:
            told, tables = self._line.heard()
        except (EOFError, ConnectionError) as error:
            raise self._gone() from error
        if isinstance(told, Exception):
            raise told
        return Done(told, tables)

    def end(self) -> None:
        """It has nothing that could be lost."""
        self._line.close()
        self._process.kill()
        self._process.wait()

    def _gone(self) -> StorageError:
        self._line.close()
        code = self._process.wait()
        how = f"by signal {-code}" if code < 0 else f"with code {code}"
        return StorageError(
            f"score: a worker process of the night was ended {how} before its part was done; nothing was published. "
            "The system does that when memory runs out: give the machine more or lower score.workers, then run again"
        )
