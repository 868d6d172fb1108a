"""A noun ends as the number before it is told."""

import doctest

import pytest

import pipeline.tables.plural
from pipeline.features.catalog import FEATURES
from pipeline.features.feature import Holds
from pipeline.score.sentences import sentence
from pipeline.tables.plural import plural


@pytest.mark.parametrize(
    ("value", "written", "ending"),
    [
        (1.0, "1 day", ""), (1.4, "1 day", ""), (0.4, "0 days", "s"), (-1.0, "-1 day", ""), (11.0, "11 days", "s"),
        (1.6, "2 days", "s"),
    ],
)  # fmt: skip
def test_the_number_that_is_told_decides_not_the_one_behind_it(value, written, ending):
    template = "{value:.0f} day{s}"
    assert plural(template, value) == ending
    assert template.format(value=value, s=ending) == written


def test_a_sentence_without_a_noun_that_hangs_on_the_value_takes_none_and_the_example_holds():
    assert plural("{value:.0%} of 12 months", 0.01) == "s"
    assert doctest.testmod(pipeline.tables.plural).failed == 0


def test_one_and_many_in_the_catalogue():
    numbers = [feature for feature in FEATURES if feature.holds is Holds.NUMBER]
    told = {feature.name: feature.render(1.0, "en") for feature in numbers}
    assert told["bounced_payment_count_12m"] == "1 bounced or returned payment in 12 months"
    assert (
        told["oldest_days_past_due_over_habit"] == "The oldest open item is 1 day later than this customer usually pays"
    )
    wrong = [
        name
        for name, words in told.items()
        if any(f"1 {noun}s" in words.replace("+", "") for noun in ("day", "month", "year", "payment", "invoice", "item",
               "order", "contract", "obligation", "customer", "event", "step", "case", "lien", "plan", "contact",
               "change", "promise", "other customer", "overdue item", "open item", "court case"))
    ]  # fmt: skip
    assert wrong == []
    for feature in numbers:
        assert sentence(feature.as_json(), 1.0, "en") == feature.render(1.0, "en")
        assert sentence(feature.as_json(), 0.0, "zh") == feature.render(0.0, "zh")
