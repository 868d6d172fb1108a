"""Whom to call first and which alerts to look into, as far as the collectors' week goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.report import figures
from pipeline.report.blocks import Block, Chapter, Heading, Missing, cells
from pipeline.report.portfolio.telling import money

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.report.portfolio.telling import Teller


def worklist(t: Teller) -> Chapter:
    """The cases with the largest expected recovery, sums by step, what each collector can take, alerts to look into."""
    told = t.told["worklist"]
    title = t.say("worklist.title")
    if not told["rows"] and not told["review_rows"]:
        return Chapter("worklist", title, (Missing(t.say("worklist.none")),))
    blocks: list[Block] = [Missing(t.say("worklist.none"))]
    if told["rows"]:
        steps = {step["step"]: step["zh" if t.language == "zh" else "en"] for step in told["steps"]}
        blocks = [_cases(t, told, steps), _steps(t, told, steps)]
    blocks += [_collectors(t, told), *_reviews(t, told)]
    lead = t.say(
        "worklist.lead", n=figures.count(told["customers"]), overdue=t.short(told["overdue"]),
        recovery=t.short(told["recovery"]), below=figures.count(told["below_amount"]),
        amount=money(told["amount_from"]), currency=t.currency, fits=figures.count(told["in_budget"]),
        not_worth=figures.count(told["not_worth"]),
    )  # fmt: skip
    return Chapter("worklist", title, tuple(blocks), lead)


def _cases(t: Teller, told: Mapping[str, Any], steps: Mapping[str, str]) -> Block:
    rows = [
        (
            t.customer(row["customer_id"]),
            *cells(
                _desk(t, row), row["grade"] or "–", money(row["overdue"]), money(row["recovery"]),
                figures.count(row["days"]), money(row["disputed"]), t.say(_week(row)), steps[row["step"]],
            ),
        )
        for row in told["rows"]
    ]  # fmt: skip
    heads = (
        "customer",
        "collector_text",
        "grade_text",
        "overdue",
        "recovery",
        "days",
        "disputed",
        "week_text",
        "step_text",
    )
    total = figures.count(told["customers"])
    return t.table("worklist", heads, rows, t.say("worklist.note"), n=len(rows), is_fixed=False, all=total)


def _steps(t: Teller, told: Mapping[str, Any], steps: Mapping[str, str]) -> Block:
    rows = [
        cells(
            steps[one["step"]], figures.count(one["customers"]), money(one["overdue"]), figures.share(one["share"]),
            money(one["recovery"]),
        )
        for one in told["steps"]
    ]  # fmt: skip
    return t.table("worklist.steps", ("step", "customers", "overdue", "share", "recovery"), rows)


def _collectors(t: Teller, told: Mapping[str, Any]) -> Block:
    rows = [
        cells(
            _desk(t, one),
            *(figures.count(one[name]) for name in ("cases", "cases_per_week", "in_budget", "left_over")),
            money(one["recovery"]), money(one["recovery_left"]),
            figures.count(one["reviews"]), figures.count(one["reviews_in_budget"]),
        )
        for one in told["collectors"]
    ]  # fmt: skip
    heads = (
        "collector", "cases", "per_week", "fits", "left", "recovery", "recovery_left", "reviews", "reviews_fit",
    )  # fmt: skip
    return t.table("worklist.collectors", heads, rows, t.say("worklist.collectors.note"))


def _reviews(t: Teller, told: Mapping[str, Any]) -> list[Block]:
    if not told["review_rows"]:
        return []
    rows = [
        (
            t.customer(row["customer_id"]),
            *cells(
                _desk(t, row), t.say(_standing(row)), row["opened_on"], t.name_of("severity", row["severity"]),
                figures.count(row["alerts"]), money(row["loss"]), row["grade"] or "–", t.say(_week(row)),
            ),
        )
        for row in told["review_rows"]
    ]  # fmt: skip
    heads = (
        "customer", "collector_text", "state_text", "opened_text", "severity_text", "alerts", "loss", "grade_text",
        "week_text",
    )  # fmt: skip
    table = t.table(
        "worklist.reviews", heads, rows, t.say("worklist.reviews.note", days=figures.count(told["review_again_days"])),
        is_fixed=False, n=len(rows), all=figures.count(told["reviews"]), new=figures.count(told["reviews_new"]),
        due=figures.count(told["reviews_due"]), fits=figures.count(told["reviews_in_budget"]),
    )  # fmt: skip
    return [Heading(t.say("worklist.reviews.title")), table]


def _desk(t: Teller, row: Mapping[str, Any]) -> str:
    return str(row["collector"] or t.say("worklist.no_collector"))


def _standing(row: Mapping[str, Any]) -> str:
    if row["state"] == "new":
        return "worklist.reviews.new"
    if row["is_left_over"]:
        return "worklist.reviews.left_over"
    return "worklist.reviews.again" if row["is_due"] else "worklist.reviews.waits"


def _week(row: Mapping[str, Any]) -> str:
    return "worklist.this_week" if row["is_in_budget"] else "worklist.later"
