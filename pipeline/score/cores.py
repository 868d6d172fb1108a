"""The processor's cores that scoring may use; no answer hangs on how many they are."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Part = TypeVar("Part")


def threads() -> int:
    """Threads that scoring may use: OMP_NUM_THREADS where it is set (Spark sets it for its workers), else the cores
    this process may run on."""
    told = os.environ.get("OMP_NUM_THREADS", "")
    return int(told) if told.isdigit() and int(told) else len(os.sched_getaffinity(0))


def one_ahead(parts: Iterator[Part]) -> Iterator[Part]:
    """The parts, the next of which is made in a thread while the last is worked on; so two are held at a time. Raises
    what making one raised, in its turn."""
    if threads() < 2:
        yield from parts
        return
    with ThreadPoolExecutor(1, "one-ahead") as pool:
        following = pool.submit(next, parts, None)
        while (part := following.result()) is not None:
            following = pool.submit(next, parts, None)
            yield part


def for_each(parts: Sequence[Part], task: Callable[[Part], None]) -> None:
    """Calls the task for every part, several at a time; the parts must not touch the same memory. Raises what the first
    part that failed raised."""
    if len(parts) < 2 or threads() < 2:
        for part in parts:
            task(part)
        return
    with ThreadPoolExecutor(threads()) as pool:
        for done in [pool.submit(task, part) for part in parts]:
            done.result()
