"""The chapter of the validation tests: lights that read in grey, power in plain words, true sizes, both languages."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

import pipeline.train
from pipeline.report.blocks import Bullets, Missing, Table
from pipeline.report.chapters import tests_figures
from pipeline.report.chapters.tests import SHAPES
from pipeline.report.chapters.tests import tests as chapter_of_tests
from pipeline.report.chapters.tests_figures import blind_parts, described
from pipeline.report.chapters.verdict import verdict
from pipeline.report.figures import written_in
from pipeline.report.model_report import render
from pipeline.report.words import words_in
from pipeline.train.committee_result import Result

WORDS = words_in("en")
COUNTS = {"rows": 1480, "customers": 1341, "bads": 97}
GRADE = {"grade": "G04", "rows": 159, "bads": 2, "mean_pd": 0.006, "rate": 0.0126, "low": 0.003, "high": 0.04}
GRADES = ({**GRADE, "p_value": 0.145, "p_holm": 1.0, "shown": 4.3, "size": 0.076},)
YEAR = {"day": "2023-08-31", "rows": 900, "bads": 60, "mean_pd": 0.07, "rate": 0.067, "low": 0.05, "high": 0.08}
PART = {"part": "<b>C25</b>", **COUNTS, "value": 0.7, "low": 0.5, "high": 0.85, "against": 0.8}
MOVES = ({"grade": "G01", "G01": 5, "G02": 1}, {"grade": "G02", "G01": 0, "G02": 7})
CSI = {"feature": "mean_days_late_12m", "psi": 0.3, "noise": 0.02, "light": "amber", "is_shared": False}
SHARED = {"feature": "pmi", "psi": 6.1, "noise": None, "light": "amber", "is_shared": True}
GROUP = {"part": "invoices", "features": 3, "value": 0.1, "low": 0.05, "high": 0.15, "shown": 0.04}
RESULTS = (
    Result("auc", "discrimination", "green", "cohort", "champion", value=0.795, low=0.74, high=0.84, against=0.5,
           p_value=1e-9, shown=0.06, unit="order", is_blind=False, **COUNTS),
    Result("auc_fall_ecb", "discrimination", "amber", "cohort", "challenger", value=0.799, against=0.838, p_value=0.042,
           shown=0.057, unit="auc", is_blind=False, **COUNTS),
    Result("auc_by_part", "discrimination", "grey", "cohort", "champion", "industry", value=0.7, low=0.5, high=0.85,
           against=0.8, p_value=0.5, shown=0.145, unit="auc", is_blind=True, why="blind",
           details=({**PART, "p_value": 0.5, "p_holm": 0.5, "shown": 0.145},), **COUNTS),
    Result("auc_by_part", "discrimination", "grey", "cohort", "champion", "person", why="too_few", **COUNTS),
    Result("jeffreys_grades", "calibration", "red", "cohort", "champion", "G04", value=0.0126, against=0.006,
           p_value=0.0004, shown=1.5, unit="factor", is_blind=False, details=GRADES, **COUNTS),
    Result("binomial_grades", "calibration", "red", "cohort", "champion", "G04", value=0.0126, against=0.006,
           p_value=0.001, shown=1.5, unit="factor", is_blind=False, details=GRADES, **COUNTS),
    Result("years", "calibration", "green", "years", "champion", "2023-08-31", value=0.067, against=0.07, p_value=1.0,
           details=({**YEAR, "p_value": 0.6, "p_holm": 1.0, "shown": 1.4},), rows=900, bads=60),
    Result("psi", "stability", "green", "snapshot", "champion", value=0.017, against=0.02, shown=0.02, unit="psi",
           rows=1423),
    Result("csi", "stability", "amber", "snapshot", "champion", "mean_days_late_12m", value=0.3, details=(CSI, SHARED)),
    Result("mobility_upper", "stability", "green", "snapshot", "champion", value=0.25, details=MOVES),
    Result("concentration", "stability", "green", "snapshot", "champion", value=0.2, against=0.1, p_value=0.4,
           details=({"grade": "G01", "development": 10, "now": 12},)),
    Result("unrated", "process", "green", "snapshot", value=0.01, threshold=0.05, rows=100),
    Result("golden_rows", "process", "green", "run", "champion", value=0.0, rows=100),
    Result("rival", "benchmark", "green", "panel", "champion", "expert_card", value=0.1, low=0.03, high=0.17, **COUNTS),
    Result("marginal_source", "benchmark", "green", "panel", "champion", "invoices", value=0.1, details=(GROUP,)),
)  # fmt: skip

POISON = {"rows": 44, "added": 103, "columns": 5, "changed": 0, "noticed": 3}
GATE = {"model_version": "scorecard-0", "as_of": "2025-12-31", "run_id": "r1", "threshold": "1 within", "says": "31"}
WATCHED = (
    Result("future_poison", "process", "green", "panel", value=0.0, against=220.0, rows=200, customers=40, shown=201.0,
           unit="columns", is_blind=False,
           details=({"table": "contracts", **POISON}, {"table": "fx_rates", **POISON, "columns": 0, "noticed": 0})),
    Result("monitored", "monitoring", "red", "published", part="level", value=2.4, low=1.9, high=3.1, details=(GATE,)),
    Result("monitored", "monitoring", "grey", "published", part="order", why="monitored_too_little", details=(GATE,)),
)  # fmt: skip


def told(given, *results: Result, language: str = "en"):
    plain = [one.as_json() for one in results or RESULTS]
    return dataclasses.replace(given, validation={**given.validation, "tests": plain}, language=language)


def table(chapter, caption: str, words=WORDS) -> Table:
    return next(b for b in chapter.blocks if isinstance(b, Table) and b.caption == words(caption))


def test_without_tests_it_is_said(given):
    chapter = chapter_of_tests(dataclasses.replace(given, validation={**given.validation, "tests": []}), WORDS)
    assert isinstance(chapter.blocks[0], Missing)


def test_each_test_stands_once_with_its_light_in_shape_and_word(given):
    found = table(chapter_of_tests(told(given), WORDS), "tests.caption")
    assert len(found.rows) == len(RESULTS)
    lights = [row[1].text for row in found.rows]
    assert lights == [f"{SHAPES[one.light]} {one.light}" for one in RESULTS]
    assert len(set(SHAPES.values())) == 4
    assert [heading for _, heading in found.groups] == [
        *("Discrimination", "Calibration", "Stability", "Data and process", "Benchmark"),
    ]
    first = found.rows[0]
    assert first[3].text == "0.795"
    assert first[3].note == "0.740 to 0.840; no order: 0.500"
    assert first[4].text == "<0.001"
    assert first[5].text == "0.060 above none"


def test_lights_are_counted_by_subject(given):
    found = table(chapter_of_tests(told(given), WORDS), "tests.summary_caption")
    assert [cell.text for cell in found.rows[0]] == ["Discrimination", "0", "1", "2", "1"]
    assert [cell.text for cell in found.rows[1]] == ["Calibration", "2", "0", "0", "1"]


def test_what_shows_nothing_is_said_in_plain_words(given):
    chapter = chapter_of_tests(told(given), WORDS)
    blind = table(chapter, "tests.caption").rows[2]
    assert (blind[5].text, blind[5].note) == ("a fall of 0.145", "shows nothing")
    items = next(block for block in chapter.blocks if isinstance(block, Bullets)).items
    assert len(items) == 2
    assert "industry: a fall of 0.145" in items[0]
    assert "natural persons and firms" in items[1]
    assert "too few bad or good customers" in items[1]


@pytest.mark.parametrize(("language", "says"), [
    ("en", "too few bad or good customers: natural person"), ("zh", "坏客户或好客户太少：自然人"),
])  # fmt: skip
def test_the_part_that_is_too_small_is_named_not_the_one_held_against_it(given, language, says):
    words, nothing = (
        words_in(language),
        dict.fromkeys(("value", "low", "high", "against", "p_value", "p_holm", "shown")),
    )
    firm = {**nothing, "part": "firm", "rows": 1292, "customers": 1292, "bads": 90, "too_few": "rest"}
    person = {**firm, "part": "person", "customers": 12, "bads": 1, "too_few": "part"}
    one = Result("auc_by_part", "discrimination", "grey", "cohort", "champion", "person", why="too_few",
                 details=(firm, person), **COUNTS)  # fmt: skip
    case = dataclasses.replace(given, validation={**given.validation, "tests": [one.as_json()]})
    found = table(chapter_of_tests(case, words), "tests.parts_caption", words)
    assert [row[3].note for row in found.rows] == [says, says]


GRADES_OF_THREE = (
    {**GRADE, "p_value": 0.145, "p_holm": 0.29, "shown": 1.7, "shown_holm": 1.9, "size": 0.05},
    {**GRADE, "grade": "G05", "p_value": 0.5, "p_holm": 0.5, "shown": 1.9, "shown_holm": 2.4, "size": 0.05},
    {**GRADE, "grade": "G06", "p_value": 0.5, "p_holm": 0.5, "shown": None, "shown_holm": None, "size": 0.0},
    {**GRADE, "grade": "G07", **dict.fromkeys(("rows", "p_value", "p_holm", "shown", "shown_holm", "size"))},
)
YEARS_OF_TWO = (
    {**YEAR, "p_value": 0.6, "p_holm": 1.0, "shown": 1.4, "shown_holm": 1.5},
    {**YEAR, "day": "2022-08-31", "p_value": 0.6, "p_holm": 1.0, "shown": 1.9, "shown_holm": 2.1},
)


def powers(test: str, part: str, details: tuple, basis: str = "cohort") -> Result:
    return Result(test, "calibration", "green", basis, "champion", part, value=0.01, p_value=0.29, shown=1.9,
                  shown_part=part, unit="factor", blind_above=2.0, is_blind=False, details=details)  # fmt: skip


@pytest.mark.parametrize(("language", "grades", "years"), [
    ("en", "2 of 3 grades could not have shown 2 times the forecast",
     "1 of 2 years could not have shown 2 times the forecast"),
    ("zh", "3个等级中有2个即使达到预测的2倍也显示不出", "2个年度中有1个即使达到预测的2倍也显示不出"),
])  # fmt: skip
def test_grades_and_years_that_could_not_have_shown_a_doubling_are_counted_and_the_keenest_is_named(
    given, language, grades, years
):
    words = words_in(language)
    by_grade = [powers(test, "G04", GRADES_OF_THREE) for test in ("jeffreys_grades", "binomial_grades")]
    case = told(given, *by_grade, powers("years", "2023-08-31", YEARS_OF_TWO, "years"), language=language)
    chapter = chapter_of_tests(case, words)
    every, of_grades, of_years = (
        next(b for b in chapter.blocks if isinstance(b, Table) and b.caption.startswith(caption))
        for caption in (words("tests.caption"), words("tests.grades_caption", model=""), words("tests.years_caption"))
    )
    assert "G04" in every.rows[0][5].text
    assert every.rows[0][5].note == grades
    assert grades in of_grades.notes[1]
    assert "G04" in of_grades.notes[1]
    assert years in of_years.notes[1]
    seeing = told(given, powers("years", "2023-08-31", YEARS_OF_TWO[:1], "years"), language=language)
    only = {"en": "the one year tested would have shown", "zh": "唯一受检的年度能显示"}[language]
    assert only in blind_parts(seeing.validation["tests"][0], words)
    assert of_grades.rows[0][7].note == words("tests.after_holm", value=words("tests.times", value="1.9"))


def test_a_true_size_off_its_level_stands_beside_the_p_value_and_one_near_does_not(given, monkeypatch):
    sizes = {
        "auc_fall_ecb.cohort": {
            "nominal": 0.05,
            "small": 0.12,
            "small_made": 500,
            "middling": 0.14,
            "middling_made": 2000,
        },
        "psi.snapshot": {"nominal": 0.01, "small": 0.30, "small_made": 27, "middling": 0.08, "middling_made": 2000},
        "jeffreys_grades.cohort": {
            "nominal": 0.05,
            "small": 0.06,
            "small_made": 900,
            "middling": 0.04,
            "middling_made": 900,
        },
        "auc.cohort": {"nominal": 0.05, "small": 0.0, "small_made": 2},
    }
    monkeypatch.setattr(tests_figures, "sizes", lambda: sizes)
    rows = {row[0].text: row[4].note for row in table(chapter_of_tests(told(given), WORDS), "tests.caption").rows}
    assert rows[WORDS("tests.name.auc_fall_ecb")] == "true size 12\u202f% to 14\u202f% at 5\u202f%"
    assert rows[WORDS("tests.name.psi")] == "true size 8\u202f% at 1\u202f%"
    assert not rows[WORDS("tests.name.jeffreys_grades")]
    assert rows[WORDS("tests.name.auc")] == "not simulated often enough"


def test_future_poison_says_what_would_have_been_noticed_and_by_whom_each_table_is_read(given):
    chapter = chapter_of_tests(told(given, *WATCHED), WORDS)
    row = table(chapter, "tests.caption").rows[0]
    assert (row[3].text, row[3].note) == ("0", "of 220 that were compared")
    assert row[5].text == "a change in any of 201 columns"
    found = table(chapter, "tests.poison_caption")
    assert [cell.text for cell in found.rows[0]] == ["contracts", "103", "5", "0", "3"]
    assert found.rows[1][2].text == "read by no feature"
    assert "201 of 220 columns differ" in found.notes[0]


def test_a_gate_of_monitoring_asks_its_own_question_and_names_model_and_run(given):
    rows = table(chapter_of_tests(told(given, *WATCHED), WORDS), "tests.caption").rows
    assert rows[1][0].text == "Level of the PDs, newest cohort that has matured"
    assert rows[1][0].note == "model in force scorecard-0, run of 2025-12-31"
    assert (rows[1][1].text, rows[1][3].text, rows[1][3].note) == ("■ red", "2.400", "1.900 to 3.100")
    assert rows[2][1].note == "monitoring had not enough data, or nothing to compare with"


def test_a_psi_of_monitoring_stands_beside_what_chance_reaches_and_the_true_level_beside_its_bound(given):
    psi = Result("monitored", "monitoring", "green", "published", part="score_development", value=0.017, against=0.04,
                 details=(GATE,))  # fmt: skip
    level = Result("truth", "calibration", "green", "panel", "champion", value=1.09, against=1.0, threshold=1.25)
    for language, notes in (
        ("en", ["right: 1.00; green within a factor of 1.25 either way", "chance reaches 0.040"]),
        ("zh", ["准确时：1.00；上下偏离不超过1.25倍为绿灯", "偶然可达0.040"]),
    ):
        words = words_in(language)
        rows = table(chapter_of_tests(told(given, psi, level), words), "tests.caption", words).rows
        assert [row[3].note for row in rows] == notes


def test_the_first_page_counts_the_lights_and_names_what_is_red(given):
    page = verdict(told(given, *WATCHED), WORDS)
    shown = next(b for b in page.blocks if isinstance(b, Bullets) and b.title == WORDS("verdict.decided")).items
    assert shown[0].startswith("Of 3 validation tests 1 are green, 0 amber and 1 red; 1 could not tell")
    assert shown[1].startswith("Red, of a model this report is not about: Level of the PDs, newest cohort")
    assert "(model in force scorecard-0" in shown[1]


def test_the_sizes_that_are_kept_name_tests_that_have_words():
    for name, one in tests_figures.sizes().items():
        test, basis = name.split(".")
        assert WORDS.has(f"tests.name.{test}"), name
        assert WORDS.has(f"tests.basis.{basis}"), name
        assert 0 < one["nominal"] < 1


def test_every_code_that_a_test_can_tell_has_words():
    text = "\n".join(
        path.read_text(encoding="utf-8") for path in Path(pipeline.train.__file__).parent.glob("committee_*")
    )
    whys = set(re.findall(r'why"?[=:] ?"(\w+)"', text)) | {"blind", "too_few", "cut_short"}
    whys |= {"no_ledger", "not_poisoned", "not_monitored", "other_model"}
    assert not [why for why in sorted(whys) if not WORDS.has(f"tests.why.{why}")]
    units = set(re.findall(r'unit"?[=:] ?"(\w+)"', text))
    assert units >= {"auc", "factor", "gini"}
    assert not [unit for unit in sorted(units) if not WORDS.has(f"tests.shown.{unit}")]
    names = set(re.findall(r'(?:Result|_share|_psi|_order|_fall)\(\s*"(\w+)"', text))
    assert len(names) > 15
    assert not [name for name in sorted(names) if not WORDS.has(f"tests.name.{name}")]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_shows_the_chapter_in_both_languages_and_hostile_parts_as_text(given, language):
    page = render(told(given, *RESULTS, *WATCHED, language=language))
    assert words_in(language)("tests.title") in page
    assert "&lt;b&gt;C25&lt;/b&gt;" in page
    assert "<b>C25</b>" not in page


def test_a_value_that_customers_share_has_a_dash_for_chance_and_is_not_judged(given):
    blocks = chapter_of_tests(told(given), WORDS).blocks
    features = next(b for b in blocks if isinstance(b, Table) and "moved most" in b.caption)
    assert [[cell.text for cell in row][1:] for row in features.rows] == [
        ["0.300", "0.020", "amber"],
        ["6.100", "–", "not judged: of the economy, the group or the calendar"],
    ]


@pytest.mark.parametrize(("language", "says"), [
    ("en", "customers of the training and of the calibration are among them, at later dates"),
    ("zh", "其中包括训练与校准样本中的客户，但日期晚于"),
])  # fmt: skip
def test_the_back_test_by_year_says_that_customers_of_the_training_are_among_its_rows(given, language, says):
    words = words_in(language)
    found = table(chapter_of_tests(told(given, language=language), words), "tests.years_caption", words)
    assert says in found.notes[0]
    assert not [word for word in ("Unseen customers", "未见过的客户") if word in found.notes[0]]


@pytest.mark.parametrize(("language", "says"), [
    ("en", "that the test finds with a probability of 87.5% (its power"), ("zh", "检验以87.5%的概率"),
])  # fmt: skip
def test_the_power_behind_what_would_have_shown_is_a_number(given, language, says):
    words = words_in(language)
    case = dataclasses.replace(told(given, language=language), power=0.875)
    found = table(chapter_of_tests(case, words), "tests.caption", words)
    assert says in " ".join(found.notes).replace("\u202f%", "%")


@pytest.mark.parametrize(("language", "about", "shown", "counted"), [
    ("en", "natural persons and firms, worst: natural person", "a fall of 0.145, in natural person",
     "1 of 2 parts could not have shown a fall of the AUC of 0.1"),
    ("zh", "自然人与企业，最差：自然人", "下降0.145（自然人）", "2个细分中有1个即使AUC下降0.1也显示不出"),
])  # fmt: skip
def test_the_part_whose_auc_is_told_is_named_with_its_own_power(given, language, about, shown, counted):
    words = words_in(language)
    parts = (
        {**PART, "part": "firm", "p_value": 0.5, "p_holm": 0.5, "shown": 0.08, "shown_holm": 0.09},
        {**PART, "part": "person", "p_value": 0.2, "p_holm": 0.4, "shown": 0.12, "shown_holm": 0.145},
    )
    one = Result("auc_by_part", "discrimination", "grey", "cohort", "champion", "person", value=0.7, against=0.8,
                 shown=0.145, shown_part="person", unit="auc", blind_above=0.1, is_blind=True, why="blind",
                 details=parts, **COUNTS)  # fmt: skip
    chapter = chapter_of_tests(told(given, one, language=language), words)
    row = table(chapter, "tests.caption", words).rows[0]
    assert about in row[0].note
    assert row[5].text == shown
    assert counted in row[5].note
    by_part = table(chapter, "tests.parts_caption", words).rows
    assert [(told_[-1].text, told_[-1].note) for told_ in by_part] == [
        ("0.080", words("tests.after_holm", value="0.090")),
        ("0.120", words("tests.after_holm", value="0.145")),
    ]
    unseen = next(block for block in chapter.blocks if isinstance(block, Bullets)).items[0]
    assert shown in unseen


@pytest.mark.parametrize(("value", "parts", "about"), [
    (0.79, ("firm", "person"), "natural persons and firms, worst: natural person"),
    # The largest of the falls is none at all.
    (0.85, ("firm", "person"), "natural persons and firms, least p of 2 tested: natural person"),
    (0.79, ("person",), "natural persons and firms, the only one tested: natural person"),
])  # fmt: skip
def test_a_part_is_called_the_worst_only_where_it_orders_worse_than_the_rest(given, value, parts, about):
    tested = {**PART, "p_value": 0.9, "p_holm": 1.0, "shown": 0.1, "shown_holm": 0.1}
    told_of = tuple({**tested, "part": part} for part in parts)
    one = Result("auc_by_part", "discrimination", "green", "cohort", "champion", "person", value=value, against=0.8,
                 shown=0.1, shown_part="person", unit="auc", is_blind=False, details=told_of, **COUNTS)  # fmt: skip
    row = table(chapter_of_tests(told(given, one), WORDS), "tests.caption").rows[0]
    assert about in row[0].note
    assert "worst: G04" in described(RESULTS[4].as_json(), given, WORDS)
    below = dataclasses.replace(RESULTS[4], value=0.005).as_json()
    assert "least p: G04" in described(below, given, WORDS)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_only_what_stands_in_the_table_of_parts_is_explained_under_it(given, language):
    words = words_in(language)
    asked, ends, shared = (
        words("tests.parts_note"),
        words("tests.parts_interval_note", level="95%" if language == "zh" else "95\u202f%"),
        words("tests.parts_holm_note"),
    )
    new = {**PART, "p_value": 0.5, "p_holm": 0.5, "shown": 0.08, "shown_holm": 0.09}
    old = {**dict.fromkeys(new), "part": "firm", "rows": 9, "customers": 9, "bads": 1}
    gap = " " if language == "en" else ""
    for part, says in ((new, gap.join((ends, asked, shared))), (old, asked)):
        one = Result("auc_by_part", "discrimination", "grey", "cohort", "champion", "person", details=(part,), **COUNTS)
        with written_in(language):
            chapter = chapter_of_tests(told(given, one, language=language), words)
        assert table(chapter, "tests.parts_caption", words).notes == (says,)


@pytest.mark.parametrize(("language", "amber", "green", "legend"), [
    ("en", "not decided: zero lies within the interval", "not shown to be better; which of the two", "earn its keep"),
    ("zh", "尚无定论：区间包含零", "未证实更优；区间包含零", "数据无法判定时也为黄"),
])  # fmt: skip
def test_a_comparison_whose_interval_holds_zero_says_that_it_is_not_decided_and_is_not_told_as_unmade(
    given, language, amber, green, legend
):
    words, ends = words_in(language), {"value": 0.05, "low": -0.02, "high": 0.12, "shown": 0.1, "is_blind": False}
    rating = Result("rival", "benchmark", "amber", "panel", "champion", "external_rating", unit="gini", why="undecided",
                    **ends, **COUNTS)  # fmt: skip
    challenger = dataclasses.replace(
        rating, light="green", model="challenger", part="champion", why="not_better", value=0.02
    )
    chapter = chapter_of_tests(told(given, rating, challenger, language=language), words)
    rows = table(chapter, "tests.caption", words).rows
    assert amber in rows[0][1].note
    assert green in rows[1][1].note
    assert any(legend in getattr(block, "text", "") for block in chapter.blocks)
    assert not [block for block in chapter.blocks if isinstance(block, Bullets)]


@pytest.mark.parametrize(("language", "held", "note", "undated"), [
    ("en", "at development 0.838 (0.757 to 0.896; 310 rows, 301 customer groups, 31 bad)",
     "on the last training date (2020-12-31), of the customers outside the training", "customers of the calibration"),
    ("zh", "开发时0.838（0.757 to 0.896; 310行，301个客户组，其中31组为坏）",
     "在最后训练日（2020-12-31）对训练以外的客户", "对校准客户的AUC"),
])  # fmt: skip
def test_the_auc_at_development_has_its_interval_its_counts_and_its_rows(given, language, held, note, undated):
    words, counts = words_in(language), {"rows": 310, "customers": 301, "bads": 31}
    fall = dataclasses.replace(RESULTS[1], against_of={"low": 0.757, "high": 0.896, **counts})
    found = table(chapter_of_tests(told(given, fall, language=language), words), "tests.caption", words)
    assert found.rows[0][3].note == held
    assert any(note in one for one in found.notes)
    beside = words("tests.development_interval_note")
    assert beside in found.notes
    assert undated in words_in(language, "undated")("tests.development_note", day="")
    # An earlier validation tells no more than the figure.
    before = fall.as_json()
    del before["against_of"]
    case = dataclasses.replace(given, validation={**given.validation, "tests": [before]}, language=language)
    of_old = table(chapter_of_tests(case, words), "tests.caption", words)
    assert of_old.rows[0][3].note == words("tests.held.auc_fall", value="0.838")
    assert beside not in of_old.notes
