"""The first page rests on the one-year cohort, and says no more of a pair than its paired interval does."""

from __future__ import annotations

import dataclasses

import pytest

from pipeline.report.blocks import Bullets, Text, Tiles
from pipeline.report.chapters.verdict import verdict
from pipeline.report.model_card import model_card
from pipeline.report.words import words_in
from pipeline.train.committee_result import Result

WORDS = words_in("en")
COUNTS = {"rows": 1480, "customers": 1341, "bads": 97}
PANEL = {"rows": 7384, "customers": 1380, "bads": 137}


def cohort_of(model: str, light: str = "green") -> tuple[Result, ...]:
    """AUC 0.8, that is Gini 0.60; a rate of 6 % against a mean PD of 5 %, that is 1.20 times; a slope near 1."""
    return (
        Result("auc", "discrimination", light, "cohort", model, value=0.8, low=0.75, high=0.85, against=0.5, **COUNTS),
        Result("jeffreys_total", "calibration", light, "cohort", model, value=0.06, low=0.045, high=0.08, against=0.05,
               **COUNTS),
        Result("slope", "calibration", light, "cohort", model, value=0.9, low=0.7, high=1.1, against=1.0, **COUNTS),
    )  # fmt: skip


def rival(low: float, high: float) -> Result:
    middle = (low + high) / 2
    return Result("rival", "benchmark", "green", "panel", "challenger", "champion", value=middle, low=low, high=high,
                  against=0.0, **PANEL)  # fmt: skip


def case_of(given, *results: Result, **changes):
    """The input with these tests and no rows that neither model saw; on the test rows the champion is shown to beat
    the challenger."""
    differences = {**given.validation["differences"]}
    beaten = {"value": -0.07, "low": -0.13, "high": -0.02, "rounds": 500}
    differences["challenger - champion"] = {"test": beaten, "out_of_time": beaten}
    report = {**given.validation, "differences": differences, "tests": [one.as_json() for one in results]}
    return dataclasses.replace(given, validation=report, **{"comparison": None, **changes})


def unseen_of(given, low: float, high: float) -> dict:
    """Champion less challenger on 370 groups that neither has seen, 42 of them bad, with a 90 % interval."""
    order = {**given.comparison["gini"], "difference": {"value": (low + high) / 2, "low": low, "high": high}}
    return {**given.comparison, "gini": order}


BOTH = (*cohort_of("champion"), *cohort_of("challenger"))


def bullets(given, title: str, words=WORDS) -> str:
    return " ".join(next(b for b in verdict(given, words).blocks if isinstance(b, Bullets) and b.title == title).items)


def test_a_pair_whose_paired_interval_holds_zero_is_undecided_whatever_the_few_test_rows_say(given):
    case = case_of(given, *BOTH, rival(-0.035, 0.023))
    assert "orders customers better than Booster" not in bullets(case, "What is shown")
    undecided = bullets(case, "What is undecided")
    assert "the difference in Gini is −0.006 (−0.035 to +0.023; panel of test dates)" in undecided


def test_a_pair_that_the_paired_interval_decides_is_told_with_its_rows(given):
    shown = bullets(case_of(given, *BOTH, rival(0.01, 0.05)), "What is shown")
    assert "Booster (challenger) orders customers better than Scorecard (champion): Gini higher by 0.030" in shown
    assert "(interval of the difference 0.010 to 0.050; panel of test dates)" in shown


UNDECIDED = Result(
    "rival", "benchmark", "amber", "panel", "champion", "external_rating", value=0.061, low=-0.003, high=0.132,
    against=0.0, unit="gini", shown=0.096, is_blind=False, why="undecided", **PANEL,
)  # fmt: skip


@pytest.mark.parametrize(
    ("language", "title", "says"),
    [
        ("en", "What is shown", "Amber, for the data cannot decide it: Gini, difference on the same customers "),
        ("en", "What is undecided", "Whether Scorecard (champion) orders customers better than the external rating: "
               "the difference in Gini is +0.061 (−0.003 to +0.132; panel of test dates)."),
        ("zh", "已证实", "黄灯（数据无法判定）：Gini，同一批客户上的差异"),
        ("zh", "尚无定论", "的排序能力是否优于外部评级：Gini差值为+0.061"),
    ],
)  # fmt: skip
def test_a_comparison_that_the_data_cannot_decide_says_so_where_it_is_amber_and_among_the_undecided(
    given, language, title, says
):
    assert says in bullets(case_of(given, *BOTH, UNDECIDED), title, words_in(language))


