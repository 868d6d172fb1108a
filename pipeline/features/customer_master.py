"""One row per snapshot: the customer master as known on the day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from pipeline.features.relation import SNAPSHOT, Relation, Sight
from pipeline.history.point_in_time import known_rows

if TYPE_CHECKING:
    import ibis.expr.types as ir


def _customers(sight: Sight) -> ir.Table:
    rows = known_rows(sight.ledger, "customers", sight.snapshots)
    letter = rows.industry.strip().upper().substr(0, 1)
    return sight.keep(
        rows.select(
            *SNAPSHOT,
            "customer_since",
            "founded_on",
            "industry",
            "group_id",
            "is_natural_person",
            size_class=(rows.size_class.strip() != "").ifelse(rows.size_class.strip(), None),
            # A code without its letter names no section.
            industry_section=letter.between("A", "Z").ifelse(letter, ibis.null("string")),
        ),
        "features_customers",
    )


CUSTOMERS = Relation("customers", ("customers",), _customers, has_one_row=True)
