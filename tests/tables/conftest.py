from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from pipeline.params import IngestParams

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# Three customers, four documents, four payments: small enough to check every figure by eye.
SMALL = {
    "customers": """\
customer_id,name,customer_since,country,known_on
001,Alder,2019-01-01,NA,2019-01-01
002,Birch,2019-01-01,DE,2019-01-01
003,Cedar,2019-01-01,,2019-01-01
""",
    "invoices": """\
invoice_id,customer_id,kind,issued_on,due_on,amount,currency,known_on
R-1,001,invoice,2024-01-10,2024-02-09,1000.00,EUR,2024-01-10
R-2,001,invoice,2024-02-10,2024-03-11,250.5,EUR,2024-02-10
R-3,002,invoice,2024-03-10,2024-04-09,80,EUR,2024-03-10
G-1,002,credit_note,2024-03-20,,-20.00,EUR,2024-03-20
""",
    "payments": """\
payment_id,invoice_id,customer_id,paid_on,amount,known_on
P-1,R-1,001,2024-02-20,600.00,2024-02-21
P-2,R-1,001,2024-03-01,400.00,2024-03-01
P-3,R-3,002,2024-04-01,60.00,2024-04-01
P-4,,003,2024-04-02,15.00,2024-04-30
""",
}


@pytest.fixture
def small() -> dict[str, str]:
    """The texts of a small sound ledger, by table."""
    return dict(SMALL)


@pytest.fixture
def hand_in(tmp_path: Path) -> Callable[[dict[str, str | bytes]], Path]:
    """Writes files into a folder: a bare name becomes NAME.csv."""

    def write(files: dict[str, str | bytes]) -> Path:
        folder = tmp_path / "source"
        folder.mkdir(exist_ok=True)
        for name, content in files.items():
            path = folder / (name if "." in name else f"{name}.csv")
            raw = content.encode() if isinstance(content, str) else content
            path.write_bytes(gzip.compress(raw, mtime=0) if path.suffix == ".gz" else raw)
        return folder

    return write


@pytest.fixture
def settings() -> IngestParams:
    """Euro, and the thresholds of the contract."""
    return IngestParams(base_currency="EUR")


@pytest.fixture
def lenient() -> IngestParams:
    """Every row of a table may be bad."""
    tables = (
        "customers",
        "invoices",
        "payments",
        "disputes",
        "orders",
        "financials",
        "contracts",
        "obligations",
        "limits",
        "covers",
        "events",
        "overrides",
        "indicators",
        "fx_rates",
    )
    return IngestParams(base_currency="EUR", max_bad_share=dict.fromkeys(tables, 1.0))