def test_a_rival_that_the_tests_alone_compare_is_told_where_it_is_decided(given):
    card = dataclasses.replace(UNDECIDED, part="expert_card", light="green", low=0.02, why="")
    beaten = bullets(case_of(given, *BOTH, card), "What is shown")
    assert "Scorecard (champion) orders customers better than the expert card: Gini higher by 0.061" in beaten
    better = dataclasses.replace(card, light="red", value=-0.06, low=-0.1, high=-0.02)
    shown = bullets(case_of(given, *BOTH, better), "What is shown")
    assert "The expert card orders customers better than Scorecard (champion): Gini higher by 0.060" in shown


@pytest.mark.parametrize(("language", "title", "says"), [
    ("en", "What is undecided", "(too few bad or good customers; panel of test dates)"),
    ("zh", "尚无定论", "（坏客户或好客户太少；测试日期面板）"),
])  # fmt: skip
def test_a_rival_on_too_few_customers_says_so_and_not_that_it_was_not_measured(given, language, title, says):
    few = Result("rival", "benchmark", "grey", "panel", "champion", "external_rating", why="too_few", **PANEL)
    assert says in bullets(case_of(given, *BOTH, few), title, words_in(language))


def test_without_a_test_of_the_pair_the_test_rows_tell(given):
    shown = bullets(case_of(given, *BOTH), "What is shown")
    assert "Scorecard (champion) orders customers better than Booster (challenger): Gini higher by 0.070" in shown
    assert "test rows)" in shown


def test_the_rows_that_neither_model_saw_decide_and_a_panel_that_differs_is_told_with_its_reason(given):
    case = case_of(given, *BOTH, rival(-0.035, 0.023), comparison=unseen_of(given, 0.04, 0.12))
    shown = bullets(case, "What is shown")
    assert (
        "Scorecard (champion) orders customers better than Booster (challenger): Gini higher by 0.080 (interval of the "
        "difference 0.040 to 0.120; at 90 %, on 370 customer groups that neither model has seen, 42 of them bad; thin "
        "files with the PDs they would be served). The panel of test dates answers differently: there it is undecided "
        "(+0.006; −0.023 to +0.035)."
    ) in shown.replace("\u202f", " ")
    assert "Its 1,380 groups hold the customers of the training" in shown
    assert "The test rows" not in shown
    assert "Booster" not in bullets(case, "What is undecided")


@pytest.mark.parametrize(
    ("language", "title", "says"),
    [
        ("en", "What is shown", "The test rows, 500 customer groups, answer differently: there it is undecided "
               "(+0.048; −0.016 to +0.117)."),
        ("zh", "已证实", "测试样本（500个客户组）的答案不同：在此尚无定论（+0.048；−0.016 to +0.117）。"),
    ],
)  # fmt: skip
def test_a_sign_means_the_same_on_the_other_rows_of_a_pair_that_is_decided(given, language, title, says):
    """The scorecard is better by 0.08 on unseen rows; on the test rows the booster less the card is −0.048."""
    case = case_of(given, *BOTH, comparison=unseen_of(given, 0.04, 0.12))
    case.validation["differences"]["challenger - champion"] = {"test": {"value": -0.048, "low": -0.117, "high": 0.016}}
    assert says in bullets(case, title, words_in(language))


def test_what_the_unseen_rows_leave_undecided_is_undecided_and_rows_that_agree_are_not_told(given):
    case = case_of(given, *BOTH, rival(-0.035, 0.023), comparison=unseen_of(given, -0.01, 0.12))
    undecided = bullets(case, "What is undecided")
    assert "the difference in Gini is −0.055 (−0.120 to +0.010; at 90 %, on 370" in undecided.replace("\u202f", " ")
    assert "panel" not in undecided
    assert "The test rows, 500 customer groups, answer differently: Scorecard (champion) is better there" in undecided
    chinese = bullets(case, "尚无定论", words_in("zh"))
    assert "370个两个模型均未见过的客户组，其中42组为坏" in chinese


