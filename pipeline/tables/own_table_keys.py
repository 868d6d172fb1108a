"""Who and when: the key, the day and the group of each row of a modelling table."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.tables.contract import Kind
from pipeline.tables.formats import Formats, mapped_by_distinct, parse
from pipeline.tables.own_table_catalogue import YEAR

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.tables.own_table_catalogue import Catalogue, DateSection
    from pipeline.tables.own_table_text import TextColumns

_FOUR_DIGITS = re.compile(r"[12]\d{3}")


@dataclass(frozen=True)
class Keys:
    """Three columns of the same length. `is_whole`: no breach was found, so the rest may lean on them."""

    customer_id: pa.Array
    as_of: pa.Array
    group_key: pa.Array
    is_whole: bool


def keys_of(text: TextColumns, catalogue: Catalogue, breaches: list[str]) -> Keys:
    """The customer is the entity where rows have dates, else the key of the row; its group binds it in the split.

    Without a key the number of the row is one, and rows that were kept though alike are a group.
    """
    before = len(breaches)
    as_of = _days(text, catalogue.date, breaches)
    row_id = _row_ids(text, catalogue, breaches)
    entity = _named(text, catalogue.entity, "entity", breaches)
    group = _named(text, catalogue.group, "group", breaches)
    customer = row_id if entity is None or catalogue.date is None else entity
    if catalogue.key or (catalogue.entity and catalogue.date):
        _refuse_repeated(text, customer, as_of, catalogue, breaches)
    bound = next((column for column in (group, entity) if column is not None), None)
    if bound is None:
        alike = text.repeats != text.row_numbers
        bound = _ids(text.repeats, text) if alike.any() else customer
    return Keys(customer, as_of, bound, len(breaches) == before)


def _days(text: TextColumns, date: DateSection | None, breaches: list[str]) -> pa.Array:
    if date is None:
        return pa.nulls(text.rows.num_rows, pa.date32())
    values = text.column(date.column)
    if date.format == YEAR:
        days = mapped_by_distinct(values, _last_day_of, pa.date32())
    else:
        days = parse(values, Kind.DATE, Formats(dates=date.format)).values
    missing = pc.is_null(days).to_numpy(zero_copy_only=False)
    if missing.any():
        what = f"hold no date in the format {date.format}"
        breaches.append(text.breach(date.column, missing, what, "correct date.format, or give every row a date"))
    return days


def _last_day_of(year: str) -> dt.date | None:
    return dt.date(int(year), 12, 31) if _FOUR_DIGITS.fullmatch(year) else None


def _row_ids(text: TextColumns, catalogue: Catalogue, breaches: list[str]) -> pa.Array:
    if not catalogue.key:
        return _ids(text.row_numbers, text)
    columns = [_named(text, column, "key", breaches) for column in catalogue.key]
    return pc.binary_join_element_wise(*columns, "|") if len(columns) > 1 else columns[0]


def _ids(numbers: NDArray[np.int64], text: TextColumns) -> pa.Array:
    """`row-0042`, all of one width so that they sort as they stand."""
    width = len(str(int(text.row_numbers.max())))
    return pa.array([f"row-{number:0{width}d}" for number in numbers.tolist()], pa.string())


def _named(text: TextColumns, column: str | None, role: str, breaches: list[str]) -> pa.Array | None:
    if column is None:
        return None
    values = text.column(column)
    empty = pc.fill_null(pc.equal(values, ""), fill_value=True).to_numpy(zero_copy_only=False)
    if empty.any():
        breaches.append(text.breach(column, empty, f"have no {role}", "give every row one, or name another column"))
    return values


def _refuse_repeated(
    text: TextColumns, customer: pa.Array, as_of: pa.Array, catalogue: Catalogue, breaches: list[str]
) -> None:
    days = pc.fill_null(as_of.cast(pa.int32()), 0).to_numpy(zero_copy_only=False)
    names = customer.dictionary_encode().indices.to_numpy(zero_copy_only=False)
    if np.isnan(names.astype(float)).any():
        return
    # One number for each pair: the days span less than the distance between two names.
    pairs = names.astype(np.int64) * (int(np.ptp(days)) + 1) + (days - days.min())
    _, first, inverse = np.unique(pairs, return_index=True, return_inverse=True)
    is_repeat = first[inverse] != np.arange(len(pairs))
    if not is_repeat.any():
        return
    at = int(np.flatnonzero(is_repeat)[0])
    what = f"{customer[at].as_py()!r}" + (f" on {as_of[at].as_py()}" if as_of[at].is_valid else "")
    named = "entity and date" if catalogue.entity and catalogue.date else "key and date" if catalogue.date else "key"
    breaches.append(
        f"{text.file}: {int(is_repeat.sum()):,} of {len(is_repeat):,} rows repeat the {named} of another, e.g. {what} "
        f"in rows {text.row_numbers[first[inverse[at]]]:,} and {text.row_numbers[at]:,}; name a finer key, call the "
        "column a group if several rows may share it, or mend the file"
    )
