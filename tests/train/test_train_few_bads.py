"""A test set in which nearly nobody turned bad: figures without intervals, for a bootstrap of so few tells nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline.flows.summary import model_line
from pipeline.params import ValidateParams
from pipeline.train.measures import pd_measures
from pipeline.train.sample import Sample

MEASURES = ("auc", "gini", "ks", "observed_over_expected")


def sample_of(bads: int, n: int = 200) -> Sample:
    """The first rows are bad; every row is a customer of its own."""
    names = np.array([f"c{i:03d}" for i in range(n)], dtype=object)
    is_bad = (np.arange(n) < bads).astype(float)
    return Sample(pd.DataFrame(index=range(n)), is_bad, names, np.array([None] * n, dtype=object))


@pytest.mark.parametrize(("bads", "is_told"), [(1, False), (9, False), (10, True)])
def test_below_ten_bad_customers_order_and_level_have_no_interval(bads, is_told):
    # Bad first and PDs falling: a perfect order. 200 rows of 2 % on average expect 4 bads.
    told = pd_measures(np.linspace(0.039, 0.001, 200), sample_of(bads), ValidateParams(bootstrap_rounds=50))
    assert [told[name]["value"] for name in MEASURES] == pytest.approx([1.0, 1.0, 1.0, bads / 4])
    for name in MEASURES:
        assert (told[name]["low"] is not None, told[name]["high"] is not None) == (is_told, is_told)
        assert (told[name]["rounds"] > 0) == is_told


def test_the_terminal_tells_one_bad_customer_without_an_interval():
    figures = {"champion.test.gini": 0.99, "champion.test.bad_customers": 1.0}
    level = {"champion.test.observed_over_expected": 0.04}
    assert model_line(figures | level, "champion", "champion").split(maxsplit=1)[1] == (
        "Gini 0.99, observed / expected defaults 0.04: too few bad customers to tell (1 bad customer)"
    )
    ends = {"champion.test.gini_low": 0.5, "champion.test.gini_high": 0.7, "champion.test.bad_customers": 42.0}
    assert "(0.50 to 0.70; 42 bad customers)" in model_line(figures | level | ends, "champion", "champion")
