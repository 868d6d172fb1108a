"""Reasons name nothing that speaks for the customer: a value must cost points and be adverse in development."""

from __future__ import annotations

import json
from dataclasses import replace

import lightgbm
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import DamagedModelError
from pipeline.score.adverse import AdverseFeature, AdverseValues, Cell
from pipeline.score.applied import application
from pipeline.score.booster import Booster
from pipeline.score.calibration import Calibration
from pipeline.score.model_folder import read_model, write_model
from pipeline.score.reasons import SLOTS, model_reasons, thin_reasons
from pipeline.score.scorecard import Bin, Characteristic, Scorecard
from pipeline.score.sentences import sentence
from pipeline.score.thin_file import ThinFile, ThinFileRule

NAMES = ("days_late_3m", "days_late_12m", "overdue_share")
WINDOWS = {"DAYS_LATE": NAMES[:2], "OVERDUE_SHARE": NAMES[2:]}
SPLITS = {"days_late_3m": (5.0, 30.0), "days_late_12m": (5.0, 30.0), "overdue_share": (0.25, 0.75)}
VALUES = {"days_late_3m": (1.0, 12.0, 40.0), "days_late_12m": (2.0, 13.0, 41.0), "overdue_share": (0.1, 0.5, 0.9)}
NULL = 3


def characteristic(name, points, mean):
    """Three ranges and null, with these points."""
    low, high = SPLITS[name]
    bounds = [(None, low), (low, high), (high, None)]
    ranges = [Bin("", "range", 0.0, p, lower=a, upper=b) for p, (a, b) in zip(points, bounds, strict=False)]
    return Characteristic(name, 1.0, (*ranges, Bin("", "missing", 0.0, points[3])), "rises", 0.1, mean)


@pytest.fixture
def carded(make_model):
    """A model of a card of the three features, each with the points of its bins and their mean in development."""

    def make(**told):
        parts = tuple(characteristic(name, *told.get(name, ((0.0,) * 4, 0.0))) for name in NAMES)
        card = Scorecard(parts, 600.0, 20.0, 600.0, 30.0)
        entries = [entry for entry in make_model().catalogue if entry["name"] in NAMES]
        return make_model(Calibration.identity(()), predictor=card, features=NAMES, catalogue=entries)

    return make


def rows_of(*places):
    """Customers by the bin of each feature."""
    return pd.DataFrame(
        {name: [(*VALUES[name], np.nan)[place[at]] for place in places] for at, name in enumerate(NAMES)}
    )


def applied(model, rows):
    batch = pa.RecordBatch.from_pandas(rows, preserve_index=False)
    return application(model, None, batch.schema)(batch).to_pandas()


def told(reasons, row=0):
    return [
        (reasons.code[row, slot], reasons.points[row, slot], reasons.en[row, slot])
        for slot in range(SLOTS)
        if reasons.code[row, slot] is not None
    ]


def test_a_bin_with_points_above_0_is_no_reason_though_the_mean_has_more(carded):
    """The mean customer has 6 points of overdue_share. Half overdue earns 2: 4 fewer, and yet better than average."""
    model = carded(overdue_share=((10.0, 2.0, -20.0, 0.0), 6.0))
    rows = rows_of((0, 0, 0), (0, 0, 1), (0, 0, 2), (0, 0, NULL))
    assert model.points_lost(rows)["overdue_share"].round(9).tolist() == [4.0, -4.0, -26.0, -6.0]
    reasons = model_reasons(model, applied(model, rows))
    assert [told(reasons, row) for row in range(4)] == [
        [],
        [],
        [("OVERDUE_SHARE", -26.0, "90% of the balance is overdue")],
        [],
    ]


@pytest.mark.parametrize(
    ("place", "points", "why"),
    [
        ((2, 1), -9.0, "the 12 months earn 3, 5 fewer than the mean: that is not held against the customer"),
        ((2, 0), -6.0, "the 12 months earn 11, 3 more than the mean: that is set off"),
        ((2, 2), -24.0, "both are adverse"),
    ],
)
def test_an_idea_costs_what_its_adverse_windows_cost_less_what_any_window_brings(carded, place, points, why):
    model = carded(days_late_3m=((4.0, 0.0, -9.0, 0.0), 0.0), days_late_12m=((11.0, 3.0, -7.0, 0.0), 8.0))
    reasons = told(model_reasons(model, applied(model, rows_of((*place, 0)))))
    teller = "Paid 41 days late over 12 months" if place[1] == 2 else "Paid 40 days late over 3 months"
    assert reasons == [("DAYS_LATE", points, teller)], why


def test_an_idea_whose_adverse_window_is_outweighed_is_none(carded):
    model = carded(days_late_3m=((4.0, 0.0, -9.0, 0.0), 0.0), days_late_12m=((30.0, 3.0, -7.0, 0.0), 8.0))
    assert told(model_reasons(model, applied(model, rows_of((2, 0, 0))))) == []


