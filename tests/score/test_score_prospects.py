"""What a customer's steps bring: by the model itself, in safe directions, no further than comparable customers got."""

from __future__ import annotations

import math
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.features import catalog
from pipeline.features.feature import Risk, Serves, Tells
from pipeline.features.step import CLEAR_OVERDUE, LET_PAYMENTS_CLEAR, PAY_ON_TIME, STAY_WITHIN_LIMIT
from pipeline.score.applied import PD, THIN_PD, application
from pipeline.score.booster import Booster
from pipeline.score.calibration import Calibration
from pipeline.score.comparables import comparables
from pipeline.score.master_scale import DEFAULT_GRADE
from pipeline.score.scorecard import Scorecard
from pipeline.score.statement.prospects import BookDay, Seat, prospects
from pipeline.score.statement.what_counts import what_counts

# So much is bought that the grade bounds the limit, not the need.
RICH = Decimal("99999999.00")
BOUNDS = {
    "bounced_payment_count_3m": [1.0],
    "bounced_payment_count_12m": [1.0, 3.0],
    "days_over_limit_share_12m": [0.5, 0.9],
    "firm_age_years": [5.0],
    "group_default_count": [1.0],
}
GOOD = {
    "bounced_payment_count_3m": 0.0, "bounced_payment_count_12m": 0.0, "days_over_limit_share_12m": 0.2,
    "firm_age_years": 20.0, "group_default_count": 0.0,
}  # fmt: skip
BAD = {
    "bounced_payment_count_3m": 2.0, "bounced_payment_count_12m": 5.0, "days_over_limit_share_12m": 1.0,
    "firm_age_years": 2.0, "group_default_count": 2.0,
}  # fmt: skip


@pytest.fixture
def steady(make_model, make_characteristic):
    """A card of five features of the catalogue, each falling or rising in points as its direction of risk says."""
    woes = {1: [0.7, -0.9], 2: [0.7, -0.2, -1.1]}
    parts = []
    for name, at in BOUNDS.items():
        safe_first = woes[len(at)]
        parts.append(
            make_characteristic(
                name, at, safe_first if catalog.by_name(name).risk is Risk.RISES else safe_first[::-1], -0.1, 0.9
            )
        )
    card = Scorecard(tuple(parts), 560.0, 20.0, 600.0, 30.0)
    entries = [catalog.by_name(name).as_json() for name in BOUNDS]
    return make_model(Calibration.identity(()), predictor=card, features=card.features, catalogue=entries)


@pytest.fixture
def book_day(make_book, policy, as_of):
    """A book of customers given by their features (and, after them, their positions), judged by a model."""

    def judge(model, *customers, **positions):
        book = make_book(*({"customer_id": f"C{n:04d}", **positions} for n in range(len(customers))))
        features = pd.DataFrame(list(customers), columns=list(model.reads)).astype(float)
        features["size_class"], features["industry_section"] = "small", "C"
        batch = pa.RecordBatch.from_pandas(features[list(model.reads)], preserve_index=False)
        answered = application(model, None, batch.schema)(batch)
        answers = pd.DataFrame({name: answered[name].to_numpy() for name in (PD, THIN_PD)})
        return BookDay(book.positions, features, answers, model, policy, as_of)

    return judge


def others(day):
    return np.arange(1, len(day.positions))


def test_steps_go_to_what_a_quarter_of_the_comparable_reached_and_age_and_group_stay(book_day, steady):
    peers = [
        {**GOOD, "days_over_limit_share_12m": over, "bounced_payment_count_12m": bounced}
        for over, bounced in ((0.3, 0), (0.6, 1), (0.8, 4), (1, 9))
    ]
    day = book_day(steady, BAD, *peers)
    found = prospects(Seat.of(day, 0), others(day), 0.25)
    moved = {move.feature.name: (move.before, move.after) for one in found.single for move in one.moves}
    assert moved == {
        "days_over_limit_share_12m": (1.0, 0.3),
        "bounced_payment_count_3m": (2.0, 0.0),
        "bounced_payment_count_12m": (5.0, 0.0),
    }
    assert {one.steps for one in found.single} == {(STAY_WITHIN_LIMIT,), (LET_PAYMENTS_CLEAR,)}
    half = prospects(Seat.of(day, 0), others(day), 0.5)
    assert {m.feature.name: m.after for one in half.single for m in one.moves}["days_over_limit_share_12m"] == 0.6


