"""`creditbook check DIR`: everything intake can say about a folder, told and not written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.tables.intake import examine, refusal
from pipeline.tables.ledger import BY_NAME, TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pipeline.errors import CreditbookError
    from pipeline.params import IngestParams
    from pipeline.tables.breach import Breach
    from pipeline.tables.mapping import Mapping as ExtractMapping


@dataclass(frozen=True)
class CheckReport:
    """What intake would say: the report, every breach, what would stop it (`error`, null when nothing would)."""

    source: str
    report: Mapping[str, Any]
    breaches: tuple[Breach, ...]
    faults: tuple[str, ...]
    error: CreditbookError | None

    @property
    def exit_code(self) -> int:
        """What intake would leave with: 0, 65 or 66."""
        return self.error.exit_code if self.error else 0


def check(source: Path, mapping: ExtractMapping | None, settings: IngestParams) -> CheckReport:
    """Examines the folder as intake would; never raises for what the data says, and writes nothing."""
    examined = examine(source, mapping, settings)
    faults = tuple(str(fault) for fault in examined.faults)
    error = refusal(source, examined.faults) if faults else None
    return CheckReport(source.name, examined.intake.report, examined.intake.breaches, faults, error)


def text(report: CheckReport) -> str:
    """The report for a terminal, as plain text."""
    sections = (
        _head(report),
        _tables(report.report),
        _absent(report.report),
        _section("Broken rules", [b.text for b in report.breaches], "none"),
        _section("What the mapping assumes", list(report.report["assumptions"]), ""),
        _section("What stops intake", list(report.faults), ""),
        [_verdict(report)],
    )
    return "\n\n".join("\n".join(lines) for lines in sections if lines) + "\n"


def _head(report: CheckReport) -> list[str]:
    day = report.report["extract_date"] or "none (no readable day)"
    return [f"Ledger {report.source}: extract date {day}, base currency {report.report['base_currency']}"]


def _tables(report: Mapping[str, Any]) -> list[str]:
    rows = [("table", "rows", "sound", "quarantined", "revisions", "days", "known", "currencies")]
    for name, told in report["tables"].items():
        rows.append(
            (
                name,
                f"{told['rows']:,}",
                f"{told['sound']:,}",
                f"{told['quarantined']:,}",
                f"{told['revisions']:,}",
                _days(told["event_days"]),
                _days(told["known_days"]),
                ", ".join(f"{code} {count:,}" for code, count in told["currencies"].items()) or "-",
            )
        )
    if len(rows) == 1:
        return ["Tables found: none"]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["Tables found", *("  " + _line(row, widths) for row in rows), *_remarks(report)]


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    # Names and days read from the left, counts from the right.
    cells = [
        cell.rjust(width) if 1 <= i <= 4 else cell.ljust(width)
        for i, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()


def _days(ends: list[str] | None) -> str:
    return "-" if ends is None else f"{ends[0]} to {ends[1]}"


def _remarks(report: Mapping[str, Any]) -> Iterator[str]:
    for name, told in report["tables"].items():
        if told["left_out_by_mapping"]:
            yield f"  {name}: the mapping's filter leaves out {told['left_out_by_mapping']:,} rows"
        if told["columns_not_given"]:
            yield f"  {name}: not given: {', '.join(told['columns_not_given'])}"
    for file, columns in report["columns_not_used"].items():
        yield f"  {file}: columns not used: {', '.join(columns)}"
    for name, why in report["declared_empty"].items():
        yield f"  {name}: declared empty: {why}"


def _absent(report: Mapping[str, Any]) -> list[str]:
    lines = [
        f"{table.name}: needed" if table.is_needed else f"{table.name}: {BY_NAME[table.name].absence_costs}"
        for table in TABLES
        if table.name in report["absent"]
    ]
    return _section("Absent tables, and what that costs", lines, "none")


def _section(title: str, lines: list[str], nothing: str) -> list[str]:
    if not lines:
        return [f"{title}: {nothing}"] if nothing else []
    return [
        title,
        *(f"  - {part}" if i == 0 else f"    {part}" for line in lines for i, part in enumerate(line.split("\n"))),
    ]


def _verdict(report: CheckReport) -> str:
    if report.exit_code == 0:
        return "Intake would accept this ledger (exit code 0)."
    return f"Intake would refuse this ledger (exit code {report.exit_code}); nothing would be written."
