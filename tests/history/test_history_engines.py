"""The expressions compile for Spark too, and hold nothing that it does not know."""

import datetime as dt
import re

import ibis
import pyarrow as pa
import pytest
from ibis.config import Config

from pipeline.history.default_status import default_status
from pipeline.history.open_items import open_items
from pipeline.history.paid_items import paid_items
from pipeline.history.position import positions
from pipeline.history.snapshots import spine
from pipeline.tables.canonical import Ledger
from pipeline.tables.ledger import TABLES


class _SparkOptions(Config):
    treat_nan_as_null: bool = False


@pytest.fixture(scope="module")
def unbound():
    tables = {t.name: ibis.table(ibis.Schema.from_pyarrow(t.canonical_schema), name=t.name) for t in TABLES}
    return Ledger(tables, frozenset(tables), dt.date(2024, 12, 31), "EUR", "")


def test_every_expression_compiles_for_spark(unbound, definition, monkeypatch):
    # Ibis keeps this option in the Spark backend, which need not be installed to compile.
    monkeypatch.setattr(ibis.options, "pyspark", _SparkOptions())
    rows = spine(pa.table({"customer_id": ["A"], "as_of": pa.array([dt.date(2024, 1, 31)])}))
    snapshots = ibis.table(ibis.Schema.from_pyarrow(rows.schema), name="snapshots")
    kept = []

    def keep(expression, name):
        kept.append(expression)
        return ibis.table(expression.schema(), name=name)

    kept += [open_items(unbound, snapshots), paid_items(unbound, snapshots, 12)]
    default_status(unbound, snapshots, definition, keep)
    positions(unbound, snapshots, definition, keep)
    told = "\n".join(str(ibis.to_sql(expression, dialect="pyspark")) for expression in kept)
    assert len(kept) > 20
    assert not re.search(r"\b(ASOF|MONTHS?_BETWEEN|ADD_MONTHS|FIRST_VALUE|MODE)\b|' MONTH'", told, re.IGNORECASE)
