"""The status table of SCORED_BOOK.md, the columns, exposure and loss by hand, reasons that never flatter."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from pipeline.errors import ContractError
from pipeline.score.calibration import Calibration
from pipeline.score.columns import BOOK_SCHEMA, breaches_of
from pipeline.score.scored_book import night_notes
from pipeline.score.thin_file import ThinFile, ThinFileRule

DESCRIBED = """
as_of model_version policy_version customer_id name group_id is_natural_person rating_status pd pd_12m score grade
segment data_depth model open_amount overdue_amount max_days_past_due utilisation ead lgd expected_loss limit_current
limit_suggested limit_binding_cap limit_action limit_valid_to approval_tier terms_days_suggested deposit_share_suggested
reason_1_code reason_2_code reason_3_code reason_4_code reason_1_points reason_2_points reason_3_points reason_4_points
reason_1_en reason_2_en reason_3_en reason_4_en reason_1_zh reason_2_zh reason_3_zh reason_4_zh
pd_previous grade_previous notches change_driver alert_count alert_severity
"""
COLUMNS = DESCRIBED.split()


@pytest.fixture
def score(make_book, model, policy, as_of, scored):
    def rows_of(*customers, **changes):
        book = make_book(*customers)
        run = scored(book.positions, book.features, replace(model, **changes), policy, None, as_of)
        return run.book.to_pylist()

    return rows_of


def test_the_columns_are_those_described_in_order():
    assert BOOK_SCHEMA.names == COLUMNS
    assert BOOK_SCHEMA.field("ead").type == pa.decimal128(18, 2)


def test_each_status_fills_and_empties_the_columns_of_its_row(score):
    rated, thin, defaulted, unrated = score(
        {}, {"invoices_due_12m_count": 1}, {"is_in_default": True}, {"is_in_book": False}
    )
    assert [r["rating_status"] for r in (rated, thin, defaulted, unrated)] == [
        "rated", "thin_file", "in_default", "not_rated",
    ]  # fmt: skip
    assert rated["model"] == "scorecard"
    assert rated["pd"] == rated["pd_12m"]
    assert (thin["pd"], thin["model"], thin["data_depth"]) == (0.06, "thin_file", "D")
    assert (defaulted["pd"], defaulted["grade"], defaulted["segment"], defaulted["score"]) == (
        1.0,
        "D",
        "default",
        None,
    )
    assert (defaulted["limit_action"], defaulted["limit_suggested"]) == ("hold", Decimal("0.00"))
    assert defaulted["expected_loss"] == Decimal("6500.00")  # 10,000 x LGD 65 %
    assert [unrated[c] for c in ("pd", "score", "grade", "segment", "limit_suggested", "lgd", "reason_1_code")] == [
        None
    ] * 7
    assert unrated["limit_action"] == "keep"


def test_a_customer_in_default_is_in_default_also_when_out_of_the_book(score):
    assert score({"is_in_default": True, "is_in_book": False})[0]["rating_status"] == "in_default"


def test_a_good_thin_pool_is_capped_at_the_best_grade_policy_allows(score):
    pool = ThinFile(0.0005, 1, 900, 0.5, ThinFileRule(3, 3))
    (row,) = score({"history_months": 2}, thin_file=pool)
    assert (row["pd"], row["grade"], row["segment"]) == (0.0005, "G05", "medium")
    assert (row["reason_1_code"], row["reason_1_points"]) == ("THIN_HISTORY", None)


def test_pd_12m_is_empty_where_the_label_is_another(score):
    late = {"kind": "late", "days": 30, "window_months": None, "window_days": 90}
    (row,) = score({}, label=late)
    assert row["pd"] is not None
    assert row["pd_12m"] is None


def test_depth_of_data_falls_from_accounts_with_outside_data_to_a_thin_file(score):
    young, old = dt.date(2024, 12, 31), dt.date(2023, 5, 31)
    rows = score(
        {"accounts_end_on": young, "has_external_rating": True},
        {"accounts_end_on": young},
        {"accounts_end_on": old, "has_external_rating": True},
        {"accounts_end_on": young, "has_external_rating": True, "history_months": 0},
    )
    assert [r["data_depth"] for r in rows] == ["A", "B", "C", "D"]


def test_exposure_is_the_open_balance_the_orders_that_stand_open_and_a_tenth_of_the_unused_limit(score):
    # Terms of 30 days, orders delivered within 60: half of 75 % of 4,000 stands open at once.
    plain, ordered, unused, credit, slow = score(
        {},
        {"committed_orders_amount": Decimal("4000.00"), "limit_current": Decimal("8000.00")},
        {"committed_orders_amount": Decimal("4000.00"), "limit_current": Decimal("21500.00")},
        {"open_amount": Decimal("-500.00"), "limit_current": Decimal("0.00")},
        {"committed_orders_amount": Decimal("4000.00"), "mean_terms_days": 90.0},
    )
    assert plain["ead"] == Decimal("10000.00")
    assert (ordered["ead"], ordered["utilisation"]) == (Decimal("11500.00"), 1.25)
    assert unused["ead"] == Decimal("12500.00")
    assert (credit["ead"], credit["utilisation"], credit["expected_loss"]) == (Decimal("0.00"), None, Decimal("0.00"))
    assert slow["ead"] == Decimal("13000.00")


def test_whoever_is_in_default_is_delivered_nothing_more(score):
    (row,) = score(
        {"is_in_default": True, "committed_orders_amount": Decimal("4000.00"), "limit_current": Decimal("50000.00")}
    )
    assert row["ead"] == Decimal("10000.00")


def test_cover_for_half_the_exposure_lowers_the_loss_by_its_share(score):
    # covered share .9 x half of the exposure = .45 secured at 10 %, .55 open at 45 % (grade G05 is medium).
    (row,) = score({"cover_amount": Decimal("5000.00"), "covered_share": 0.9})
    assert row["lgd"] == pytest.approx(0.45 * 0.10 + 0.55 * 0.45)
    assert row["expected_loss"] == Decimal(str(round(row["pd"] * row["lgd"] * 10000, 2)))


def test_everybody_rated_has_a_reason_or_is_told_that_nothing_speaks_against_it(  # noqa: PLR0917
    make_rows, make_book, model, policy, as_of, scored
):
    rows = make_rows(600, seed=5)
    book = make_book(*({"customer_id": customer} for customer in rows["customer_id"]))
    found = scored(book.positions, rows, model, policy, None, as_of).book.to_pandas()
    lost = model.points_lost(rows)
    ideas = lost.T.groupby(lambda name: name.removesuffix("_3m").removesuffix("_12m")).sum().T
    has_none = (np.floor(ideas + 0.5) >= 0).all(axis=1).to_numpy()
    assert 0 < has_none.sum() < 300
    codes = [f"reason_{slot}_code" for slot in range(1, 5)]
    assert ((found["reason_1_code"] == "NOTHING_AGAINST").to_numpy() == has_none).all()
    told = found.loc[has_none, [*codes[1:], "reason_1_points", "reason_1_en", "reason_1_zh"]].drop_duplicates()
    assert told.isna().to_numpy().tolist() == [[True, True, True, True, False, False]]
    assert told["reason_1_en"].item() == policy.thin_file.texts.nothing.en
    assert (found["rating_status"] == "rated").all()
    assert found["reason_1_code"].notna().all()


def test_a_grade_set_by_hand_brings_its_representative_pd_and_is_told_first(score, risky):
    (row,) = score({**risky, "grade_override": "G03"})
    assert (row["grade"], row["pd"], row["model"], row["reason_1_code"]) == ("G03", 0.0028, "expert", "EXPERT_GRADE")
    assert row["reason_1_points"] is None
    assert row["reason_2_code"] == "OVERDUE_SHARE"


def test_an_override_that_names_no_grade_is_told_and_not_applied(make_book, model, policy, as_of, scored):
    book = make_book({"grade_override": "AAA", "limit_override": "plenty"})
    run = scored(book.positions, book.features, model, policy, None, as_of)
    assert run.book["model"].to_pylist() == ["scorecard"]
    assert any("1 grade override(s) name no grade" in note and "'AAA'" in note for note in run.summary["notes"])
    assert any("1 limit override(s) are no amounts" in note and "'plenty'" in note for note in run.summary["notes"])


def test_reasons_are_the_strongest_losses_with_one_window_per_idea(score, risky, model):
    (row,) = score(risky)
    assert [row[f"reason_{i}_code"] for i in (1, 2, 3, 4)] == ["OVERDUE_SHARE", "DAYS_LATE", "INDUSTRY_SECTION", None]
    assert row["reason_1_en"] == "80% of the balance is overdue"
    assert row["reason_1_zh"] == "逾期占比80%"
    assert row["reason_2_en"] in {"Paid 45 days late over 3 months", "Paid 25 days late over 12 months"}
    card = model.predictor.characteristics[2]
    assert row["reason_1_points"] == round(card.bins[2].points - card.mean_points)


def test_a_null_is_told_by_what_it_means(score):
    (row,) = score({"days_late_3m": np.nan, "days_late_12m": 10.0, "overdue_share": np.nan, "industry_section": None})
    told = {row[f"reason_{i}_code"]: (row[f"reason_{i}_en"], row[f"reason_{i}_zh"]) for i in (1, 2, 3, 4)}
    assert told["INDUSTRY_SECTION"] == ("Title of industry_section: nothing was paid", "industry_section标题：无付款")


def test_no_reason_is_ever_favourable(  # noqa: PLR0917
    make_book, make_rows, make_model, knots, policy, as_of, scored
):
    rows = make_rows(2000)
    book = make_book(*({"customer_id": c} for c in rows["customer_id"]))
    for model in (make_model(), make_model(knots)):
        run = scored(book.positions, rows, model, policy, None, as_of)
        lost = model.points_lost(rows)
        frame = run.book.to_pandas()
        for slot in (1, 2, 3, 4):
            points, code = frame[f"reason_{slot}_points"], frame[f"reason_{slot}_code"]
            assert (points.dropna() < 0).all()
            assert (points.isna() == (code.isna() | (code == "NOTHING_AGAINST"))).all()
            ideas = {"OVERDUE_SHARE": ["overdue_share"], "DAYS_LATE": ["days_late_3m", "days_late_12m"]}
            for code, windows in ideas.items():
                told = (frame[f"reason_{slot}_code"] == code).to_numpy()
                assert (lost.loc[told, windows].sum(axis=1) < 0).all()
        later = frame[["reason_1_points", "reason_2_points"]].dropna()
        assert (later["reason_1_points"] <= later["reason_2_points"]).all()


def test_a_row_alone_gets_the_rating_and_reasons_it_gets_in_the_book(  # noqa: PLR0917
    make_book, make_rows, model, policy, as_of, scored
):
    rows = make_rows(200)
    book = make_book(*({"customer_id": c} for c in rows["customer_id"]))
    whole = scored(book.positions, rows, model, policy, None, as_of).book
    names = ["pd", "score", "grade", "lgd", *(c for c in COLUMNS if c.startswith("reason_"))]
    for at in range(0, 200, 20):
        alone = scored(book.positions.iloc[[at]], rows.iloc[[at]], model, policy, None, as_of).book
        assert alone.select(names).to_pylist() == whole.select(names).slice(at, 1).to_pylist()


def test_the_order_of_the_rows_handed_in_does_not_matter(  # noqa: PLR0917
    make_book, make_rows, model, policy, as_of, scored
):
    rows = make_rows(100)
    book = make_book(*({"customer_id": c} for c in rows["customer_id"]))
    first = scored(book.positions, rows, model, policy, None, as_of)
    second = scored(book.positions[::-1], rows.sample(frac=1, random_state=1), model, policy, None, as_of)
    assert first.book == second.book
    assert first.limit_trace == second.limit_trace


def test_an_empty_book_is_a_book(make_book, model, policy, as_of, scored):
    book = make_book({})
    run = scored(book.positions.head(0), book.features.head(0), model, policy, None, as_of)
    assert run.book.num_rows == run.limit_trace.num_rows == run.alerts.num_rows == 0


def test_inputs_that_do_not_fit_are_told(make_book, model, policy, as_of, scored):
    book = make_book({}, {})
    with pytest.raises(ContractError, match=r"features: 1 of 2 customers in the book have no row, e.g. 'C1'"):
        scored(book.positions, book.features.head(1), model, policy, None, as_of)
    with pytest.raises(ContractError, match=r"repeat a customer, e.g. 'C0'"):
        scored(pd.concat([book.positions, book.positions.head(1)]), book.features, model, policy, None, as_of)
    with pytest.raises(ContractError, match=r"of another day than 2025-07-31, e.g. 2025-06-30"):
        scored(book.positions, book.features, model, policy, None, dt.date(2025, 7, 31))
    with pytest.raises(ContractError, match=r"positions: 1 columns missing: open_amount"):
        scored(book.positions.drop(columns="open_amount"), book.features, model, policy, None, as_of)


def test_a_book_that_breaks_its_description_is_found_out(make_book, model, policy, as_of, scored):
    book = make_book({}, {"is_in_default": True})
    whole = scored(book.positions, book.features, model, policy, None, as_of).book
    assert breaches_of(whole) == []
    at = whole.schema.get_field_index("pd")
    wrong = whole.set_column(at, whole.schema.field("pd"), pa.array([None, 0.5], pa.float64()))
    told = breaches_of(wrong)
    assert "pd: 1 of 1 rows that are rated are null" in told
    assert "pd: 1 of 1 rows that are in_default are not 1.0" in told
    assert any("rows are not in order" in breach for breach in breaches_of(whole.take([1, 0])))


def test_a_policy_applied_before_it_is_in_force_is_noted(make_book, model, policy, scored):
    book = make_book({"as_of": dt.date(2017, 6, 30)})
    run = scored(book.positions, book.features, model, policy, None, dt.date(2017, 6, 30))
    assert any("in force from 2018-01-01" in note for note in run.summary["notes"])


@pytest.mark.parametrize(("newest", "noted"), [("2025-06-30", 1), ("2025-07-31", 1), ("2025-06-29", 0), (None, 0)])
def test_a_day_no_later_than_what_the_model_was_fitted_on_is_noted(model, policy, newest, noted):
    fitted = replace(model, development={**model.development, "last_as_of": newest})
    told = [note for note in night_notes(fitted, policy, dt.date(2025, 6, 30)) if note.startswith("model: fitted on")]
    assert told == [f"model: fitted on snapshots up to {newest}, so that it has seen what followed 2025-06-30"] * noted


def test_a_model_with_a_better_calibration_moves_score_and_grade_together(make_book, make_model, policy, as_of, scored):
    book = make_book({})
    good, bad = (
        scored(book.positions, book.features, make_model(Calibration.line("platt", shift, 0.85)), policy, None, as_of)
        for shift in (1.0, -1.0)
    )
    assert good.book["score"][0].as_py() > bad.book["score"][0].as_py()
    assert good.book["grade"][0].as_py() < bad.book["grade"][0].as_py()
