"""Base and contributions are the raw score, and PD and score follow from it: for every model and every kind of row."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from pipeline.errors import ContractError, CreditbookError
from pipeline.flows.explained_run import require_as_published
from pipeline.score.booster import Booster
from pipeline.score.calibration import Calibration
from pipeline.score.crew import Crew
from pipeline.score.explanation.book import EXPLAINED, OF_BOOK, AsPublished, Explaining, explained_schema, parts_of
from pipeline.score.explanation.contributions import contributions_of
from pipeline.score.explanation.text import explanation_text, nothing_text
from pipeline.score.scorecard import Bin
from pipeline.score.segment_shifts import SegmentShifts, ShiftedBooster
from pipeline.score.thin_file import ThinFile, ThinFileRule
from pipeline.score.written_tables import ParquetTable

FEATURES = ("days_late_3m", "days_late_12m", "overdue_share", "industry_section")
SECTIONS = {"industry_section": ("C", "F", "G")}
LINE = Calibration.line("platt", 0.1, 0.9)
KINDS = [
    *({}, {"days_late_3m": None, "industry_section": None}, {"industry_section": "Z-unseen", "overdue_share": 0.35}),
    *({"invoices_due_12m_count": 1}, {"is_in_default": True}, {"is_in_book": False}, {"grade_override": "G02"}),
    {"history_months": 1, "overdue_share": 0.9},
]


@pytest.fixture(scope="module")
def booster_text():
    import lightgbm

    rng = np.random.default_rng(3)
    rows = np.column_stack([rng.normal(10, 10, 400), rng.normal(8, 8, 400), rng.random(400), rng.integers(0, 3, 400)])
    is_bad = (rows[:, 0] + 20 * rows[:, 2] + rng.normal(0, 8, 400) > 28).astype(int)
    data = lightgbm.Dataset(rows, is_bad, feature_name=list(FEATURES), categorical_feature=["industry_section"])
    settings = {"objective": "binary", "num_leaves": 7, "min_data_in_leaf": 10, "num_threads": 1, "verbose": -1}
    return lightgbm.train({**settings, "seed": 1}, data, 20).model_to_string()


@pytest.fixture
def booster(booster_text):
    return Booster.from_text(booster_text, FEATURES, SECTIONS, {"days_late_3m": (98.0,)})


@pytest.fixture
def thin_card(card):
    """The pool's card reads half of what the model reads, in another order."""
    return replace(card, characteristics=(card.characteristics[3], card.characteristics[2]), intercept_points=540.0)


def in_whole_points(card):
    rounded = [
        replace(c, bins=tuple(replace(b, points=float(round(b.points))) for b in c.bins)) for c in card.characteristics
    ]
    return replace(card, characteristics=tuple(rounded), intercept_points=571.0, rounding="whole")


def with_code(card):
    """Card whose first characteristic has a bin for the code 98."""
    first = card.characteristics[0]
    code = Bin("98: no record", "special", -0.5, -11.5, lower=98.0, upper=98.0)
    return replace(card, characteristics=(replace(first, bins=(*first.bins, code)), *card.characteristics[1:]))


@pytest.fixture
def models(make_model, card, thin_card, knots, booster):
    """Every kind of model that is scored with, by what is particular about it."""
    pool = ThinFile(0.06, 30, 500, 0.5, ThinFileRule(3, 3))
    with_card = replace(pool, card=thin_card)
    shifted = ShiftedBooster(booster, SegmentShifts("industry_section", {"C": -0.4, "Z-unseen": 0.2}, -0.1))
    ours = {"kind": "booster", "calibration": LINE, "thin_file": with_card}
    return {
        "card": make_model(),
        "card with a pool's card": make_model(thin_file=with_card),
        "expert card": make_model(basis="expert", version="scorecard-expert-000000"),
        "card with a broken line": make_model(knots),
        "whole points": replace(make_model(), calibration=LINE, predictor=in_whole_points(card)),
        "card with a code": replace(make_model(), calibration=Calibration.identity(), predictor=with_code(card)),
        "booster": replace(make_model(), predictor=booster, **ours),
        "booster with a broken line": replace(make_model(), predictor=booster, **{**ours, "calibration": knots}),
        "booster shifted by segment": replace(make_model(), predictor=shifted, **ours),
    }


