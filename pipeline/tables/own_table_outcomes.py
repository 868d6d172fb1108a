"""Good, bad, indeterminate or immature: the outcome of each row of a modelling table, by its catalogue's target."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.tables.formats import mapped_by_distinct

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.tables.own_table_catalogue import Catalogue, TargetSection, WindowSection
    from pipeline.tables.own_table_keys import Keys
    from pipeline.tables.own_table_text import TextColumns

_DECLARED = ("good", "bad", "indeterminate")


def outcomes_of(text: TextColumns, catalogue: Catalogue, keys: Keys, breaches: list[str]) -> NDArray[np.object_]:
    """The outcome per row. A value that is not declared, no bad or no good row is a breach."""
    target = catalogue.target
    meanings = {value: outcome for outcome in _DECLARED for value in getattr(target, outcome)}
    found = mapped_by_distinct(text.column(target.column), meanings.get, pa.string())
    is_unknown = pc.is_null(found).to_numpy(zero_copy_only=False)
    outcomes: NDArray[np.object_] = found.to_numpy(zero_copy_only=False).astype(object)
    if is_unknown.any():
        known = ", ".join(repr(value) for value in meanings)
        todo = f"the catalogue knows {known}; add the value under target, or mend the file"
        breaches.append(text.breach(target.column, is_unknown, "hold a value of the target that is not declared", todo))
        return outcomes
    if target.rule == "last_row_of_entity" and keys.is_whole:
        outcomes = _by_last_row(text, outcomes, catalogue, keys, breaches)
    breaches.extend(_one_sided(text, outcomes, target))
    return outcomes


def _one_sided(text: TextColumns, outcomes: NDArray[np.object_], target: TargetSection) -> list[str]:
    return [
        f"{text.file}, column {target.column!r}: none of {len(outcomes):,} rows is {outcome} ({outcome}: "
        f"{', '.join(getattr(target, outcome))}); a model needs both, correct target.{outcome}"
        for outcome in ("bad", "good")
        if not (outcomes == outcome).any()
    ]


def _by_last_row(
    text: TextColumns, outcomes: NDArray[np.object_], catalogue: Catalogue, keys: Keys, breaches: list[str]
) -> NDArray[np.object_]:
    """A bad label counts on the last row of its entity; on the earlier ones the event had not come, they are good.

    That an entity's rows end is what tells the event. Where the table itself ends within the window nothing ends by
    itself, so those rows are immature, good and bad alike.
    """
    entities = np.asarray(keys.customer_id.to_numpy(zero_copy_only=False), dtype=str)
    days = keys.as_of.cast(pa.int32()).to_numpy(zero_copy_only=False)
    order = np.lexsort([days, entities])
    is_last = np.ones(len(order), dtype=bool)
    is_last[order[:-1]] = entities[order][1:] != entities[order][:-1]
    bad_at_last = np.unique(entities[is_last & (outcomes == "bad")])
    is_bad_entity = np.isin(entities, bad_at_last)
    recovered = (outcomes == "bad") & ~is_bad_entity
    if recovered.any():
        what = "are bad while the last row of their entity is not, against target.rule: last_row_of_entity"
        breaches.append(text.breach(text.target, recovered, what, "set rule: each_row, or mend the labels"))
    told = np.where((outcomes == "bad") & ~is_last, "good", outcomes)
    return np.where(_reaches_beyond(keys.as_of, catalogue.window), "immature", told)


def _reaches_beyond(as_of: pa.Array, window: WindowSection | None) -> NDArray[np.bool_]:
    """The window of the row ends after the table's last date; without a window, the rows of the last date."""
    distinct: list[dt.date] = pc.unique(as_of).to_pylist()
    last = max(distinct)
    beyond = [day for day in distinct if (_window_end(day, window) > last if window else day == last)]
    return np.asarray(pc.is_in(as_of, pa.array(beyond, pa.date32())).to_numpy(zero_copy_only=False), dtype=bool)


def _window_end(day: dt.date, window: WindowSection) -> dt.date:
    if window.days is not None:
        return day + dt.timedelta(days=window.days)
    month = day.month + (window.months or 0)
    # The last day of the month: the day before the first of the next one.
    following = dt.date(day.year + month // 12, month % 12 + 1, 1)
    end = following - dt.timedelta(days=1)
    return end.replace(day=min(day.day, end.day))
