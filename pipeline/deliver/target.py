"""What every target can do, and bringing one in step with the days that are published."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pipeline.errors import CreditbookError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Sequence

    from pipeline.deliver.published import PublishedDay


class Target(Protocol):
    """A place that holds one run per day. Every method raises a CreditbookError with the code of what went wrong."""

    @property
    def name(self) -> str:
        """How it is told: the key in params.yaml."""

    def days(self) -> list[dt.date]:
        """The days it holds, in order."""

    def in_step(self, runs: Sequence[PublishedDay]) -> frozenset[dt.date]:
        """The days of which it holds this very run, by run id and hash of the manifest; nothing is read back."""

    def is_whole(self, run: PublishedDay) -> bool:
        """It holds this very run, and what it holds was read back and has the run's rows and totals."""

    def hand_on(self, run: PublishedDay) -> None:
        """Replaces what it holds of the day, at once: its readers see the run before or this one."""


@dataclass(frozen=True)
class Outcome:
    """How a target stands after it was served: the runs it took now, how many published days it now holds, of how
    many, the days it holds beyond those, and what went wrong, by day (null: with the target itself)."""

    target: str
    taken: tuple[PublishedDay, ...]
    holds: int
    published: int
    beyond: int | None
    failures: tuple[tuple[dt.date | None, CreditbookError], ...]


def bring_in_step(
    target: Target,
    runs: Sequence[PublishedDay],
    read_back: Sequence[PublishedDay],
    tell: Callable[[PublishedDay], None],
) -> Outcome:
    """Hands on what the target lacks, the newest day first, since that is what people wait for.

    A run in `read_back` that is there is read back, and handed on again when it is not whole. `tell` is called after
    each that was taken. A damaged run holds up no other; an error of the target ends it.
    """
    taken: list[PublishedDay] = []
    failures: list[tuple[dt.date | None, CreditbookError]] = []
    there: set[dt.date] = set()
    try:
        there = set(target.in_step(runs))
        there -= {run.as_of for run in read_back if run.as_of in there and not target.is_whole(run)}
    except CreditbookError as error:
        return Outcome(target.name, (), 0, len(runs), None, ((None, error),))
    for run in sorted(runs, key=lambda one: one.as_of, reverse=True):
        if run.as_of in there:
            continue
        try:
            run.require_whole()
        except CreditbookError as error:
            failures.append((run.as_of, error))
            continue
        try:
            target.hand_on(run)
        except CreditbookError as error:
            failures.append((run.as_of, error))
            break
        taken.append(run)
        there.add(run.as_of)
        tell(run)
    return Outcome(target.name, tuple(taken), len(there), len(runs), _beyond(target, runs), tuple(failures))


def _beyond(target: Target, runs: Sequence[PublishedDay]) -> int | None:
    """Days the target holds that are not published any more; null when it cannot be asked."""
    try:
        return len(set(target.days()) - {run.as_of for run in runs})
    except CreditbookError:
        # Told already by what failed before.
        return None
