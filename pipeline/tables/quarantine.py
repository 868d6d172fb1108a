"""Parts sound rows from bad ones: every rule is checked, every breach told, every bad row kept with its reasons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from pipeline.tables.breach import Breach, of_one_row, shown
from pipeline.tables.contract import Kind
from pipeline.tables.duplicates import duplicates
from pipeline.tables.misfits import looks
from pipeline.tables.rules import Context, rules_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.tables.contract import Table
    from pipeline.tables.received import Received


_TELLS_OF_PEOPLE = frozenset({"customers", "events"})


@dataclass(frozen=True)
class Finding:
    """Rows that break one rule: `mask` over the received rows, `example` a row number and its value in words."""

    column: str
    breach: str
    remedy: str
    mask: NDArray[np.bool_]


@dataclass(frozen=True)
class Sifted:
    """A table apart: `sound` rows in the contract's types; `quarantine` the source rows with `reason`; the breaches.

    `total` counts all rows, those of unreadable lines too; `bad` the quarantined ones.
    """

    table: Table
    sound: pa.Table
    quarantine: pa.Table
    breaches: tuple[Breach, ...]
    total: int
    bad: int


def sift(received: Received, context: Context, further: tuple[Finding, ...] = ()) -> Sifted:
    """Checks every rule of the table, and `further` findings that need other tables."""
    table, rows = received.table, received.values
    findings = [*_misfit_findings(received), *_rule_findings(received, context), *further]
    findings += _duplicate_findings(table, rows, findings)
    bad = _any(findings, rows.num_rows)
    lines = _unreadable(received)
    total = rows.num_rows + len(lines)
    breaches = [_told(received, finding, total) for finding in findings]
    if lines:
        breaches.append(_told_lines(received, lines, total))
    quarantine = _quarantined(received, findings, np.flatnonzero(bad), lines)
    sound = rows.filter(pa.array(~bad)) if bad.any() else rows
    return Sifted(table, sound, quarantine, tuple(breaches), total, int(bad.sum()) + len(lines))


def _misfit_findings(received: Received) -> list[Finding]:
    return [
        Finding(name, look.breach, look.remedy, look.mask)
        for name, misfits in received.misfits.items()
        for look in looks(received.table.column(name), misfits)
    ]


def _rule_findings(received: Received, context: Context) -> list[Finding]:
    found = []
    for rule in rules_of(received.table):
        mask = rule.mask(received.values, context)
        misfits = received.misfits.get(rule.column)
        if mask is not None and misfits is not None:
            # A text that does not fit reads as null; it is told once, as what it is.
            mask = mask & ~misfits.mask
        if mask is not None and mask.any():
            found.append(Finding(rule.column, rule.breach, rule.remedy, mask))
    return found


def _duplicate_findings(table: Table, rows: pa.Table, findings: list[Finding]) -> list[Finding]:
    """Rows that share a key, among those that break no other rule: a broken row says nothing about its twin."""
    key = [*table.key, "known_on"]
    whole = np.flatnonzero(~_any(findings, rows.num_rows))
    candidates = rows if len(whole) == rows.num_rows else rows.take(pa.array(whole))
    shared = duplicates(candidates, key)
    named = " + ".join(key)
    told = (
        (
            shared.repeated,
            f"repeat an earlier row with the same {named}",
            "remove the copies (was a file handed in or appended twice?); the first of each stays",
        ),
        (
            shared.conflicting,
            f"share {named} with a row that says otherwise",
            "say with known_on which row is the later revision, or remove the wrong one; none was chosen",
        ),
    )
    found = []
    for mask, breach, remedy in told:
        if mask.any():
            spread = np.zeros(rows.num_rows, bool)
            spread[whole[mask]] = True
            found.append(Finding(table.key[0], breach, remedy, spread))
    return found


def _any(findings: list[Finding], count: int) -> NDArray[np.bool_]:
    bad = np.zeros(count, bool)
    for finding in findings:
        bad |= finding.mask
    return bad


def _unreadable(received: Received) -> list[tuple[str, int, str]]:
    extracts = {origin.extract.file: origin.extract for origin in received.origins}
    return [(file, number, text) for file, extract in extracts.items() for number, text in extract.unreadable]


def _told(received: Received, finding: Finding, total: int) -> Breach:
    position = int(np.flatnonzero(finding.mask)[0])
    return Breach(
        received.table.name,
        finding.column,
        finding.breach,
        int(finding.mask.sum()),
        total,
        _example(received, finding.column, position),
        finding.remedy,
    )


def _example(received: Received, column: str, position: int) -> str:
    misfits = received.misfits.get(column)
    is_misfit = misfits is not None and bool(misfits.mask[position])
    cell = misfits.texts[position] if misfits is not None and is_misfit else received.values[column][position]
    value = cell.as_py()
    source = received.source_rows(np.array([position], np.int64))
    place = f"row {source['source_row'][0]} of {source['source_file'][0]}"
    key = ", ".join(
        f"{name} {shown(received.values[name][position].as_py())}" for name in received.table.key if name != column
    )
    quoted = repr(str(value)) if is_misfit and received.table.column(column).kind is not Kind.TEXT else shown(value)
    told = "an empty cell" if value is None else quoted
    return f"{told} in {place}" + (f" ({key})" if key else "")


def _told_lines(received: Received, lines: list[tuple[str, int, str]], total: int) -> Breach:
    file, number, text = lines[0]
    # A line of customers is torn by the comma in a name, as a rule; messages name customers by number only.
    shows = "not shown, it may hold a name" if received.table.name in _TELLS_OF_PEOPLE else shown(text)
    return Breach(
        received.table.name,
        received.table.columns[0].name,
        "have more or fewer cells than the header",
        len(lines),
        total,
        f"row {number} of {file}: {shows}",
        "quote cells that hold the delimiter or a line break",
    )


def _quarantined(
    received: Received,
    findings: list[Finding],
    positions: NDArray[np.int64],
    lines: list[tuple[str, int, str]],
) -> pa.Table:
    reasons: dict[int, list[str]] = {int(position): [] for position in positions}
    for finding in findings:
        for position in np.flatnonzero(finding.mask):
            reasons[int(position)].append(f"{finding.column} {of_one_row(finding.breach)}")
    rows = received.source_rows(positions)
    rows = rows.append_column("reason", pa.array(["; ".join(r) for r in reasons.values()], pa.string()))
    if not lines:
        return rows
    torn = pa.table(
        {
            "source_file": pa.array([file for file, _, _ in lines], pa.string()),
            "source_row": pa.array([number for _, number, _ in lines], pa.int64()),
            "reason": pa.array([f"more or fewer cells than the header: {text}" for _, _, text in lines], pa.string()),
        }
    )
    return pa.concat_tables([rows, torn], promote_options="default").combine_chunks()
