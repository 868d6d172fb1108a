from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.errors import ContractError, MissingInputError, ParameterError
from pipeline.tables.intake import intake
from pipeline.tables.mapping import parse_mapping
from pipeline.tables.mapping_guide import EXAMPLE, guide

PAGE = Path(__file__).resolve().parents[2] / "docs" / "mappings.md"
CUSTOMERS = """
  customers:
    from: items
    one_row_per: [Kunde]
    columns:
      customer_id: Kunde
      name: Name
      customer_since: {earliest: [Buchung]}
      known_on: {earliest: [Buchung]}
"""
# One open-item list in the manner of a German ERP: becomes customers, invoices, credit notes and payments.
OPEN_ITEMS = f"""
about: an open-item list
files:
  items:
    path: posten.csv
    encoding: cp1252
    delimiter: ";"
    dates: "%d.%m.%Y"
    decimal_point: ","
    thousands: "."
    minus: trailing
    null_texts: ["", "-"]
tables:
{CUSTOMERS}
  invoices:
    - from: items
      where: [{{column: Art, equals: RE}}]
      columns:
        invoice_id: {{concatenate: [Kunde, Beleg], separator: "/"}}
        customer_id: Kunde
        kind: {{column: Art, texts: {{RE: invoice}}}}
        issued_on: {{column: Faellig, minus_days: 30}}
        due_on: Faellig
        amount: Betrag
        currency: {{constant: "EUR"}}
        known_on: Buchung
    - from: items
      where: [{{column: Art, equals: GU}}]
      columns:
        invoice_id: {{concatenate: [Kunde, Beleg], separator: "/"}}
        customer_id: Kunde
        kind: {{constant: "credit_note"}}
        issued_on: Buchung
        due_on: {{column: Ausgleich, texts: {{}}}}
        amount: {{column: Betrag, negate: true}}
        currency: {{constant: "EUR"}}
        known_on: Buchung
  payments:
    from: items
    where: [{{column: Ausgleich, is_not_null: true}}, {{column: Art, is_in: [RE]}}]
    columns:
      payment_id: {{row_number: true, prefix: "Z-"}}
      invoice_id: {{concatenate: [Kunde, Beleg], separator: "/"}}
      customer_id: Kunde
      paid_on: Ausgleich
      amount: Betrag
      known_on: Ausgleich
assumptions:
  - terms are 30 days
"""
ITEMS = """\
Kunde;Name;Beleg;Art;Buchung;Faellig;Ausgleich;Betrag
007;Müller;1;RE;02.01.2024;31.01.2024;15.02.2024;1.234,50
007;Müller AG;2;RE;05.02.2024;06.03.2024;-;99,00
008;Schmidt;1;RE;10.01.2024;09.02.2024;01.02.2024;10
008;Schmidt;2;GU;20.02.2024;-;-;5,00
"""


@pytest.fixture
def taken_in(hand_in, settings):
    return intake(hand_in({"posten.csv": ITEMS.encode("cp1252")}), parse_mapping(OPEN_ITEMS), settings)


def test_one_extract_becomes_several_tables_by_declared_formats(taken_in):
    invoices = taken_in.tables["invoices"].to_pylist()
    assert [r["invoice_id"] for r in invoices] == ["007/1", "007/2", "008/1", "008/2"]
    assert [r["amount"] for r in invoices] == [Decimal("1234.50"), Decimal(99), Decimal(10), Decimal(-5)]
    assert [r["kind"] for r in invoices] == ["invoice", "invoice", "invoice", "credit_note"]
    assert invoices[0]["issued_on"] == dt.date(2024, 1, 1)
    assert invoices[3]["due_on"] is None


def test_a_group_gives_one_customer_with_its_first_name_and_earliest_day(taken_in):
    customers = taken_in.tables["customers"].to_pylist()
    assert [(r["customer_id"], r["name"], r["known_on"]) for r in customers] == [
        ("007", "Müller", dt.date(2024, 1, 2)),
        ("008", "Schmidt", dt.date(2024, 1, 10)),
    ]


def test_row_numbers_count_the_rows_of_the_file_not_those_of_the_filter(taken_in):
    assert taken_in.tables["payments"]["payment_id"].to_pylist() == ["Z-00000001", "Z-00000003"]
    assert taken_in.report["tables"]["payments"]["left_out_by_mapping"] == 2


def test_assumptions_travel_with_the_intake(taken_in):
    assert taken_in.assumptions == ("terms are 30 days",)
    assert taken_in.report["assumptions"] == ["terms are 30 days"]