def test_windows_of_one_idea_move_together_and_show_when_the_longest_has_passed(book_day, steady):
    day = book_day(steady, BAD, *[GOOD] * 4)
    found = prospects(Seat.of(day, 0), others(day), 0.25)
    bounces = next(one for one in found.single if one.steps == (LET_PAYMENTS_CLEAR,))
    assert [move.feature.name for move in bounces.moves] == ["bounced_payment_count_3m", "bounced_payment_count_12m"]
    assert bounces.months == 12
    assert next(one for one in found.single if one.steps == (STAY_WITHIN_LIMIT,)).months == 12


def test_a_step_brings_what_the_night_gives_a_customer_who_took_it(book_day, steady):
    day = book_day(steady, BAD, *[GOOD] * 4, billing_12m_amount=RICH)
    found = prospects(Seat.of(day, 0), others(day), 0.25)
    for one in (*found.single, found.together):
        took_it = BAD | {move.feature.name: move.after for move in one.moves}
        again = book_day(steady, took_it, *[GOOD] * 4, billing_12m_amount=RICH)
        now = prospects(Seat.of(again, 0), others(again), 0.25).now
        assert one.outcome == now
    # Score points of the card: woe x 0.9 x 20 / ln 2, from the worst bin to the best of each of the two windows.
    bounces = next(one for one in found.single if one.steps == (LET_PAYMENTS_CLEAR,))
    assert bounces.outcome.score - found.now.score == pytest.approx((1.6 + 1.8) * 0.9 * 20 / math.log(2), abs=1)
    assert found.together.outcome.limit > found.now.limit


def test_what_is_not_known_of_a_customer_is_not_moved_and_a_good_one_has_no_step(book_day, steady):
    day = book_day(steady, {**GOOD, "days_over_limit_share_12m": math.nan, "firm_age_years": 2.0}, *[GOOD] * 4)
    found = prospects(Seat.of(day, 0), others(day), 0.25)
    assert (found.single, found.together, found.enough) == ((), None, None)


def test_a_grade_that_people_set_is_moved_by_no_step(book_day, steady):
    day = book_day(steady, BAD, *[GOOD] * 4, grade_override="G06")
    assert prospects(Seat.of(day, 0), others(day), 0.25).single == ()


def grown(rows, seed=1):
    """A booster on the five features with the directions of the catalogue, on made-up defaults."""
    lightgbm = pytest.importorskip("lightgbm")
    rng = np.random.default_rng(seed)
    matrix = np.column_stack([rng.choice([0.0, 1.0, 2.0, 5.0, np.nan], rows) for _ in BOUNDS])
    matrix[:, 2] /= 4
    risk = np.nan_to_num(matrix) @ np.array([0.6, 0.3, 0.8, -0.3, 0.4])
    bad = (rng.random(rows) < 1 / (1 + np.exp(1.5 - risk))).astype(float)
    signs = [1 if catalog.by_name(name).risk is Risk.RISES else -1 for name in BOUNDS]
    settings = {
        "objective": "binary", "num_leaves": 7, "monotone_constraints": signs, "num_threads": 1, "verbosity": -1,
        "deterministic": True, "seed": 1,
    }  # fmt: skip
    data = lightgbm.Dataset(matrix, bad, feature_name=list(BOUNDS), params={"verbosity": -1})
    return Booster.from_text(lightgbm.train(settings, data, 25).model_to_string(), tuple(BOUNDS), {})


VALUES = st.one_of(st.just(math.nan), st.sampled_from([0.0, 0.4, 0.9, 1.0, 2.0, 3.0, 7.0]))
ROW = st.fixed_dictionaries(dict.fromkeys(BOUNDS, VALUES))


@pytest.fixture
def by_booster(steady):
    return replace(steady, kind="booster", predictor=grown(400))


