"""What intake saw, as plain values: for the manifest, the data report and `creditbook check`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

from pipeline.tables.ledger import TABLES
from pipeline.tables.revisions import revisions_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from pipeline.tables.gather import Gathered
    from pipeline.tables.quarantine import Sifted
    from pipeline.tables.received import Received


def report_of(
    gathered: Gathered,
    sifted: Mapping[str, Sifted],
    canonical: Mapping[str, pa.Table],
    assumptions: tuple[str, ...],
) -> dict[str, Any]:
    """Tables with rows, days, currencies and revisions; what is absent and what that costs; breaches; assumptions."""
    return {
        "tables": {
            t.name: _table(gathered.received[t.name], sifted[t.name], canonical[t.name])
            for t in TABLES
            if t.name in sifted
        },
        "columns_not_used": _not_used(gathered),
        "declared_empty": dict(gathered.empty),
        "absent": {
            t.name: t.absence_costs or "needed"
            for t in TABLES
            if t.name not in gathered.received and t.name not in gathered.empty
        },
        "breaches": [
            {
                "table": breach.table,
                "column": breach.column,
                "rule": breach.rule,
                "count": breach.count,
                "rows": breach.rows,
                "example": breach.example,
                "remedy": breach.remedy,
            }
            for t in TABLES
            if t.name in sifted
            for breach in sifted[t.name].breaches
        ],
        "assumptions": list(assumptions),
    }


def _not_used(gathered: Gathered) -> dict[str, list[str]]:
    used: dict[str, set[str]] = {}
    for received in gathered.received.values():
        for origin in received.origins:
            used.setdefault(origin.extract.file, set()).update(received.used)
    left = {
        extract.file: sorted(set(extract.rows.column_names) - used.get(extract.file, set()))
        for extract in gathered.extracts.values()
    }
    return {file: columns for file, columns in sorted(left.items()) if columns}


def _table(received: Received, sifted: Sifted, canonical: pa.Table) -> dict[str, Any]:
    table, sound = received.table, sifted.sound
    optional = [c.name for c in table.columns if c.is_null_allowed and c.name not in received.given]
    return {
        "files": sorted({origin.extract.file for origin in received.origins}),
        "rows": sifted.total,
        "sound": sound.num_rows,
        "quarantined": sifted.bad,
        "revisions": revisions_in(table, canonical),
        "event_days": _range(sound, table.event_on) if table.event_on else None,
        "known_days": _range(sound, "known_on"),
        "currencies": _counts(sound, table.currency_column),
        "left_out_by_mapping": received.left_out,
        "columns_not_given": optional,
    }


def _range(rows: pa.Table, column: str) -> list[str] | None:
    ends = pc.min_max(rows[column]).as_py()
    return None if ends["min"] is None else [ends["min"].isoformat(), ends["max"].isoformat()]


def _counts(rows: pa.Table, column: str | None) -> dict[str, int]:
    if column is None:
        return {}
    counted = pc.value_counts(rows[column]).to_pylist()
    return dict(sorted((entry["values"] or "not given", entry["counts"]) for entry in counted))
