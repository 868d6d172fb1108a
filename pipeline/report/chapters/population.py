"""Who is in the book: customers, snapshots by outcome, and default rates by group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.report import figures
from pipeline.report.blocks import Block, Cell, Chapter, Column, Facts, Missing, Table
from pipeline.statistics.bootstrap import ratio_interval, resamples

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.report.report_input import ReportInput
    from pipeline.report.words import Words

OUTCOMES = ("good", "bad", "indeterminate", "left", "immature", "in_default")
BREAKDOWNS = ("data_depth", "industry", "size_class", "region")
_MOST_GROUPS = 12
_ROUNDS = 200


def population(given: ReportInput, words: Words) -> Chapter:
    """Counts of customers and snapshots; a breakdown for each descriptive column that is there."""
    rows = given.snapshots
    known = rows[rows["is_bad"].notna()]
    blocks: list[Block] = [_facts(given, known, words), _outcomes(rows, words)]
    there = [name for name in BREAKDOWNS if name in rows.columns and rows[name].notna().any()]
    blocks += [_breakdown(known, name, words) for name in there]
    absent = [words(f"population.by.{name}") for name in BREAKDOWNS if name not in there]
    if absent:
        blocks.append(Missing(words("population.no_breakdown", what=figures.listed(absent))))
    return Chapter("book", words("population.title"), tuple(blocks), words("population.lead"))


def _facts(given: ReportInput, known: pd.DataFrame, words: Words) -> Facts:
    rows = given.snapshots
    bad = known[known["is_bad"] == 1]
    dates = words("population.no_dates")
    if not given.is_undated:
        span = f"{figures.day(rows['as_of'].min())} – {figures.day(rows['as_of'].max())}"
        dates = f"{rows['as_of'].nunique()} ({span})"
    pairs = (
        ("customers", figures.count(rows["customer_id"].nunique())),
        ("snapshots", figures.count(len(rows))),
        ("dates", dates),
        ("trained_on", figures.count(len(known))),
        ("bad_snapshots", figures.count(len(bad))),
        ("bad_customers", figures.count(bad["customer_id"].nunique())),
    )
    return Facts(tuple((words(f"population.{name}"), value) for name, value in pairs))


def _outcomes(rows: pd.DataFrame, words: Words) -> Table:
    found = [name for name in OUTCOMES if (rows["outcome"] == name).any()]
    lines = []
    for name in found:
        part = rows[rows["outcome"] == name]
        weight = len(part) / len(rows)
        lines.append(
            (
                Cell(words.or_name("outcome", name), note=words(f"outcome_note.{name}")),
                Cell(figures.count(len(part))),
                Cell(figures.share(weight), bar=weight),
                Cell(figures.count(part["customer_id"].nunique())),
            )
        )
    columns = (
        Column(words("population.outcome")),
        Column(words("population.snapshots"), is_number=True),
        Column(words("population.share"), is_number=True),
        Column(words("population.customers"), is_number=True),
    )
    return Table(words("population.outcomes_caption"), columns, tuple(lines), (words("population.outcomes_note"),))


def _breakdown(known: pd.DataFrame, name: str, words: Words) -> Table:
    groups = known[name].where(known[name].notna(), words("population.not_given")).astype(str)
    sizes = groups.value_counts()
    ranked = sorted(sizes.index, key=lambda g: (-int(sizes[g]), g))
    shown = sorted(ranked) if name == "data_depth" else ranked[:_MOST_GROUPS]
    named = {group: words.or_same(name, group) for group in shown}
    lines = [_group(known[groups == group], named[group], len(known)) for group in shown]
    if len(ranked) > len(shown):
        rest = known[~groups.isin(shown)]
        lines.append(_group(rest, words("population.others", n=len(ranked) - len(shown)), len(known)))
    columns = (
        Column(words(f"population.heading.{name}")),
        Column(words("population.customers"), is_number=True),
        Column(words("population.share"), is_number=True),
        Column(words("population.bad_customers_short"), is_number=True),
        Column(words("population.rate"), is_number=True),
    )
    notes = (words("population.breakdown_note", rounds=_ROUNDS),)
    return Table(words(f"population.caption.{name}"), columns, tuple(lines), notes)


def _group(part: pd.DataFrame, name: str, total: int) -> tuple[Cell, ...]:
    is_bad = part["is_bad"].to_numpy(dtype=float)
    draws = resamples(part["group_key"].to_numpy(dtype=str), _ROUNDS, 0.95, 1)
    rate = figures.measured(ratio_interval(is_bad, np.ones(len(part)), draws).as_json(), figures.share)
    weight = len(part) / total
    return (
        Cell(name),
        Cell(figures.count(part["customer_id"].nunique())),
        Cell(figures.share(weight), bar=weight),
        Cell(figures.count(part.loc[is_bad == 1, "customer_id"].nunique())),
        Cell(rate.value, note=rate.interval),
    )
