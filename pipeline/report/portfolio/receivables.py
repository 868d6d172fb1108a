"""Receivables by age, over the months, and how they roll."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.report import figures
from pipeline.report.blocks import Block, Cell, Chapter, Heading, Missing, Table, cells
from pipeline.report.drawing import chart
from pipeline.report.portfolio.drawings import lines, stacked
from pipeline.report.portfolio.telling import change, money

if TYPE_CHECKING:
    from pipeline.report.portfolio.telling import Teller


def ageing(t: Teller) -> Chapter:
    """The ageing table of the day beside the month before, and the buckets over the months."""
    told = t.told["ageing"]
    lead = t.say(
        "ageing.lead",
        day=t.day(t.told["run"]["as_of"]),
        total=t.short(told["total"]),
        items=figures.count(told["items"]),
        customers=figures.count(told["customers"]),
        overdue=t.short(told["overdue"]),
        overdue_customers=figures.count(told["overdue_customers"]),
        disputed=t.short(told["disputed"]),
        credits=t.short(told["credit_notes"].lstrip("-")),
        credit_count=figures.count(told["credit_note_count"]),
    )
    blocks: list[Block] = [_ageing_table(t)]
    months = t.told["over_time"]
    if len(months) > 1:
        names = [row["bucket"] for row in told["buckets"]]
        parts = [
            (t.name_of("bucket", b), [float(m["by_bucket"][at]) / 1e6 for m in months]) for at, b in enumerate(names)
        ]
        drawing = stacked([m["as_of"] for m in months], parts)
        said = t.say("ageing.chart.says", first=t.short(months[0]["receivables"]),
                     last=t.short(months[-1]["receivables"]),
                     day=t.day(months[0]["as_of"]))  # fmt: skip
        caption = t.say("ageing.chart.caption", currency=t.currency)
        blocks.append(chart("ageing", t.say("ageing.chart.title"), caption, said, drawing))
    return Chapter("ageing", t.say("ageing.title"), tuple(blocks), lead)


def _ageing_table(t: Teller) -> Table:
    told = t.told["ageing"]
    rows = [
        (
            Cell(t.name_of("bucket", row["bucket"])),
            Cell(money(row["amount"]), bar=row["share"]),
            *cells(
                figures.share(row["share"]),
                money(row["amount_before"]),
                change(row["amount"], row["amount_before"]),
                figures.count(row["items"]),
                figures.count(row["customers"]),
                money(row["disputed"]),
            ),
        )
        for row in told["buckets"]
    ]
    rows.append(
        cells(
            t.say("total"),
            money(told["total"]),
            figures.share(1.0),
            money(told["total_before"]),
            change(told["total"], told["total_before"]),
            figures.count(told["items"]),
            figures.count(told["customers"]),
            money(told["disputed"]),
        )
    )
    heads = ("bucket", "amount", "share", "before", "change", "items", "customers", "disputed")
    return t.table(
        "ageing",
        heads,
        rows,
        t.say("ageing.note"),
        day=t.day(t.told["run"]["as_of"]),
        before=t.day(t.told["month_before"]),
    )


def outstanding(t: Teller) -> Chapter:
    """DSO and best possible DSO over the months."""
    months = t.told["over_time"]
    now = months[-1]
    title = t.say("dso.title")
    if now["dso"] is None:
        return Chapter("dso", title, (Missing(t.say("dso.none")),))
    lead = t.say("dso.lead", dso=figures.decimal(now["dso"], 1), best=figures.decimal(now["best_possible_dso"], 1),
                 late=figures.decimal(now["days_delinquent"], 1))  # fmt: skip
    blocks: list[Block] = []
    if len(months) > 1:
        series = [(t.say(f"dso.{name}"), [m[name] for m in months]) for name in ("dso", "best_possible_dso")]
        said = t.say("dso.chart.says", first=figures.decimal(months[0]["dso"], 1), last=figures.decimal(now["dso"], 1),
                     day=t.day(months[0]["as_of"]))  # fmt: skip
        drawing = lines([m["as_of"] for m in months], series, from_zero=True)
        blocks.append(chart("dso", t.say("dso.chart.title"), t.say("dso.chart.caption"), said, drawing))
    rows = [
        cells(
            m["as_of"],
            money(m["receivables"]),
            figures.share(m["overdue_share"]),
            money(m["billed"]),
            figures.count(m["days"]),
            *(figures.decimal(m[name], 1) for name in ("dso", "best_possible_dso", "days_delinquent")),
        )
        for m in reversed(months)
    ]
    heads = ("day", "receivables", "overdue_share", "billed", "period", "dso", "best_possible_dso", "days_delinquent")
    blocks.append(t.table("dso", heads, rows, t.say("dso.note")))
    return Chapter("dso", title, tuple(blocks), lead)


def rolls(t: Teller) -> Chapter:
    """The month's matrix, and the year's rates to a worse bucket with their intervals."""
    told = t.told["rolls"]
    title = t.say("rolls.title")
    if told is None:
        return Chapter("rolls", title, (Missing(t.say("rolls.none")),))
    names = [row["bucket"] for row in told["month"]]
    states = (*names, "paid", "written_off")
    rows = [
        (
            Cell(t.name_of("bucket", row["bucket"]), note=t.say("rolls.seen", n=figures.count(row["customers"]))),
            Cell(money(row["amount"])),
            *(Cell(figures.share(row["shares"][s]) if row["shares"][s] is not None else t.say("none")) for s in states),
        )
        for row in told["month"]
    ]
    table = t.table("rolls", ("bucket", "amount"), (), from_day=t.day(told["from"]), to_day=t.day(told["to"]))
    more = tuple(type(table.columns[0])(t.name_of("bucket", s), is_number=True) for s in states)
    matrix = Table(table.caption, table.columns + more, tuple(rows), (t.say("rolls.note"),), is_fixed=True)
    year = [
        (
            Cell(t.name_of("bucket", row["bucket"])),
            t.measured(row["rate"], figures.share),
            t.measured(row["chain"], figures.probability),
            *cells(figures.count(row["customers"]), figures.count(row["customers_worse"])),
        )
        for row in told["year"]
    ]
    heads = ("bucket", "rate", "chain", "customers", "worse")
    blocks = (
        matrix,
        Heading(t.say("rolls.year.title", n=told["months"])),
        t.table(
            "rolls.year", heads, year, t.say("rolls.year.note"), first=t.day(told["first"]), last=t.day(told["to"])
        ),
    )
    return Chapter("rolls", title, blocks, t.say("rolls.lead"))
