"""Rows and control totals that an engine must give back as it was given them; a breach is a fault of ours, told in
counts, and nothing is published."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

from pipeline.errors import CreditbookError
from pipeline.score.ranges import Ranges

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    import pyarrow as pa

    from pipeline.score.ranges import Rows

_KEY = "customer_id"
_ROWS_AT_ONCE = 65_536
TOTALLED = ("open_amount", "overdue_amount", "limit_current")
"""Money of the positions that the scored book carries on unchanged."""


def require_every_row_once(what: str, day: dt.date, asked: Rows, given: Rows) -> None:
    """Every customer that was asked for on the day came back once, and no other; both are in the order of customer_id.

    Raises CreditbookError (70).
    """
    wanted, found = (Ranges(what, rows, [_KEY]) for rows in (asked, given))
    counts = {"rows": 0, "asked": 0}
    breaches: dict[str, list[str]] = {"missing": [], "there more than once": [], "not asked for": []}
    while (some := wanted.some(_ROWS_AT_ONCE)).num_rows:
        came = found.upto(some[_KEY][-1].as_py())
        counts = {"rows": counts["rows"] + came.num_rows, "asked": counts["asked"] + some.num_rows}
        if not some.equals(came):
            _compare(some, came, breaches)
    rest = found.rest()
    counts["rows"] += rest.num_rows
    breaches["not asked for"] += pc.unique(rest[_KEY]).to_pylist()
    told = [
        f"{len(names):,} {breach}, e.g. customer {names[0]!r} on {day}" for breach, names in breaches.items() if names
    ]
    if told:
        raise CreditbookError(
            f"internal error: {what}: {counts['rows']:,} rows came back for {counts['asked']:,} asked for: "
            f"{'; '.join(told)}; nothing was published, run the day again"
        )


def _compare(asked: pa.Table, given: pa.Table, breaches: dict[str, list[str]]) -> None:
    found = given.group_by(_KEY).aggregate([([], "count_all")]).sort_by(_KEY)
    breaches["missing"] += _others(asked[_KEY], found[_KEY])
    breaches["there more than once"] += found.filter(pc.greater(found["count_all"], 1))[_KEY].to_pylist()
    breaches["not asked for"] += _others(found[_KEY], asked[_KEY])


def _others(names: pa.ChunkedArray, known: pa.ChunkedArray) -> list[str]:
    others: list[str] = names.filter(pc.invert(pc.is_in(names, value_set=known))).to_pylist()
    return others


def require_same_totals(counted: Mapping[str, Any], summary: Mapping[str, Any]) -> None:
    """The scored book has the rows and the sums of money that the engine counted in the positions of the day.

    `counted` holds `rows` and a sum for each of TOTALLED, null where there is nothing to add; `summary` is the book's.
    Raises CreditbookError (70).
    """
    after = summary["totals"]
    pairs = {"rows": (counted["rows"], sum(summary["counts"]["by_status"].values()))}
    pairs |= {name: (counted[name] or Decimal(0), Decimal(after[name])) for name in TOTALLED}
    told = [f"{name} {now:,} for {before:,}" for name, (before, now) in pairs.items() if before != now]
    if told:
        raise CreditbookError(
            f"internal error: scored book: {len(told)} of {len(pairs)} control totals are not those of the positions: "
            f"{'; '.join(told)}; nothing was published, run the day again"
        )
