"""Says of a long computation which step it is at and how many there are; says nothing of a short one."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import ibis

from pipeline.flows import log

if TYPE_CHECKING:
    from collections.abc import Callable

    import ibis.expr.types as ir

    from pipeline.engine.protocol import WhenKept

    Keep = Callable[[ir.Table, str], ir.Table]


_SECONDS_BETWEEN = 5.0


class Store(Protocol):
    """`keep` of an engine."""

    def __call__(self, expression: ir.Table, name: str, when_kept: WhenKept | None = None, /) -> ir.Table:
        """Stores the expression under the name and tells when it is done."""


@dataclass
class Progress:
    """`keep` of an engine that tells, every five seconds at most, on standard error, how far a stage has come.

    `compute` is what the stage computes by way of `keep`. It is walked through once without computing anything when
    the first line is due, to count its steps.
    """

    stage: str
    store: Store
    compute: Callable[[Keep], object]
    _done: int = 0
    _total: int | None = None
    _started: float = field(default_factory=time.monotonic)
    _told: float = field(default_factory=time.monotonic)

    def keep(self, expression: ir.Table, name: str) -> ir.Table:
        """Stores the expression as the engine does; when it is stored, tells of it if a line is due."""
        return self.store(expression, name, lambda _: self._kept(name))

    def _kept(self, name: str) -> None:
        self._done += 1
        if time.monotonic() - self._told >= _SECONDS_BETWEEN:
            self.tell(name)

    def tell(self, doing: str) -> None:
        """One line: the stage, steps done of all, seconds since the start, and what was done last."""
        if self._total is None:
            self._total = steps_of(self.compute)
        seconds = time.monotonic() - self._started
        step = doing.split("ibis_", maxsplit=1)[0]
        told = f"{self.stage}: {self._done} of {self._total} steps, {seconds:.0f} s ({step})"
        log.progress(
            "progress", told, stage=self.stage, done=self._done, steps=self._total, seconds=round(seconds, 1), step=step
        )
        self._told = time.monotonic()


def steps_of(compute: Callable[[Keep], object]) -> int:
    """How many tables a computation keeps on its way; nothing is computed."""
    kept = 0

    def count(expression: ir.Table, name: str) -> ir.Table:
        nonlocal kept
        kept += 1
        return ibis.table(expression.schema(), name=name)

    compute(count)
    return kept
