"""A row lost, doubled or made up, or a cent that went astray, is told in counts and stops the night."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pytest

from pipeline.errors import CreditbookError
from pipeline.score.conservation import require_every_row_once, require_same_totals

MAY, JUNE = dt.date(2025, 5, 31), dt.date(2025, 6, 30)


def keys(*pairs):
    return pa.table(
        {"customer_id": [c for c, _ in pairs], "as_of": pa.array([d for _, d in pairs], pa.date32())},
        schema=pa.schema([("customer_id", pa.string()), ("as_of", pa.date32())]),
    )


ASKED = keys(("A", MAY), ("A", JUNE), ("B", JUNE))


def test_the_rows_asked_for_in_any_order_are_whole():
    require_every_row_once("features", ASKED, ASKED.take([2, 0, 1]).append_column("x", [[1, 2, 3]]))
    require_every_row_once("features", ASKED.slice(0, 0), ASKED.slice(0, 0))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (keys(("A", MAY), ("B", JUNE)), "2 rows came back for 3 asked for: 1 missing, e.g. customer 'A' on 2025-06-30"),
        (keys(("A", MAY), ("A", JUNE), ("B", JUNE), ("B", JUNE)), "1 there more than once, e.g. customer 'B'"),
        (keys(("A", MAY), ("A", MAY), ("B", JUNE)), "e.g. customer 'A' on 2025-06-30; 1 there more than once"),
        (keys(("A", MAY), ("A", JUNE), ("B", JUNE), ("C", JUNE)), "1 not asked for, e.g. customer 'C' on 2025-06-30"),
        (keys(("A", MAY), ("A", JUNE), ("B", MAY)), "1 missing, e.g. customer 'B' on 2025-06-30; 1 not asked for"),
        (ASKED.slice(0, 0), "0 rows came back for 3 asked for: 3 missing, e.g. customer 'A' on 2025-05-31"),
    ],
)  # fmt: skip
def test_a_row_lost_doubled_or_made_up_is_an_internal_error(given, told):
    with pytest.raises(CreditbookError) as refused:
        require_every_row_once("features", ASKED, given)
    assert refused.value.exit_code == 70
    assert "internal error: features: " in str(refused.value)
    assert told in str(refused.value)
    assert "nothing was published" in str(refused.value)


@pytest.fixture
def book(make_book, model, policy, as_of, scored):
    limit = {"limit_current": Decimal("7.50")}
    rows = make_book({"open_amount": Decimal("-0.10")}, {"open_amount": Decimal("1000.35"), **limit}, {})
    return scored(rows.positions, rows.features, model, policy, None, as_of).book


COUNTED = {
    "rows": 3,
    "open_amount": Decimal("11000.25"),
    "overdue_amount": Decimal("0.00"),
    "limit_current": Decimal("7.50"),
}


def test_a_book_with_the_sums_of_its_positions_is_whole(book):
    require_same_totals(COUNTED, book)
    require_same_totals(dict.fromkeys(COUNTED, None) | {"rows": 0}, book.slice(0, 0))


@pytest.mark.parametrize(
    ("counted", "told"),
    [
        ({"rows": 4}, "1 of 4 control totals are not those of the positions: rows 3 for 4"),
        ({"open_amount": Decimal("11000.26")}, "open_amount 11,000.25 for 11,000.26"),
        ({"limit_current": None}, "limit_current 7.50 for 0"),
    ],
)
def test_a_cent_that_went_astray_is_an_internal_error(book, counted, told):
    with pytest.raises(CreditbookError, match=r"internal error: scored book: .*nothing was published") as refused:
        require_same_totals({**COUNTED, **counted}, book)
    assert refused.value.exit_code == 70
    assert told in str(refused.value)
