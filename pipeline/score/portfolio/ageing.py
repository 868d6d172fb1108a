"""Open items by days past due: the ageing table of a day, beside the month before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pipeline.score.portfolio.amounts import share, told, whole_cents

if TYPE_CHECKING:
    import datetime as dt

    import pyarrow as pa
    from numpy.typing import ArrayLike, NDArray

CREDIT_NOTE = "credit_note"


@dataclass(frozen=True)
class Buckets:
    """Ageing buckets by the days past due at which each but the last ends; the first end is 0: not due."""

    ends: tuple[int, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The buckets in order.

        >>> Buckets((0, 30, 60, 90)).names
        ('not_due', '1_30', '31_60', '61_90', 'over_90')
        """
        inner = [f"{low + 1}_{high}" for low, high in zip(self.ends, self.ends[1:], strict=False)]
        return ("not_due", *inner, f"over_{self.ends[-1]}")

    def of(self, days_past_due: ArrayLike) -> NDArray[np.int64]:
        """The bucket of each number of days, by its place.

        >>> Buckets((0, 30, 60, 90)).of([0, 1, 30, 31, 90, 91]).tolist()
        [0, 1, 1, 2, 3, 4]
        """
        return np.searchsorted(np.asarray(self.ends), np.asarray(days_past_due), side="left").astype(np.int64)


def items_frame(rows: pa.Table, buckets: Buckets) -> pd.DataFrame:
    """Open items (history/open_items.py) as a frame: as_of, customer_id, invoice_id, is_credit, cents, disputed_cents,
    overdue_cents, days_past_due, bucket, due_on (null: none)."""
    days = rows["days_past_due"].to_numpy(zero_copy_only=False)
    cents = whole_cents(rows["open_amount"])
    return pd.DataFrame(
        {
            "as_of": rows["as_of"].to_pandas(),
            "customer_id": rows["customer_id"].to_pandas(),
            "invoice_id": rows["invoice_id"].to_pandas(),
            "is_credit": np.asarray(rows["kind"].to_pandas() == CREDIT_NOTE, dtype=bool),
            "cents": cents,
            "disputed_cents": whole_cents(rows["disputed_amount"]),
            "overdue_cents": np.where(days > 0, cents, 0),
            "days_past_due": days,
            "bucket": buckets.of(days),
            "due_on": rows["due_on"].to_pandas(),
        }
    )


def claims(items: pd.DataFrame, day: dt.date) -> pd.DataFrame:
    """The invoices and debit notes open on a day, without credit notes."""
    return items[(items["as_of"] == day) & ~items["is_credit"]]


def ageing(items: pd.DataFrame, day: dt.date, before: dt.date | None, buckets: Buckets) -> dict[str, Any]:
    """Amounts, items and customers by bucket on a day and amounts on the day before (null: no such day).

    Open credit notes stand apart: they lower what will be paid, but no one item.
    """
    now = claims(items, day)
    then = None if before is None else claims(items, before)
    total = int(now["cents"].sum())
    rows = []
    for place, name in enumerate(buckets.names):
        part = now[now["bucket"] == place]
        cents = int(part["cents"].sum())
        rows.append(
            {
                "bucket": name,
                "amount": told(cents),
                "share": share(cents, total),
                "items": len(part),
                "customers": int(part["customer_id"].nunique()),
                "disputed": told(int(part["disputed_cents"].sum())),
                "amount_before": None if then is None else told(int(then.loc[then["bucket"] == place, "cents"].sum())),
            }
        )
    notes = items[(items["as_of"] == day) & items["is_credit"]]
    return {
        "buckets": rows,
        "total": told(total),
        "total_before": None if then is None else told(int(then["cents"].sum())),
        "items": len(now),
        "customers": int(now["customer_id"].nunique()),
        "overdue": told(int(now["overdue_cents"].sum())),
        "overdue_share": share(int(now["overdue_cents"].sum()), total),
        "overdue_share_before": None if then is None else share(int(then["overdue_cents"].sum()), then["cents"].sum()),
        "overdue_customers": int(now.loc[now["overdue_cents"] > 0, "customer_id"].nunique()),
        "disputed": told(int(now["disputed_cents"].sum())),
        "credit_notes": told(int(notes["cents"].sum())),
        "credit_note_count": len(notes),
    }
