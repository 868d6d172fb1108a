"""What people act on: alerts and what became of them, limits, whom to call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.report import figures
from pipeline.report.blocks import Block, Cell, Chapter, Heading, Missing, Text, cells
from pipeline.report.portfolio.measured_rules import measured_rules
from pipeline.report.portfolio.telling import money

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.report.portfolio.telling import Teller


def alerts(t: Teller) -> Chapter:
    """Alerts of the day, what became of all that were opened, and whether they warned in time."""
    told = t.told["alerts"]
    rows = [
        (
            Cell(t.rule(row["rule"])),
            Cell(t.name_of("severity", row["severity"]) if row["severity"] else "–"),
            *cells(*(figures.count(row[name]) for name in ("new", "open", "closed", "customers"))),
        )
        for row in told["day"]
    ]
    blocks: list[Block] = [
        t.table("alerts", ("rule", "severity_text", "new", "open", "closed", "customers"), rows,
                t.say("alerts.note"), day=t.day(t.told["run"]["as_of"]))
    ]  # fmt: skip
    run = t.told["run"]
    if run["before"]["is_overtaken"]:
        blocks.insert(0, Missing(overtaken(t)))
    lives = [
        (
            Cell(t.rule(row["rule"])),
            *cells(
                *(figures.count(row[name]) for name in ("opened", "customers", "still_open", "closed", "defaulted"))
            ),
            Cell(figures.DASH if row["days_open"] is None else figures.decimal(row["days_open"], 0)),
        )
        for row in told["lives"]
    ]
    heads = ("rule", "opened", "customers", "still_open", "closed", "defaulted", "days_open")
    blocks += [
        Heading(t.say("alerts.lives.title")),
        t.table("alerts.lives", heads, lives, t.say("alerts.lives.note"), first=t.day(run["first_run"]), n=run["runs"]),
        Heading(t.say("alerts.warning.title")),
        *_warning(t, told["warning"]),
        Heading(t.say("measured.title")),
        *_measured(t, told.get("measured")),
    ]
    new, standing = (sum(row[name] for row in told["day"]) for name in ("new", "open"))
    return Chapter("alerts", t.say("alerts.title"), tuple(blocks), _lead(t, new, standing))


def _lead(t: Teller, new: int, standing: int) -> str:
    """New is against a run: which one, or that there was none."""
    day = t.told["run"]["before"]["compared_on"]
    if day is None:
        return t.say("alerts.lead_first", n=figures.count(new + standing))
    return t.say("alerts.lead", new=figures.count(new), open=figures.count(standing), day=t.day(day))


def overtaken(t: Teller) -> str:
    """That another run lies before this one than it was compared with."""
    run = t.told["run"]
    was = run["before"]["compared_on"]
    return t.say(
        "alerts.overtaken_first" if was is None else "alerts.overtaken",
        was=t.day(was),
        now=t.day(run["before"]["lies_on"]),
        day=run["as_of"],
    )


def _warning(t: Teller, told: Mapping[str, Any]) -> list[Block]:
    base = told.get("base_rate")
    if base is None:
        first, months = t.day(told.get("first_run")), told.get("months", "–")
        return [Missing(t.say("alerts.warning.none", first=first, months=months, back_fill=t.back_fill))]
    rows = [
        (
            Cell(t.rule(row["rule"])),
            Cell(figures.count(row["hit_rate"]["n"])),
            Cell(figures.count(row["hit_rate"]["hits"])),
            t.measured(row["hit_rate"], figures.share),
            Cell(figures.DASH if row["lead_days"] is None else figures.decimal(row["lead_days"]["median"], 0),
                 note=_quarters(t, row["lead_days"])),
        )
        for row in told["rules"]
    ]  # fmt: skip
    rows.append((
        Cell(t.say("alerts.warning.base"), note=t.day(told["base_run"])), Cell(figures.count(base["n"])),
        Cell(figures.count(base["hits"])), t.measured(base, figures.share), Cell(figures.DASH),
    ))  # fmt: skip
    caught = told["caught"]
    if caught["value"] is None:
        said = t.say("alerts.warning.few_defaults", n=caught["n"], fewest=told["fewest"])
    else:
        said = t.say(
            "alerts.warning.caught", hits=figures.count(caught["hits"]), n=figures.count(caught["n"]),
            share=figures.share(caught["value"]), interval=t.range_of(caught["low"], caught["high"], figures.share),
        )  # fmt: skip
    heads = ("rule", "customers", "hits", "rate", "lead")
    note = t.say(
        "alerts.warning.note", months=told["months"], unripe=figures.count(told["unripe"]), fewest=told["fewest"]
    )
    return [
        t.table("alerts.warning", heads, rows, note, months=told["months"], first=t.day(told["first_run"])),
        Text(said),
    ]


def _measured(t: Teller, told: Mapping[str, Any] | None) -> list[Block]:
    return [Missing(t.say("measured.absent"))] if told is None else measured_rules(t, told)


def _quarters(t: Teller, lead: Mapping[str, Any] | None) -> str:
    if lead is None:
        return ""
    return t.range_of(lead["quarter"], lead["three_quarters"], lambda days: figures.decimal(days, 0))


def limits(t: Teller) -> Chapter:
    """Limits changed in the ledger since the run before, and the suggestions that stand."""
    told = t.told["limits"]
    blocks: list[Block] = []
    if "changes" in told:
        rows = [
            cells(
                t.name_of("limits.change", row["change"]),
                figures.count(row["customers"]),
                money(row["before"]),
                money(row["after"]),
            )
            for row in told["changes"]
        ]
        blocks.append(
            t.table("limits", ("kind", "customers", "before", "after"), rows, was=t.day(t.told["run_before"]))
        )
        largest = [
            (t.customer(row["customer_id"]), *cells(_limit(t, row["before"]), _limit(t, row["after"])))
            for row in told["largest"]
        ]
        if largest:
            blocks.append(
                t.table("limits.largest", ("customer", "before", "after"), largest, n=len(largest), is_fixed=False)
            )
    else:
        blocks.append(Missing(t.say("limits.no_before")))
    actions = [
        cells(
            t.name_of("action", row["action"]),
            figures.count(row["customers"]),
            money(row["limit"]),
            money(row["suggested"]),
        )
        for row in told["actions"]
    ]
    heads = ("action", "customers", "limit", "suggested")
    blocks.append(
        t.table("limits.action", heads, actions, t.say("limits.action.note"), day=t.day(t.told["run"]["as_of"]))
    )
    return Chapter("limits", t.say("limits.title"), tuple(blocks), t.say("limits.lead"))


def _limit(t: Teller, amount: str | None) -> str:
    return t.say("limits.no_limit") if amount is None else money(amount)
