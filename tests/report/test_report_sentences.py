"""Sentences told in English are known by their pattern; what nobody translated is shown as it was told."""

from __future__ import annotations

import ast
import re
import string
from pathlib import Path

import pytest
import yaml

import pipeline
from pipeline.plain_yaml import read_yaml
from pipeline.report.sentences import sentences, translated

PACKAGE = Path(pipeline.__file__).parent
PAIRS = read_yaml((PACKAGE / "report/templates/sentences/zh.yaml").read_text(encoding="utf-8"), "zh.yaml")
HAN = re.compile(r"[\u4e00-\u9fff]")


def places(text: str) -> list[str]:
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name)


@pytest.fixture(scope="module")
def source() -> str:
    """Every text constant of the code that tells sentences, and of the policy files, in one."""
    texts = []
    for folder in ("train", "score", "tables", "flows"):
        for path in sorted((PACKAGE / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.JoinedStr):
                    texts.append("".join(v.value if isinstance(v, ast.Constant) else "\0" for v in node.values))
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    texts.append(node.value)
    policy = yaml.safe_load((PACKAGE.parent / "policy/default_definition.yaml").read_text(encoding="utf-8"))
    texts += [*policy["readings"].values(), *(s["says"] for s in policy["sources"])]
    return "\n".join(" ".join(text.split()) for text in texts)


def test_every_place_of_a_sentence_is_in_its_translation_and_no_other():
    assert len(PAIRS) > 80
    for told, reads in PAIRS:
        assert places(told) == places(reads), told
        assert HAN.search(reads), told


def test_no_translation_outlives_its_sentence(source):
    """Each longer piece of a sentence stands somewhere in the code or the policy: a changed sentence is found here."""
    # Where the code picks words by a condition ("falls" or "rises"), the parts stand in constants of their own.
    joint = re.compile(r"[,;] (?:on$)?|\b(?:which|among|falls|rises|without a value|with the code)\b")
    for told, _ in PAIRS:
        for literal, *_ in string.Formatter().parse(told):
            piece = literal.strip(" .,;:()%")
            if len(piece) >= 14:
                assert piece in source or all(part.strip() in source for part in joint.split(piece)), piece


@pytest.mark.parametrize(
    ("told", "says"),
    [
        (
            "correlates 0.89 with range_of_days_late_24m, which has the higher IV",
            "与range_of_days_late_24m相关0.89，后者IV更高",
        ),
        ("in the scorecard; on the must-have list", "已入模；列于必选清单"),
        ("must-have left out: null on every row", "必选特征未能入模：每一行均为空值"),
        ("7.25 to below 9.55", "7.25至9.55以下"),
        ("-1.5e-05 or more", "-1.5e-05及以上"),
        ("no window is purged before the test date 2025-12-31: outcomes of training and test overlap in time",
         "测试日期2025年12月31日之前没有隔离表现期：训练与测试的结果在时间上有重叠"),
        ("assumed at intake: a day of ours", "导入时的假定：a day of ours"),
        *((f"{n} of 4 segments with 30 bad customers or more, where two are needed: one level for all",
           f"4个分层中{says}30个及以上坏客户，至少需要两个：全体使用同一水平")
          for n, says in (("none", "没有一个有"), ("0", "没有一个有"), ("1", "仅1个有"))),
    ],
)  # fmt: skip
def test_a_sentence_is_known_by_its_pattern(told, says):
    assert translated(told, "zh") == says
    assert translated(told, "en") == told


@pytest.mark.parametrize("told", ["a person's own reason", "below the belt", "IV {x} is below 3", "", "{0.__class__}"])
def test_what_is_not_known_stays_as_it_was_told(told):
    assert translated(told, "zh") == told


def test_a_name_with_braces_in_a_place_is_only_a_name():
    assert "{0.__class__}" in translated("the value {0.__class__}", "zh")
    assert sentences("en") == ()