def test_lead_and_tiles_are_those_of_the_cohort_and_the_test_rows_come_second(given):
    page = verdict(case_of(given, *BOTH), WORDS)
    tiles = next(b for b in page.blocks if isinstance(b, Tiles)).tiles
    assert [tile.value for tile in tiles] == ["1,341", "0.60", "0.60", "1.20", "1.20"]
    texts = [b.text for b in page.blocks if isinstance(b, Text)]
    at = next(i for i, text in enumerate(texts) if text.startswith("Measured on the one-year cohort: 1,480 customers"))
    assert "It forecast 74.0 bad customers where 97 came: observed over expected 1.20" in texts[at]
    assert "interval 0.90 to 1.60)" in texts[at]
    assert texts[at + 1].startswith("The test rows come second. Tested on 6,000 snapshots")


@pytest.mark.parametrize(
    ("place", "changes", "says"),
    [
        (0, {"low": 0.48}, "has not been shown to tell"),
        (0, {"bads": 9}, "Too little happened to judge the scorecard: 9 bad customers in the one-year cohort."),
        (1, {"low": 0.055}, "more customers turned bad"),
        (2, {"high": 0.95}, "differ less than it forecast"),
    ],
)
def test_the_lead_follows_the_cohort(given, place, changes, says):
    results = list(BOTH)
    results[place] = dataclasses.replace(results[place], **changes)
    assert says in verdict(case_of(given, *results), WORDS).lead


@pytest.mark.parametrize(
    ("language", "says"),
    [
        ("en", "not contradict the level of its forecasts. A true default rate of 1.31 times the forecast would have "
               "been found with a probability of 80%."),
        ("zh", "不相矛盾。若真实违约率为预测的1.31倍，被发现的概率为80%。"),
    ],
)  # fmt: skip
def test_a_level_that_is_not_contradicted_stands_beside_what_would_have_contradicted_it(given, language, says):
    total = dataclasses.replace(BOTH[1], shown=1.31, unit="factor")
    lead = verdict(case_of(given, BOTH[0], total, *BOTH[2:]), words_in(language)).lead
    assert says.replace(" ", "") in lead.replace("\u202f", "").replace(" ", "")
    contradicted = dataclasses.replace(total, low=0.055)
    assert "1.31" not in verdict(case_of(given, BOTH[0], contradicted, *BOTH[2:]), words_in(language)).lead


@pytest.mark.parametrize(("bads", "says"), [(0, "一年期队列中有0个坏客户。"), (9, "一年期队列中有9个坏客户。")])
def test_no_bad_customer_is_not_said_to_be_only_none(given, bads, says):
    results = [dataclasses.replace(one, bads=bads) for one in BOTH]
    lead = verdict(case_of(given, *results), words_in("zh")).lead
    assert says in lead
    assert "仅有" not in lead


def test_a_validation_without_a_cohort_is_told_by_its_test_rows(given):
    page = verdict(given, WORDS)
    assert next(b for b in page.blocks if isinstance(b, Tiles)).tiles[0].label == "Customer groups in the test"


def grades_of(*bads_and_shown: tuple[int, float | None]) -> Result:
    details = [{"grade": f"G{i:02d}", "rows": 100, "bads": bads, "p_holm": 0.5, "shown_holm": shown}
               for i, (bads, shown) in enumerate(bads_and_shown)]  # fmt: skip
    details.append({"grade": "G10", "rows": 0, "bads": 0, "p_holm": None, "shown_holm": None})
    return Result("jeffreys_grades", "calibration", "green", "cohort", "champion", "G00", blind_above=2.0,
                  details=details, **COUNTS)  # fmt: skip


@pytest.mark.parametrize(
    ("language", "title", "says"),
    [
        ("en", "What is undecided", "2 of 3 filled grades hold fewer than 10 bad customers in the one-year cohort; "
               "1 of 3 grades could not have shown 2 times the forecast."),
        ("zh", "尚无定论",
               "3个有客户的等级中，2个在一年期队列中的坏客户少于10个；3个等级中有1个即使达到预测的2倍也显示不出。"),
    ],
)  # fmt: skip
def test_single_grades_are_told_of_the_cohort(given, language, title, says):
    case = case_of(given, *BOTH, grades_of((3, None), (9, 1.9), (40, 1.4)))
    assert says in bullets(case, title, words_in(language))
    assert "single grades" not in bullets(case_of(given, *BOTH, grades_of((10, 1.9))), "What is undecided")


