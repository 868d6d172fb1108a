"""Default rates over time, and the timetable: which snapshot serves what."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pandas as pd

from pipeline.report import charts, figures
from pipeline.report.blocks import Block, Bullets, Cell, Chapter, Column, Missing, Table, Text
from pipeline.report.chapters.label_words import label_words, settled_on, window_words
from pipeline.report.drawing import chart
from pipeline.statistics.proportions import jeffreys_interval

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.report.report_input import ReportInput
    from pipeline.report.words import Words

ROLES = ("train", "calibration", "test")


def default_rates(given: ReportInput, words: Words) -> Chapter:
    """The default rate of each month end with a Jeffreys interval, and of each calendar year as a table."""
    title = words("rates.title")
    if given.is_undated:
        return Chapter("rates", title, (Missing(words("rates.no_dates")),))
    counts = counts_by_day(given.snapshots)
    if not len(counts):
        return Chapter("rates", title, (Missing(words("rates.none")),))
    rates = [_rate(day, int(bads), int(n)) for day, n, bads in counts.itertuples()]
    highest = max(rates, key=lambda r: (r.rate, r.day))
    lowest = min(rates, key=lambda r: (r.rate, r.day))
    told = words(
        "rates.description",
        n=len(rates),
        low=figures.share(lowest.rate),
        low_day=figures.day(lowest.day),
        high=figures.share(highest.rate),
        high_day=figures.day(highest.day),
    )
    heading = words("rates.axis", label=label_words(given.label, words))
    drawn = charts.default_rates(rates, spans(given, words))
    drawing = chart("rates", heading, words("rates.chart_caption"), told, drawn)
    return Chapter("rates", title, (drawing, _years(counts, words)), words("rates.lead"))


def timetable(given: ReportInput, words: Words) -> Chapter:
    """Dates of each role, what was purged between them, and the shares of customers."""
    table = timetable_of(given)
    roles = spans(given, words)
    purge = str(table.get("purge") or "whole")
    window = window_words(given.label, words)
    blocks: list[Block] = [
        Text(figures.sentences(words("timetable.why"), words(f"timetable.purge.{purge}", window=window)))
    ]
    if roles:
        dates = figures.in_turn(f"{s.name} {figures.day(s.first)} – {figures.day(s.last)}" for s in roles)
        told = words("timetable.description", roles=dates)
        drawing = charts.timetable(roles)
        title, caption = words("timetable.chart_title"), words("timetable.chart_caption")
        blocks.append(chart("timetable", title, caption, told, drawing))
    else:
        blocks.append(Missing(words("timetable.no_dates")))
    blocks.append(_roles(table, given, words))
    if table.get("limitations"):
        blocks.append(Bullets(words("timetable.limitations"), tuple(words.told(t) for t in table["limitations"])))
    return Chapter("timetable", words("timetable.title"), tuple(blocks), words(f"timetable.lead.{purge}"))


def timetable_of(given: ReportInput) -> Mapping[str, Any]:
    """The timetable both models were fitted and measured by."""
    found: Mapping[str, Any] = given.validation.get("timetable") or {}
    return found


def spans(given: ReportInput, words: Words) -> list[charts.Span]:
    """First and last date of each role that has any."""
    table = timetable_of(given)
    found = []
    for role in ROLES:
        days = sorted(dt.date.fromisoformat(str(d)[:10]) for d in table.get(role) or ())
        if days:
            settled = settled_on(days[-1], given.label)
            found.append(charts.Span(words(f"role.{role}"), days[0], days[-1], settled))
    return found


def counts_by_day(snapshots: pd.DataFrame) -> pd.DataFrame:
    """Snapshots with an outcome good or bad (`n`) and the bad ones (`bads`), by day in order."""
    known = snapshots[snapshots["is_bad"].notna()]
    days = pd.to_datetime(known["as_of"]).dt.date
    outcome = known["is_bad"].astype(float)
    grouped = outcome.groupby(days.to_numpy(), sort=True)
    return pd.DataFrame({"n": grouped.size(), "bads": grouped.sum()})


def _rate(day: dt.date, bads: int, n: int) -> charts.Rate:
    low, high = jeffreys_interval(bads, n)
    return charts.Rate(day, bads / n, low, high)


def _years(counts: pd.DataFrame, words: Words) -> Table:
    """One month end a year: the last, so that no customer counts twice in a line."""
    lasts = {day.year: day for day in counts.index}
    rows = []
    for year, day in sorted(lasts.items()):
        n, bads = int(counts.loc[day, "n"]), int(counts.loc[day, "bads"])
        rate = _rate(day, bads, n)
        interval = figures.between(figures.share(rate.low), figures.share(rate.high))
        rows.append(
            (
                Cell(str(year), note=figures.day(day)),
                Cell(figures.count(n)),
                Cell(figures.count(bads)),
                Cell(figures.share(rate.rate), note=interval),
            )
        )
    columns = (
        Column(words("rates.year")),
        Column(words("rates.customers"), is_number=True),
        Column(words("rates.bads"), is_number=True),
        Column(words("rates.rate"), is_number=True),
    )
    return Table(words("rates.caption"), columns, tuple(rows), (words("rates.note"),))


def _roles(table: Mapping[str, Any], given: ReportInput, words: Words) -> Table:
    samples: Mapping[str, Any] = given.validation.get("samples") or {}
    shares = table.get("customer_shares") or {}
    rows = [_role(role, table.get(role) or (), shares.get(role), samples.get(role) or {}, words) for role in ROLES]
    rows.append(_role("purged", table.get("purged") or (), None, {}, words))
    columns = (
        Column(words("timetable.role")),
        *(
            Column(words(f"timetable.{name}"), is_number=True)
            for name in ("dates", "first", "last", "share", "customers", "rows", "bads")
        ),
    )
    return Table(words("timetable.caption"), columns, tuple(rows), (words("timetable.note"),))


def _role(
    role: str, days: Sequence[str], share: float | None, counts: Mapping[str, Any], words: Words
) -> tuple[Cell, ...]:
    bad_groups = counts.get("bad_customers")
    return (
        Cell(words(f"role.{role}"), note=words(f"role_note.{role}")),
        Cell(figures.count(len(days))),
        Cell(figures.day(days[0] if days else None)),
        Cell(figures.day(days[-1] if days else None)),
        Cell(figures.share(share, 0)),
        Cell(figures.count(counts.get("customers"))),
        Cell(figures.count(counts.get("rows"))),
        Cell(
            figures.count(counts.get("bads")),
            note="" if bad_groups is None else words("timetable.bad_groups", n=figures.count(bad_groups)),
        ),
    )
