"""From a source folder, or the demo economy, to the canonical ledger; or from a modelling table of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.errors import MissingInputError
from pipeline.flows import log
from pipeline.flows.mapping_file import mapping_in
from pipeline.flows.own_table import ingest_own_table
from pipeline.tables.intake import intake
from pipeline.tables.writing import write_canonical

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.flows.setting import Setting

DEMO = "demo"


def ingest(setting: Setting) -> None:
    """Takes in `ingest.source` and replaces the canonical ledger whole, or leaves it as it was.

    Raises MissingInputError without the source, ContractError when too many rows break their contract.
    """
    settings = setting.params.ingest
    if settings.table is not None and settings.catalogue is not None:
        ingest_own_table(setting, settings.table, settings.catalogue)
        return
    source = _demo_folder(setting) if settings.source == DEMO else _folder(setting, settings.source)
    mapping = mapping_in(setting.project.root / settings.mapping) if settings.mapping else None
    steps = log.Steps()
    with steps.step("taking_in"):
        taken = intake(source, mapping, settings)
    with steps.step("writing"):
        write_canonical(taken, setting.project.ledger)
    rows = sum(table.num_rows for table in taken.tables.values())
    bad = sum(table.num_rows for table in taken.quarantine.values())
    log.say(
        "ledger_taken_in",
        f"{rows:,} rows in {len(taken.tables)} tables up to {taken.extract_date}, {bad:,} in quarantine",
        rows=rows,
        quarantined=bad,
        extract_date=taken.extract_date,
        seconds=steps.rounded(),
    )


def _demo_folder(setting: Setting) -> Path:
    # The demo economy needs SciPy's distributions, which take seconds to import; a ledger of one's own does not.
    from pipeline.tables.demo.book import demo_book, write_demo

    demo = setting.params.ingest.demo
    log.say(
        "demo_begun", f"making the demo economy: {demo.customers:,} customers, {demo.months} months, seed {demo.seed}"
    )
    write_demo(demo_book(demo.customers, demo.months, demo.seed), setting.project.demo)
    return setting.project.demo


def _folder(setting: Setting, source: str) -> Path:
    folder = setting.project.root / source
    if not folder.is_dir():
        raise MissingInputError(f"ingest.source: {folder}: no such folder; name the folder of a ledger, or demo")
    return folder
