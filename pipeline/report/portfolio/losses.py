"""Expected loss, grades on the move, concentration, and what single defaults would cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.report import figures
from pipeline.report.blocks import Block, Cell, Chapter, Heading, Missing, Table, Text, cells
from pipeline.report.portfolio.telling import change, money

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.report.portfolio.telling import Teller


def expected(t: Teller) -> Chapter:
    """12-month expected loss by segment, labelled as management's figure, and what a year may come to."""
    told = t.told["expected_loss"]
    performing = told["performing"]
    rows = [
        (
            Cell(t.name_of("segment", row["segment"])),
            *cells(
                figures.count(row["customers"]),
                money(row["ead"]),
                money(row["expected_loss"]),
                money(row["before"]),
                change(row["expected_loss"], row["before"]),
            ),
        )
        for row in told["segments"]
    ]
    total_ead = sum(float(row["ead"]) for row in told["segments"])
    rows.append(
        cells(
            t.say("total"), figures.count(sum(row["customers"] for row in told["segments"])), money(total_ead),
            money(told["total"]), money(told["total_before"]), change(told["total"], told["total_before"]),
        )
    )  # fmt: skip
    heads = ("segment", "customers", "ead", "loss", "before", "change")
    blocks: list[Block] = [t.table("loss", heads, rows, t.say("loss.note"))]
    level = t.told["level"]
    if level is None:
        blocks.append(Missing(t.say("loss.no_level")))
    else:
        values = {name: figures.decimal(level[name], 2) for name in ("value", "low", "high")}
        sample = t.name_of("loss.sample", level["sample"])
        blocks.append(Text(t.say("loss.level", sample=sample, n=figures.count(level["bad_customers"]), **values)))
    year = told["year"]
    if year is not None:
        values = {name: t.short(year[name]) for name in ("mean", "low", "high", "percentile_99")}
        confidence = figures.share(t.told["confidence"], 0)
        blocks.append(Text(t.say("loss.year", rounds=figures.count(year["rounds"]), confidence=confidence, **values)))
    lead = t.say(
        "loss.lead", loss=t.short(performing["value"]),
        interval=t.aside(performing["low"], performing["high"], t.short),
        customers=figures.count(told["performing_customers"]), defaults=figures.decimal(told["expected_defaults"], 0),
    )  # fmt: skip
    return Chapter("loss", t.say("loss.title"), tuple(blocks), lead)


def grades(t: Teller) -> Chapter:
    """The migration matrix since the run of the month before, and how each grade is treated."""
    told, title = t.told["migration"], t.say("grades.title")
    if told is None:
        return Chapter("grades", title, (Missing(t.say("grades.none", back_fill=t.back_fill)), _treated(t)))
    names = [name if name != "none" else t.say("grades.not_rated") for name in told["grades"]]
    rows = []
    for name, counts in zip(names, told["counts"], strict=True):
        if sum(counts):
            rows.append(
                (Cell(name), *(Cell(figures.count(n) if n else "·") for n in counts), Cell(figures.count(sum(counts))))
            )
    head = t.table("grades", ("from",), (), was=t.day(t.told["run_before"]), now=t.day(t.told["run"]["as_of"]))
    column = type(head.columns[0])
    columns = (*head.columns, *(column(n, is_number=True) for n in names), column(t.say("total"), is_number=True))
    lead = t.say(
        "grades.lead",
        was=t.day(t.told["run_before"]),
        **{
            name: figures.count(told[name])
            for name in ("graded", "up", "down", "stayed", "two_or_more", "to_default", "cured")
        },
        up_share=figures.share(told["up_share"]),
        down_share=figures.share(told["down_share"]),
        to_default_share=figures.probability(told["to_default_share"]),
    )
    moved = Table(head.caption, columns, tuple(rows), (t.say("grades.note"),), is_fixed=True)
    return Chapter("grades", title, (moved, _treated(t)), lead)