@pytest.fixture
def explained(scored, make_book, policy, as_of):
    """Publishes customers by the model and explains them: the book, and what the job gives."""

    def explain(model, *customers, features=None):
        book = make_book(*({"customer_id": f"C{at:03d}", **one} for at, one in enumerate(customers)))
        run = scored(book.positions, book.features, model, policy, None, as_of)
        known = book.features if features is None else features(book.features)
        rows = pa.Table.from_pandas(known, preserve_index=False)
        done = Explaining(model, "run0", as_of)({"book": run.book.select(OF_BOOK), "features": rows})
        return run.book.to_pylist(), done.tables[EXPLAINED].to_pylist(), done.told

    return explain


def random_kinds(make_rows, count=300):
    """Customers of every kind with nulls, unseen categories, values on the bounds and the code 98."""
    rows = make_rows(count).drop(columns="customer_id")
    rows.loc[::11, "days_late_3m"] = 98.0
    told = rows.astype(object).where(rows.notna(), None).to_dict("records")
    return [{**one, **KINDS[at % len(KINDS)]} if at % 3 == 0 else one for at, one in enumerate(told)]


def by_hand(calibration, raw):
    """The broken line through the knots, straight on beyond its ends."""
    knots = calibration.knots
    at = max(0, min(sum(raw >= x for x, _ in knots[1:-1]), len(knots) - 2))
    (x0, y0), (x1, y1) = knots[at : at + 2]
    return y0 + (raw - x0) * (y1 - y0) / (x1 - x0)


ALL = [
    "card", "card with a pool's card", "expert card", "card with a broken line", "whole points", "card with a code",
    "booster", "booster with a broken line", "booster shifted by segment",
]  # fmt: skip


@pytest.mark.parametrize("name", ALL)
def test_base_and_contributions_are_the_raw_score_and_the_published_pd_follows_from_it(
    explained, models, make_rows, name
):
    model = models[name]
    published, rows, told = explained(model, *random_kinds(make_rows))
    assert told == AsPublished(sum(row["model"] in {model.kind, "thin_file"} for row in published))
    assert told.asked > 200
    for book, row in zip(published, rows, strict=True):
        assert [row[key] for key in OF_BOOK] == [book[key] for key in OF_BOOK]
        if book["model"] not in {model.kind, "thin_file"}:
            others = set(row) - {"as_of", "run_id", "model_version", *OF_BOOK}
            assert {row[key] for key in others} == {None}
            continue
        is_thin = book["model"] == "thin_file"
        reads = model.thin_file.features if is_thin else model.features
        parts = {key: part for key, part in row.items() if key.startswith("contribution_") and part is not None}
        assert set(parts) == {f"contribution_{feature}" for feature in reads}
        card = model.thin_file.card if is_thin else model.predictor if model.kind == "scorecard" else None
        assert row["unit"] == ("points" if card else "log_odds")
        off = abs(math.fsum([row["base"], *parts.values()]) - row["raw_score"])
        assert off <= (1e-9 if card else 1e-5)
        raw = row["raw_score"]
        if card:
            raw = math.log(card.base_odds) + (raw - card.base_score) * math.log(2) / card.pdo
        calibrated = raw if is_thin else by_hand(model.calibration, raw)
        assert row["raw_log_odds"] == pytest.approx(raw, abs=1e-9)
        assert row["calibrated_log_odds"] == pytest.approx(calibrated, abs=1e-9)
        assert book["pd"] == pytest.approx(1 / (1 + math.exp(calibrated)), rel=1e-9)
        points = 600 + 20 / math.log(2) * (row["calibrated_log_odds"] - math.log(30))
        assert book["score"] == math.floor(points + 0.5)


