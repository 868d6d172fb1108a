"""The label of kind late on both engines; that of kind default, the catalogue and the positions are whole stages."""

import datetime as dt

import pytest
from sameness import assert_same

from pipeline.labels.outcomes import snapshot_outcomes
from pipeline.params import LabelParams
from pipeline.tables.canonical import ledger_of

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("spark")]

LATE = LabelParams(kind="late", days=30, window_months=None, window_days=90)


def test_outcomes_of_kind_late_are_equal_on_both_engines(spark_engine, duckdb, loops, definition):
    tables = loops.tables_of(loops.random_book(13, customers=20))

    def outcomes(engine):
        ledger = ledger_of(engine.register, tables, "EUR", dt.date(2025, 4, 30))
        return engine.collect(snapshot_outcomes(ledger, LATE, definition, engine.keep), ("as_of", "customer_id"))

    one, other = outcomes(duckdb), outcomes(spark_engine)
    assert {"good", "bad"} <= set(one["outcome"].to_pylist())
    assert_same(one, other)
