"""What changed, the pair on common customers, the effect of the policy and of features, the model card, the sheet."""

from __future__ import annotations

import dataclasses
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from pipeline.flows.comparison_words import comparison_text
from pipeline.report.blocks import Bullets, Chart, Missing, Signatures, Table, Text
from pipeline.report.chapters.benchmark import benchmark
from pipeline.report.chapters.changes import change_words, changes
from pipeline.report.chapters.effects import effects, heaviest, interaction_share
from pipeline.report.chapters.limit_effect import limit_effect
from pipeline.report.chapters.sign_off import sign_off
from pipeline.report.chapters.verdict import verdict
from pipeline.report.effect_charts import curve, heaps
from pipeline.report.model_card import model_card
from pipeline.report.words import words_in

FEW_MOVED = {"value": 17348.0, "low": None, "high": None, "error": None, "rounds": 0, "bad_customers": 4}

WORDS = words_in("en")


def tables(chapter):
    return {block.caption: block for block in chapter.blocks if isinstance(block, Table)}


def with_comparison(given, **changed):
    before = {**given.before, "comparison": {**given.before["comparison"], **changed}}
    return dataclasses.replace(given, before=before)


def test_the_first_model_says_that_it_is_the_first(given):
    case = dataclasses.replace(given, before={}, monitored={})
    assert [block.text for block in changes(case, WORDS).blocks] == [WORDS("changes.first")]
    told = next(b for b in verdict(case, WORDS).blocks if isinstance(b, Bullets) and b.title.startswith("What changed"))
    assert told.items == (WORDS("changes.first"),)


def test_the_committee_reads_how_the_model_in_force_has_done_since(given):
    for case in (given, dataclasses.replace(given, before={})):
        told = tables(changes(case, WORDS))["Monitoring of the model in force (scorecard-old), run of 2025-11-30"]
        level, month, score = told.rows
        assert [cell.text for cell in level] == ["Level of the PDs, newest cohort that has matured", "amber", "1.40"]
        assert level[2].note == "1.10 to 1.80"
        assert [cell.text for cell in month] == ["Inputs against a month before", "grey", "not enough data"]
        assert (score[2].text, score[2].note) == ("0.017", "chance reaches 0.040")
        assert "wider than that of the validation test of the same PSI" in told.notes[0]
    without = dataclasses.replace(given, monitored={})
    assert not [caption for caption in tables(changes(without, WORDS)) if "Monitoring" in caption]


@pytest.mark.parametrize(
    ("shift", "says"),
    [(0.0, "cannot decide which orders better: Gini −0.040"), (0.1, "orders worse: Gini −0.140"),
     (-0.1, "orders better: Gini +0.060")],
)  # fmt: skip
def test_the_new_model_is_told_against_the_old_on_common_customers(given, shift, says):
    """The comparison is old less new; a reader is told what the new one gains: 0.04 becomes −0.040."""
    order = given.before["comparison"]["gini"]
    moved = {name: order["difference"][name] + shift for name in ("value", "low", "high")}
    case = with_comparison(given, gini={**order, "difference": {**order["difference"], **moved}})
    assert says in change_words(case, WORDS)[1]
    assert "1 characteristics are new, 1 of the old ones are gone" in change_words(case, WORDS)[2]
    assert {b.title for b in changes(case, WORDS).blocks if isinstance(b, Bullets)} == {
        "Characteristics that are new",
        "Characteristics that are gone",
    }


def test_both_models_are_told_by_what_their_evidence_says_they_were_made_from(given):
    """Equal policies stand beside each other, the bins set by hand and the parameters among them; no cell is empty."""
    made = tables(changes(given, WORDS))["What they were made of"].rows
    assert [[cell.text for cell in row] for row in made[:6]] == [
        ["Extract date", "2024-12-31", "2025-12-31"],
        ["Ledger (hash of content)", "cdcdcdcdcdcd…", "abababababab…"],
        ["Default definition (hash)", "717171717171…", "717171717171…"],
        ["Master scale (hash)", "d4d4d4d4d4d4…", "d4d4d4d4d4d4…"],
        ["Bins by hand (hash)", "444444444444…", "444444444444…"],
        ["Parameters (hash)", "cdcdcdcdcdcd…", "abababababab…"],
    ]
    without = dataclasses.replace(given, lineage={"data_version": "ab" * 32})
    made = tables(changes(without, WORDS))["What they were made of"].rows
    assert [cell.text for cell in made[2]] == ["Default definition (hash)", "717171717171…", "–"]


