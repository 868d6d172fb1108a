"""What the columns asked for need: which relations, how far back, which columns of them, and how often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.features.relation import Kept, Relation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Set


@dataclass(frozen=True)
class Asked:
    """What is asked of a relation: `months` is the longest window (0: it has none), `uses` how often it is read."""

    months: int = 0
    columns: frozenset[str] = frozenset()
    days_before: frozenset[int] = frozenset()
    uses: int = 0

    def also(self, other: Asked) -> Asked:
        """What both ask for."""
        return Asked(
            max(self.months, other.months),
            self.columns | other.columns,
            self.days_before | other.days_before,
            self.uses + other.uses,
        )


def demand(passes: Mapping[tuple[Relation, int | None], frozenset[str]]) -> dict[Relation, Asked]:
    """What is asked of every relation, by the columns that the measures of each relation and window touch."""
    asked: dict[Relation, Asked] = {}
    for (relation, months), touched in passes.items():
        _ask(asked, relation, Asked(reach(relation, months), touched, uses=1))
    for reader in _readers_first(list(asked)):
        if reader in asked:
            _ask_of_others(asked, reader, passes.keys())
    return asked


def reach(relation: Relation, months: int | None) -> int:
    """The window in months; the relation's longest when null, 0 when it has no windows."""
    return max(relation.windows, default=0) if months is None or not relation.windows else months


def _ask_of_others(asked: dict[Relation, Asked], reader: Relation, passes: Set[tuple[Relation, int | None]]) -> None:
    of_reader = asked[reader]
    has_company = reader.totals is not None and (reader.totals.of, reader.totals.months) in passes
    # Rows that are not stored are told anew at every use, with all that they read.
    times = of_reader.uses if reader.kept is Kept.NEVER else 1
    for read in reader.reads:
        columns = read.needed(of_reader.columns)
        if columns is not None:
            months = reach(read.relation, read.months or of_reader.months or None)
            uses = 0 if has_company else times * (2 if read.often else 1)
            days_before = frozenset(read.days_before)
            _ask(asked, read.relation, Asked(months, columns, days_before, uses))


def _ask(asked: dict[Relation, Asked], relation: Relation, more: Asked) -> None:
    asked[relation] = asked.get(relation, Asked()).also(more)


def _readers_first(relations: Iterable[Relation]) -> list[Relation]:
    """The relations and all that they may read, each after everything that may read it."""
    found: dict[Relation, None] = {}

    def visit(relation: Relation) -> None:
        if relation not in found:
            for read in relation.reads:
                visit(read.relation)
            found[relation] = None

    for relation in relations:
        visit(relation)
    return list(reversed(found))
