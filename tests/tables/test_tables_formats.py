from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pytest

from pipeline.tables.contract import Kind
from pipeline.tables.formats import Formats, parse

GERMAN = Formats(decimal_point=",", thousands=".", minus="trailing")
SWISS = Formats(thousands="'")
COMPACT = Formats(dates="%Y%m%d")
AMERICAN = Formats(dates="%m/%d/%Y")
YES_NO = Formats(true_texts=("J",), false_texts=("N",))
MISFIT = "misfit"

CASES = (
    (Kind.MONEY, Formats(), "1234.5", Decimal("1234.50")),
    (Kind.MONEY, Formats(), "-0.01", Decimal("-0.01")),
    (Kind.MONEY, Formats(), "1.234", MISFIT),
    (Kind.MONEY, Formats(), "1e5", MISFIT),
    (Kind.MONEY, Formats(), "nan", MISFIT),
    (Kind.MONEY, Formats(), " 5", MISFIT),
    (Kind.MONEY, Formats(), "12345678901234567", MISFIT),
    (Kind.MONEY, GERMAN, "1.234,5", Decimal("1234.50")),
    (Kind.MONEY, GERMAN, "1.234.567,89-", Decimal("-1234567.89")),
    (Kind.MONEY, GERMAN, "1.23", MISFIT),
    (Kind.MONEY, GERMAN, "1234,56", Decimal("1234.56")),
    (Kind.MONEY, SWISS, "1'234.50", Decimal("1234.50")),
    (Kind.MONEY, SWISS, "12'34.50", MISFIT),
    (Kind.NUMBER, Formats(), "1.5e-3", 0.0015),
    (Kind.NUMBER, Formats(), "inf", MISFIT),
    (Kind.INT, Formats(), "30", 30),
    (Kind.INT, Formats(), "30.0", MISFIT),
    (Kind.DATE, Formats(), "2024-02-29", dt.date(2024, 2, 29)),
    (Kind.DATE, Formats(), "2023-02-29", MISFIT),
    (Kind.DATE, Formats(), "20240229", MISFIT),
    (Kind.DATE, Formats(), "9999-12-31", dt.date(9999, 12, 31)),
    (Kind.DATE, COMPACT, "20240229", dt.date(2024, 2, 29)),
    (Kind.DATE, COMPACT, "2024229", MISFIT),
    (Kind.DATE, AMERICAN, "2/9/2024", dt.date(2024, 2, 9)),
    (Kind.DATE, AMERICAN, "13/1/2024", MISFIT),
    (Kind.BOOL, Formats(), "True", True),
    (Kind.BOOL, Formats(), "1", MISFIT),
    (Kind.BOOL, YES_NO, "N", False),
    (Kind.BOOL, YES_NO, "true", MISFIT),
    (Kind.TEXT, Formats(), "NA", "NA"),
    (Kind.TEXT, Formats(), "", None),
    (Kind.TEXT, Formats(null_texts=("", "NA")), "NA", None),
    (Kind.ID, Formats(), "007", "007"),
)


@pytest.mark.parametrize(("kind", "formats", "text", "value"), CASES)
def test_a_text_is_a_value_null_or_a_misfit_and_nothing_else(kind, formats, text, value):
    parsed = parse(pa.array([text]), kind, formats)
    found = MISFIT if parsed.is_misfit[0] else parsed.values[0].as_py()
    assert found == value
    assert parsed.values.type == kind.arrow
