"""One row per snapshot: the customer master as known on the day."""

from __future__ import annotations

import functools
import operator
from typing import TYPE_CHECKING

import ibis

from pipeline.features.relation import SNAPSHOT, Relation, told
from pipeline.history.point_in_time import known_rows

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from pipeline.features.sight import Sight


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
            stated_count=_stated(rows),
            size_class=(rows.size_class.strip() != "").ifelse(rows.size_class.strip(), None),
            # A code without its letter names no section.
            industry_section=letter.between("A", "Z").ifelse(letter, ibis.null("string")),
        ),
        "features_customers",
    )


# What a supplier usually knows of a firm; whether it is a group's or a person's is a fact, not a gap.
STATED = ("tax_id", "founded_on", "industry", "region", "country", "size_class", "bank_account", "phone", "address")


def _stated(rows: ir.Table) -> ir.Value:
    """How many of the columns of `STATED` are filled."""
    filled = (rows[name].cast("string").strip() != "" for name in STATED)
    counts = [is_filled.fill_null(ibis.literal(value=False)).cast("int8") for is_filled in filled]
    return functools.reduce(operator.add, counts)


CUSTOMERS = Relation(
    "customers",
    ("customers",),
    _customers,
    has_one_row=True,
    columns={
        "customer_since": told("date", "customers.customer_since"),
        "founded_on": told("date", "customers.founded_on"),
        "industry": told("string", "customers.industry"),
        "group_id": told("string", "customers.group_id"),
        "is_natural_person": told("boolean", "customers.is_natural_person"),
        "stated_count": told("int8", *(f"customers.{name}" for name in STATED)),
        "size_class": told("string", "customers.size_class"),
        "industry_section": told("string", "customers.industry"),
    },
)