def test_what_the_declared_format_does_not_fit_is_told_not_read_otherwise(hand_in, lenient):
    items = ITEMS.replace("99,00", "99.00").replace("09.02.2024", "2024-02-09")
    result = intake(hand_in({"posten.csv": items.encode("cp1252")}), parse_mapping(OPEN_ITEMS), lenient)
    told = "\n".join(b.text for b in result.breaches)
    assert "'99.00' in row 2 of posten.csv" in told
    assert "'2024-02-09' in row 3" in told


def test_a_text_without_translation_is_told(hand_in, lenient):
    mapping = parse_mapping(
        OPEN_ITEMS.replace("where: [{column: Art, equals: RE}]", "where: [{column: Art, differs: GU}]")
    )
    items = ITEMS.replace("007;Müller;1;RE", "007;Müller;1;XX")
    result = intake(hand_in({"posten.csv": items.encode("cp1252")}), mapping, lenient)
    assert any("the mapping does not know, e.g. 'XX' in row 1" in b.text for b in result.breaches)


def test_a_column_the_extract_lacks_is_told_with_the_nearest_name(hand_in, settings):
    items = ITEMS.replace("Faellig", "Fällig")
    with pytest.raises(
        ContractError, match=r"invoices.Faellig: the column is missing from posten.csv.*rename 'Fällig'"
    ):
        intake(hand_in({"posten.csv": items.encode("cp1252")}), parse_mapping(OPEN_ITEMS), settings)


def test_a_file_the_mapping_names_must_be_there(hand_in, settings):
    with pytest.raises(MissingInputError, match=r"posten.csv is not in .* but the mapping reads it"):
        intake(hand_in({"other.csv": "a\n1\n"}), parse_mapping(OPEN_ITEMS), settings)


def test_a_table_under_its_own_name_is_read_beside_the_mapping(hand_in, settings):
    events = "event_id,customer_id,kind,occurred_on,known_on\nE-1,007,insolvency,2024-02-10,2024-02-12\n"
    folder = hand_in({"posten.csv": ITEMS.encode("cp1252"), "events": events})
    assert intake(folder, parse_mapping(OPEN_ITEMS), settings).tables["events"].num_rows == 1


def test_one_file_under_two_names_is_told(hand_in, settings):
    mapping = OPEN_ITEMS.replace("files:\n", "files:\n  more: {path: kopie.csv, encoding: cp1252}\n")
    folder = hand_in({"posten.csv": ITEMS.encode("cp1252"), "kopie.csv": ITEMS.encode("cp1252")})
    with pytest.raises(ContractError, match=r"same file was handed in 2 times: kopie\.csv, posten\.csv"):
        intake(folder, parse_mapping(mapping), settings)


def test_a_declared_empty_table_is_present_without_rows(hand_in, settings):
    start, end = OPEN_ITEMS.index("  payments:"), OPEN_ITEMS.index("assumptions:")
    mapping = OPEN_ITEMS[:start] + "  payments: {empty: open items only}\n" + OPEN_ITEMS[end:]
    result = intake(hand_in({"posten.csv": ITEMS.encode("cp1252")}), parse_mapping(mapping), settings)
    assert result.tables["payments"].num_rows == 0
    assert "payments" in result.present
    assert result.report["declared_empty"] == {"payments": "open items only"}


def test_hash_ids_follow_content_and_patterns_keep_their_group(hand_in, settings):
    mapping = parse_mapping(
        OPEN_ITEMS.replace('{row_number: true, prefix: "Z-"}', '{hash_of: [Kunde, Beleg], prefix: "H-"}').replace(
            "customer_id: Kunde\n        kind: {column",
            "customer_id: {column: Kunde, extract: '(\\d{3})'}\n        kind: {column",
        )
    )
    folder = hand_in({"posten.csv": ITEMS.encode("cp1252")})
    ids = intake(folder, mapping, settings).tables["payments"]["payment_id"].to_pylist()
    assert all(len(i) == 18 and i.startswith("H-") for i in ids)
    assert len(set(ids)) == 2


