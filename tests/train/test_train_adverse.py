"""Which values of a feature are adverse: above the training sample's bad rate, in the direction of the catalogue."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from pipeline.score.adverse import AdverseValues, Cell
from pipeline.train.adverse import adverse_values
from pipeline.train.sample import Sample


def sample_of(column, is_bad, customers=None):
    """Rows of one feature `x`, each of a customer of its own unless told."""
    n = len(is_bad)
    names = [f"C{i:04d}" for i in range(n)] if customers is None else customers
    return Sample(
        pd.DataFrame({"x": column}),
        np.asarray(is_bad, dtype=float),
        np.array(names, dtype=object),
        np.full(n, None, dtype=object),
    )


def entry(risk="either", holds="number", special=()):
    return {"name": "x", "holds": holds, "risk": risk, "special": [{"code": code} for code in special]}


def judged(sample, told, values):
    """Whether each value is adverse, through the table as it is written and read."""
    found = AdverseValues.from_json(adverse_values(sample, [told], ["x"]).to_json())
    return found.of(pd.DataFrame({"x": values}), ["x"])[:, 0].tolist()


def test_a_directed_number_has_one_neutral_value_where_the_isotonic_fit_crosses_the_average():
    """Bad rates of 10 %, 30 %, 20 % and 60 % at 1 to 4, and 30 % in all: the fit pools 2 and 3 at 25 %, so 4 alone is
    adverse of what rises with risk; of what falls all pool at 30 % and none is."""
    values = np.repeat([1.0, 2.0, 3.0, 4.0], 10)
    is_bad = np.concatenate([[1] * bad + [0] * (10 - bad) for bad in (1, 3, 2, 6)])
    sample = sample_of(values, is_bad)
    asked = [0.0, 1.0, 2.0, 3.5, 4.0, 9.0]
    assert judged(sample, entry("rises"), asked) == [False, False, False, False, True, True]
    assert judged(sample, entry("falls"), asked) == [False] * 6
    table = adverse_values(sample, [entry("rises")], ["x"])
    assert (table.bad_rate, table.features["x"].splits) == (0.3, (4.0,))
    assert table.features["x"].cells == (Cell(30, 6, False), Cell(10, 6, True))
    assert judged(sample_of(-values, is_bad), entry("falls"), [-1.0, -3.0, -4.0, -9.0]) == [False, False, True, True]


NUMBERS = st.lists(st.tuples(st.sampled_from([0.0, 0.5, 1.0, 2.0, 5.0, 9.0]), st.booleans()), min_size=4, max_size=60)


@given(NUMBERS, st.sampled_from(["rises", "falls"]))
@settings(max_examples=200, deadline=None)
def test_the_neutral_value_is_that_of_scikit_learns_isotonic_regression(rows, risk):
    values = np.array([value for value, _ in rows])
    is_bad = np.array([float(bad) for _, bad in rows])
    fit = IsotonicRegression(increasing=risk == "rises").fit(values, is_bad)
    safest = values.min() if risk == "rises" else values.max()
    expected = (fit.predict(values) > is_bad.mean() + 1e-9) & (values != safest)
    assert judged(sample_of(values, is_bad), entry(risk), values) == expected.tolist()


def test_the_safest_value_is_not_adverse_even_where_whoever_has_the_number_is_worse_than_average():
    """Whoever had a dispute defaults more often; that none of them was rejected is no fault."""
    values = [0.0] * 10 + [1.0] * 10 + [np.nan] * 80
    is_bad = [1] * 5 + [0] * 5 + [1] * 6 + [0] * 4 + [1] * 4 + [0] * 76
    assert judged(sample_of(values, is_bad), entry("rises"), [0.0, 1.0, np.nan]) == [False, True, False]


def test_null_and_special_codes_speak_by_their_own_rows():
    values = [1.0] * 50 + [np.nan] * 20 + [98.0] * 20 + [99.0] * 10
    is_bad = [1] * 5 + [0] * 45 + [1] * 9 + [0] * 11 + [1] + [0] * 19 + [1] * 5 + [0] * 5
    assert judged(sample_of(values, is_bad), entry("rises", special=(98.0, 99.0)), [1.0, np.nan, 98.0, 99.0]) == [
        False,
        True,
        False,
        True,
    ]


@pytest.mark.parametrize(("bad_customers", "is_adverse"), [(4, False), (5, True)])
def test_a_category_needs_the_bad_rows_of_five_customers(bad_customers, is_adverse):
    """20 bad rows of 20 in the category: of 4 customers they tell names, of 5 a risk."""
    customers = [f"B{i % bad_customers}" for i in range(20)] + [f"G{i}" for i in range(80)]
    sample = sample_of(np.array(["rare"] * 20 + ["usual"] * 80, dtype=object), [1] * 20 + [0] * 80, customers)
    assert judged(sample, entry(holds="category"), ["rare", "usual", "unseen", None]) == [
        is_adverse,
        False,
        False,
        False,
    ]


def test_a_number_without_direction_is_judged_value_by_value_or_by_tenths():
    flags = np.array([0.0] * 90 + [1.0] * 10)
    is_bad = [1] * 5 + [0] * 85 + [1] * 6 + [0] * 4
    assert judged(sample_of(flags, is_bad), entry(), [0.0, 1.0]) == [False, True]
    both_ends = np.arange(200.0)
    bad = (both_ends < 20) | (both_ends >= 180)
    # The tenths end at 19, 39 and so on: that of 179 holds 20 bad rows of 21, that of 19 one of 20.
    assert judged(sample_of(both_ends, bad), entry(), [-5.0, 18.0, 19.0, 100.0, 178.0, 179.0, 500.0]) == [
        True,
        True,
        False,
        False,
        False,
        True,
        True,
    ]


def test_where_nearly_all_have_the_lowest_number_the_others_are_judged_by_their_own_tenths():
    """950 zeros, then 1 to 50 of which those above 25 are bad, five in each tenth of the fifty."""
    numbers = np.concatenate([np.zeros(950), np.arange(1.0, 51.0)])
    told = judged(sample_of(numbers, (numbers > 25).astype(int)), entry(), [0.0, 1.0, 10.0, 40.0, 99.0])
    assert told == [False, False, False, True, True]


def test_the_sample_as_a_whole_is_not_above_itself():
    rng = np.random.default_rng(1)
    is_bad = rng.random(997) < 0.3
    assert judged(sample_of(np.full(997, "same", dtype=object), is_bad), entry(holds="category"), ["same"]) == [False]
