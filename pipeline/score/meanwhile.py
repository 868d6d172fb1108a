"""Which runs stand under a folder now: of a day, and before it; told by their links, no file of a run is opened."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.errors import ContractError
from pipeline.score.alert_columns import day_looked_back_to

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.score.alert_sections import AlertsSection

_LINK = "as_of="


@dataclass(frozen=True)
class RunsBefore:
    """The folders of the newest run of an earlier day, and of the run that alert rules look back to; null where there
    is none, or no rule looks back."""

    previous: Path | None
    looked_back: Path | None


def runs_before(out: Path, as_of: dt.date, section: AlertsSection) -> RunsBefore:
    """The earlier runs with which a run of `as_of` is compared now. Raises ContractError as `published_days`."""
    days = published_days(out)
    previous = max((day for day in days if day < as_of), default=None)
    looked_back = day_looked_back_to(days, as_of, section.look_back) if section.looks_back else None
    return RunsBefore(*(None if day is None else run_of_day(out, day) for day in (previous, looked_back)))


def run_of_day(out: Path, day: dt.date) -> Path | None:
    """The folder that the link of a day points to, there or not; null without a link."""
    link = link_of(out, day)
    return link.resolve() if link.is_symlink() or link.exists() else None


def link_of(out: Path, day: dt.date) -> Path:
    """Where the link to the run of a day lies."""
    return out / f"{_LINK}{day.isoformat()}"


def published_days(out: Path) -> list[dt.date]:
    """Every day that has a link, in order. Raises ContractError for a link that names no day."""
    days = []
    for link in sorted(out.glob(f"{_LINK}*")):
        try:
            days.append(dt.date.fromisoformat(link.name.removeprefix(_LINK)))
        except ValueError:
            raise ContractError(
                f"{link}: this is no day; only published runs may stand in {out}, move it away"
            ) from None
    return days