@pytest.mark.parametrize("why", ["no_folder", "features_gone", "no_rows"])
def test_an_old_model_that_cannot_be_compared_says_why(given, why):
    before = {**given.before, "comparison": None, "why_none": why, "features": None, "evidence": None}
    case = dataclasses.replace(given, before=before)
    assert change_words(case, WORDS)[1] == WORDS(f"changes.why.{why}")
    assert sum(isinstance(block, Missing) for block in changes(case, WORDS).blocks) == 3


def test_the_swap_set_tells_counts_rates_losses_and_what_the_other_would_have_cost(given):
    found = tables(benchmark(given, WORDS))
    swap = found["Swap set: who would be refused (segment High risk or worse)"]
    assert [cell.text for cell in swap.rows[1]] == [
        "Only the Scorecard (champion) accepts", "90", "40", "4", "4.4\u202f%", "66,224",
    ]  # fmt: skip
    assert swap.rows[1][-1].note == "51,000 to 90,210"
    assert "none below 10 bad groups" in swap.notes[0]
    assert "more would have been lost a date (interval +2 to +16)" in swap.notes[1]
    parts = found["Both in the parts of the book"]
    assert [heading for _, heading in parts.groups] == ["By risk segment", "By industry"]
    # Without the 0.065 that this part would have shown, "cannot decide" could not be told from "no difference".
    assert [cell.text for cell in parts.rows[0]][4:] == ["+0.040", "0.065", "the data cannot decide"]
    assert "with 80\u202f% chance" in parts.notes[0]
    missing = next(b for b in benchmark(given, WORDS).blocks if isinstance(b, Missing))
    assert missing.text.endswith("Low risk.")


@pytest.mark.parametrize(("value", "shown", "reads"), [
    (-0.02, "−0.0200", "the champion is better"),
    (0.005, "+0.0050", "the data cannot decide"),
    (0.02, "+0.0200", "the challenger is better"),
])  # fmt: skip
def test_a_log_loss_of_the_pair_below_zero_speaks_for_the_champion(given, value, shown, reads):
    loss = {"value": value, "low": value - 0.01, "high": value + 0.01, "error": 0.006, "rounds": 500}
    found = benchmark(dataclasses.replace(given, comparison={**given.comparison, "log_loss": loss}), WORDS)
    table = tables(found)["Order and level of both"]
    assert [cell.text for cell in table.rows[-1]] == ["Log loss (nats a row)", "", "", shown, reads]
    assert table.rows[-1][3].note
    # A difference of log losses is none of Ginis.
    assert table.columns[3].title == "Difference"
    assert "log loss" not in str(tables(benchmark(given, WORDS))["Order and level of both"].rows).lower()


@pytest.mark.parametrize(("language", "says"), [
    ("en", "the data cannot decide: +17,348 a date, and of the customer groups moved 4 turned bad where 10 are needed"),
    ("zh", "数据无法判断：每个日期+17,348；换入换出的客户组中仅有4个为坏，需要10个"),
])  # fmt: skip
def test_a_swap_set_of_four_bad_groups_decides_nothing_in_the_report(given, language, says):
    words = words_in(language)
    told = {**given.comparison, "swap": {**given.comparison["swap"], "cost": FEW_MOVED}}
    tables = [b for b in benchmark(dataclasses.replace(given, comparison=told), words).blocks if isinstance(b, Table)]
    assert any(says in note for table in tables for note in table.notes)


def test_a_swap_set_of_four_bad_groups_decides_nothing_at_the_terminal(given):
    text = comparison_text({**given.comparison, "swap": {**given.comparison["swap"], "cost": FEW_MOVED}})
    assert "the data cannot decide; 4 bad groups moved where 10 are needed" in " ".join(text.split())
    assert "loses more" not in text
    assert "B loses more" in comparison_text(given.comparison)


def test_what_a_cell_of_the_swap_set_lost_stands_at_the_terminal_with_its_interval_or_why_it_has_none(given):
    swap = given.comparison["swap"]
    assert "66,224 (51,000 to 90,210)" in comparison_text(given.comparison)
    few = {name: {**cell, "loss": {"value": 70.0, "low": None, "high": None}} for name, cell in swap["cells"].items()}
    text = comparison_text({**given.comparison, "swap": {**swap, "cells": few}})
    assert "70 (too few bad groups for an interval)" in text


@pytest.mark.parametrize(("comparison", "says"), [(None, "there is no challenger"), ({"rows": {}}, "no row is left")])
def test_without_a_comparison_it_is_said_why(given, comparison, says):
    assert says in benchmark(dataclasses.replace(given, comparison=comparison), WORDS).blocks[0].text


