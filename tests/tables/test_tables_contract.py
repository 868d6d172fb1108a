from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.tables.contract import Kind
from pipeline.tables.dictionary import markdown
from pipeline.tables.ledger import BY_NAME, TABLES
from pipeline.tables.rules import rules_of

PAGE = Path(__file__).resolve().parents[2] / "docs" / "ledger.md"


def test_there_are_fourteen_tables_and_three_are_needed():
    assert len(TABLES) == 14
    assert [t.name for t in TABLES if t.is_needed] == ["customers", "invoices", "payments"]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_contract_holds_together(table):
    names = [column.name for column in table.columns]
    assert len(names) == len(set(names))
    assert names[-1] == "known_on"
    assert set(table.key) <= set(names)
    assert table.event_on is None or table.event_on in names
    assert table.is_needed or table.absence_costs
    for column in table.columns:
        assert column.references is None or column.references in BY_NAME
        assert set(column.reveals) <= set(names)
        assert not column.is_revealed or column.is_null_allowed


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_money_is_decimal_and_every_rule_names_a_column(table):
    for field, column in zip(table.source_schema, table.columns, strict=True):
        assert (str(field.type) == "decimal128(18, 2)") == (column.kind is Kind.MONEY)
    assert {rule.column for rule in rules_of(table)} <= {column.name for column in table.columns}


def test_the_dictionary_documents_every_column_and_its_rules():
    page = markdown()
    for table in TABLES:
        assert f"## {table.name}" in page
        for column in table.columns:
            assert f"`{column.name}`" in page
            assert column.meaning in page
    assert "not before issued_on" in page


@pytest.mark.skipif(not PAGE.exists(), reason="docs/ledger.md has not been generated")
def test_the_page_in_docs_is_the_one_generated():
    assert PAGE.read_text(encoding="utf-8") == markdown()
