"""One row per snapshot: how much is known of the customer at all."""

from __future__ import annotations

import functools
import operator
from typing import TYPE_CHECKING

import ibis

from pipeline.features import sources
from pipeline.features.agreement_rows import CONTRACTS
from pipeline.features.balances import BALANCE, LIMIT, join_parts, side_by_side
from pipeline.features.outside_sources import RATINGS
from pipeline.features.published_accounts import ACCOUNTS
from pipeline.features.relation import SNAPSHOT, Read, Relation, told
from pipeline.history.known_since import known_since

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from pipeline.features.sight import Sight

_SUBJECTS = ("orders", "accounts", "limit", "contract", "rating")


def _since(sight: Sight) -> ir.Table:
    """`known_since`: no row before the first invoice."""
    return known_since(sight.ledger, "invoices", sight.snapshots)


def _subjects(sight: Sight) -> ir.Table:
    """`told_subjects`: on how many of five subjects there is data."""
    balance, limits = sight.rows(BALANCE), sight.rows(LIMIT)
    found = {
        "orders": balance.filter(balance.ordered_12m_amount.notnull()),
        "accounts": sight.rows(ACCOUNTS),
        "limit": limits.filter(limits.limit_amount.notnull()),
        "contract": sight.rows(CONTRACTS),
        "rating": sight.rows(RATINGS),
    }
    flags = [
        rows.select(*SNAPSHOT).distinct().mutate(**{f"has_{name}": ibis.literal(1, "int8")})
        for name, rows in found.items()
    ]
    rows = join_parts(sight.snapshots.select(*SNAPSHOT), flags)
    counts = [rows[f"has_{name}"].fill_null(0) for name in _SUBJECTS]
    return rows.select(*SNAPSHOT, told_subjects=functools.reduce(operator.add, counts).cast("int32"))


_SINCE = Relation(
    "known_since", ("invoices",), _since, has_one_row=True, columns={"known_since": told("date", sources.ISSUED_ON)}
)
_TOLD_SUBJECTS = Relation(
    "told_subjects",
    ("invoices",),
    _subjects,
    has_one_row=True,
    columns={
        "told_subjects": told(
            "int32",
            *sources.ORDERED.sources,
            *CONTRACTS.cut_by,
            *RATINGS.cut_by,
            *(f"limits.{name}" for name in ("limit_amount", "valid_from", "valid_to")),
            "financials.period_end",
        ),
    },
    reads=(
        Read(BALANCE, columns=("ordered_12m_amount",)),
        Read(LIMIT, columns=("limit_amount",)),
        Read(ACCOUNTS),
        Read(CONTRACTS),
        Read(RATINGS),
    ),
)
DEPTH = side_by_side("depth", ("invoices",), (_SINCE, _TOLD_SUBJECTS))
SUBJECT_COUNT = len(_SUBJECTS)