def test_the_effect_of_the_policy_counts_only_customers_with_a_limit_and_a_suggestion():
    book = pd.DataFrame(
        {
            "grade": ["G02", "G02", "G05", None],
            "limit_current": [Decimal(100), Decimal(200), None, Decimal(50)],
            "limit_suggested": [Decimal(150), Decimal(100), Decimal(70), Decimal(50)],
            "ead": [Decimal(10), Decimal(130), Decimal(80), None],
        }
    )
    table, above = limit_effect(book, WORDS)
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["G02", "2", "300", "250", "−50", "−17\u202f%", "1", "1"],
        ["Not rated", "1", "50", "50", "0", "0\u202f%", "0", "0"],
        ["Total", "3", "350", "300", "−50", "−14\u202f%", "1", "1"],
    ]
    # 130 above 100, and 80 above 70.
    assert above.text.startswith("2 of 3 customers would stand above the limit suggested to them, by 40 ")
    assert limit_effect(book.assign(limit_current=None), WORDS) == []


def test_an_effect_that_depends_on_another_feature_is_owed_to_it(given):
    blocks = effects(given, WORDS)
    assert [type(b) for b in blocks] == [Chart, Chart, Table]
    rows = {row[0].note: row for row in blocks[2].rows}
    # Lateness acts alone (what is left is its slope within a fiftieth), noise acts only where lateness is above 10.
    assert rows["mean_days_late_12m"][2].text in {"0\u202f%", "1\u202f%"}
    assert rows["noise"][3].note == "mean_days_late_12m"
    assert int(rows["noise"][2].text.split("\u202f")[0]) > 30
    assert "idle" not in rows
    assert heaviest(given.effects)[0] == "mean_days_late_12m"


def test_what_its_own_value_does_not_explain_by_hand():
    """Means within the parts 2 and 5; left −1, 1, −1, 1 of variance 1; in all 1, 3, 4, 6 of variance 3.25."""
    assert interaction_share(np.array([1.0, 3.0, 4.0, 6.0]), np.array([0, 0, 1, 1])) == pytest.approx(1 / 3.25)


def test_the_shares_owed_to_others_say_why_they_have_no_interval(given):
    (table,) = (block for block in effects(given, WORDS) if isinstance(block, Table))
    assert "The shares have no interval: they describe this one fitted booster" in table.notes[0]


def test_few_rows_tell_no_interactions_and_none_tell_no_effects(given):
    few = dataclasses.replace(given.effects, contributions=given.effects.contributions.head(50),
                              features=given.effects.features.head(50))  # fmt: skip
    assert [type(b) for b in effects(dataclasses.replace(given, effects=few), WORDS)] == [Chart, Chart]
    assert effects(dataclasses.replace(given, effects=None), WORDS) == []


def test_the_curve_of_a_feature_is_its_mean_by_rank_and_equal_values_stay_together():
    x, y = curve(np.array([1.0, 1.0, 1.0, 5.0]), np.array([0.0, 3.0, 6.0, 9.0]), parts=4)
    assert x.tolist() == [1.0, 5.0]
    assert y.tolist() == [3.0, 9.0]


def test_dots_of_like_effect_stand_beside_each_other_and_keep_to_their_line():
    lifts = heaps(np.array([0.0] * 50 + [1.0]))
    assert len(set(lifts[:50].round(9))) == 50
    assert np.abs(lifts).max() <= 0.39
    assert heaps(np.zeros(3)).tolist() == [0.0, 0.0, 0.0]


def test_the_sheet_names_what_is_decided_on_and_leaves_lines_for_people(given):
    chapter = sign_off(given, WORDS)
    assert "scorecard-0123456789ab" in next(b for b in chapter.blocks if isinstance(b, Text)).text
    sheet = next(b for b in chapter.blocks if isinstance(b, Signatures))
    assert len(sheet.lines) == 5
    assert sheet.fields == ("Name and role", "Signature", "Day")


def test_the_model_card_tells_both_models_with_their_intervals(given):
    card = model_card(given)
    assert card["models"]["champion"]["features"] == ["mean_days_late_12m", "industry"]
    assert card["models"]["challenger"]["metrics"]["test"]["gini"]["low"] == pytest.approx(0.58)
    assert card["timetable"]["train"] == ["2019-01-31", "2020-12-31"]
    assert card["before"] == "scorecard-old"
    assert card["is_demo"] is True
    assert card["first_basis"] == "test"
    assert card["recommendation"]["light"] == "no_tests"
