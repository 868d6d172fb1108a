"""What a night tells of itself when its run is published: for the operator's eyes, and as figures to watch."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING

from pipeline.flows import log
from pipeline.score.holding import told_of
from pipeline.tables.ledger import TABLES

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.score.breakers import Breaker
    from pipeline.score.scored_book import ScoredNight

_MIB_OF_MAXRSS = 1024  # Linux tells KiB


def tell_of_absent(present: frozenset[str]) -> None:
    """Tables of the contract that were not handed in: what rests on them is null, or a cap or alert less."""
    absent = [table.name for table in TABLES if table.name not in present]
    if absent:
        text = f"not handed in: {', '.join(absent)}; creditbook check tells what each absence costs"
        log.progress("tables_absent", text, tables=absent)


def tell_of_run(run: ScoredNight, link: Path, folder: Path, breakers: list[Breaker], steps: log.Steps) -> None:
    """Customers by status, where the run lies, seconds by step, the process's peak of memory, and what warned."""
    counts = run.summary["counts"]
    customers = sum(counts["by_status"].values())
    told = ", ".join(f"{name} {count:,}" for name, count in counts["by_status"].items())
    log.say(
        "book_scored",
        f"{customers:,} customers on {run.as_of}: {told}",
        as_of=run.as_of,
        customers=customers,
        by_status=counts["by_status"],
        model_version=run.model.version,
        exposure=run.summary["totals"]["open_amount"],
    )
    log.say("published", f"published: {link} (run {folder.name})", as_of=run.as_of, run_id=folder.name, link=link)
    seconds = steps.rounded()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MIB_OF_MAXRSS
    text = ", ".join(f"{name} {took:.1f} s" for name, took in seconds.items())
    log.progress("night_metrics", f"{text}; at most {peak:,.0f} MiB", seconds=seconds, peak_mib=round(peak))
    for breaker in breakers:
        if breaker.light in {"amber", "red"}:
            state = "warning" if breaker.light == "amber" else "accepted"
            log.warn(f"breaker_{state}", f"{state}: {told_of(breaker)}", breaker=breaker.name, light=breaker.light)