def test_the_points_of_a_card_are_those_of_its_bins_with_value_and_label(explained, models, card):
    model = models["card"]
    safe = {"days_late_3m": 5.0, "days_late_12m": 0.0, "overdue_share": None, "industry_section": "O'Neil"}
    other = {"days_late_3m": 45.0, "days_late_12m": None, "overdue_share": 0.36, "industry_section": "Z-unseen"}
    _, rows, _ = explained(model, safe, other, {"industry_section": None})
    # Slope 0.85 of the calibration is worked into the points: factor × coefficient × woe × slope.
    factor = 20 / math.log(2) * 0.85
    parts = ("value", "bin", "contribution")
    told = [[tuple(row[f"{part}_{name}"] for part in parts) for name in FEATURES] for row in rows]
    by_hand = [
        [(5.0, "[5.0, 30.5)", 0.8 * -0.2), (0.0, "[None, 0.1)", 0.7 * 0.7), (None, "missing", 1.1 * -0.15),
         ("O'Neil", "G/J/O'Neil", 0.9 * 0.3)],
        [(45.0, "[30.5, None)", 0.8 * -1.1), (None, "missing", 0.7 * 0.05), (0.36, "[0.35, None)", 1.1 * -1.9),
         ("Z-unseen", "unseen", 0.0)],
    ]  # fmt: skip
    for row, expected in zip(told, by_hand, strict=False):
        for (value, label, points), (its_value, its_label, weight) in zip(row, expected, strict=True):
            assert (value, label) == (its_value, its_label)
            assert points == pytest.approx(factor * weight, abs=1e-9)
    assert told[2][3][:2] == (None, "missing")
    assert rows[0]["base"] == model.predictor.intercept_points


def test_whole_points_are_whole_and_add_up_in_the_head(explained, models, make_rows):
    model = models["whole points"]
    _, rows, _ = explained(model, *random_kinds(make_rows))
    rated = [row for row in rows if row["unit"] == "points"]
    assert len(rated) > 150
    for row in rated:
        parts = [row["base"], *(row[f"contribution_{name}"] for name in FEATURES)]
        assert all(part.is_integer() for part in parts)
        assert sum(map(int, parts)) == row["raw_score"]
    text = explanation_text(rated[0], model, "here")
    numbers = [int(line.split()[-1]) for line in text.splitlines()[1 : 2 + len(FEATURES)]]
    assert re.search(rf"\n  raw score +{sum(numbers)}\n", text)


def test_a_boosters_contributions_are_lightgbms_own_with_the_sign_turned(explained, models, booster_text):
    import lightgbm

    values = {"days_late_3m": 98.0, "days_late_12m": None, "overdue_share": 0.7, "industry_section": "F"}
    _, (row, unseen), _ = explained(models["booster"], values, {**values, "industry_section": "Z-unseen"})
    # The code 98 is no number, "F" the second category.
    trees = lightgbm.Booster(model_str=booster_text)
    matrix = np.array([[np.nan, np.nan, 0.7, 1.0], [np.nan, np.nan, 0.7, np.nan]])
    own, of_unseen = trees.predict(matrix, pred_contrib=True)
    found = [row[f"contribution_{name}"] for name in FEATURES]
    np.testing.assert_allclose([*found, row["base"]], -own, rtol=0, atol=1e-7)
    assert unseen["contribution_industry_section"] == pytest.approx(-of_unseen[3], abs=1e-7)
    assert [row[f"value_{name}"] for name in FEATURES] == [98.0, None, 0.7, "F"]
    assert unseen["value_industry_section"] == "Z-unseen"
    assert row["raw_score"] == -trees.predict(matrix, raw_score=True)[0]


