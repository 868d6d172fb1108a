"""What a supplier may hand in wrongly: the right error, told with table, column, count, example and remedy."""

from __future__ import annotations

import io
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import ContractError, CreditbookError, MissingInputError
from pipeline.tables.check import check, text
from pipeline.tables.intake import intake


@dataclass(frozen=True)
class Case:
    """`change` replaces text in a table's file; `files` replaces whole files (null removes one)."""

    name: str
    says: tuple[str, ...]
    change: tuple[str, str, str] | None = None
    files: dict[str, str | bytes | None] = field(default_factory=dict)
    error: type[CreditbookError] = ContractError


def _truncated_parquet() -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"customer_id": ["1"] * 500}), sink)
    return sink.getvalue()[:-100]


CASES = (
    Case(
        "missing table",
        ("1 needed table(s) missing: payments", "payments.csv"),
        files={"payments": None},
        error=MissingInputError,
    ),
    Case(
        "two missing tables at once",
        ("2 needed table(s) missing: invoices, payments",),
        files={"payments": None, "invoices": None},
        error=MissingInputError,
    ),
    Case(
        "missing column",
        ("invoices.due_on: the column is missing", "4 rows", "map it"),
        change=("invoices", "due_on", "x"),
    ),
    Case(
        "renamed column",
        ("invoices.issued_on: the column is missing", "rename 'issuedon'"),
        change=("invoices", "issued_on", "issuedon"),
    ),
    Case(
        "misspelt optional column",
        ("customers.country: the column is missing", "rename 'countrry'"),
        change=("customers", "country,", "countrry,"),
    ),
    Case(
        "text in an amount",
        ("invoices.amount: 1 of 4 rows are text", "'about 80' in row 3", "1234.50"),
        change=("invoices", "80,EUR", "about 80,EUR"),
    ),
    Case(
        "infinite amount",
        ("invoices.amount: 1 of 4 rows are text", "'inf' in row 3", "finite"),
        change=("invoices", "80,EUR", "inf,EUR"),
    ),
    Case(
        "decimal comma",
        ("invoices.amount: 1 of 4 rows have a decimal comma", "'1000,00' in row 1", 'decimal_point: ","'),
        change=("invoices", "1000.00", '"1000,00"'),
    ),
    Case(
        "decimal comma with points between thousands",
        ("have a decimal comma", "'1.000,00'"),
        change=("invoices", "1000.00", '"1.000,00"'),
    ),
    Case(
        "thousands point",
        ("invoices.amount: 1 of 4 rows may have a thousands separator", "'1.234' in row 1", "declare `thousands:`"),
        change=("invoices", "1000.00", "1.234"),
    ),
    Case(
        "thousands comma",
        ("may have a thousands separator", "'1,234.00'"),
        change=("invoices", "1000.00", '"1,234.00"'),
    ),
    Case("three decimals", ("have more than two decimals", "'1000.123'"), change=("invoices", "1000.00", "1000.123")),
    Case(
        "minus behind",
        ("have the minus behind", "'20.00-'", "minus: trailing"),
        change=("invoices", "-20.00", "20.00-"),
    ),
    Case(
        "dates in another format",
        ("invoices.due_on: 1 of 4 rows are not dates", "'20240209' in row 1", '`dates: "%Y%m%d"`'),
        change=("invoices", "2024-02-09", "20240209"),
    ),
    Case("American dates", ("are not dates", '`dates: "%m/%d/%Y"`'), change=("invoices", "2024-02-09", "02/19/2024")),
    Case(
        "no readable day at all",
        ("no row has a readable known_on", "customers.known_on: 3 of 3 rows are not dates"),
        files={
            "customers": "customer_id,name,customer_since,known_on\n"
            "1,A,2019-01-01,x\n2,B,2019-01-01,x\n3,C,2019-01-01,x\n",
            "invoices": "invoice_id,customer_id,kind,issued_on,due_on,amount,currency,known_on\n"
            "1,1,invoice,2024-01-01,2024-01-31,5,EUR,x\n",
            "payments": "payment_id,invoice_id,customer_id,paid_on,amount,known_on\n1,1,1,2024-01-01,5,x\n",
        },
    ),
    Case(
        "a day that does not exist", ("are not dates", "'2024-02-30'"), change=("invoices", "2024-02-09", "2024-02-30")
    ),
    Case(
        "duplicate keys",
        ("invoices.invoice_id: 2 of 4 rows share invoice_id + known_on", "'R-1' in row 1", "none was chosen"),
        change=(
            "invoices",
            "R-2,001,invoice,2024-02-10,2024-03-11,250.5,EUR,2024-02-10",
            "R-1,001,invoice,2024-01-10,2024-02-09,9.00,EUR,2024-01-10",
        ),
    ),
    Case(
        "the same file twice in one",
        ("payments.payment_id: 4 of 8 rows repeat an earlier row", "'P-1' in row 5", "remove the copies"),
        files={"payments": "TWICE"},
    ),
    Case(
        "the same table in two files",
        ("customers: the table is there twice, as customers.csv and customers.csv.gz",),
        files={"customers.csv.gz": "SAME"},
    ),
    Case(
        "payments for unknown invoices",
        (
            "payments.invoice_id: 1 of 4 rows name no row that stands in invoices",
            "'R-9' in row 3",
            "hand in the missing invoices",
        ),
        change=("payments", "R-3", "R-9"),
    ),
    Case(
        "invoices of unknown customers",
        ("invoices.customer_id: 2 of 4 rows name no row that stands in customers", "'2'", "leading zeros"),
        change=("invoices", ",002,", ",2,"),
    ),
    Case(
        "event in the future of its knowledge",
        ("invoices.known_on: 1 of 4 rows are before issued_on", "2024-01-10", "may_be_known_before_event"),
        change=("invoices", "2024-01-10,2024-02-09", "2024-01-20,2024-02-09"),
    ),
    Case(
        "event after the extract date",
        ("invoices.issued_on: 1 of 4 rows are after the extract date", "2034-01-10"),
        change=("invoices", "2024-01-10,2024-02-09", "2034-01-10,2034-02-09"),
    ),
    Case(
        "before 1970",
        ("payments.paid_on: 1 of 4 rows are before 1970", "1924-03-01"),
        change=("payments", "2024-03-01,400", "1924-03-01,400"),
    ),
    Case(
        "due before issue",
        ("invoices.due_on: 1 of 4 rows are before issued_on", "2023-02-09 in row 1", "(invoice_id 'R-1')"),
        change=("invoices", "2024-02-09", "2023-02-09"),
    ),
    Case(
        "no due date on an invoice", ("are empty on an invoice or debit note",), change=("invoices", "2024-02-09", "")
    ),
    Case(
        "positive credit note",
        ("are positive on a credit note", "20.00", "negate"),
        change=("invoices", "-20.00", "20.00"),
    ),
    Case("negative invoice", ("are negative on an invoice", "credit_note"), change=("invoices", "80,", "-80,")),
    Case("zero amount", ("payments.amount: 1 of 4 rows are 0",), change=("payments", "15.00", "0.00")),
    Case(
        "unknown kind",
        ("invoices.kind: 1 of 4 rows are none of invoice, credit_note, debit_note", "'RG'"),
        change=("invoices", "R-2,001,invoice", "R-2,001,RG"),
    ),
    Case(
        "empty key",
        ("invoices.invoice_id: 1 of 4 rows are empty", "an empty cell in row 1"),
        change=("invoices", "R-1,001", ",001"),
    ),
    Case(
        "currency without a rate",
        ("invoices.currency: 1 of 4 rows are in a currency that had no rate", "'CHF'", "hand in fx_rates"),
        change=("invoices", "80,EUR", "80,CHF"),
    ),
    Case("empty file", ("payments.csv is empty (0 bytes)",), files={"payments": b""}),
    Case(
        "header only",
        ("payments: the table has a header and no row", "declare it empty"),
        files={"payments": "payment_id,invoice_id,customer_id,paid_on,amount,known_on\n"},
    ),
    Case(
        "truncated Parquet",
        ("customers.parquet is truncated or damaged", "export or copy it again"),
        files={"customers": None, "customers.parquet": _truncated_parquet()},
    ),
    Case(
        "text called Parquet",
        ("customers.parquet is truncated or damaged",),
        files={"customers": None, "customers.parquet": "customer_id\n1\n"},
    ),
    Case(
        "another encoding",
        ("customers.csv is not utf-8: byte b'\\xfc' in line 2", "encoding: cp1252"),
        files={
            "customers": "customer_id,name,customer_since,known_on\n001,Müller,2019-01-01,2019-01-01\n".encode("cp1252")
        },
    ),
    Case(
        "GB18030",
        ("is not utf-8", "encoding: gb18030"),
        files={
            "customers": "customer_id,name,customer_since,known_on\n001,中国,2019-01-01,2019-01-01\n".encode("gb18030")
        },
    ),
    Case("UTF-16", ("customers.csv is not utf-8",), files={"customers": "customer_id,name\n".encode("utf-16")}),
    Case(
        "torn lines",
        ("have more or fewer cells than the header", "row 2 of payments.csv: 'P-2,R-1'"),
        change=("payments", "P-2,R-1,001,2024-03-01,400.00,2024-03-01", "P-2,R-1"),
    ),
    Case(
        "repeated column name",
        ("1 column name(s) stand more than once", "'name'"),
        change=("customers", "country", "name"),
    ),
    Case(
        "a stranger among the files",
        ("invioces.csv is no table of the ledger; rename it to invoices.csv",),
        files={"invioces": "a\n1\n"},
    ),
    Case(
        "broken gzip",
        ("payments.csv.gz is truncated or no gzip file",),
        files={"payments": None, "payments.csv.gz": None},
    ),
)


