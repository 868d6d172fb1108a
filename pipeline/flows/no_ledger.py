"""What holds where a project works on a modelling table of its own instead of a ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.errors import MissingInputError
from pipeline.tables.canonical import read_manifest
from pipeline.tables.own_table_writing import holds_own_table

if TYPE_CHECKING:
    from pathlib import Path

# The status of a receipt where there was nothing to score.
NO_LEDGER = "no ledger"


def refuse_own_table(folder: Path) -> None:
    """Raises MissingInputError when the folder holds a modelling table where a ledger is needed."""
    if holds_own_table(folder):
        raise MissingInputError(
            f"{folder}: {why_no_ledger(folder)}; read models/report, or take in a ledger (ingest.table: null, "
            "ingest.source: its folder) and run the stages on it"
        )


def why_no_ledger(folder: Path) -> str:
    """Why there is no book of a day, for a folder that holds a modelling table."""
    return (
        f"the project works on the modelling table {read_manifest(folder)['name']!r}, not on a ledger: a table tells "
        "no open items, limits or book of a day"
    )
