"""From the text of a modelling table and its catalogue to typed rows, one per (customer_id, as_of); all or nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.tables.contract import Kind
from pipeline.tables.formats import mapped_by_distinct, parse
from pipeline.tables.own_table_keys import keys_of
from pipeline.tables.own_table_outcomes import outcomes_of
from pipeline.tables.own_table_text import TextColumns, columns_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from pipeline.tables.own_table_catalogue import Catalogue
    from pipeline.tables.own_table_features import TableFeature
    from pipeline.tables.reading import Extract


@dataclass(frozen=True)
class OwnTable:
    """The table taken in. `rows`: customer_id, as_of (null throughout where the catalogue names no date), group_key,
    outcome, is_bad (1 bad, 0 good, else null), then every feature; sorted by (as_of, customer_id).

    `remarks` are sentences for the reader: rows left out, codes that never occur.
    """

    rows: pa.Table
    catalogue: Catalogue
    source_sha256: str
    remarks: tuple[str, ...]

    @property
    def last_day(self) -> dt.date | None:
        """The latest date of the rows; null without dates."""
        last: dt.date | None = pc.max(self.rows["as_of"]).as_py()
        return last


def take_in(extract: Extract, catalogue: Catalogue) -> OwnTable:
    """The typed table. Raises ContractError telling every breach at once; a row that does not fit stops the intake."""
    text = columns_of(extract, catalogue)
    breaches: list[str] = []
    keys = keys_of(text, catalogue, breaches)
    outcome = outcomes_of(text, catalogue, keys, breaches)
    features = {f.name: _feature(text, f, catalogue, breaches) for f in catalogue.features}
    text.refuse(breaches)
    is_told = (outcome == "bad") | (outcome == "good")
    is_bad = pa.array(np.where(outcome == "bad", 1, 0), pa.int8(), mask=~is_told)
    rows = pa.table(
        {
            "customer_id": keys.customer_id,
            "as_of": keys.as_of,
            "group_key": keys.group_key,
            "outcome": pa.array(outcome.tolist(), pa.string()),
            "is_bad": is_bad,
            **features,
        }
    )
    rows = rows.sort_by([("as_of", "ascending"), ("customer_id", "ascending")])
    remarks = (*text.remarks, *_never_seen(rows, catalogue))
    return OwnTable(rows, catalogue, extract.sha256, remarks)


def _feature(text: TextColumns, feature: TableFeature, catalogue: Catalogue, breaches: list[str]) -> pa.Array:
    values = text.column(feature.column)
    if feature.holds == "number":
        parsed = parse(values, Kind.NUMBER, catalogue.file.formats())
        if parsed.is_misfit.any():
            what, todo = "hold no number", "set holds: category, add the text to file.null_texts, or mend the file"
            breaches.append(text.breach(feature.column, parsed.is_misfit, what, todo))
        return parsed.values
    known = parse(values, Kind.TEXT, catalogue.file.formats()).values
    if not feature.levels:
        return known
    words = mapped_by_distinct(known, feature.levels.get, pa.string())
    undocumented = pc.and_(pc.is_valid(known), pc.is_null(words)).to_numpy(zero_copy_only=False)
    if undocumented.any():
        listed = ", ".join(repr(code) for code in list(feature.levels)[:8])
        todo = f"the catalogue knows {listed}; add the code to levels, told as undocumented if it is"
        breaches.append(text.breach(feature.column, undocumented, "hold a code that is not among the levels", todo))
    return words


def _never_seen(rows: pa.Table, catalogue: Catalogue) -> list[str]:
    """Special codes and levels that no row holds: a catalogue of another file, or a slip."""
    absent = []
    for feature in catalogue.features:
        values = set(pc.unique(rows[feature.name]).to_pylist())
        absent += [f"{feature.name} {s.code:g}" for s in feature.special if s.code not in values]
        absent += [f"{feature.name} {words!r}" for words in feature.levels.values() if words not in values]
    if not absent:
        return []
    return [f"{len(absent)} declared code(s) stand in no row, e.g. {absent[0]}"]


def label_of(catalogue: Catalogue) -> Mapping[str, Any]:
    """What is predicted, in plain values: the keys of a ledger's label, and the words of the event."""
    window, target = catalogue.window, catalogue.target
    return {
        "kind": "target",
        "days": None,
        "window_months": window.months if window else None,
        "window_days": window.days if window else None,
        "title_en": target.title_en,
        "title_zh": target.title_zh,
        "happened_en": target.happened_en or f"turned bad ({target.title_en})",
    }