def _handed_in(case: Case, small, hand_in):
    files: dict[str, str | bytes] = dict(small)
    if case.change:
        table, old, new = case.change
        assert old in small[table]
        files[table] = small[table].replace(old, new)
    if case.files.get("payments") == "TWICE":
        files["payments"] = small["payments"] + "".join(small["payments"].splitlines(keepends=True)[1:])
    else:
        for name, content in case.files.items():
            files.pop(name, None)
            if content is not None:
                files[name] = small["customers"] if content == "SAME" else content
    folder = hand_in(files)
    if "payments.csv.gz" in case.files:
        (folder / "payments.csv.gz").write_bytes(b"\x1f\x8b\x08 no gzip")
    return folder


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_bad_input_is_refused_with_where_how_many_an_example_and_the_remedy(case, small, hand_in, settings):
    folder = _handed_in(case, small, hand_in)
    before = sorted(folder.parent.rglob("*"))
    with pytest.raises(CreditbookError) as caught:
        intake(folder, None, settings)
    assert type(caught.value) is case.error
    for part in case.says:
        assert part in str(caught.value)
    assert "nothing was written" in str(caught.value)
    assert sorted(folder.parent.rglob("*")) == before


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_check_tells_the_same_and_never_raises(case, small, hand_in, settings):
    report = check(_handed_in(case, small, hand_in), None, settings)
    assert report.exit_code == case.error.exit_code
    told = text(report)
    for part in case.says:
        assert part in told


def test_na_is_namibia_and_an_empty_cell_is_null(small, hand_in, settings):
    customers = intake(hand_in(small), None, settings).tables["customers"]
    assert customers["country"].to_pylist() == ["NA", "DE", None]


def test_every_fault_is_told_at_once(small, hand_in, settings):
    small["invoices"] = small["invoices"].replace("80,EUR", "abc,EUR").replace("2024-02-09", "2023-02-09")
    small["customers"] = small["customers"].replace("known_on", "known")
    with pytest.raises(ContractError) as caught:
        intake(hand_in(small), None, settings)
    for part in ("customers.known_on", "invoices.amount", "invoices.due_on", "payments.invoice_id"):
        assert part in str(caught.value)


def test_a_source_that_is_no_folder_is_a_missing_input(tmp_path, settings):
    with pytest.raises(MissingInputError, match="is no folder"):
        intake(tmp_path / "nowhere", None, settings)
