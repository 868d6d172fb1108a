"""`creditbook demo-book`: the ledger of the demo economy, and the truth beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.flows import log
from pipeline.tables.demo.book import demo_book, write_demo

if TYPE_CHECKING:
    from pathlib import Path


def write_demo_book(folder: Path, customers: int, months: int, seed: int) -> None:
    """Writes the ledger to `folder` and the true PD to its sibling `<folder>-truth`; same seed, same bytes."""
    book = demo_book(customers, months, seed)
    write_demo(book, folder)
    rows = ", ".join(f"{name} {table.num_rows:,}" for name, table in book.tables.items())
    log.say("demo_written", f"ledger: {folder} ({rows})")
    log.say("truth_written", f"true PD, beside it: {folder.parent / (folder.name + '-truth')}")
