"""What validation tells monitoring: from which day on outcomes are unseen by the fit, and the Gini to compare with."""

import datetime as dt

import pytest

from pipeline.flows.validated import validated_of
from pipeline.params import LabelParams

GINI = {"value": 0.728, "low": 0.562, "high": 0.871, "rounds": 500}
AUC = {"id": "auc", "basis": "cohort", "model": "champion", "value": 0.795, "low": 0.745, "high": 0.84}


def told(tests=(AUC,), purge="whole"):
    return {
        "models": {"champion": {"version": "scorecard-1", "roles": {"test": {"gini": GINI}}}},
        "timetable": {
            "train": ["2021-01-31", "2022-01-31"], "calibration": ["2023-01-31", "2023-04-30"],
            "purged": ["2023-05-31", "2024-03-31"], "test": ["2024-04-30", "2024-08-31"], "purge": purge,
        },
        "tests": list(tests),
    }  # fmt: skip


def of(content, version="scorecard-1", label=None):
    return validated_of(content, version, label or LabelParams(), 0.95)


@pytest.mark.parametrize("purge", ["whole", "shortened", "shared"])
def test_a_purged_month_shares_outcomes_with_the_calibration_and_is_not_unseen(purge):
    found = of(told(purge=purge))
    assert (found.fitted_until, found.unseen_from) == (dt.date(2023, 4, 30), dt.date(2024, 4, 30))
    days = [dt.date(2023, 4, 30), dt.date(2023, 5, 31), dt.date(2023, 6, 30), dt.date(2024, 3, 31)]
    assert [found.is_unseen(day) for day in days] == [False] * 4
    assert found.is_unseen(dt.date(2024, 4, 30))


def test_a_window_in_days_ends_when_the_last_item_due_in_it_can_be_late():
    label = LabelParams(kind="late", days=60, window_months=None, window_days=90)
    assert of(told(), label=label).unseen_from == dt.date(2023, 4, 30) + dt.timedelta(days=150)


def test_the_gini_is_that_of_the_cohort_of_one_row_a_customer():
    found = of(told()).gini
    assert (found["basis"], found["confidence"]) == ("cohort", 0.95)
    assert [found[end] for end in ("value", "low", "high")] == pytest.approx([0.59, 0.49, 0.68])


@pytest.mark.parametrize(
    "other", [{"model": "challenger"}, {"basis": "panel"}, {"value": None, "low": None, "high": None}, {"id": "ks"}]
)
def test_without_such_a_cohort_it_is_that_of_the_test_rows(other):
    found = of(told([AUC | other])).gini
    assert (found["basis"], found["value"], found["high"]) == ("test", 0.728, 0.871)


def test_of_another_model_nothing_is_known():
    found = of(told(), "scorecard-2")
    assert (found.fitted_until, found.unseen_from, found.gini, found.is_unseen(dt.date(2030, 1, 1))) == (None,) * 4
