"""Money as whole cents: from and to DECIMAL(18,2) columns, and rounding half to even."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.errors import ContractError
from pipeline.tables.formats import one_chunk

if TYPE_CHECKING:
    from numpy.typing import NDArray

MONEY = pa.decimal128(18, 2)
_LARGEST = 10**18


def cents_of(column: pa.ChunkedArray | pa.Array) -> NDArray[np.int64]:
    """The cents of a DECIMAL(18,2) column; null reads as 0."""
    amounts = pc.fill_null(one_chunk(column), Decimal("0.00"))
    # Eighteen digits fit in 63 bits, so the lower of the two words of a 128-bit integer holds them, sign and all.
    words = np.frombuffer(amounts.buffers()[1], "<i8")[2 * amounts.offset : 2 * (amounts.offset + len(amounts))]
    return words[::2].astype(np.int64)


def money_of(cents: NDArray[np.int64], like: pa.ChunkedArray | pa.Array) -> pa.Array:
    """Whole cents as DECIMAL(18,2), null where `like` is."""
    words = np.column_stack([cents, np.where(cents < 0, -1, 0)]).astype("<i8")
    amounts = pa.Array.from_buffers(MONEY, len(cents), [None, pa.py_buffer(words.tobytes())])
    return pc.if_else(one_chunk(like).is_valid(), amounts, pa.scalar(None, MONEY)) if like.null_count else amounts


def fitting(cents: int) -> int:
    """The cents themselves. Raises ContractError when DECIMAL(18,2) cannot hold them."""
    if abs(cents) >= _LARGEST:
        raise ContractError(
            f"an amount of {abs(cents) // 100:,} in the base currency has more than 16 digits; "
            "correct the amount, or its rate in fx_rates"
        )
    return cents


def times(cents: int, numerator: int, denominator: int) -> int:
    """cents × numerator / denominator, rounded half to even; the denominator is positive."""
    whole, rest = divmod(cents * numerator, denominator)
    twice = 2 * rest
    return fitting(whole + (twice > denominator or (twice == denominator and whole % 2 == 1)))
