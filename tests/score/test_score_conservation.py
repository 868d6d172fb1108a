"""A row lost, doubled or made up, or a cent that went astray, is told in counts and stops the night."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pytest

from pipeline.errors import CreditbookError
from pipeline.score.conservation import require_every_row_once, require_same_totals
from pipeline.score.summary import Tally

JUNE = dt.date(2025, 6, 30)


class Listed:
    """Rows of customers in memory, by threes."""

    schema = pa.schema([("customer_id", pa.string())])

    def __init__(self, *customers):
        self._rows = pa.table({"customer_id": pa.array(customers, pa.string())})

    def batches(self, columns):
        yield from self._rows.select(columns).to_batches(max_chunksize=3)


ASKED = Listed("A", "B", "C", "D", "E")


def test_the_customers_asked_for_are_whole():
    require_every_row_once("features", JUNE, ASKED, ASKED)
    require_every_row_once("features", JUNE, Listed(), Listed())


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("ABCE", "4 rows came back for 5 asked for: 1 missing, e.g. customer 'D' on 2025-06-30"),
        ("ABCDEE", "6 rows came back for 5 asked for: 1 there more than once, e.g. customer 'E'"),
        ("AACDE", "1 missing, e.g. customer 'B' on 2025-06-30; 1 there more than once, e.g. customer 'A'"),
        ("ABCDEF", "1 not asked for, e.g. customer 'F' on 2025-06-30"),
        ("ABCcDE", "rows are not in order"),
        ("ABCCDE", "1 there more than once, e.g. customer 'C'"),
        ("", "0 rows came back for 5 asked for: 5 missing, e.g. customer 'A' on 2025-06-30"),
    ],
)
def test_a_row_lost_doubled_or_made_up_is_an_internal_error(given, told):
    with pytest.raises(CreditbookError) as refused:
        require_every_row_once("features", JUNE, ASKED, Listed(*given))
    assert told in str(refused.value)
    if "order" not in told:
        assert refused.value.exit_code == 70
        assert "internal error: features: " in str(refused.value)
        assert "nothing was published" in str(refused.value)


@pytest.fixture
def book(make_book, model, policy, as_of, scored):
    limit = {"limit_current": Decimal("7.50")}
    rows = make_book({"open_amount": Decimal("-0.10")}, {"open_amount": Decimal("1000.35"), **limit}, {})
    return scored(rows.positions, rows.features, model, policy, None, as_of).summary


COUNTED = {
    "rows": 3,
    "open_amount": Decimal("11000.25"),
    "overdue_amount": Decimal("0.00"),
    "limit_current": Decimal("7.50"),
}


def test_a_book_with_the_sums_of_its_positions_is_whole(book):
    require_same_totals(COUNTED, book)
    require_same_totals(dict.fromkeys(COUNTED, None) | {"rows": 0}, Tally().summary())


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
