"""DuckDB at work while the next statements are still being planned.

Planning an expression takes Python tens of milliseconds, in which an engine that waits for it does nothing: a tenth of
a small book's time. So statements that nobody waits for yet run one after the other in a thread of their own.
"""

from __future__ import annotations

import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import ibis.expr.operations as ops
from ibis.backends.duckdb import Backend

if TYPE_CHECKING:
    from collections.abc import Callable

    import duckdb
    import ibis.expr.types as ir

    WhenDone = Callable[[float], None]

_SECONDS_BETWEEN_CALLS = 0.05


@dataclass
class Ahead:
    """Work handed in, in order. It all belongs to the thread that hands it in: failures and news reach no other."""

    _under_way: deque[tuple[Future[float], WhenDone | None]] = field(default_factory=deque)
    _thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "duckdb-ahead"))

    def run(self, work: Callable[[], object], when_done: WhenDone | None = None) -> None:
        """Runs the work after all that was handed in before, and tells `when_done` the seconds it took.

        `when_done` is called here or in `wait`, soon after the work is done. Raises what earlier work raised.
        """
        self._told(lambda first: first.done())
        self._under_way.append((self._thread.submit(_timed, work), when_done))

    def wait(self) -> None:
        """Returns when all is done. Raises what the first failure raised; the work after it is given up."""
        self._told(lambda _: True)

    def stop(self, break_off: Callable[[], None]) -> None:
        """Gives up what has not begun and calls `break_off` until what has begun is over."""
        begun = self._give_up()
        # More than once: what is about to begin cannot be broken off yet.
        while wait(begun, timeout=_SECONDS_BETWEEN_CALLS).not_done:
            break_off()
        self._thread.shutdown(wait=True)

    def _told(self, is_due: Callable[[Future[float]], bool]) -> None:
        while self._under_way and is_due(self._under_way[0][0]):
            future, when_done = self._under_way[0]
            try:
                seconds = future.result()
            except BaseException:
                self._give_up()
                raise
            self._under_way.popleft()
            if when_done is not None:
                when_done(seconds)

    def _give_up(self) -> list[Future[float]]:
        """Cancels what has not begun; gives back what has."""
        begun = [future for future, _ in self._under_way if not future.cancel()]
        self._under_way.clear()
        return begun


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


class AheadBackend(Backend):  # type: ignore[misc]
    """Ibis' backend of one connection: whoever asks for the connection waits until all that runs ahead is done."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ahead = Ahead()

    @property
    def con(self) -> duckdb.DuckDBPyConnection:
        """The connection, at rest."""
        self.ahead.wait()
        return self._connection

    @con.setter
    def con(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def run_ahead(self, sql: str, when_done: WhenDone | None = None) -> None:
        """Runs a statement without a result, while the caller goes on; any other use of the connection waits for it."""
        connection = self._connection
        self.ahead.run(lambda: connection.execute(sql), when_done)

    def _register_udfs(self, expr: ir.Expr) -> None:
        # Ibis asks for the connection even where there is nothing to register.
        if expr.op().find(ops.ScalarUDF):
            super()._register_udfs(expr)

    def disconnect(self) -> None:
        """Breaks off what runs and closes the connection."""
        self.ahead.stop(self._connection.interrupt)
        self._connection.close()
