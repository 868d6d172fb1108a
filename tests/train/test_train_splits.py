"""The timetable as a law: roles apart by time, by customer group and by a whole window."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import UnfitForTrainingError
from pipeline.params import LabelParams, SplitParams
from pipeline.train.splits import (
    as_days,
    customer_groups,
    hashed_share,
    mature_dates,
    settled_on,
    timetable,
    timetable_tested_later,
)

YEAR = LabelParams()
LATE = LabelParams("late", 30, None, 90)
BEST_EFFORT = SplitParams(0.5, 0.25, 0.25, purge="best_effort")


def _ends(n, start="2015-01-31"):
    return [day.date() for day in pd.date_range(start, periods=n, freq="ME")]


@st.composite
def histories(draw):
    n = draw(st.integers(min_value=1, max_value=70))
    dropped = draw(st.sets(st.integers(min_value=0, max_value=n - 1), max_size=n - 1))
    label = draw(st.sampled_from([YEAR, LATE, LabelParams(window_months=6), LabelParams(window_months=3)]))
    return [day for i, day in enumerate(_ends(n)) if i not in dropped], label


@settings(max_examples=150, deadline=None)
@given(histories())
def test_every_outcome_of_a_role_is_settled_before_the_next_role_begins(history):
    days, label = history
    try:
        found = timetable(days, label, SplitParams(0.5, 0.25, 0.25))
    except UnfitForTrainingError:
        return
    assert found.purge == "whole"
    assert not found.limitations
    assert settled_on(found.train[-1], label) <= found.calibration[0]
    assert settled_on(found.calibration[-1], label) <= found.test[0]
    assert len(found.train) >= max(3, len(found.calibration), len(found.test))


@settings(max_examples=150, deadline=None)
@given(histories())
def test_best_effort_always_finds_a_timetable_that_uses_every_date_once_or_says_so(history):
    days, label = history
    found = timetable(days, label, BEST_EFFORT)
    assert found.train
    assert found.calibration
    assert found.test
    assert sorted({*found.train, *found.calibration, *found.test, *found.purged}) == days
    assert (found.purge == "whole") == (not found.limitations)
    if found.purge != "shared":
        assert found.train[-1] < found.calibration[0] <= found.calibration[-1] < found.test[0]
        assert len(found.train) + len(found.calibration) + len(found.test) + len(found.purged) == len(days)
    for limitation in found.limitations:
        assert limitation in found.text()


def test_what_later_months_test_trains_on_every_date_and_keeps_no_customer_back():
    days = _ends(10)
    found = timetable_tested_later([*days, days[0]], YEAR, SplitParams(0.6, 0.2, 0.2))
    assert (found.train, found.calibration, found.test, found.purged) == (tuple(days), tuple(days), (), ())
    assert not found.has_test
    roles = found.group_role(pd.Series([f"G{at}" for at in range(4000)]))
    # Three to one, as the shares; a standard error of 0.7 %.
    assert set(roles) == {"train", "calibration"}
    assert abs((roles == "train").mean() - 0.75) < 0.03
    with pytest.raises(UnfitForTrainingError, match="no snapshot date"):
        timetable_tested_later([], YEAR, SplitParams(0.6, 0.2, 0.2))


def test_forty_five_month_ends_give_a_year_purged_twice_and_most_to_training():
    found = timetable(_ends(45), YEAR, SplitParams(0.5, 0.25, 0.25))
    assert [len(found.train), len(found.calibration), len(found.test), len(found.purged)] == [11, 6, 6, 22]
    assert found.text().splitlines()[1].split() == [
        *("train", "11", "2015-01-31", "2015-11-30", "50%", "of", "the", "groups")
    ]


def test_twenty_six_month_ends_are_one_too_few_for_a_year_and_the_error_names_the_remedies():
    assert timetable(_ends(27), YEAR, SplitParams(0.5, 0.25, 0.25)).purge == "whole"
    with pytest.raises(UnfitForTrainingError, match=r"26 mature snapshot.*longer history.*best_effort"):
        timetable(_ends(26), YEAR, SplitParams(0.5, 0.25, 0.25))


def test_best_effort_shortens_the_purge_no_more_than_needed():
    found = timetable(_ends(26), YEAR, BEST_EFFORT)
    assert found.purge == "shortened"
    assert "10 snapshot(s) instead of a window of 12 months" in found.limitations[0]


def test_four_month_ends_of_a_late_label_share_three_and_test_on_the_last():
    days = _ends(4, "2019-01-31")
    with pytest.raises(UnfitForTrainingError, match="90 days and the 30 days of lateness"):
        timetable(days, LATE, SplitParams(0.5, 0.25, 0.25))
    found = timetable(days, LATE, BEST_EFFORT)
    assert found.train == found.calibration == tuple(days[:3])
    assert found.test == (days[3],)
    assert len(found.limitations) == 2


def test_one_date_is_out_of_sample_but_not_out_of_time_and_none_is_refused():
    found = timetable(_ends(1), YEAR, BEST_EFFORT)
    assert found.train == found.calibration == found.test
    assert "not out of time" in found.limitations[1]
    with pytest.raises(UnfitForTrainingError, match="0 mature snapshot"):
        timetable([], YEAR, BEST_EFFORT)


def test_a_window_ends_in_a_shorter_month_on_its_last_day():
    assert settled_on(dt.date(2023, 8, 31), LabelParams(window_months=6)) == dt.date(2024, 2, 29)
    assert settled_on(dt.date(2019, 1, 31), LATE) == dt.date(2019, 5, 31)


def test_no_customer_group_serves_two_roles_and_no_date_two(small_economy):
    book = small_economy.book
    found = timetable(mature_dates(book), YEAR, SplitParams(0.5, 0.25, 0.25))
    role = found.role(book)
    served = book.assign(role=role, cluster=customer_groups(book))[role != ""]
    assert served.groupby("cluster")["role"].nunique().max() == 1
    assert served.groupby("as_of")["role"].nunique().max() == 1
    assert set(served["role"]) == {"train", "calibration", "test"}


def test_customers_that_shared_a_group_at_any_date_stand_together():
    book = pd.DataFrame(
        {
            "customer_id": ["a", "a", "b", "c", "d"],
            "group_key": ["g1", "g2", "g2", "g3", "d"],
            "as_of": [dt.date(2020, 1, 31)] * 5,
        }
    )
    assert customer_groups(book).tolist() == ["g1", "g1", "g1", "g3", "d"]


def test_roles_follow_the_shares_and_do_not_depend_on_row_order(small_economy):
    found = timetable(_ends(45), YEAR, SplitParams(0.5, 0.3, 0.2))
    names = pd.Series([f"group {i}" for i in range(4000)])
    shares = found.group_role(names).value_counts(normalize=True)
    assert shares["train"] == pytest.approx(0.5, abs=0.03)
    assert shares["calibration"] == pytest.approx(0.3, abs=0.03)
    book = small_economy.book
    shuffled = book.sample(frac=1, random_state=0)
    pd.testing.assert_series_equal(found.role(shuffled).sort_index(), found.role(book))


def test_another_seed_deals_other_roles_and_the_hash_is_the_same_everywhere():
    assert hashed_share(1, "C-1") == 0.6307541014122402
    names = pd.Series([f"group {i}" for i in range(200)])
    first, second = (timetable(_ends(45), YEAR, SplitParams(seed=seed)).group_role(names) for seed in (1, 2))
    assert (first != second).any()


def test_dates_and_timestamps_are_the_same_days(small_economy):
    book = small_economy.book
    stamped = book.assign(as_of=pd.to_datetime(book["as_of"]))
    found = timetable(mature_dates(stamped), YEAR, SplitParams(0.5, 0.25, 0.25))
    pd.testing.assert_series_equal(found.role(stamped), found.role(book))
    assert as_days(stamped["as_of"]) == list(book["as_of"])


def test_mature_dates_are_those_at_which_somebody_stayed_good():
    days = [dt.date(2020, 1, 31), dt.date(2020, 2, 29), dt.date(2020, 3, 31)]
    book = pd.DataFrame({"as_of": days, "is_bad": [0, 1, np.nan]})
    assert mature_dates(book) == days[:1]


def test_timetable_as_plain_values():
    told = timetable(_ends(45), YEAR, SplitParams(0.5, 0.25, 0.25)).as_json()
    assert told["train"][0] == "2015-01-31"
    assert told["customer_shares"] == {"train": 0.5, "calibration": 0.25, "test": 0.25}
