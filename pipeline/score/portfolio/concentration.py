"""How much of the book rests on few: the largest names and groups, industries, regions, and the Herfindahl index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.score.portfolio.amounts import share, told

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import ArrayLike

NOT_TOLD = "none"


def herfindahl(amounts: ArrayLike) -> float | None:
    """Sum of squared shares: 1/n for n equal parts, 1 for one; null where nothing is owed.

    Its reciprocal is the number of equal parts that would be as concentrated. Source: Herfindahl 1950, Hirschman 1945.

    >>> herfindahl([50, 50]), herfindahl([100, 0])
    (0.5, 1.0)
    """
    values = np.asarray(amounts, dtype=float)
    total = float(values.sum())
    return float(np.sum((values / total) ** 2)) if total > 0 else None


def concentration(
    book: pd.DataFrame, by: Sequence[str], top: int, moderate: float, high: float
) -> dict[str, dict[str, Any]]:
    """Per column of `by`: the largest `top` parts by exposure at default, their shares, and the Herfindahl index.

    `book` has ead_cents, open_cents, loss_cents, customer_id and the columns; a null part is `none` and, since it may
    be many, takes no part in the index. `level` is low, moderate or high by the two bounds of the index.
    """
    return {name: _parts(book, name, top, moderate, high) for name in by}


def _parts(book: pd.DataFrame, by: str, top: int, moderate: float, high: float) -> dict[str, Any]:
    keys = book[by].where(book[by].notna(), NOT_TOLD).astype(str)
    sums = (
        book.assign(part=keys)
        .groupby("part")
        .agg(
            ead=("ead_cents", "sum"),
            open=("open_cents", "sum"),
            loss=("loss_cents", "sum"),
            customers=("customer_id", "nunique"),
        )
        .reset_index()
        .sort_values(["ead", "part"], ascending=[False, True])
    )
    total = float(sums["ead"].sum())
    known = sums[sums["part"] != NOT_TOLD]
    index = herfindahl(known["ead"])
    largest = known[known["ead"] > 0].head(top)
    return {
        "parts": [
            {
                "part": row["part"],
                "ead": told(row["ead"]),
                "open": told(row["open"]),
                "expected_loss": told(row["loss"]),
                "share": share(row["ead"], total),
                "customers": int(row["customers"]),
            }
            for row in largest.to_dict("records")
        ],
        "count": int((known["ead"] > 0).sum()),
        "top_share": share(float(largest["ead"].sum()), total),
        "not_told": told(float(sums.loc[sums["part"] == NOT_TOLD, "ead"].sum())),
        "hhi": index,
        "equal_parts": None if not index else 1.0 / index,
        "level": None if index is None else "low" if index < moderate else "moderate" if index < high else "high",
    }
