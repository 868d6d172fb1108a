"""Money of the portfolio: whole cents inside, decimal text with two places where it is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from numpy.typing import NDArray


def told(cents: float | None) -> str | None:
    """Cents as decimal text; a part of a cent is rounded half to even, null stays null.

    >>> told(123456), told(-5), told(0), told(None)
    ('1234.56', '-0.05', '0.00', None)
    """
    if cents is None:
        return None
    whole = round(cents)
    sign = "-" if whole < 0 else ""
    return f"{sign}{abs(whole) // 100}.{abs(whole) % 100:02d}"


def whole_cents(column: pa.ChunkedArray | pa.Array) -> NDArray[np.int64]:
    """Whole cents of a DECIMAL(18,2) column; null counts as 0."""
    scaled = pc.cast(pc.multiply(column.cast(pa.decimal128(21, 2)), pa.scalar(100, pa.decimal128(3, 0))), pa.int64())
    cents: NDArray[np.int64] = pc.fill_null(scaled, 0).to_numpy(zero_copy_only=False).astype(np.int64)
    return cents


def share(part: float, whole: float) -> float | None:
    """Part of the whole; null where there is no whole.

    >>> share(1, 4), share(1, 0)
    (0.25, None)
    """
    return float(part / whole) if whole else None
