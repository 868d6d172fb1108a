"""The tables of benchmarks/README.md: figures told with their goals, spread and machine, each between its markers."""

from __future__ import annotations

import os
import platform
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

README = Path(__file__).with_name("README.md")


@dataclass(frozen=True)
class Figure:
    """One line of a table; `held_against` is the goal, or what the table says; empty for what only informs."""

    name: str
    measured: str
    held_against: str = ""


def machine() -> str:
    """What the figures were measured on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}"
    )


def seconds(times: Sequence[float]) -> str:
    """The median of several times and their spread; one time as it is.

    >>> seconds([2.0, 1.0, 4.0])
    '2.0 s (1.0 to 4.0)'
    >>> seconds([2.04])
    '2.0 s'
    """
    middle = statistics.median(times)
    spread = f" ({min(times):.1f} to {max(times):.1f})" if len(times) > 1 else ""
    return f"{middle:.1f} s{spread}"


def ratio_of(times: Sequence[float], others: Sequence[float]) -> float:
    """Median of `times` over median of `others`.

    >>> ratio_of([4.0, 6.0, 5.0], [2.0])
    2.5
    """
    return statistics.median(times) / statistics.median(others)


def told(figures: Sequence[Figure], note: str, held_against: str = "to reach") -> str:
    """The machine, how it was measured, and the figures as a Markdown table."""
    lines = [f"| {figure.name} | {figure.measured} | {figure.held_against} |" for figure in figures]
    heads = [f"| figure | measured | {held_against} |", "|---|---|---|"]
    return "\n".join([f"Machine: {machine()}. {note}", "", *heads, *lines])


def publish(name: str, text: str, readme: Path = README) -> None:
    """Prints the text and puts it between the markers of that benchmark; the rest of the page stays as it is.

    Raises SystemExit when the page has not exactly one pair of markers of that name.
    """
    print(text)
    start, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    page = readme.read_text(encoding="utf-8")
    if page.count(start) != 1 or page.count(end) != 1 or page.index(end) < page.index(start):
        raise SystemExit(f"{readme}: it has no pair of markers {start} and {end}; add them where the table belongs")
    before, rest = page.split(start)
    after = rest.split(end)[1]
    readme.write_text(f"{before}{start}\n{text}\n{end}{after}", encoding="utf-8")
