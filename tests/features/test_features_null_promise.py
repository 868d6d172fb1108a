"""The null promise: a column is null where its absence says so, and only there; a value is never NaN or infinite.

Each absence is a question to the customer's rows of the day, answered by plain loops (absences.py). What the absence
does not say, the definition's own text must.
"""

import math

import pytest

from pipeline.features import absence
from pipeline.features.catalog import FEATURES, by_name


@pytest.fixture(scope="module")
def answers(court, oracle, absences):
    """(feature, row, whether its absence holds for the row) of every question that can be asked."""
    views = {day: oracle.View(court.whole, day) for day in {row["as_of"] for row in court.rows}}
    found = []
    for row in court.rows:
        asked = absences.Rows(views[row["as_of"]], row["customer_id"])
        told = [(feature, absences.holds(asked, feature)) for feature in FEATURES]
        found += [(feature, row, is_absent) for feature, is_absent in told if is_absent is not None]
    return found


def test_values_are_never_nan_or_infinite(court):
    numbers = [(f.name, row[f.name]) for row in court.rows for f in FEATURES if isinstance(row[f.name], float)]
    assert {name for name, value in numbers if not math.isfinite(value)} == set()


def test_null_means_what_the_absence_says(answers):
    wrong = [
        (feature.name, row["customer_id"], row["as_of"].isoformat(), row[feature.name])
        for feature, row, is_absent in answers
        if is_absent != (row[feature.name] is None)
    ]
    assert wrong == []


def test_both_answers_are_seen(answers):
    seen = {}
    for feature, _, is_absent in answers:
        seen.setdefault(feature.name, set()).add(is_absent)
    always_there = {f.name for f in FEATURES if f.null_means == absence.NO_TABLE.en}
    assert len({by_name(name).null_means for name in seen}) >= 28
    assert {name for name, both in seen.items() if both == {False}} == always_there
    assert {name for name, both in seen.items() if both == {True}} == set()


def test_what_the_absence_does_not_say_the_definition_does(absences):
    for name, words in absences.TOLD_BY_THE_DEFINITION.items():
        assert words in by_name(name).doc, name