def _treated(t: Teller) -> Block:
    """Segment and strategy by grade, with how much of the book each concerns."""
    told = t.told["strategies"]
    if told is None:
        return Missing(t.say("strategy.gone"))
    rows = [
        cells(
            row["grade"],
            t.name_of("segment", row["segment"]),
            row["strategy"][t.words.language],
            figures.count(row["customers"]),
            money(row["open"]),
            money(row["loss"]),
            row["action"][t.words.language],
        )
        for row in told
    ]
    heads = ("grade", "segment_text", "strategy_text", "customers", "open", "loss", "action_text")
    return t.table("strategy", heads, rows, t.say("strategy.note"))


def concentrations(t: Teller) -> Chapter:
    """Largest names, groups, industries, regions and countries, each with the Herfindahl index and what it means."""
    told = t.told["concentration"]
    blocks: list[Block] = []
    for name in ("customer_id", "group", "industry", "region", "country"):
        blocks += [Heading(t.say(f"concentration.by.{name}")), *_part(t, name, told[name])]
    own = told["customer_id"]
    lead = t.say(
        "concentration.lead", n=len(own["parts"]), share=figures.share(own["top_share"]),
        equal=figures.decimal(own["equal_parts"], 0), customers=figures.count(own["count"]),
    )  # fmt: skip
    return Chapter("concentration", t.say("concentration.title"), tuple(blocks), lead)


def _part(t: Teller, name: str, told: Mapping[str, Any]) -> list[Block]:
    if told["hhi"] is None:
        return [Missing(t.say("concentration.none"))]
    largest = float(told["parts"][0]["share"]) or 1.0
    rows = [
        (
            t.customer(row["part"]) if name in {"customer_id", "group"} else Cell(row["part"]),
            Cell(money(row["ead"])),
            Cell(figures.share(row["share"]), bar=row["share"] / largest),
            *cells(money(row["open"]), money(row["expected_loss"]), figures.count(row["customers"])),
        )
        for row in told["parts"]
    ]
    meaning = t.say(
        "concentration.index", hhi=figures.decimal(told["hhi"], 4), equal=figures.decimal(told["equal_parts"], 1),
        n=figures.count(told["count"]), level=t.name_of("concentration.level", told["level"]),
    )  # fmt: skip
    notes = [meaning]
    if float(told["not_told"]) > 0:
        notes.append(t.say("concentration.not_told", amount=t.short(told["not_told"])))
    heads = ("part", "ead", "share", "open", "loss", "customers")
    return [
        t.table(
            "concentration", heads, rows, *notes, what=t.say(f"concentration.by.{name}"), n=len(rows), is_fixed=False
        )
    ]


def costs(t: Teller) -> Chapter:
    """What the default of each of the ten largest would cost."""
    rows = [
        (
            t.customer(row["customer_id"]),
            *cells(
                row["grade"] or "–", figures.probability(row["pd"]), money(row["ead"]), figures.share(row["lgd"], 0)
            ),
            Cell(money(row["cost"])),
            Cell(figures.share(row["of_expected_loss"], 0)),
            Cell(
                money(row["group_cost"]),
                note="" if row["group"] is None else t.say("costs.of", n=row["group_customers"]),
            ),
        )
        for row in t.told["costs"]
    ]
    if not rows:
        return Chapter("costs", t.say("costs.title"), (Missing(t.say("costs.none")),))
    heads = ("customer", "grade", "pd", "ead", "lgd", "cost", "of_loss", "group")
    worst = max(t.told["costs"], key=lambda row: float(row["cost"]))
    total = t.short(sum(float(row["cost"]) for row in t.told["costs"]))
    lead = t.say("costs.lead", customer=worst["customer_id"], cost=t.short(worst["cost"]), total=total, n=len(rows))
    return Chapter(
        "costs", t.say("costs.title"), (t.table("costs", heads, rows, t.say("costs.note"), is_fixed=False),), lead
    )