def test_what_a_segment_is_shifted_by_counts_as_its_columns(explained, models):
    kinds = [{"industry_section": section} for section in ("C", "Z-unseen", "F", None)]
    _, plain, _ = explained(models["booster"], *kinds)
    _, shifted, _ = explained(models["booster shifted by segment"], *kinds)
    name = "contribution_industry_section"
    moved = [b[name] - a[name] for a, b in zip(plain, shifted, strict=True)]
    # The shift less its mean of -0.1 at the training, which is in the base.
    assert moved == pytest.approx([-0.3, 0.3, 0.1, 0.1], abs=1e-9)
    assert shifted[0]["base"] - plain[0]["base"] == pytest.approx(-0.1, abs=1e-9)
    assert shifted[0]["raw_score"] - plain[0]["raw_score"] == pytest.approx(-0.4, abs=1e-9)


def test_a_code_in_the_place_of_a_number_has_its_bin_and_its_meaning(explained, models):
    model = models["card with a code"]
    named = {"special": [{"code": 98, "en": "no record", "zh": "无记录"}]}
    catalogue = [{**one, **named} if one["name"] == "days_late_3m" else one for one in model.catalogue]
    model = replace(model, catalogue=catalogue)
    _, (row,), _ = explained(model, {"days_late_3m": 98.0})
    assert (row["value_days_late_3m"], row["bin_days_late_3m"]) == (98.0, "98: no record")
    assert row["contribution_days_late_3m"] == -11.5
    line = r"days_late_3m +98 \(Title of days_late: no record\) +98: no record +-11\.5"
    assert re.search(line, explanation_text(row, model, "here"))


def test_a_thin_file_is_explained_by_the_pools_card_or_by_the_pool(explained, models):
    thin = {"invoices_due_12m_count": 1, "overdue_share": 0.5, "industry_section": "C"}
    model = models["card with a pool's card"]
    _, (row,), _ = explained(model, thin)
    factor = 20 / math.log(2)
    assert row["base"] == 540.0
    assert row["contribution_overdue_share"] == pytest.approx(factor * 1.1 * -1.9, abs=1e-9)
    assert row["contribution_industry_section"] == pytest.approx(factor * 0.9 * -0.4, abs=1e-9)
    assert (row["contribution_days_late_3m"], row["bin_days_late_3m"]) == (None, None)
    text = explanation_text(row, model, "here")
    assert text.index("industry_section") < text.index("overdue_share")
    assert "days_late" not in text
    level = "pool of thin files: 6.000000% (set from the 50% bound of 30 defaults among 500 customers)"
    assert f"{level}, worked into the points" in text
    _, (pooled,), _ = explained(models["card"], thin)
    assert pooled["base"] == pooled["raw_score"] == pytest.approx(math.log(0.94 / 0.06), abs=1e-12)
    text = explanation_text(pooled, models["card"], "here")
    assert "for everybody: no card" in text
    assert "PD                6.000000%" in text


def test_who_has_no_parts_is_told_why(explained, models):
    kinds = ({"is_in_default": True}, {"is_in_book": False}, {"grade_override": "G02"})
    published, _, _ = explained(models["card"], *kinds)
    told = [nothing_text(row) for row in published]
    assert "in default PD is 1" in told[0]
    assert "neither PD nor score" in told[1]
    assert f"the grade was set by hand; PD {published[2]['pd']:.6%} and score {published[2]['score']}" in told[2]