def test_a_day_is_kept_within_declared_bounds(hand_in, settings):
    bounded = OPEN_ITEMS.replace("minus_days: 30}", "minus_days: 30, no_earlier_than: 2024-01-05}")
    bounded = bounded.replace("        known_on: Buchung\n    - from", "        known_on: Faellig\n    - from")
    result = intake(hand_in({"posten.csv": ITEMS.encode("cp1252")}), parse_mapping(bounded), settings)
    issued = {r["invoice_id"]: r["issued_on"] for r in result.tables["invoices"].to_pylist()}
    assert issued["007/1"] == dt.date(2024, 1, 5)
    assert issued["008/1"] == dt.date(2024, 1, 10)


BREACHES = (
    ("an unknown key", OPEN_ITEMS + "assumption: x\n", "assumption: unknown key; did you mean assumptions?"),
    ("an unknown table", OPEN_ITEMS.replace("  payments:", "  payment:"), "tables.payment: is no table"),
    (
        "an unknown ledger column",
        OPEN_ITEMS.replace("due_on: Faellig", "due: Faellig"),
        "tables.invoices[0].columns.due: invoices has no such column",
    ),
    (
        "a needed column left out",
        OPEN_ITEMS.replace("        due_on: Faellig\n", ""),
        "tables.invoices[0].columns.due_on: is missing; invoices needs it",
    ),
    (
        "an unknown file",
        OPEN_ITEMS.replace("from: items\n    where", "from: itmes\n    where"),
        "tables.payments.from: 'itmes' is not among files: items",
    ),
    ("an unknown encoding", OPEN_ITEMS.replace("cp1252", "cp99999"), "files.items.encoding: no encoding is called"),
    ("a date format without a year", OPEN_ITEMS.replace("%d.%m.%Y", "%d.%m."), "files.items.dates: expected a format"),
    ("equal separators", OPEN_ITEMS.replace('thousands: "."', 'thousands: ","'), "files.items.thousands: expected one"),
    (
        "an unquoted constant",
        OPEN_ITEMS.replace('{constant: "EUR"}', "{constant: NO}", 1),
        "currency.constant: expected a text (quote texts and ids), found False",
    ),
    (
        "two forms at once",
        OPEN_ITEMS.replace("{row_number: true,", "{row_number: true, column: Beleg,"),
        "payment_id: expected one of column, constant",
    ),
    (
        "days on an amount",
        OPEN_ITEMS.replace("{column: Betrag, negate: true}", "{column: Betrag, plus_days: 3}"),
        "moves or bounds a day, but the column holds a money",
    ),
    (
        "an extreme without groups",
        OPEN_ITEMS.replace("issued_on: Buchung", "issued_on: {earliest: [Buchung]}"),
        "it needs a date column and `one_row_per`",
    ),
    (
        "a condition without a test",
        OPEN_ITEMS.replace("{column: Art, equals: RE}", "{column: Art}"),
        "tables.invoices[0].where[0]: expected one test",
    ),
    (
        "derivations without a word",
        OPEN_ITEMS.replace("assumptions:\n  - terms are 30 days\n", ""),
        "assumptions: is missing",
    ),
    (
        "a broken pattern",
        OPEN_ITEMS.replace("paid_on: Ausgleich", "paid_on: {column: Ausgleich, extract: '('}"),
        "extract: is no pattern",
    ),
    (
        "a file outside the folder",
        OPEN_ITEMS.replace("path: posten.csv", "path: ../posten.csv"),
        "files.items.path: expected the name of a file in the source folder",
    ),
    ("no section at all", "[]", "the file: expected a section"),
)


@pytest.mark.parametrize(("what", "yaml", "told"), BREACHES, ids=[b[0] for b in BREACHES])
def test_a_wrong_mapping_is_refused(what, yaml, told):
    with pytest.raises(ParameterError) as caught:
        parse_mapping(yaml, "m.yaml")
    assert told in str(caught.value)
    assert str(caught.value).startswith("m.yaml")


def test_all_breaches_of_a_mapping_are_told_at_once():
    yaml = OPEN_ITEMS.replace("due_on: Faellig", "due: Faellig").replace("cp1252", "cp99999") + "assumption: x\n"
    with pytest.raises(ParameterError) as caught:
        parse_mapping(yaml)
    assert str(caught.value).splitlines()[0] == "mapping: 4 breach(es):"


def test_the_example_of_the_guide_is_a_sound_mapping():
    assert set(parse_mapping(EXAMPLE).tables) == {"customers", "invoices", "payments"}
    assert EXAMPLE in guide()


@pytest.mark.skipif(not PAGE.exists(), reason="docs/mappings.md has not been generated")
def test_the_page_in_docs_is_the_guide():
    assert PAGE.read_text(encoding="utf-8") == guide()
