"""The data dictionary: every feature in English and Chinese, generated from the definitions."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pipeline.features.catalog import FEATURES, catalogue_hash
from pipeline.features.feature import Holds, Language, Risk, Serves, Subject, Tells, Unit
from pipeline.features.step import STEPS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pipeline.features.feature import Feature

_SUBJECTS_ZH: Mapping[Subject, str] = {
    Subject.PAYMENT_BEHAVIOUR: "付款行为",
    Subject.OPEN_ITEMS: "未清账款与账龄",
    Subject.RELATIONSHIP: "订单与合作关系",
    Subject.ACCOUNTS: "财务报表",
    Subject.CONTRACTS: "合同、争议、额度与保障",
    Subject.OUTSIDE: "集团与外部事件",
}
_UNITS: Mapping[Unit, tuple[str, str]] = {
    Unit.DAYS: ("days", "天"),
    Unit.MONTHS: ("months", "月"),
    Unit.YEARS: ("years", "年"),
    Unit.COUNT: ("count", "次数/笔数"),
    Unit.SHARE: ("share (1 = 100 %)", "占比（1 = 100%）"),
    Unit.RATIO: ("ratio", "比率"),
    Unit.MONEY: ("base currency", "本位币金额"),
    Unit.POINTS: ("points", "分值"),
    Unit.FLAG: ("0 or 1", "0或1"),
    Unit.CATEGORY: ("category", "类别"),
}
_RISKS: Mapping[Risk, tuple[str, str]] = {
    Risk.RISES: ("rises", "上升"),
    Risk.FALLS: ("falls", "下降"),
    Risk.EITHER: ("either", "不定"),
}
_FOR_PEOPLE = ("; for people", "；仅供阅读")
_SILENT: Mapping[Tells, tuple[str, str]] = {
    Tells.VALUE: ("", ""),
    Tells.TITLE: ("title only", "仅告知名称"),
    Tells.NOTHING: ("not told", "不告知"),
}
_SAMPLES: Mapping[Unit, float | str] = {
    Unit.SHARE: 0.25,
    Unit.RATIO: 0.8,
    Unit.MONEY: 125_000.0,
    Unit.FLAG: 1.0,
    Unit.CATEGORY: "C",
}
_SAMPLE_NUMBER = 12.0
_PLACE: Mapping[Language, int] = {"en": 0, "zh": 1}


def markdown() -> str:
    """The whole of docs/features.md: English, then Chinese. `creditbook docs` writes it."""
    return "\n".join([*_english(), "", *_chinese(), ""])


def _english() -> list[str]:
    counts = Counter(feature.holds for feature in FEATURES)
    for_people = sum(feature.serves is Serves.PEOPLE for feature in FEATURES)
    lines = [
        "# Features",
        "",
        "Generated from `pipeline/features/` by `creditbook docs`; do not edit. [中文](#特征字典)",
        "",
        f"{len(FEATURES)} columns ({counts[Holds.NUMBER]} numbers, {counts[Holds.CATEGORY]} categories) on six "
        f"subjects; catalogue `{catalogue_hash()[:12]}`.",
        "",
        "All is told as it was known on the day. *Risk* says how the default probability moves as the value rises; "
        "binning and the booster's monotone constraints follow it. A column is null for every customer when one of its "
        "*tables* was not handed in, and otherwise where *null* says so. A window of k months ends on the day.",
        "",
        f"*For people* stands beside the risk of {for_people} columns that reports and people read and no model uses: "
        "one more invoice 90 days late could move them to the safer side "
        "([decision 8](decisions/0008-one-more-invoice-90-days-late.md)). No such invoice does so with any other "
        "column, whoever the customer is.",
        "",
        "*Told from* names the columns of the ledger behind a value, found by looking at what its definition touches. "
        "The keys, `customer_id` and `known_on` of their tables count besides, since they say which rows are true on a "
        "day; no other column can change the value.",
        "",
        "*Step* says what a customer can do about a column that models use, as its own page says it "
        "([the customer's page](statement.md)): "
        + "; ".join(f"`{step.name}` {step.en.lower()}" for step in STEPS)
        + ". "
        "*Title only* and *not told* stand where that page does not tell the value, since a third party told it in "
        "confidence or since it is told from other customers.",
    ]
    for subject, features in _by_subject():
        lines += [
            "",
            f"## {subject.capitalize()}",
            "",
            "| column | what it is | unit | risk | step | tables | told from | null | as a reason |",
            "|---|---|---|---|---|---|---|---|---|",
            *(_row(feature, "en", f"**{feature.title_en}.** {_flat(feature.doc)}") for feature in features),
        ]
    return lines


def _chinese() -> list[str]:
    lines = [
        "# 特征字典",
        "",
        "由 `creditbook docs` 根据 `pipeline/features/` 自动生成，请勿手工修改。[English](#features)",
        "",
        f"共{len(FEATURES)}列，分为六个主题。所有数值均以观察日当天已知的信息为准。“风险”表示数值上升时违约概率的变化方向，"
        "分箱与提升树的单调约束均以此为准。若某列的任一来源表未提供，则该列对所有客户为空；"
        "其余情况下的空值含义见“空值”一栏。k个月的窗口以观察日为终点。“来源列”为该值所依据的台账列，由定义本身得出；"
        "相关表的主键、`customer_id` 与 `known_on` 始终计入，其他列不会改变该值。"
        "注明“仅供阅读”的列只供人员与报告使用，模型不采用：多一张逾期90天的发票可能使其显得风险更低。"
        "“步骤”说明客户对模型所用的列可以做什么，表述与[客户说明书](statement.md)一致："
        + "；".join(f"`{step.name}` {step.zh}" for step in STEPS)
        + "。“仅告知名称”“不告知”表示说明书不写出其数值：前者由第三方保密提供，后者由其他客户的数据得出。",
    ]
    for subject, features in _by_subject():
        lines += [
            "",
            f"## {_SUBJECTS_ZH[subject]}",
            "",
            "| 列名 | 含义 | 单位 | 风险 | 步骤 | 来源表 | 来源列 | 空值 | 作为原因的表述 |",
            "|---|---|---|---|---|---|---|---|---|",
            *(_row(feature, "zh", feature.title_zh) for feature in features),
        ]
    return lines


def _by_subject() -> Iterable[tuple[Subject, list[Feature]]]:
    for subject in Subject:
        yield subject, [feature for feature in FEATURES if feature.subject is subject]


def _row(feature: Feature, language: Language, meaning: str) -> str:
    place = _PLACE[language]
    cells = (
        f"`{feature.name}`",
        meaning,
        _UNITS[feature.unit][place],
        _RISKS[feature.risk][place] + (_FOR_PEOPLE[place] if feature.serves is Serves.PEOPLE else ""),
        _step(feature, place),
        ", ".join(feature.source),
        _told_from(feature),
        feature.null_means if language == "en" else feature.null_means_zh,
        feature.render(_SAMPLES.get(feature.unit, _SAMPLE_NUMBER), language),
    )
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def _step(feature: Feature, place: int) -> str:
    """The step's name, and whether the customer is told less than the value; nothing of a column for people alone."""
    if feature.serves is Serves.PEOPLE:
        return ""
    step = "" if feature.step is None else f"`{feature.step.name}`"
    return step or _SILENT[feature.tells][place]


def _told_from(feature: Feature) -> str:
    """The ledger's columns, each table named once: `invoices`: due_on, amount."""
    columns: dict[str, list[str]] = {}
    for table, column in (name.split(".") for name in feature.columns):
        columns.setdefault(table, []).append(column)
    return " · ".join(f"`{table}`: {', '.join(names)}" for table, names in columns.items())


def _flat(doc: str) -> str:
    return " ".join(doc.split())
