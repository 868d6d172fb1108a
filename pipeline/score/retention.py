"""Which published runs are kept: every day for a while, month ends for longer, the newest always."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from pipeline.durable import remove_folder, replace_text
from pipeline.errors import CreditbookError
from pipeline.score.run_check import RUNS, read_manifest

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pipeline.night_params import KeepParams

LEAVING = ".leaving"


def days_to_keep(days: Iterable[dt.date], keep: KeepParams) -> set[dt.date]:
    """Those of the days that the policy keeps, reckoned from the newest of them and not from the clock.

    >>> from pipeline.params import KeepParams
    >>> days = [dt.date(2025, 1, 31), dt.date(2025, 2, 10), dt.date(2025, 3, 31)]
    >>> sorted(day.isoformat() for day in days_to_keep(days, KeepParams(days=7, month_ends=12)))
    ['2025-01-31', '2025-03-31']
    """
    known = set(days)
    newest = max(known, default=dt.date.min)
    return {day for day in known if _is_kept(day, newest, keep)}


def prune(
    out: Path, linked: dict[dt.date, Path], keep: KeepParams, asked: frozenset[dt.date] = frozenset()
) -> list[Path]:
    """Removes what the policy does not keep under `out`, the link before its run; gives back what went. Days that were
    `asked` for stay.

    `linked` are the links `as_of=DATE` by day. A run that no link points to was published over; it is kept as long as
    a plain day is. The runs that the newest was made with stay as long as it is the newest: without them the same night
    would not give the same run. A folder that is no whole run is left for `verify` to tell of. Whoever found a run
    through a link may still be reading it: `OUT/.leaving` names the runs that are to go, in order, and the last
    `keep.leaving` of them stay.
    """
    gone = []
    staying = days_to_keep(linked, keep) | _made_with(out) | (asked & set(linked))
    for day in sorted(set(linked) - staying):
        gone.append(linked[day])
        linked[day].unlink()
    latest = (out / "latest").resolve()
    held_by = {linked[day].resolve() for day in staying} | {latest}
    newest = max(linked, default=dt.date.min)
    runs = {run.name: _day_of(run) for run in (out / RUNS).glob("[!.]*") if run.resolve() not in held_by}
    to_go = {name: day for name, day in runs.items() if day and not _is_young(day, newest, keep)}
    for name in _leaving(out, to_go, keep.leaving):
        gone.append(out / RUNS / name)
        remove_folder(gone[-1])
    return gone


def _made_with(out: Path) -> set[dt.date]:
    """The days of the runs that the newest names: the one before, and the one that alert rules look back to."""
    try:
        manifest = read_manifest(out / "latest")
    except CreditbookError:
        return set()
    named = (manifest.get(name) for name in ("previous", "looked_back"))
    return {dt.date.fromisoformat(run["as_of"]) for run in named if run}


def _leaving(out: Path, to_go: dict[str, dt.date], staying: int) -> list[str]:
    """Puts those new among `to_go` at the end of the list, the newest day last; gives back all but the last."""
    path = out / LEAVING
    told = path.read_text(encoding="utf-8").split() if path.is_file() else []
    before = [name for name in told if name in to_go]
    in_order = before + sorted(set(to_go) - set(before), key=lambda name: (to_go[name], name))
    cut = max(len(in_order) - staying, 0)
    if in_order[cut:] != told:
        replace_text(path, "".join(f"{name}\n" for name in in_order[cut:]))
    return in_order[:cut]


def _day_of(run: Path) -> dt.date | None:
    """The day of a run; null where the folder is no whole run."""
    try:
        return dt.date.fromisoformat(read_manifest(run)["as_of"])
    except (CreditbookError, KeyError, ValueError):
        return None


def _is_young(day: dt.date, newest: dt.date, keep: KeepParams) -> bool:
    return keep.days is None or (newest - day).days <= keep.days


def _is_kept(day: dt.date, newest: dt.date, keep: KeepParams) -> bool:
    if keep.days is None or (newest - day).days <= keep.days:
        return True
    is_month_end = (day + dt.timedelta(days=1)).day == 1
    months = (newest.year - day.year) * 12 + newest.month - day.month
    return is_month_end and (keep.month_ends is None or months <= keep.month_ends)
