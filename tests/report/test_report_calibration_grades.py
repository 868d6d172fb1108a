"""Grade by grade the one-year cohort stands first and the test rows second; each reading is what the figures say."""

from __future__ import annotations

import dataclasses

import pytest

from pipeline.report.blocks import Chart, Table
from pipeline.report.chapters.calibration import calibration
from pipeline.report.chapters.calibration_readings import Grade, readings
from pipeline.report.words import words_in
from pipeline.statistics.proportions import jeffreys_interval, jeffreys_too_low
from pipeline.train.committee_result import Result

COUNTS = {"rows": 1480, "customers": 1341, "bads": 97}
# 12 bad of 200 where 2 % were forecast: 4 expected. Beta(12.5, 188.5): 3.3 % to 10.0 %.
TOO_LOW = {"grade": "G05", "rows": 200, "bads": 12, "mean_pd": 0.02, "rate": 0.06, "low": 0.033, "high": 0.1,
           "p_value": 0.0006, "p_holm": 0.0012, "shown": 2.4, "shown_holm": 2.7, "size": 0.05}  # fmt: skip
EMPTY = {"grade": "G09", "rows": 0, "bads": 0, **dict.fromkeys(("mean_pd", "rate", "low", "high", "p_value", "p_holm"))}
EMPTY |= dict.fromkeys(("shown", "shown_holm", "size"))


def of_cohort(given, language: str = "en"):
    results = [
        Result("auc", "discrimination", "green", "cohort", "champion", value=0.8, low=0.75, high=0.85, **COUNTS),
        Result("jeffreys_total", "calibration", "green", "cohort", "champion", value=0.06, low=0.045, high=0.08,
               against=0.05, shown=1.29, unit="factor", is_blind=False, **COUNTS),
        Result("jeffreys_grades", "calibration", "red", "cohort", "champion", "G05", shown=2.7, shown_part="G05",
               unit="factor", blind_above=2.0, is_blind=True, details=(TOO_LOW, EMPTY), **COUNTS),
    ]  # fmt: skip
    told = {**given.validation, "tests": [one.as_json() for one in results]}
    return dataclasses.replace(given, validation=told, language=language)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_cohort_stands_first_and_the_test_rows_second_under_their_own_names(given, language):
    words = words_in(language)
    blocks = calibration(of_cohort(given, language), words).blocks
    drawn = [block for block in blocks if isinstance(block, Chart)]
    assert [chart.name for chart in drawn] == ["calibration", "calibration_test"]
    assert [chart.title for chart in drawn] == [words(f"calibration.chart_title_{of}") for of in ("cohort", "test")]
    captions = [block.caption for block in blocks if isinstance(block, Table)]
    starts = [words(f"calibration.grades_caption_{of}", model="") for of in ("cohort", "test")]
    cohort, test = ([at for at, one in enumerate(captions) if one.startswith(start)] for start in starts)
    assert cohort[0] == 0
    assert cohort[-1] < captions.index(words("calibration.level_caption")) < test[0]


def test_the_grades_of_the_cohort_are_those_of_the_validation_test_with_what_they_cannot_show(given):
    table = next(b for b in calibration(of_cohort(given), words_in("en")).blocks if isinstance(b, Table))
    assert [cell.text for cell in table.rows[0]] == [
        *("G05", "200", "12", "2.00\u202f%", "6.00\u202f%", "0.001", "PD too low"),
    ]
    assert table.rows[0][5].note == "with Holm 0.001"
    assert table.rows[0][4].note == "3.30\u202f% to 10.0\u202f%"
    assert table.rows[1][-1].text == "no customer"
    assert "1 of 1 grade could not have shown a true rate of 2 times the forecast" in table.notes[1]
    seeing = dataclasses.replace(of_cohort(given), blind_level=9.0)
    table = next(b for b in calibration(seeing, words_in("en")).blocks if isinstance(b, Table))
    assert "A true rate of 9 times the forecast would have been shown in the one grade tested." in table.notes[1]


def test_the_grades_on_the_test_tell_what_they_could_have_shown_either_way(given):
    # One grade of 2 % and 200 customers, 2.5 % a side: too low from 9 bad on, which 2.8 × 2 % gives with 80 %; too high
    # only without a bad, which takes a true rate of 0.06 × 2 %.
    one = {"grade": "G05", "rows": 1000, "customers": 200, "bads": 20, "bad_customers": 4, "mean_pd": 0.02,
           "observed_rate": 0.02, "low": 0.007, "high": 0.046, "p_value": 0.5}  # fmt: skip
    models = {name: {**told, "grades": {"test": [one]}} for name, told in given.validation["models"].items()}
    told = dataclasses.replace(given, validation={**given.validation, "models": models})
    words = words_in("en")
    caption = words("calibration.grades_caption_test", model="")
    tables = [b for b in calibration(told, words).blocks if isinstance(b, Table) and b.caption.startswith(caption)]
    assert len(tables) == 2
    for table in tables:
        assert "with a chance of 80\u202f%" in table.notes[1]
        assert "1 of 1 grade could not have shown a true rate of 2 times the forecast." in table.notes[1]
        assert "G05, from 2.8 × on" in table.notes[1]
        assert "1 of 1 grade could not have shown a true rate of 1/2 of the forecast." in table.notes[1]
        assert "G05, from 0.06 × down" in table.notes[1]


