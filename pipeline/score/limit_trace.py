"""Every cap and rule of every customer as a table: which amount, which one bound, what would lift it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from pipeline.score.policy import TRACED
from pipeline.score.position_columns import decimals, text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.score.limits import Limits
    from pipeline.score.policy import Policy

TRACE_SCHEMA = pa.schema(
    [
        pa.field("customer_id", pa.string(), nullable=False),
        pa.field("cap", pa.string(), nullable=False),
        pa.field("amount", pa.decimal128(18, 2), nullable=False),
        pa.field("is_binding", pa.bool_(), nullable=False),
        pa.field("what_lifts_it_en", pa.string(), nullable=False),
        pa.field("what_lifts_it_zh", pa.string(), nullable=False),
    ]
)
TRACE_TEXTS = ("cap", "what_lifts_it_en", "what_lifts_it_zh")
"""Of them there are as many as there are caps, each told of many customers."""


def limit_trace(positions: pd.DataFrame, limits: Limits, policy: Policy) -> pa.Table:
    """One row per customer and cap that applies, ordered by customer and the order of the caps; its few texts as
    numbers of a dictionary (TRACE_TEXTS).

    Rows named `hold_` and `refer_` are no caps: they tell which rule took the decision from the machine, with the
    amount it speaks of. `floor_step_down` is what a cut leaves at least: where it binds, softer caps lie below it.
    """
    customers = pa.array(text(positions["customer_id"]), pa.string())
    binding = pd.Index(TRACED, dtype=object).get_indexer(pd.Index(limits.binding_cap, dtype=object))
    amounts = np.column_stack([limits.traced[name] for name in TRACED])
    row, column = np.nonzero(~np.isnan(amounts))
    wording = [policy.limits.texts[name] for name in TRACED]
    at = pa.array(column, pa.int32())
    cap, english, chinese = (
        pa.DictionaryArray.from_arrays(at, pa.array(texts, pa.string()))
        for texts in (TRACED, [words.en for words in wording], [words.zh for words in wording])
    )
    is_binding = pa.array(column == binding[row], pa.bool_())
    columns = [customers.take(pa.array(row)), cap, decimals(amounts[row, column]), is_binding, english, chinese]
    return pa.Table.from_arrays(columns, schema=by_dictionary(TRACE_SCHEMA, TRACE_TEXTS))


def by_dictionary(schema: pa.Schema, names: Iterable[str]) -> pa.Schema:
    """The schema with those of its texts as numbers of a dictionary."""
    return pa.schema([f.with_type(pa.dictionary(pa.int32(), f.type)) if f.name in names else f for f in schema])