@pytest.mark.parametrize("name", ALL)
def test_what_is_printed_adds_up_and_shows_values_as_sentences_do(explained, models, name):
    model = models[name]
    values = {"days_late_3m": 44.6, "days_late_12m": None, "overdue_share": 0.456, "industry_section": "C"}
    _, (row,), _ = explained(model, values)
    lines = explanation_text(row, model, "as the night left them").splitlines()
    table = {line.split()[0]: line for line in lines[1 : 2 + len(FEATURES)]}
    numbers = [float(line.split()[-1]) for line in table.values()]
    assert list(table) == ["base", *FEATURES]
    total = float(lines[2 + len(FEATURES)].split()[-1])
    assert math.fsum(numbers) == pytest.approx(total, abs=1e-5)
    assert [table[feature].split()[1] for feature in FEATURES] == ["45", "null", "46%", "C"]
    if model.kind == "scorecard":
        assert "[30.5, None)" in table["days_late_3m"]
        assert "missing" in table["days_late_12m"]
    else:
        assert len(table["days_late_3m"].split()) == 3
    assert lines[-1] == "  features          as the night left them"
    pd_ = next(line for line in lines if line.startswith("  PD  "))
    assert pd_.split()[1] == f"{row['pd']:.6%}"
    power = float(re.search(r"e\^(-?[\d.]+)\)", pd_)[1])
    assert 1 / (1 + math.exp(power)) == pytest.approx(row["pd"], rel=1e-5)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("card", "calibration       0.250000 + 0.850000 × raw; worked into the points"),
        ("whole points", "calibration       platt: 0.100000 + 0.900000 × raw"),
        ("card with a code", "calibration       none"),
        ("booster", "calibration       platt: 0.100000 + 0.900000 × raw"),
    ],
)
def test_the_calibration_is_told_with_its_numbers(explained, models, name, told):
    _, (row,), _ = explained(models[name], {})
    assert f"\n  {told}\n" in explanation_text(row, models[name], "here")


def test_of_a_broken_line_the_stretch_is_told_that_holds(explained, models):
    model = models["card with a broken line"]
    _, rows, _ = explained(model, {}, {"days_late_3m": 45.0, "days_late_12m": 25.0, "overdue_share": 0.8})
    lines = [explanation_text(row, model, "here") for row in rows]
    assert rows[0]["raw_log_odds"] > 3.0
    assert "calibration       knots: 2.900000 + 0.550000 × (raw − 3.000000), its stretch of 3" in lines[0]
    assert -2.0 < rows[1]["raw_log_odds"] < 1.0
    assert "calibration       knots: -1.500000 + 0.900000 × (raw − (-2.000000)), its stretch of 3" in lines[1]


def test_features_that_are_gone_or_others_are_counted_with_an_example(explained, models):
    def moved(features):
        return features.assign(overdue_share=[0.0, 0.9, 0.0, 0.0, 0.9])

    def lacking(features):
        return features.drop(index=[2, 4])

    kinds = [{}, {}, {}, {"invoices_due_12m_count": 1}, {"is_in_default": True}]
    published, _, told = explained(models["card"], *kinds, features=moved)
    assert (told.asked, told.lacking, told.moved) == (4, 0, 1)
    assert re.fullmatch(rf"'C001': PD 0\.\d+ for {re.escape(repr(published[1]['pd']))}", told.example)
    _, _, told = explained(models["card"], *kinds, features=lacking)
    assert told == AsPublished(4, 1, 0, "'C002': no features")


@pytest.mark.parametrize(("off", "moved"), [(1e-14, 0), (1e-10, 1)])
def test_another_pd_is_seen_where_the_score_is_the_same(scored, make_book, models, policy, as_of, off, moved):  # noqa: PLR0917 - fixtures
    book = make_book({})
    run = scored(book.positions, book.features, models["card"], policy, None, as_of)
    published = run.book.select(OF_BOOK)
    at = published.schema.get_field_index("pd")
    published = published.set_column(at, "pd", pa.array([published["pd"][0].as_py() + off]))
    rows = pa.Table.from_pandas(book.features, preserve_index=False)
    assert Explaining(models["card"], "run0", as_of)({"book": published, "features": rows}).told.moved == moved


