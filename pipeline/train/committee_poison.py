"""Future poison: what rows that nobody can have known on a day changed of that day; nothing, unless something leaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.train.committee_result import Result

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from pipeline.train.committee_ground import Ground
    from pipeline.train.committee_result import Light

GROUP = "process"


@dataclass(frozen=True)
class PoisonedTable:
    """A table of the part: its own rows, the absurd ones beside them, and the features that read it by name."""

    name: str
    rows: int
    added: int
    read_by: tuple[str, ...]


@dataclass(frozen=True)
class Poison:
    """`snapshots` of `customers` were built twice and compared in `columns` columns: features, positions and PDs.

    `changed`: by column the snapshots that differ, of the days before the poison was known. `noticed`: the same of the
    later day on which it was known; a column that is not in it would not have shown this poison.
    """

    snapshots: int
    customers: int
    columns: int
    changed: Mapping[str, int]
    noticed: Mapping[str, int]
    tables: tuple[PoisonedTable, ...]


def poison_in(clean: pa.Table, spoilt: pa.Table, last: dt.date, tables: Sequence[PoisonedTable]) -> Poison:
    """Compares the two builds, both with the columns as_of and customer_id, in the same order and of the same columns.

    Rows up to `last` must be equal, later ones not. Cells are compared as they print: every digit, null and zero's
    sign.
    """
    keys = [(row["as_of"], row["customer_id"]) for row in clean.select(["as_of", "customer_id"]).to_pylist()]
    names = [name for name in clean.column_names if name not in ("as_of", "customer_id")]
    is_later = [day > last for day, _ in keys]
    changed, noticed = {}, {}
    for name in names:
        pairs = zip(clean[name].to_pylist(), spoilt[name].to_pylist(), is_later, strict=True)
        differs = [late for one, other, late in pairs if repr(one) != repr(other)]
        if not all(differs):
            changed[name] = differs.count(False)
        if any(differs):
            noticed[name] = differs.count(True)
    asked = [key for key, late in zip(keys, is_later, strict=True) if not late]
    customers = len({customer for _, customer in asked})
    return Poison(len(asked), customers, len(names), changed, noticed, tuple(tables))


def poison_result(ground: Ground) -> Result:
    """Red when a column changed; grey when nothing was built, or when not even the known poison was noticed.

    `value`: columns that changed. `shown`: columns of which a changed cell would have been seen.
    """
    poison = ground.ledger.poison
    if poison is None:
        why = "no_ledger" if ground.label.is_of_table else "not_poisoned"
        return Result("future_poison", GROUP, "grey", "panel", why=why)
    worst = min(poison.changed, key=lambda name: (-poison.changed[name], name), default="")
    light: Light = "red" if worst else "green" if poison.noticed else "grey"
    return Result(
        "future_poison",
        GROUP,
        light,
        "panel",
        part=worst,
        value=float(len(poison.changed)),
        against=float(poison.columns),
        threshold=0.0,
        rows=poison.snapshots,
        customers=poison.customers,
        shown=float(len(poison.noticed)),
        unit="columns",
        is_blind=not poison.noticed,
        why="" if light != "grey" else "poison_unseen",
        details=[_told(table, poison) for table in poison.tables],
    )


def _told(table: PoisonedTable, poison: Poison) -> dict[str, Any]:
    return {
        "table": table.name,
        "rows": table.rows,
        "added": table.added,
        "columns": len(table.read_by),
        "changed": sum(1 for name in table.read_by if name in poison.changed),
        "noticed": sum(1 for name in table.read_by if name in poison.noticed),
    }