@pytest.mark.parametrize(
    ("language", "title", "panel", "cohort"),
    [
        (
            "en",
            "Limitations",
            "on the panel of test dates go by whole customer groups",
            "one a customer, as independent",
        ),
        ("zh", "局限", "测试日期面板上的区间均按整个客户组得出", "每个客户的一行视为相互独立"),
    ],
)
def test_both_kinds_of_intervals_are_named_and_the_second_only_with_a_cohort(given, language, title, panel, cohort):
    words = words_in(language)
    told = bullets(case_of(given, *BOTH), title, words)
    assert panel in told
    assert cohort in told
    without = bullets(given, title, words)
    assert panel in without
    assert cohort not in without


def test_the_model_card_says_what_the_first_page_says(given):
    case = case_of(given, *BOTH, AMBER, OF_CHALLENGER)
    card = model_card(dataclasses.replace(case, language="zh"))
    assert card["first_basis"] == "cohort"
    assert card["models"]["champion"]["metrics"]["cohort"]["gini"] == pytest.approx(
        {"value": 0.60, "low": 0.50, "high": 0.70}
    )
    assert card["samples"]["cohort"] == {**COUNTS, "bad_customers": 97}
    assert card["recommendation"] == {"light": "amber", "text": recommended(case)}
    page = next(b for b in verdict(case, WORDS).blocks if isinstance(b, Bullets) and b.title == "Limitations")
    assert card["limitations"] == list(page.items)
    told = {(one["id"], one["model"]): one for one in card["tests"]}
    assert len(card["tests"]) == len(told) == 8
    assert told["psi", "challenger"]["light"] == "red"
    assert told["auc", "champion"]["name"] == "Order at all (AUC) (Scorecard (champion))"
    assert [told["auc", "champion"][key] for key in ("value", "low", "high")] == [0.8, 0.75, 0.85]


def recommended(given) -> str:
    return next(b.text for b in verdict(given, WORDS).blocks if isinstance(b, Text))


AMBER = Result("csi", "stability", "amber", "snapshot", "champion", "mean_days_late_12m", value=0.3)
OF_CHALLENGER = Result("psi", "stability", "red", "snapshot", "challenger", value=0.4)
OF_ANOTHER = Result("monitored", "monitoring", "red", "published", "", "level", value=2.4)
OF_BOOK = Result("quarantined", "process", "red", "snapshot", "", "invoices", value=0.2)


@pytest.mark.parametrize(
    ("results", "says"),
    [
        ((*BOTH, OF_CHALLENGER, OF_ANOTHER), "the scorecard may be used for rating and limits. No test or gate"),
        ((*BOTH, AMBER), "its own amber tests (1) are named below, before those of the challenger"),
        ((*BOTH, AMBER, OF_BOOK), "is not to be used for rating and limits before this is cleared"),
        ((*cohort_of("champion", "grey"), AMBER), "none yet for the scorecard"),
        ((AMBER,), "could not be shown: Order at all (AUC); Default rate of the whole (Jeffreys)."),
        ((), "No validation tests were made"),
    ],
)
def test_the_recommendation_follows_the_lights_of_the_champion_and_the_book(given, results, says):
    assert says in recommended(case_of(given, *results))


@pytest.mark.parametrize(("version", "is_barred"), [("scorecard-0123456789ab", True), ("scorecard-old", False)])
def test_a_red_gate_bars_the_model_whose_promotion_it_was_of(given, version, is_barred):
    record = {"model_version": version, "gates": [{"name": "leaks", "light": "red"}]}
    told = recommended(case_of(given, *BOTH, in_force={"champion": record}))
    assert ("not to be used" in told) == is_barred
    assert ("gate of the promotion" in told) == is_barred


@pytest.mark.parametrize(
    ("language", "title", "own", "other"),
    [
        ("en", "What is shown", "Amber: ", "Red, of the challenger only: "),
        ("zh", "已证实", "黄灯：", "红灯（仅涉及挑战者）："),
    ],
)
def test_the_tests_behind_the_recommendation_stand_before_those_of_the_challenger(given, language, title, own, other):
    shown = bullets(case_of(given, *BOTH, OF_CHALLENGER, AMBER), title, words_in(language))
    assert 0 < shown.index(own) < shown.index(other)


def test_amber_tests_stand_by_name_after_the_red_ones(given):
    shown = bullets(case_of(given, *BOTH, AMBER, OF_BOOK), "What is shown")
    assert 0 < shown.index("Red: ") < shown.index("Amber: ")
    assert "Days late, 12 months" in shown[shown.index("Amber: ") :]
