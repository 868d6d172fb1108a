"""The stage ingest of a project with a modelling table of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow.compute as pc

from pipeline.errors import MissingInputError
from pipeline.flows import log
from pipeline.plain_yaml import text_of
from pipeline.tables.own_table import take_in
from pipeline.tables.own_table_catalogue import Catalogue, parse_catalogue
from pipeline.tables.own_table_reading import read_own_table
from pipeline.tables.own_table_writing import write_own_table

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.flows.setting import Setting


def ingest_own_table(setting: Setting, table: str, catalogue: str) -> None:
    """Takes the table in by its catalogue and puts it where a ledger would lie, or leaves what was there.

    Raises MissingInputError without one of the files, ParameterError when the catalogue is wrong, ContractError when
    the table does not fit it.
    """
    told = _catalogue_in(setting.project.root / catalogue)
    taken = take_in(read_own_table(setting.project.root / table, told.file), told)
    write_own_table(taken, setting.project.ledger)
    counts = {pair["values"]: pair["counts"] for pair in pc.value_counts(taken.rows["outcome"]).to_pylist()}
    listed = ", ".join(f"{counts[name]:,} {name}" for name in sorted(counts))
    text = f"modelling table {told.name}: {taken.rows.num_rows:,} rows, {len(told.features)} features; {listed}"
    log.say("table_taken_in", text, rows=taken.rows.num_rows, columns=len(told.features))
    log.say("ledger_unused", "ingest.table is set: ingest.source is not used, and no ledger is taken in")
    for remark in taken.remarks:
        log.say("remark", f"note: {remark}")


def _catalogue_in(path: Path) -> Catalogue:
    if not path.is_file():
        raise MissingInputError(f"ingest.catalogue: {path}: no such file; docs/own-table.md tells how to write one")
    return parse_catalogue(text_of(path), str(path))