@pytest.mark.parametrize("kind", ["steady", "by_booster"])
def test_no_step_makes_anything_worse_and_none_goes_where_nobody_is(book_day, kind, request):
    model = request.getfixturevalue(kind)

    @settings(max_examples=30 if kind == "steady" else 12)
    @given(st.lists(ROW, min_size=2, max_size=8), st.sampled_from([0.1, 0.25, 0.5, 0.9]))
    def holds(rows, reached_by):
        day = book_day(model, *rows)
        found = prospects(Seat.of(day, 0), others(day), reached_by)
        for one in (*found.single, *(p for p in (found.together, found.enough) if p is not None)):
            assert one.outcome.pd < found.now.pd
            assert one.outcome.score > found.now.score
            for move in one.moves:
                sign = 1 if move.feature.risk is Risk.RISES else -1
                assert sign * move.after < sign * move.before
                assert move.after in {row[move.feature.name] for row in rows[1:]}
        if found.together is not None:
            assert found.together.outcome.pd <= min(one.outcome.pd for one in found.single)
        windows = {m.feature.name: m.after for one in found.single for m in one.moves}
        short, long = (windows.get(f"bounced_payment_count_{n}m") for n in (3, 12))
        if (
            short is not None
            and long is not None
            and all(not row["bounced_payment_count_3m"] > row["bounced_payment_count_12m"] for row in rows)
        ):
            assert short <= long

    holds()


def graded(*grades, sizes=None, sections=None):
    book = pd.DataFrame({"rating_status": "rated", "grade": list(grades)})
    book.loc[book["grade"] == DEFAULT_GRADE, "rating_status"] = "in_default"
    divided = pd.DataFrame(
        {"size_class": sizes or ["small"] * len(grades), "industry_section": sections or ["C"] * len(grades)}
    )
    return book, divided


def test_comparable_are_others_of_the_same_grade_or_one_better_never_worse_ones(policy):
    book, divided = graded("G06", "G06", "G05", "G04", "G07", "D", "G05")
    found = comparables(book, divided, 0, policy.scale, 3)
    assert (found.at.tolist(), found.width) == ([1, 2, 6], "size_and_industry")


def test_the_circle_widens_until_enough_are_in_it_and_few_are_nobody(policy):
    sizes, sections = ["small", "small", "large", "large"], ["C", "F", "C", "G"]
    book, divided = graded(*["G06"] * 4, sizes=sizes, sections=sections)
    widths = [comparables(book, divided, 0, policy.scale, fewest) for fewest in (1, 3, 4)]
    assert [w and (w.at.tolist(), w.width) for w in widths] == [([1], "size"), ([1, 2, 3], "grade"), None]
    unknown = comparables(book, divided.assign(size_class=None), 0, policy.scale, 1)
    assert (unknown.at.tolist(), unknown.width) == ([2], "industry")


def test_what_counts_says_nothing_of_others_and_names_what_was_told_in_confidence(steady):
    lost = {"bounced_payment_count_3m": -4.0, "bounced_payment_count_12m": -5.6, "days_over_limit_share_12m": 3.2} | {
        "firm_age_years": -0.4, "group_default_count": -30.0,
    }  # fmt: skip
    within = BAD | {"days_over_limit_share_12m": 0.2}
    against, in_favour = what_counts(steady, within, lost)
    assert [(one.idea, one.points) for one in against] == [("bounced_payment_count", -10)]
    assert against[0].en == "5 bounced or returned payments in 12 months"
    assert [(one.idea, one.points) for one in in_favour] == [("days_over_limit_share_12m", 3)]


def test_columns_told_from_others_are_never_told_and_are_no_steps():
    silent = {feature.name for feature in catalog.FEATURES if feature.tells is Tells.NOTHING}
    assert {"group_default_count", "linked_default_count", "shared_phone_count", "industry_default_share"} <= silent
    assert not [feature.name for feature in catalog.FEATURES if feature.step and feature.tells is not Tells.VALUE]


def test_every_step_has_a_safe_direction_and_the_economy_age_and_industry_have_none():
    stepped = [f for f in catalog.FEATURES if f.step is not None and f.serves is Serves.MODELS]
    assert all(f.risk is not Risk.EITHER for f in stepped)
    assert {f.step for f in stepped} >= {PAY_ON_TIME, CLEAR_OVERDUE, LET_PAYMENTS_CLEAR, STAY_WITHIN_LIMIT}
    for name in (
        "firm_age_years", "tenure_months", "industry_section", "pmi", "group_overdue_share", "revenue_growth",
        "open_to_equity", "utilisation",
    ):  # fmt: skip
        assert catalog.by_name(name).step is None
