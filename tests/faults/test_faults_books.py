"""Books and days out of the ordinary: published whole, or refused with the reason; with numbers a person can check."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from decimal import Decimal

import pyarrow.parquet as pq
import pytest
import yaml
from hand_made import customer, day, hand_in, invoice, payment, small_ledger
from small_night import OCTOBER, make_project, put_in_force, small_card, take_in, tree

from pipeline.errors import ContractError, GateError
from pipeline.flows.score_day import score_as_of, score_days
from pipeline.score.run_check import verify
from pipeline.tables.ledger import TABLES

OPTIONAL = [table.name for table in TABLES if not table.is_needed]


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """A project that reads the folder `given`, with nothing in it yet."""
    root = make_project(tmp_path_factory.mktemp("bare") / "project", {"customers": 2, "months": 18, "seed": 1})
    path = root / "params.yaml"
    params = yaml.safe_load(path.read_text(encoding="utf-8"))
    params["ingest"] |= {"source": "given", "extract_date": day("2027-12-31")}
    # Rows of years ago are meant here.
    params["score"]["breakers"]["stale_days"] = {}
    path.write_text(yaml.safe_dump(params), encoding="utf-8")
    return root


@pytest.fixture
def handed(bare, tmp_path):
    """Takes in the tables given and gives the project back."""

    def take(tables, mapping=None):
        root = tmp_path / "project"
        if not root.exists():
            shutil.copytree(bare, root)
        hand_in(root / "given", tables)
        if mapping is not None:
            (root / "mapping.yaml").write_text(yaml.safe_dump(mapping), encoding="utf-8")
            params = yaml.safe_load((root / "params.yaml").read_text(encoding="utf-8"))
            params["ingest"]["mapping"] = "mapping.yaml"
            (root / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
        return take_in(root)

    return take


def book_of(root, as_of=None):
    """The rows of a published day by customer, once the run was found whole."""
    run = root / "out" / (f"as_of={as_of}" if as_of else "latest")
    assert verify(run) == []
    return {row["customer_id"]: row for row in pq.read_table(run / "scored_book.parquet").to_pylist()}


def night(root, as_of):
    score_as_of(root, day(as_of) if isinstance(as_of, str) else as_of, None, None, root / "out")
    return book_of(root, as_of)


def test_days_past_due_and_validity_count_through_a_leap_day_and_uneven_month_ends(handed):
    late = invoice("R1", "C1", "2023-12-01", "2023-12-31", "700.00")
    on_time = invoice("R2", "C2", "2023-12-01", "2023-12-31")
    tables = {
        "customers": [customer("C1"), customer("C2")],
        # The last row makes days until the end of February 2025 known.
        "invoices": [late, on_time, invoice("R3", "C2", "2025-02-28", "2025-03-30")],
        "payments": [payment("P2", on_time, "2023-12-31")],
    }
    root = handed(tables)
    score_days(root, (day("2024-01-01"), day("2024-03-31")), None, None, root / "out")
    ends = ["2024-01-31", "2024-02-29", "2024-03-31"]
    assert sorted(path.name for path in (root / "out").glob("as_of=*")) == [f"as_of={end}" for end in ends]
    rows = {end: book_of(root, end)["C1"] for end in ends}
    # 31 days of January, 29 of February, 31 of March.
    assert [rows[end]["max_days_past_due"] for end in ends] == [31, 60, 91]
    assert {rows[end]["overdue_amount"] for end in ends} == {Decimal("700.00")}
    # Whatever is valid for whole months from 29 February ends on a day that there is.
    good = book_of(root, "2024-02-29")["C2"]
    assert good["limit_valid_to"].day == 29
    assert good["limit_valid_to"] > day("2024-02-29")
    year_after = night(root, "2025-02-28")["C1"]
    assert year_after["max_days_past_due"] == 425  # 366 days of 2024, 31 of January and 28 of February
    assert year_after["rating_status"] == "in_default"


def test_a_book_whose_customers_have_all_gone_is_published_and_rates_nobody(handed):
    root = handed(small_ledger(3, open_since="2025-01-12"))
    # All invoices were paid, the last in March; two years later nobody is in the book.
    tables = small_ledger(3, open_since="2025-01-12")
    tables["payments"] += [payment(f"Q-{one['invoice_id']}", one, "2025-03-01") for one in tables["invoices"][3:]]
    tables["fx_rates"] = [{"currency": "USD", "rate_on": day("2027-03-31"), "rate": 0.9, "known_on": day("2027-03-31")}]
    root = handed(tables)
    rows = night(root, "2027-03-31")
    assert {row["rating_status"] for row in rows.values()} == {"not_rated"}
    assert {row["limit_action"] for row in rows.values()} == {"keep"}
    assert sum(row["open_amount"] for row in rows.values()) == 0


def test_a_day_on_which_no_customer_was_known_is_published_with_no_row(handed):
    root = handed(small_ledger(2))
    assert night(root, "2021-12-31") == {}
    manifest = json.loads((root / "out" / "latest" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["rows"] == {"scored_book": 0, "alerts": 0, "limit_trace": 0, "changes": 0}
    # The next night compares itself with the empty one and is published all the same.
    assert len(night(root, "2022-01-31")) == 2


def test_a_ledger_declared_empty_of_invoices_and_payments_is_published(handed):
    why = "nothing was sold yet"
    root = handed(
        {"customers": [customer("C1")]},
        {"about": "a young supplier", "files": {}, "tables": {"invoices": {"empty": why}, "payments": {"empty": why}}},
    )
    assert [row["rating_status"] for row in night(root, "2022-01-01").values()] == ["not_rated"]


def test_a_book_of_one(handed):
    root = handed(small_ledger(1))
    (row,) = night(root, "2025-09-30").values()
    assert (row["rating_status"], row["open_amount"], row["overdue_amount"]) == ("thin_file", 1000, 0)


def test_a_book_all_in_default(handed):
    # Due on 1 July, and 152 days later the last row makes the day known.
    tables = small_ledger(4, open_since="2025-06-01")
    tables["invoices"].append(invoice("X", "C0000", "2025-11-30", "2025-12-30"))
    rows = night(handed(tables), "2025-11-30")
    assert {row["rating_status"] for row in rows.values()} == {"in_default"}
    assert {(row["pd"], row["grade"], row["limit_action"]) for row in rows.values()} == {(1.0, "D", "hold")}
    assert {row["max_days_past_due"] for row in rows.values()} == {152}


def test_a_new_currency_is_refused_without_a_rate_and_converted_with_one(handed):
    tables = small_ledger(3)
    root = handed(tables)
    before = tree(root / "data" / "ledger")
    tables["invoices"].append(invoice("N1", "C0001", "2025-09-10", "2025-10-10", "500.00", currency="CHF"))
    with pytest.raises(ContractError, match=r"invoices\.currency: 1 of 7 rows are in a currency that had no rate"):
        handed(tables)
    assert tree(root / "data" / "ledger") == before
    tables["fx_rates"] = [{"currency": "CHF", "rate_on": day("2025-09-01"), "rate": 1.1, "known_on": day("2025-09-01")}]
    assert night(handed(tables), "2025-09-10")["C0001"]["open_amount"] == Decimal("1550.00")


def test_industries_and_sizes_never_seen_before_and_none_at_all_are_scored(handed):
    tables = small_ledger(4)
    for row, industry, size in zip(
        tables["customers"], ("C26", "Z99", None, "黑市"), ("large", "gigantic", None, ""), strict=True
    ):
        row |= {"industry": industry, "size_class": size}
    tables["invoices"] += [
        invoice(f"{name}-{n}", name, f"2025-0{n}-01", f"2025-0{n}-20")
        for name in ("C0000", "C0001", "C0002", "C0003")
        for n in (3, 4, 5)
    ]
    tables["payments"] += [payment(f"P-{one['invoice_id']}", one, str(one["due_on"])) for one in tables["invoices"][8:]]
    root = handed(tables)
    put_in_force(root, small_card({"worst_days_late_12m": [1.0], "open_amount": [100.0]}, ("industry_section",)))
    rows = night(root, "2025-09-30")
    # The card knows section C only; a section it never met and none at all carry no points for it.
    assert rows["C0001"]["score"] == rows["C0003"]["score"]
    assert rows["C0000"]["score"] != rows["C0001"]["score"]
    assert all(row["pd"] is not None for row in rows.values())


def test_nulls_in_every_column_that_allows_them_are_scored(handed):
    tables = small_ledger(3)
    for name, rows in tables.items():
        table = next(one for one in TABLES if one.name == name)
        for row in rows:
            row |= {c.name: None for c in table.columns if c.is_null_allowed and c.name not in {"due_on", "invoice_id"}}
    rows = night(handed(tables), "2025-09-30")
    assert {row["open_amount"] for row in rows.values()} == {Decimal("1000.00")}
    assert {row["rating_status"] for row in rows.values()} == {"thin_file"}


def test_ten_times_the_usual_book_is_stopped_and_readers_keep_the_old_one(handed):
    root = handed(small_ledger(60))
    night(root, "2025-09-30")
    before = tree(root / "out")
    tables = small_ledger(60)
    new = small_ledger(540, open_since="2025-09-02", prefix="N")
    handed({name: tables[name] + new[name] for name in tables} | {"customers": tables["customers"] + new["customers"]})
    # Those of the new book were known all along; last night's file had a tenth of them.
    with pytest.raises(GateError, match="customers: 60 customers, now 600") as stopped:
        night(root, "2025-10-01")
    assert stopped.value.exit_code == 80
    after = tree(root / "out")
    assert {name: entry for name, entry in after.items() if not name.startswith(".held")} == before
    assert sum(name.endswith(".md") for name in after) == 1


@pytest.fixture(scope="module")
def full(project, tmp_path_factory):
    """The demo ledger of 60 customers in a project that reads it from the folder `given`."""
    root = tmp_path_factory.mktemp("full") / "project"
    shutil.copytree(project, root)
    (root / "data" / "demo").rename(root / "given")
    params = yaml.safe_load((root / "params.yaml").read_text(encoding="utf-8"))
    params["ingest"]["source"] = "given"
    (root / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    return root


@pytest.mark.slow
@pytest.mark.xdist_group("faults")
@pytest.mark.parametrize("absent", [*([name] for name in OPTIONAL), OPTIONAL], ids=[*OPTIONAL, "all eleven"])
def test_without_an_optional_table_the_book_is_published_and_the_absence_is_told(full, tmp_path, capsys, absent):
    root = tmp_path / "project"
    shutil.copytree(full, root)
    for name in absent:
        (root / "given" / f"{name}.parquet").unlink()
    if absent == ["fx_rates"]:
        with pytest.raises(ContractError, match="had no rate") as refused:
            take_in(root)
        assert refused.value.exit_code == 65
        return
    if absent == OPTIONAL:
        only_euro(root / "given")
    take_in(root)
    assert set(json.loads((root / "data" / "ledger" / "intake.json").read_text(encoding="utf-8"))["absent"]) == set(
        absent
    )
    capsys.readouterr()
    assert len(night(root, OCTOBER)) == 59
    assert f"not handed in: {', '.join(absent)};" in capsys.readouterr().err


def only_euro(given):
    """Rows in the base currency alone: without rates no other can be taken in."""
    import pyarrow.compute as pc

    invoices = pq.read_table(given / "invoices.parquet")
    invoices = invoices.filter(pc.equal(invoices["currency"], "EUR"))
    payments = pq.read_table(given / "payments.parquet")
    payments = payments.filter(pc.is_in(payments["invoice_id"], value_set=invoices["invoice_id"].combine_chunks()))
    pq.write_table(invoices, given / "invoices.parquet")
    pq.write_table(payments, given / "payments.parquet")


def test_the_last_day_of_the_calendar_is_no_day_to_score(handed):
    root = handed(small_ledger(1))
    with pytest.raises(Exception, match="lies after the extract date") as refused:
        night(root, dt.date(9999, 12, 31))
    assert refused.value.exit_code == 78
