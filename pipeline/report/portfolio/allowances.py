"""The allowances: the provision matrix of IFRS 9's simplified approach beside the lifetime loss from the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.report import figures
from pipeline.report.blocks import Block, Cell, Chapter, Heading, Missing, Table, Text, cells
from pipeline.report.portfolio.telling import money

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.report.portfolio.telling import Teller


def allowances(t: Teller) -> Chapter:
    """Matrix, lifetime loss beside it, what came in of amounts given up, and the scenarios with their date."""
    told = t.told["provisions"]
    matrix, lifetime = told["matrix"], told["lifetime"]
    blocks: list[Block] = [_matrix(t, matrix)]
    blocks += [Heading(t.say("allowance.side.title")), *_beside(t, matrix, lifetime)]
    blocks += [Heading(t.say("allowance.recovery.title")), _recoveries(t, told["recoveries"], matrix)]
    blocks += [Heading(t.say("allowance.scenario.title")), *_scenarios(t, matrix["scenarios"], lifetime)]
    total = matrix["total"]
    lead = t.say(
        "allowance.lead",
        value=t.short(total["value"]),
        interval=t.aside(total["low"], total["high"], t.short),
        lifetime=figures.DASH if lifetime is None else t.short(lifetime["total"]["value"]),
    )
    return Chapter("allowance", t.say("allowance.title"), tuple(blocks), lead)


def _matrix(t: Teller, matrix: Mapping[str, Any]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for row in matrix["buckets"]:
        if row["by_definition"]:
            rate = Cell(figures.share(1.0), note=t.say("allowance.by_definition"))
        elif row["rate_from"] == row["bucket"]:
            rate = t.measured(row["lost_rate"], figures.probability)
        elif row["rate_from"] is None:
            rate = Cell(t.say("not_enough"))
        else:
            rate = Cell(t.say("not_enough"), note=t.say("allowance.from", bucket=t.name_of("bucket", row["rate_from"])))
        seen = Cell(
            figures.count(row["customers_seen"]), note=t.say("allowance.lost", n=figures.count(row["customers_lost"]))
        )
        used = Cell(figures.probability(row["used_rate"]))
        lgd = Cell(figures.share(row["lgd"], 0))
        provision = (
            Cell(money(row["provision"]["value"])) if row["by_definition"] else t.measured(row["provision"], money)
        )
        rows.append(
            (Cell(t.name_of("bucket", row["bucket"])), Cell(money(row["balance"])), seen, rate, used, lgd, provision)
        )
    total = t.measured(matrix["total"], money)
    balance = sum(float(row["balance"]) for row in matrix["buckets"])
    rows.append((Cell(t.say("total")), Cell(money(balance)), *cells("", "", "", ""), total))
    heads = ("bucket", "balance", "seen", "rate", "used", "lgd", "provision")
    if matrix["first_day"] is None:
        note = t.say("allowance.no_history", months=matrix["outcome_months"])
    else:
        note = t.say("allowance.note", first=t.day(matrix["first_day"]), last=t.day(matrix["last_day"]),
                     days=matrix["days_seen"],
                     months=matrix["outcome_months"], fewest=matrix["fewest_customers"])  # fmt: skip
    return t.table("allowance", heads, rows, note, day=t.day(matrix["as_of"]))


def _beside(t: Teller, matrix: Mapping[str, Any], lifetime: Mapping[str, Any] | None) -> list[Block]:
    if lifetime is None:
        return [Missing(t.say("allowance.no_lifetime"))]
    rows = [
        cells(
            t.name_of("bucket", one["bucket"]),
            figures.count(other["items"]),
            money(one["provision"]["value"]),
            money(other["loss"]),
            figures.DASH
            if one["provision"]["value"] is None
            else _signed(float(other["loss"]) - float(one["provision"]["value"])),
        )
        for one, other in zip(matrix["buckets"], lifetime["buckets"], strict=True)
    ]
    gap = float(lifetime["total"]["value"]) - float(matrix["total"]["value"] or 0)
    rows.append((
        Cell(t.say("total")), Cell(figures.count(lifetime["items"])), t.measured(matrix["total"], money),
        t.measured(lifetime["total"], money), Cell(_signed(gap)),
    ))  # fmt: skip
    heads = ("bucket", "items", "matrix", "model", "difference")
    life = figures.DASH if lifetime["mean_life_days"] is None else figures.decimal(lifetime["mean_life_days"], 0)
    said = [Text(t.say("allowance.side.how", days=life))]
    if lifetime["left_out"]["items"]:
        left = lifetime["left_out"]
        said.append(Text(t.say("allowance.side.left", n=figures.count(left["items"]), amount=t.short(left["amount"]))))
    return [t.table("allowance.side", heads, rows, t.say("allowance.side.note")), *said]


def _signed(amount: float) -> str:
    return figures.signed(amount, 0)


def _recoveries(t: Teller, seen: Mapping[str, Any] | None, matrix: Mapping[str, Any]) -> Block:
    if seen is None or seen["recovered"] is None:
        return Missing(t.say("allowance.recovery.none"))
    recovered, lgd = seen["recovered"], matrix["buckets"][-1]["lgd"]
    return Text(
        t.say(
            "allowance.recovery.says",
            amount=t.short(seen["amount"]),
            customers=figures.count(seen["customers"]),
            items=figures.count(seen["items"]),
            months=seen["months"],
            recovered=figures.share(recovered["value"]),
            interval=t.range_of(recovered["low"], recovered["high"], figures.share),
            written_off=figures.share(seen["written_off"]),
            open=figures.share(seen["open"]),
            assumed=figures.DASH if lgd is None else figures.share(1 - lgd, 0),
        )
    )


def _scenarios(t: Teller, dated: Mapping[str, Any] | None, lifetime: Mapping[str, Any] | None) -> list[Block]:
    if dated is None:
        return [Missing(t.say("allowance.scenario.none"))]
    losses = {} if lifetime is None else {case["name"]: case["loss"] for case in lifetime["cases"]}
    rows = [
        cells(
            t.name_of("allowance.scenario.case", case["name"]),
            figures.share(case["weight"], 1),
            figures.decimal(case["factor"], 2),
            money(losses.get(case["name"])),
        )
        for case in dated["cases"]
    ]
    blocks: list[Block] = [
        t.table("allowance.scenario", ("name", "weight", "factor", "loss"), rows, day=t.day(dated["valid_from"])),
        Text(
            t.say(
                "allowance.scenario.source",
                source=dated["source_zh" if t.language == "zh" else "source_en"],
                factor=figures.decimal(dated["mean_factor"], 3),
            )
        ),
    ]
    if dated["is_out_of_date"]:
        blocks.append(
            Missing(t.say("allowance.scenario.old", day=t.day(dated["valid_from"]), months=dated["review_months"]))
        )
    return blocks
