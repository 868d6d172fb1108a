"""Every cap and rule of every customer as a table: which amount, which one bound, what would lift it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from pipeline.score.policy import TRACED
from pipeline.score.position_columns import decimals, text

if TYPE_CHECKING:
    import pandas as pd

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


def limit_trace(positions: pd.DataFrame, limits: Limits, policy: Policy) -> pa.Table:
    """One row per customer and cap that applies, ordered by customer and the order of the caps.

    Rows named `hold_` and `refer_` are no caps: they tell which rule took the decision from the machine, with the
    amount it speaks of. `floor_step_down` is what a cut leaves at least: where it binds, softer caps lie below it.
    """
    customers = text(positions["customer_id"])
    amounts = np.column_stack([limits.traced[name] for name in TRACED])
    row, column = np.nonzero(~np.isnan(amounts))
    wording = [policy.limits.texts[name] for name in TRACED]
    at = pa.array(column)
    return pa.Table.from_arrays(
        [
            pa.array(customers[row], pa.string()),
            pa.array(TRACED, pa.string()).take(at),
            decimals(amounts[row, column]),
            pa.array(np.array(TRACED, dtype=object)[column] == limits.binding_cap[row], pa.bool_()),
            pa.array([words.en for words in wording], pa.string()).take(at),
            pa.array([words.zh for words in wording], pa.string()).take(at),
        ],
        schema=TRACE_SCHEMA,
    )
