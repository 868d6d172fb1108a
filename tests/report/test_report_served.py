"""Of a comparison the report says which rows a figure is of; of a long-run rate, what it moved."""

from __future__ import annotations

import dataclasses

import pytest

from pipeline.report.blocks import Facts, Table, Text
from pipeline.report.chapters.benchmark import benchmark
from pipeline.report.chapters.calibration import calibration
from pipeline.report.chapters.changes import changes
from pipeline.report.chapters.parts import parts
from pipeline.report.chapters.verdict_pairs import decided_pairs, undecided_pairs
from pipeline.report.words import words_in

NOBODY = {"rows": 0, "bads": 0, "customers": 0, "bad_customers": 0, "default_rate": None}
WORDS = words_in("en")
LANGUAGES = {
    "en": ("1,740 snapshots of 335 customer groups (35 bad) are rated by the models", "160 of 59 (11 bad)",
           "Gini, snapshots that the models rate", "Slope, snapshots that the models rate"),
    "zh": ("335个客户组的1,740个快照（35组为坏）由模型评级", "59个客户组的160个快照（11组为坏）信息不足",
           "Gini（由模型评级的快照）", "斜率（由模型评级的快照）"),
}  # fmt: skip


def blocks(chapter, kind):
    return [block for block in chapter.blocks if isinstance(block, kind)]


def plain(text: str) -> str:
    """Thousands set apart in one way, whatever the language does."""
    return text.replace("\u202f", ",")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_rows_of_each_figure_are_told_in_both_languages(given, language):
    rated, thin, gini, slope = LANGUAGES[language]
    words = words_in(language)
    compared = {
        **given.comparison,
        "gini_rated": {**given.comparison["gini_rated"], "gini_first": {"value": 0.77, "low": 0.7, "high": 0.8}},
    }
    chapter = benchmark(dataclasses.replace(given, comparison=compared), words)
    how = plain(blocks(chapter, Text)[0].text)
    assert rated in how
    assert thin in how
    table = blocks(chapter, Table)[0]
    names = [row[0].text for row in table.rows]
    assert names == [words("benchmark.gini"), gini, words("benchmark.ratio"), slope]
    assert table.rows[1][1].text == "0.77"
    assert table.rows[0][1].text == "0.62"
    assert words("benchmark.served_note") in table.notes
    before = blocks(changes(given, words), Table)[0]
    assert before.columns[-1].title == slope
    assert rated in plain(before.notes[1])


def test_where_nobody_is_thin_no_rows_are_told_apart(given):
    compared = {**given.comparison, "thin": NOBODY}
    case = dataclasses.replace(given, comparison=compared, before={**given.before, "comparison": compared})
    chapter = benchmark(case, WORDS)
    table = blocks(chapter, Table)[0]
    assert [row[0].text for row in table.rows] == ["Gini", "Observed / expected", "Slope"]
    assert "would be served" not in " ".join((blocks(chapter, Text)[0].text, *table.notes))
    before = blocks(changes(case, WORDS), Table)[0]
    assert before.columns[-1].title == WORDS("calibration.slope")
    assert len(before.notes) == 1
    told = " ".join((*decided_pairs(case, WORDS), *undecided_pairs(case, WORDS)))
    assert "neither model has seen" in told
    assert "would be served" not in told
    assert "thin files with the PDs they would be served" in " ".join(undecided_pairs(given, WORDS))


@pytest.mark.parametrize(
    ("language", "says"),
    [
        ("en", "(−0.41) observed over expected is 1.02 (interval 0.80 to 1.30)"),
        ("zh", "（−0.41）后，实际与预期之比为1.02（区间 0.80"),
    ],
)
def test_the_level_of_a_model_set_to_the_long_run_is_told_without_it_too(given, language, says):
    first, second = given.comparison["calibration"]
    moved = {**first, "shift": -0.41, "at_observed_rate": {"value": 1.02, "low": 0.8, "high": 1.3}}
    case = dataclasses.replace(given, comparison={**given.comparison, "calibration": [moved, second]})
    words = words_in(language)
    notes = blocks(benchmark(case, words), Table)[0].notes
    assert sum(says in note for note in notes) == 1
    assert not any(says in note for note in blocks(benchmark(given, words), Table)[0].notes)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_a_long_run_rate_moved_stands_beside_the_level_and_the_pool(given, language):
    words = words_in(language)
    card = given.details["scorecard"]
    # Odds of bad of 6.2 % are 0.0661; half the odds of good are twice those of bad, so that before it was 3.20 %.
    shift = -0.6931472
    line = {**card["calibration"], "tendency": {**card["calibration"]["tendency"], "shift": shift}}
    moved = {**card, "calibration": line, "thin_file": {**card["thin_file"], "tendency_shift": shift}}
    case = dataclasses.replace(given, details={**given.details, "scorecard": moved})
    pool = blocks(parts(case, words), Facts)[0].pairs[2][1]
    assert "6.20" in pool
    assert "3.20" in pool
    assert "−0.69" in pool
    cells = [cell for table in blocks(calibration(case, words), Table) for row in table.rows for cell in row]
    assert words("calibration.tendency_shift", shift="−0.69") in [cell.note for cell in cells]
    assert "3.20" not in blocks(parts(given, words), Facts)[0].pairs[2][1]