def test_whoever_comes_out_otherwise_is_refused(as_of):
    class Run:
        pass

    Run.as_of = as_of
    require_as_published(AsPublished(7), Run)
    both = AsPublished(3, 1, 0, "'C2': no features") + AsPublished(4, 0, 2, "'C9': PD 0.2 for 0.1")
    told = r"of 7 customers .* 1 have no features and 2 come out .*'C2': no features"
    with pytest.raises(ContractError, match=told):
        require_as_published(both, Run)


@pytest.mark.parametrize(("off", "is_told"), [(9e-6, False), (1.1e-5, True), (math.nan, True)])
def test_a_sum_that_is_off_by_more_than_the_promise_is_an_error(booster, make_rows, monkeypatch, off, is_told):
    rows, own = make_rows(20), Booster.contributions

    def slightly_off(self, frame):
        found = own(self, frame)
        found.loc[7, "overdue_share"] += off
        return found

    monkeypatch.setattr(Booster, "contributions", slightly_off)
    if not is_told:
        assert len(contributions_of(booster, rows).raw) == 20
        return
    with pytest.raises(CreditbookError, match="contributions of 1 of 20 customers do not add up") as raised:
        contributions_of(booster, rows)
    assert raised.value.exit_code == 70


def test_points_may_not_be_off_by_a_billionth(card, make_rows, monkeypatch):
    rows, own = make_rows(20), type(card).total_points
    monkeypatch.setattr(type(card), "total_points", lambda self, frame: own(self, frame) + 2e-9)
    with pytest.raises(CreditbookError, match="of 20 of 20 customers do not add up"):
        contributions_of(card, rows)


class InMemory:
    """Rows as a file gives them, a few at a time."""

    def __init__(self, table, size):
        self.schema, self._table, self._size = table.schema, table, size

    def batches(self, columns):
        yield from self._table.select(list(columns)).combine_chunks().to_batches(max_chunksize=self._size)


@pytest.mark.parametrize("name", ["card with a pool's card", "booster shifted by segment"])
def test_parts_and_processes_change_no_byte_and_a_row_is_what_it_is_alone(  # noqa: PLR0917 - fixtures
    scored, make_book, models, make_rows, policy, as_of, tmp_path, name
):
    model = models[name]
    customers = [{"customer_id": f"C{at:03d}", **one} for at, one in enumerate(random_kinds(make_rows, 60))]
    book = make_book(*customers)
    run = scored(book.positions, book.features, model, policy, None, as_of)
    features = pa.Table.from_pandas(book.features, preserve_index=False)
    job, files = Explaining(model, "run0", as_of), []
    for rows_at_once, batch, workers in ((1000, 1000, 1), (7, 5, 1), (9, 4, 2)):
        path = tmp_path / f"{rows_at_once}.parquet"
        table = ParquetTable(path, explained_schema(model))
        with Crew(workers) as crew:
            parts = parts_of(InMemory(run.book, batch), InMemory(features, batch), model, rows_at_once)
            told = AsPublished()
            for done in crew.each(job, parts):
                table.add(done.tables[EXPLAINED])
                told += done.told
        assert table.close().rows == 60
        assert told.example == ""
        files.append(path)
    assert len({path.read_bytes() for path in files}) == 1
    whole = pd.read_parquet(files[0]).astype(object)
    for at in range(0, 60, 7):
        one = job({"book": run.book.select(OF_BOOK).slice(at, 1), "features": features.slice(at, 1)})
        pd.testing.assert_frame_equal(
            one.tables[EXPLAINED].to_pandas().astype(object), whole.iloc[[at]].reset_index(drop=True), check_exact=True
        )


def test_a_book_whose_features_lack_a_column_is_refused_by_name(scored, make_book, models, policy, as_of):
    book = make_book({})
    run = scored(book.positions, book.features, models["card"], policy, None, as_of)
    features = pa.Table.from_pandas(book.features.drop(columns="overdue_share"), preserve_index=False)
    with pytest.raises(ContractError, match="overdue_share"):
        next(parts_of(InMemory(run.book, 5), InMemory(features, 5), models["card"]))
