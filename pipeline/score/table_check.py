"""Are the tables of a published run true to each other and to its manifest? Read a range of customers at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.errors import ContractError
from pipeline.score.columns import BOOK_SCHEMA, breaches_of
from pipeline.score.cores import one_ahead
from pipeline.score.ranges import ParquetRows, Ranges
from pipeline.score.summary import TOTALLED, Tally

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_TRACED = ("customer_id", "cap", "amount", "is_binding")
_OF_CUSTOMERS = ("limit_trace", "changes")


def table_breaches(folder: Path, manifest: Mapping[str, Any]) -> list[str]:
    """Rows, counts, totals, day, order, nulls by status, customers and binding caps that are not as they have to be."""
    try:
        return [*_row_breaches(folder, manifest), *_book_breaches(folder, manifest)]
    except ContractError as error:
        return [f"{folder}: {error}"]


def _row_breaches(folder: Path, manifest: Mapping[str, Any]) -> Iterator[str]:
    for name, rows in manifest["rows"].items():
        found = pq.read_metadata(folder / f"{name}.parquet").num_rows
        if found != rows:
            yield f"{folder}/{name}.parquet: {found} rows, the manifest says {rows}"


def _book_breaches(folder: Path, manifest: Mapping[str, Any]) -> list[str]:
    tally = Tally()
    days: set[str] = set()
    breaches: list[str] = []
    trace = Ranges("limit_trace", ParquetRows(folder / "limit_trace.parquet"), _TRACED)
    changes = Ranges("changes", ParquetRows(folder / "changes.parquet"), ["customer_id"])
    wrong_caps: list[str] = []
    strangers: dict[str, list[str]] = {name: [] for name in _OF_CUSTOMERS}
    last: str | None = None
    for batch in one_ahead(ParquetRows(folder / "scored_book.parquet").batches(BOOK_SCHEMA.names)):
        book = pa.Table.from_batches([batch])
        breaches += breaches_of(book)
        tally.add(book)
        days.update(str(day) for day in pc.unique(book["as_of"]).to_pylist())
        if last is not None and batch["customer_id"][0].as_py() <= last:
            breaches.append("customer_id: rows are not in order, or one stands twice")
        last = batch["customer_id"][-1].as_py()
        of_book = {"limit_trace": trace.upto(last), "changes": changes.upto(last)}
        wrong_caps += _wrong_caps(book, of_book["limit_trace"])
        for name, rows in of_book.items():
            strangers[name] += _strangers(rows, book)
    for name, rows in (("limit_trace", trace.rest()), ("changes", changes.rest())):
        strangers[name] += pc.unique(rows["customer_id"]).to_pylist()
    breaches += _told(folder, manifest, tally, days)
    breaches += [
        f"{folder}/{name}.parquet: {len(found)} customers not in the book, e.g. {found[0]!r}"
        for name, found in strangers.items()
        if found
    ]
    if wrong_caps:
        breaches.append(
            f"{folder}: {len(wrong_caps)} limits are not under their binding cap, e.g. of {wrong_caps[0]!r}"
        )
    return breaches


def _told(folder: Path, manifest: Mapping[str, Any], tally: Tally, days: set[str]) -> list[str]:
    pairs = {
        "counts": (manifest["counts"], tally.counts),
        # The other totals tell of limits and loss budget, which no column adds up to.
        "totals": ({name: manifest["totals"].get(name) for name in TOTALLED}, tally.totals),
        "as_of": ([manifest["as_of"]], sorted(days) or [manifest["as_of"]]),
    }
    return [
        f"{folder}: {title}: the manifest says {told}, found {found}"
        for title, (told, found) in pairs.items()
        if told != found
    ]


def _strangers(rows: pa.Table, book: pa.Table) -> list[str]:
    named = pc.unique(rows["customer_id"])
    found: list[str] = named.filter(pc.invert(pc.is_in(named, value_set=book["customer_id"]))).to_pylist()
    return found


def _wrong_caps(book: pa.Table, trace: pa.Table) -> list[str]:
    """Every suggested limit has its binding cap in the trace, and does not exceed it."""
    binding = trace.filter(trace["is_binding"])
    suggested = book.select(["customer_id", "limit_binding_cap", "limit_suggested"])
    suggested = suggested.filter(pc.is_valid(suggested["limit_binding_cap"]))
    at = pc.index_in(suggested["customer_id"], value_set=binding["customer_id"])
    is_right = pc.and_(
        pc.equal(binding["cap"].take(at), suggested["limit_binding_cap"]),
        pc.less_equal(suggested["limit_suggested"], binding["amount"].take(at)),
    )
    wrong: list[str] = suggested["customer_id"].filter(pc.invert(pc.fill_null(is_right, False))).to_pylist()  # noqa: FBT003
    return wrong