def require_adverse(model, rows, is_adverse):
    """Every reason is told by a value that is adverse and costs points, and its points are those of its idea."""
    lost = model.points_lost(rows).to_numpy()
    reasons = model_reasons(model, applied(model, rows))
    catalogue = model.catalogue_by_name
    for row in range(len(rows)):
        found = {code: (points, english) for code, points, english in told(reasons, row)}
        due = {}
        for code, windows in WINDOWS.items():
            at = [NAMES.index(name) for name in windows]
            costs = {a: lost[row, a] for a in at if lost[row, a] < 0 and is_adverse[row, a]}
            points = np.floor(sum(costs.values()) + sum(lost[row, a] for a in at if lost[row, a] > 0) + 0.5)
            if costs and points < 0:
                teller = NAMES[min(costs, key=lambda a: costs[a])]
                due[code] = (points, sentence(catalogue[teller], rows[teller].iloc[row], "en"))
        assert found == due
    return sum(reason is not None for reason in reasons.code.ravel())


POINTS = st.sampled_from([-30.0, -7.5, -1.0, -1e-9, 0.0, 1e-9, 2.0, 9.0, 25.0])
CARD = st.fixed_dictionaries(dict.fromkeys(NAMES, st.tuples(st.tuples(*[POINTS] * 4), st.floats(-20, 20))))
EVERY = rows_of(*[(a, b, c) for a in range(4) for b in range(4) for c in range(4)])
PLACES = np.array([(a, b, c) for a in range(4) for b in range(4) for c in range(4)])


def test_no_card_names_a_feature_whose_bin_has_points_of_0_or_more(carded):
    @settings(max_examples=40, deadline=None)
    @given(CARD)
    def holds(parts):
        points = np.array([[parts[name][0][place[at]] for at, name in enumerate(NAMES)] for place in PLACES])
        require_adverse(carded(**parts), EVERY, points < 0)

    holds()


def test_the_card_of_thin_files_keeps_the_same_rule(carded):
    model = carded(overdue_share=((10.0, 2.0, -20.0, 0.0), 6.0), days_late_3m=((9.0, 5.0, -3.0, 0.0), 7.0))
    thin = replace(model, thin_file=ThinFile(0.06, 30, 500, 0.5, ThinFileRule(3, 3), model.predictor))
    reasons = thin_reasons(thin, rows_of((1, 0, 1), (2, 0, 2)))
    assert told(reasons, 0) == []
    assert [(code, points) for code, points, _ in told(reasons, 1)] == [("OVERDUE_SHARE", -26.0), ("DAYS_LATE", -10.0)]


def counted(points, rows, bads, mean):
    """A card of overdue_share alone, whose ranges and null hold so many rows and bad rows."""
    plain = characteristic("overdue_share", points, mean)
    bins = tuple(replace(b, count=n, bads=k) for b, n, k in zip(plain.bins, rows, bads, strict=True))
    return Scorecard((replace(plain, bins=bins),), 600.0, 20.0, 600.0, 30.0)


def adverse_bins(card):
    rows = pd.DataFrame({"overdue_share": [*VALUES["overdue_share"], np.nan]})
    return card.is_adverse(card.contributions(rows)[["overdue_share"]].to_numpy())[:, 0].tolist()


def test_points_below_0_are_not_adverse_where_the_bin_went_bad_less_often_than_average():
    """3, 5 and 20 of 100 rows, on average 28 of 300: what a level by segment takes from the first is no evidence."""
    card = counted((-14.0, 5.0, -20.0, 0.0), (100, 100, 100, 0), (3, 5, 20, 0), -9.0)
    assert adverse_bins(card) == [False, False, True, False]
    # Lower points than those of a bin that is adverse: what is told turns twice.
    card = counted((-30.0, 5.0, -20.0, 0.0), (100, 100, 100, 0), (3, 5, 20, 0), -9.0)
    assert adverse_bins(card) == [False, False, True, False]
    # Without a bad row counted, as on an expert card, points alone tell.
    card = counted((-14.0, 5.0, -20.0, 0.0), (100, 100, 100, 0), (0, 0, 0, 0), -9.0)
    assert adverse_bins(card) == [True, False, True, False]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(-3, 3), min_size=4, max_size=4),
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=4, max_size=4),
    st.integers(-5, 5),
)
def test_a_bin_is_adverse_by_its_points_and_its_bad_rate_and_of_equal_points_where_all_are(points, held, mean):
    rows, bads = [good + bad for good, bad in held], [bad for _, bad in held]
    card = counted([float(p) for p in points], rows, bads, float(mean))

    def own(at):
        return points[at] < 0 and (not sum(bads) or bads[at] * sum(rows) > sum(bads) * rows[at])

    expected = [all(own(other) for other in range(4) if points[other] == points[at]) for at in range(4)]
    assert adverse_bins(card) == expected


