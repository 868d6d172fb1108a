"""One row per snapshot: other customers with the same bank account, telephone or address, compared as hashes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import ibis

from pipeline.features.balances import join_parts
from pipeline.features.peers import PEERS
from pipeline.features.relation import SNAPSHOT, Read, Relation, told
from pipeline.history.point_in_time import known_rows

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from pipeline.features.sight import Sight
    from pipeline.tables.canonical import Ledger

_MARKS = ("bank_account", "phone", "address")
# 64 bits: ten million customers meet by chance once in some hundred thousand ledgers.
_HASH_DIGITS = 16


def _links(sight: Sight) -> ir.Table:
    """Per mark the number of others who share it, null where the master states none; `defaulted` counts those of them
    who have defaulted (peers.py says what is meant), over all marks."""
    marked = _marked(sight)
    sharing = _sharing(sight, marked)
    counted = sharing.group_by(SNAPSHOT).aggregate(
        **{f"sharing_{mark}": sharing.others.sum(where=sharing["mark"] == mark) for mark in _MARKS},
        defaulted=sharing.defaulted_others.sum(),
    )
    rows = join_parts(marked, (counted,))
    is_stated = [rows[mark].notnull() for mark in _MARKS]
    counts = {
        f"{mark}_count": stated.ifelse(rows[f"sharing_{mark}"].fill_null(0), None)
        for mark, stated in zip(_MARKS, is_stated, strict=True)
    }
    defaulted = ibis.or_(*is_stated).ifelse(rows.defaulted.fill_null(0), None)
    return sight.keep(rows.select(*SNAPSHOT, **counts, defaulted_count=defaulted), "features_links")


def _marked(sight: Sight) -> ir.Table:
    """Every customer known on the day, with the hashes of its marks."""
    ledger = _hashed(sight.ledger)
    return sight.keep(known_rows(ledger, "customers", sight.snapshots).select(*SNAPSHOT, *_MARKS), "features_marks")


def _hashed(ledger: Ledger) -> Ledger:
    """The ledger with hashes for the marks; blanks, points and case make no difference.

    A mark that no second customer ever has is the empty text: it is stated, and can be nobody else's.
    """
    customers = ledger.tables["customers"]
    plain = {mark: customers[mark].upper().re_replace("[ ,.;:/()+-]", "") for mark in _MARKS}
    hashes = {
        mark: (text != "").ifelse(text.hexdigest("sha256").substr(0, _HASH_DIGITS), None)
        for mark, text in plain.items()
    }
    rows = customers.mutate(**hashes)
    for mark in _MARKS:
        holders = rows.group_by(mark).aggregate(holders=rows.customer_id.nunique())
        joined = rows.left_join(holders, mark).select(*rows.columns, "holders")
        kept = ibis.cases((joined[mark].isnull(), ibis.null("string")), (joined.holders > 1, joined[mark]), else_="")
        rows = joined.mutate(**{mark: kept}).drop("holders")
    return replace(ledger, tables={**ledger.tables, "customers": rows})


def _sharing(sight: Sight, marked: ir.Table) -> ir.Table:
    """A row per customer, day and mark that another customer has as well on that day."""
    long = ibis.union(
        *(marked.select(*SNAPSHOT, mark=ibis.literal(mark), hash=mark).filter(lambda t: t.hash != "")
          for mark in _MARKS)
    )  # fmt: skip
    keys = ["as_of", "mark", "hash"]
    shared = long.group_by(keys).aggregate(holders=long.count())
    shared = shared.filter(shared.holders > 1)
    peers = sight.rows(PEERS).select(*SNAPSHOT, "has_defaulted")
    rows = long.semi_join(shared, keys).inner_join(peers, SNAPSHOT).select(*long.columns, "has_defaulted")
    totals = rows.group_by(keys).aggregate(holders=rows.count(), defaulted=rows.has_defaulted.sum())
    joined = rows.inner_join(totals, keys)
    return joined.select(
        *SNAPSHOT,
        "mark",
        others=joined.holders - 1,
        defaulted_others=joined.defaulted - joined.has_defaulted,
    )


LINKS = Relation(
    "links",
    ("customers",),
    _links,
    has_one_row=True,
    columns={
        **{f"{mark}_count": told("int64", f"customers.{mark}") for mark in _MARKS},
        "defaulted_count": told(
            "int64", *PEERS.columns["has_defaulted"].sources, *(f"customers.{mark}" for mark in _MARKS)
        ),
    },
    reads=(Read(PEERS, columns=("has_defaulted",)),),
    looks_at_others=True,
)
