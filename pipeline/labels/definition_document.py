"""docs/default-definition.md: the definition and its scenarios, told from the policy file and the scenario files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.history.definition import DefaultDefinition
    from pipeline.labels.scenarios import Expectation, Scenario

_READINGS = {
    "per_item": "Per item · 逐笔计算",
    "dispute": "Dispute · 争议",
    "credit": "Credit notes and unallocated cash · 贷项与未分配收款",
    "bounced": "Bounced payment · 退回的付款",
    "end_of_cause": "End of the cause · 原因终止",
    "relapse": "Relapse · 再次违规",
    "knowledge": "Known then, known later · 当时所知与事后所知",
    "indeterminate": "Indeterminate · 不确定",
    "left": "Left · 离开账簿",
}
_OUTCOMES = {
    "good": "good 好",
    "bad": "bad 坏",
    "indeterminate": "indeterminate 不确定",
    "immature": "immature 未成熟",
    "left": "left 离开账簿",
    "in_default": "in default 已违约",
}
_REASONS = {"past_due": "past due 逾期", "insolvency": "insolvency 破产", "write_off": "write-off 核销"}


def definition_document(definition: DefaultDefinition, scenarios: Sequence[Scenario]) -> str:
    """The document as Markdown, English with Chinese beside it; the same inputs give the same bytes."""
    parts = [
        "# When a customer is in default · 违约定义",
        f"Version {definition.version}, in force from {definition.valid_from}. This page is written from "
        "`policy/default_definition.yaml` and `tests/labels/scenarios/`: change those, then `make docs`.",
        *_choice(definition),
        *_readings(definition),
        *_sources(definition),
        *_scenarios(scenarios),
    ]
    return "\n\n".join(parts) + "\n"


def _choice(definition: DefaultDefinition) -> list[str]:
    share = f"{definition.relative_basis_points / 100:g} %"
    causes = [
        f"- **past due** (逾期): on the first day on which undisputed items, each past due for {definition.days} "
        f"consecutive days, together exceed the absolute threshold **and** {share} of all that stands open. It ends "
        f"when they no longer do, after a probation of {definition.probation_days} days without a new breach;",
        f"- **insolvency** (破产): an event of kind {', '.join(f'`{k}`' for k in definition.insolvency_events)}, "
        "for ever;",
        f"- **write-off** (核销): of more than {definition.write_off_above} in base currency, for "
        f"{definition.write_off_days} days.",
    ]
    lines = ["| base currency 本位币 | companies 公司 | natural persons 自然人 |", "|---|---:|---:|"]
    lines += [f"| {c} | {a.company:,} | {a.natural_person:,} |" for c, a in sorted(definition.absolute.items())]
    return [
        "## The choice · 本项目的选择",
        "A customer is in default from\n\n" + "\n".join(causes),
        "Absolute thresholds · 绝对门槛:",
        "\n".join(lines),
    ]


def _readings(definition: DefaultDefinition) -> list[str]:
    lines = [f"- **{title}.** {_line(definition.readings[name])}" for name, title in _READINGS.items()]
    return ["## How it is read · 口径", "\n".join(lines)]


def _sources(definition: DefaultDefinition) -> list[str]:
    lines = [f"| {s.name} | {_line(s.title)} | {_line(s.says)} |" for s in definition.sources]
    table = ["| source 来源 | title 标题 | what it says 内容 |", "|---|---|---|", *lines]
    return ["## What others do, told apart · 各来源", "\n".join(table)]


def _scenarios(scenarios: Sequence[Scenario]) -> list[str]:
    parts = ["## Scenarios · 情景", "Each is a test. Amounts in EUR; unless told, a row was known when it happened."]
    for scenario in scenarios:
        parts += [
            f"### {scenario.title} · {scenario.title_zh}",
            f"{scenario.en}\n\n{scenario.zh}",
            "\n".join(_documents(scenario)),
            "\n".join(f"- {_expected(one)}" for one in scenario.expect),
        ]
    return parts


def _documents(scenario: Scenario) -> list[str]:
    customer = "a natural person 自然人" if scenario.is_natural_person else "a company 公司"
    lines = [f"| {customer} | ledger known to {scenario.extract_date} |", "|---|---|"]
    for table, rows in scenario.documents.items():
        lines += [f"| {table} | {_fields(row)} |" for row in rows]
    return lines


def _fields(row: dict[str, Any]) -> str:
    return " · ".join(f"{name} {value}" for name, value in row.items())


def _expected(one: Expectation) -> str:
    if one.outcome is not None:
        event = f", on {one.event_on}" if one.event_on else ""
        return f"snapshot of {one.as_of}: **{_OUTCOMES[one.outcome]}**{event}"
    if one.status == "default":
        return f"as known on {one.as_of}: **in default 违约** since {one.default_on} ({_REASONS[str(one.reason)]})"
    return f"as known on {one.as_of}: **not in default 未违约**"


def _line(text: str) -> str:
    return " ".join(text.split())