def test_the_level_of_the_cohort_heads_the_table_of_levels(given):
    words = words_in("en")
    blocks = calibration(of_cohort(given), words).blocks
    table = next(b for b in blocks if isinstance(b, Table) and b.caption == words("calibration.level_caption"))
    assert table.groups[0] == (0, words("tests.basis.cohort"))
    assert (table.rows[0][2].text, table.rows[0][3].text) == ("74.0", "1.20")
    # What the test of the whole finds, which the first page tells, and not what its interval would leave out.
    assert table.rows[0][5].text == "1.29 ×"
    assert table.notes[1] == words("calibration.level_cohort_note")
    assert "counts as independent" in table.notes[1]


def test_without_a_cohort_the_test_rows_are_the_only_ones(given):
    drawn = [block for block in calibration(given, words_in("en")).blocks if isinstance(block, Chart)]
    assert [chart.name for chart in drawn] == ["calibration"]
    assert drawn[0].title.endswith("on the test")


def grade(name: str, customers: int, bads: int, mean_pd: float) -> Grade:
    ends = jeffreys_interval(bads, customers)
    p_value = jeffreys_too_low(mean_pd, bads, customers)
    return Grade(name, customers, None, bads, mean_pd, bads / customers, *ends, p_value)


@pytest.mark.parametrize(
    ("customers", "bads", "mean_pd", "says"),
    [
        # One good customer of a small PD says nothing, though its p is 1 by rule.
        (1, 0, 0.0003, "open"),
        # None of 300 where 9 were forecast: Beta(0.5, 300.5) lies below 3 % almost wholly.
        (300, 0, 0.03, "high"),
        (200, 12, 0.02, "low"),
        (200, 4, 0.02, "open"),
        (200, 1, 0.05, "high"),
        # One of 42 where 0.34 % was forecast: p 0.037, but the interval, 0.26 % to 10.6 %, holds the forecast.
        (42, 1, 0.0034, "perhaps_low"),
    ],
)
def test_a_grade_by_itself_is_wrong_where_its_interval_leaves_the_forecast_out(customers, bads, mean_pd, says):
    assert [one.says for one in readings([grade("G01", customers, bads, mean_pd)], 0.05)] == [says]


def test_what_one_grade_shows_by_itself_may_be_chance_among_eight():
    # 12 of 263 where 2.26 % was forecast: p 0.0117, the interval, 2.5 % to 7.6 %, leaves the forecast out.
    alone = grade("G06", 263, 12, 0.0226)
    right = [grade(f"G1{i}", 200, 10, 0.05) for i in range(7)]
    assert [one.says for one in readings([alone], 0.05)] == ["low"]
    among = readings([alone, *right], 0.05)
    assert [one.says for one in among] == ["perhaps_low", *["open"] * 7]
    assert among[0].p_holm == pytest.approx(8 * alone.p_value)
    # None of 90 where 3 % was forecast: 2.1 % by itself, 17 % among eight.
    none = readings([grade("G06", 90, 0, 0.03), *right], 0.05)
    assert none[0].says == "perhaps_high"


def test_an_empty_grade_is_not_among_those_that_p_is_raised_for():
    empty = Grade("G09", 0, None, 0, *[None] * 5)
    found = readings([grade("G06", 263, 12, 0.0226), empty], 0.05)
    assert [one.says for one in found] == ["low", "empty"]


def rows_of(given, name: str, language: str = "en"):
    words = words_in(language)
    blocks = calibration(dataclasses.replace(given, language=language), words).blocks
    return next(b for b in blocks if isinstance(b, Table) and b.caption == words(f"calibration.{name}_caption")).rows


def with_test_role(given, **more):
    models = {
        name: {**told, "roles": {**told["roles"], "test": {**told["roles"]["test"], **more}}}
        for name, told in given.validation["models"].items()
    }
    return dataclasses.replace(given, validation={**given.validation, "models": models})


def test_level_and_slope_tell_the_smallest_deviation_that_they_would_have_shown(given):
    # ln 2 less and more is 1.960 errors, and what is shown 1.960 + 0.842 of them: 2 to the power 1.429 is 2.69.
    ratio = {"value": 1.0, "low": 0.5, "high": 2.0, "rounds": 500}
    ends = {"calibration_slope": 1.0, "calibration_slope_low": 0.6, "calibration_slope_high": 1.4}
    cell = rows_of(with_test_role(given, observed_over_expected=ratio, **ends), "level")[0][-2]
    assert (cell.text, cell.note) == ("2.69 ×", "slope ± 0.57")


def test_without_resamples_nothing_is_told_as_shown(given):
    ratio = {"value": 1.0, "low": None, "high": None, "rounds": 0}
    cell = rows_of(with_test_role(given, observed_over_expected=ratio), "level")[0][-2]
    assert (cell.text, cell.note) == ("–", "")


def test_the_calibration_error_and_z_tell_what_they_would_have_shown_where_the_validation_does(given):
    before = rows_of(given, "tests")[0]
    assert "shown" not in before[4].note + before[5].note
    told = given.validation["models"]["champion"]["roles"]["test"]
    error, brier = {**told["calibration_error"], "shown": 0.031}, {**told["spiegelhalter"], "factor_error": 0.1}
    after = rows_of(with_test_role(given, calibration_error=error, spiegelhalter=brier), "tests")[0]
    assert after[4].note.endswith("p 0.083; shown from 3.10\u202f%")
    # 1 + (1.960 + 0.842) × 0.1.
    assert after[5].note == "p 0.441; shown from 1.28 ×"
