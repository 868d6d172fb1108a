"""Row order, files, row groups, threads, days and customers asked together change nothing, to the last bit."""

import datetime as dt

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from pipeline.engine import connect_duckdb
from pipeline.features.build import features
from pipeline.history.snapshots import spine
from pipeline.tables.canonical import ledger_of

DAYS = [dt.date(2023, 6, 30), dt.date(2023, 9, 30), dt.date(2024, 2, 29)]
DAY = DAYS[1]
SOME = ("mean_days_late_12m", "open_amount", "industry_overdue_share", "pmi")


@pytest.fixture(scope="module")
def panel(book, build, customers):
    return build(book.arrow(), DAYS, customers)


def same(one, other):
    """Equal to the last bit: schema, values and nulls."""
    return one.schema.equals(other.schema) and one.combine_chunks().equals(other.combine_chunks())


def test_files_with_rows_in_any_order_row_groups_and_threads_give_the_same(court, panel):
    """The court reads files in disorder with two threads or workers, the panel tables in order with one thread."""
    assert court.panel == panel.to_pylist()


def test_a_day_in_a_panel_and_a_customer_in_a_book_are_what_they_are_alone(book, build, customers, panel):
    alone = build(book.arrow(), [DAY], [customers[3]])
    mine = panel.filter(pc.and_(pc.equal(panel["customer_id"], customers[3]), pc.equal(panel["as_of"], pa.scalar(DAY))))
    assert alone.num_rows == 1
    assert same(mine, alone)


def test_a_second_call_leaves_the_first_result_true(book, customers, panel):
    engine = connect_duckdb(1, "1GB")
    ledger = ledger_of(engine.register, book.arrow())

    def asked(name, day):
        rows = pa.table({"customer_id": customers, "as_of": pa.array([day] * len(customers), pa.date32())})
        return features(ledger, engine.register(name, spine(rows)), engine.keep, SOME)

    first = asked("first", DAY)
    asked("second", DAYS[0])
    found = engine.collect(first, ["as_of", "customer_id"])
    engine.close()
    assert same(found, panel.filter(pc.equal(panel["as_of"], pa.scalar(DAY))).select(found.column_names))
    assert found.num_columns == len(SOME) + 2
