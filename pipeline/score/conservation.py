"""Rows and control totals that an engine must give back as it was given them; a breach is a fault of ours, told in
counts, and nothing is published."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.errors import CreditbookError
from pipeline.score.summary import totals_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_KEY = ["customer_id", "as_of"]
TOTALLED = ("open_amount", "overdue_amount", "limit_current")
"""Money of the positions that the scored book carries on unchanged."""


def require_every_row_once(what: str, asked: pa.Table, given: pa.Table) -> None:
    """Every (customer_id, as_of) that was asked for came back once, and no other. Raises CreditbookError (70)."""
    keys = asked.select(_KEY)
    found = given.select(_KEY).cast(keys.schema).group_by(_KEY).aggregate([([], "count_all")])
    breaches = {
        "missing": keys.join(found, _KEY, join_type="left anti"),
        "there more than once": found.filter(pc.greater(found["count_all"], 1)),
        "not asked for": found.join(keys, _KEY, join_type="left anti"),
    }
    told = [f"{rows.num_rows:,} {breach}, e.g. {_example(rows)}" for breach, rows in breaches.items() if rows.num_rows]
    if told:
        raise CreditbookError(
            f"internal error: {what}: {given.num_rows:,} rows came back for {asked.num_rows:,} asked for: "
            f"{'; '.join(told)}; nothing was published, run the day again"
        )


def require_same_totals(counted: Mapping[str, Any], book: pa.Table) -> None:
    """The scored book has the rows and the sums of money that the engine counted in the positions of the day.

    `counted` holds `rows` and a sum for each of TOTALLED, null where there is nothing to add. Raises CreditbookError
    (70).
    """
    after = totals_of(book)
    pairs = {"rows": (counted["rows"], book.num_rows)}
    pairs |= {name: (counted[name] or Decimal(0), Decimal(after[name])) for name in TOTALLED}
    told = [f"{name} {now:,} for {before:,}" for name, (before, now) in pairs.items() if before != now]
    if told:
        raise CreditbookError(
            f"internal error: scored book: {len(told)} of {len(pairs)} control totals are not those of the positions: "
            f"{'; '.join(told)}; nothing was published, run the day again"
        )


def _example(rows: pa.Table) -> str:
    first = rows.sort_by([(name, "ascending") for name in _KEY]).slice(0, 1).to_pylist()[0]
    return f"customer {first['customer_id']!r} on {first['as_of']}"
