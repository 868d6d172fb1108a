"""Figures of a book reckoned anew from its ledger with nothing but pandas: no code of the project."""

from __future__ import annotations

import calendar
import datetime as dt
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from pathlib import Path

ENDS = (0, 30, 60, 90)


def month_end(day: dt.date, back: int) -> dt.date:
    year, month = divmod(day.year * 12 + day.month - 1 - back, 12)
    return dt.date(year, month + 1, calendar.monthrange(year, month + 1)[1])


class Books:
    """The invoices and payments of a ledger, in cents, as they were known on any day."""

    def __init__(self, ledger: Path) -> None:
        self.invoices, self.payments = (self._read(ledger / f"{name}.parquet") for name in ("invoices", "payments"))

    @staticmethod
    def _read(path: Path) -> pd.DataFrame:
        rows = pq.read_table(path).to_pandas()
        return rows.assign(**{name: [int(100 * a) for a in rows[name]] for name in ("amount", "amount_document")})

    @staticmethod
    def known(rows: pd.DataFrame, key: list[str], day: dt.date) -> pd.DataFrame:
        """The latest revision of each row that was known on the day."""
        return rows[rows["known_on"] <= day].sort_values("known_on", kind="stable").drop_duplicates(key, keep="last")

    def billed(self, day: dt.date, since: dt.date) -> int:
        """Cents of invoices and debit notes less credit notes issued after `since` and up to the day."""
        rows = self.known(self.invoices, ["invoice_id"], day)
        return int(rows[(rows["issued_on"] > since) & (rows["issued_on"] <= day)]["amount"].sum())

    def open(self, day: dt.date) -> pd.DataFrame:
        """Claims open on the day: customer_id, due_on, cents, late (days past due) and bucket, by invoice_id."""
        rows = self._not_gone(day)
        rows = rows.assign(cents=np.maximum(rows["amount"] - rows["paid_amount"].fillna(0), 1))
        rows = rows[(rows["kind"] != "credit_note") & (rows["left"] > 0)]
        late = [max((day - due).days, 0) if isinstance(due, dt.date) else 0 for due in rows["due_on"]]
        return rows.assign(late=late, bucket=np.searchsorted(ENDS, late, side="left"))

    def credit(self, day: dt.date) -> int:
        """Cents of the credit notes open on the day, 0 or less."""
        rows = self._not_gone(day)
        rows = rows[(rows["kind"] == "credit_note") & (rows["left"] < 0)]
        return int(np.minimum(rows["amount"] - rows["paid_amount"].fillna(0), -1).sum())

    def _not_gone(self, day: dt.date) -> pd.DataFrame:
        """What was issued by the day and not written off, with what was paid and what is `left` in its currency."""
        paid = self.known(self.payments, ["payment_id", "invoice_id"], day)
        paid = paid[(paid["paid_on"] <= day) & paid["invoice_id"].notna()]
        sums = paid.groupby("invoice_id")[["amount", "amount_document"]].sum().add_prefix("paid_")
        rows = self.known(self.invoices, ["invoice_id"], day).set_index("invoice_id").join(sums)
        rows = rows.assign(left=rows["amount_document"] - rows["paid_amount_document"].fillna(0))
        gone = np.array([isinstance(on, dt.date) and on <= day for on in rows["written_off_on"]], dtype=bool)
        return rows[(rows["issued_on"] <= day) & ~gone]


def herfindahl(amounts: pd.Series) -> float:
    return float(((amounts / amounts.sum()) ** 2).sum())


def rolled(before: pd.DataFrame, now: pd.DataFrame, bucket: int, to: int) -> float:
    """The share of a bucket's amount that stands in another one later."""
    start = before[before["bucket"] == bucket]
    end = now.reindex(start.index)
    return float(np.minimum(end["cents"], start["cents"])[end["bucket"] == to].sum() / start["cents"].sum())


def lifetime_losses(
    now: pd.DataFrame, book: pd.DataFrame, cases: list[tuple[float, float]], window: int, day: dt.date
) -> pd.Series:
    """The lifetime loss of each claim in cents: 1 - (1 - PD)^(factor x life / window), weighted over the cases; NaN
    for a customer without a PD."""
    found = {}
    for name, row in now.iterrows():
        pd_, lgd = book.at[row["customer_id"], "pd"], book.at[row["customer_id"], "lgd"]
        due = (row["due_on"] - day).days if isinstance(row["due_on"], dt.date) else 0
        life = due + 90 if due >= 0 else max(due + 90, window)
        if row["bucket"] == len(ENDS) or pd_ >= 1:
            found[name] = row["cents"] * lgd
        else:
            found[name] = row["cents"] * lgd * sum(w * (1 - (1 - pd_) ** (f * life / window)) for w, f in cases)
    return pd.Series(found)