@pytest.fixture(scope="module")
def booster():
    rng = np.random.default_rng(5)
    rows = np.column_stack([rng.choice(VALUES[name], 900) for name in NAMES])
    rows[rng.random(rows.shape) < 0.1] = np.nan
    risk = np.nan_to_num(rows) @ [0.05, 0.04, 2.0] + rng.normal(0, 1, 900)
    settings_ = {"objective": "binary", "num_leaves": 8, "num_threads": 1, "verbose": -1, "seed": 1}
    data = lightgbm.Dataset(rows, risk > 2.5, feature_name=list(NAMES), params={"verbose": -1})
    return Booster.from_text(lightgbm.train(settings_, data, 30).model_to_string(), NAMES, {})


def cells(flags):
    return tuple(Cell(10, 1, flag) for flag in flags)


def adverse_of(flags):
    """Flags of three ranges and of null by feature."""
    return AdverseValues(
        0.1, {name: AdverseFeature(cells(of[:3]), cells(of[3:])[0], SPLITS[name]) for name, of in flags.items()}
    )


@pytest.fixture
def boosted(carded, booster):
    def make(flags):
        adverse = None if flags is None else adverse_of(flags)
        return replace(carded(), kind="booster", predictor=booster, adverse=adverse)

    return make


def test_no_booster_names_a_value_that_is_not_adverse(boosted):
    seen = []

    @settings(max_examples=40, deadline=None)
    @given(st.fixed_dictionaries(dict.fromkeys(NAMES, st.tuples(*[st.booleans()] * 4))))
    def holds(flags):
        is_adverse = np.array([[flags[name][place[at]] for at, name in enumerate(NAMES)] for place in PLACES])
        seen.append(require_adverse(boosted(flags), EVERY, is_adverse))

    holds()
    assert max(seen) > 50


def test_a_special_code_and_a_category_have_their_own_evidence():
    number = AdverseFeature(cells([False, True]), Cell(5, 0, False), (10.0,), ((98.0, Cell(5, 0, False)),))
    frame = pd.DataFrame({"x": [9.0, 10.0, 98.0, 99.0, np.nan], "y": ["a", "b", "unseen", None, "a"]})
    assert number.of(frame, "x").tolist() == [False, True, False, True, False]
    text = AdverseFeature(cells([True, False]), Cell(7, 3, True), categories=("a", "b"))
    assert text.of(frame, "y").tolist() == [True, False, False, True, True]


def test_what_is_adverse_is_kept_in_the_folder_and_guarded_by_its_hash(tmp_path, boosted):
    model = boosted(dict.fromkeys(NAMES, (False, True, True, True)))
    folder = tmp_path / write_model(tmp_path, model, EVERY)
    assert read_model(folder).adverse == model.adverse
    path = folder / "adverse.json"
    path.write_text(path.read_text().replace("true", "false", 1))
    with pytest.raises(DamagedModelError, match=r"adverse\.json"):
        read_model(folder)


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: raw.pop("bad_rate"),
        lambda raw: raw["features"]["overdue_share"]["splits"].reverse(),
        lambda raw: raw["features"]["overdue_share"]["cells"].pop(),
        lambda raw: raw["features"]["overdue_share"].pop("missing"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(damage):
    raw = json.loads(adverse_of(dict.fromkeys(NAMES, (False, True, True, True))).to_json())
    damage(raw)
    with pytest.raises(DamagedModelError, match="fit the model again"):
        AdverseValues.from_json(json.dumps(raw))


def test_a_table_without_a_feature_of_the_model_is_refused(boosted):
    with pytest.raises(DamagedModelError, match=r"lacks 1 of 3 features, e\.g\. 'overdue_share'"):
        boosted(dict.fromkeys(NAMES[:2], (False, True, True, True)))


def test_a_booster_of_an_older_folder_is_read_scores_and_tells_its_reasons_by_points_alone(tmp_path, boosted):
    old = boosted(None)
    folder = tmp_path / write_model(tmp_path, old, EVERY)
    assert not (folder / "adverse.json").exists()
    again, all_adverse = read_model(folder), boosted(dict.fromkeys(NAMES, (True,) * 4))
    assert again.pd(EVERY).tolist() == old.pd(EVERY).tolist() == all_adverse.pd(EVERY).tolist()
    before, after = (model_reasons(model, applied(model, EVERY)) for model in (again, all_adverse))
    assert [told(before, row) for row in range(len(EVERY))] == [told(after, row) for row in range(len(EVERY))]


def test_a_night_by_an_older_booster_says_so(boosted, make_book, scored, policy, as_of):
    book = make_book({}, {"overdue_share": 0.9})
    for flags, is_noted in ((None, True), (dict.fromkeys(NAMES, (True,) * 4), False)):
        run = scored(book.positions, book.features, boosted(flags), policy, None, as_of)
        assert any("which values are adverse" in note for note in run.summary["notes"]) == is_noted
