"""Columns of the positions frame as arrays: money to the cent, days, flags; a null is NaN, NaT or False as told."""

from __future__ import annotations

from calendar import monthrange
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from pipeline.errors import ContractError

if TYPE_CHECKING:
    import datetime as dt

    import numpy.typing as npt

MONEY = pa.decimal128(18, 2)
NEEDED = (
    "customer_id", "name", "group_id", "country", "size_class", "is_natural_person", "is_public_body", "is_in_book",
    "is_in_default", "open_amount", "overdue_amount", "max_days_past_due", "committed_orders_amount", "limit_current",
    "limit_valid_from", "billing_12m_amount", "mean_terms_days", "cover_amount", "covered_share", "cover_ends_on",
    "equity_amount", "cost_of_sales_amount", "accounts_end_on", "invoices_due_12m_count", "history_months",
    "has_external_rating", "grade_override", "grade_override_ends_on", "limit_override", "limit_override_ends_on",
    "group_default_count",
)  # fmt: skip


def ordered_positions(positions: pd.DataFrame, as_of: dt.date) -> pd.DataFrame:
    """Positions in the order of customer_id. Raises ContractError on a missing column, a repeat, another day."""
    missing = [name for name in NEEDED if name not in positions.columns]
    if missing:
        raise ContractError(f"positions: {len(missing)} columns missing: {', '.join(missing)}; build them with history")
    repeated = positions["customer_id"].duplicated()
    if repeated.any():
        example = positions["customer_id"][repeated].iloc[0]
        raise ContractError(
            f"positions.customer_id: {int(repeated.sum())} of {len(positions)} rows repeat a customer, e.g. "
            f"{example!r}; hand in one row per customer for the day"
        )
    if "as_of" in positions.columns and len(positions):
        stands = days(positions["as_of"])
        other = stands[stands != np.datetime64(as_of, "D")]
        if len(other):
            raise ContractError(
                f"positions.as_of: {len(other)} of {len(positions)} rows are of another day than {as_of}, e.g. "
                f"{other[0]}; hand in the day to be scored"
            )
    if positions["customer_id"].is_monotonic_increasing:
        return positions.reset_index(drop=True)
    return positions.sort_values("customer_id", kind="stable").reset_index(drop=True)


def places_of(customers: pd.Series, among: pd.Series) -> npt.NDArray[np.intp]:
    """Where each customer stands among others, each of whom is there once; -1 where it does not."""
    if customers.equals(among):
        # Most nights: nothing has to be looked up.
        return np.arange(len(customers))
    places: npt.NDArray[np.intp] = pd.Index(among).get_indexer(pd.Index(customers))
    return places


def money(values: pd.Series) -> npt.NDArray[np.float64]:
    """Amounts in the base currency, null as NaN; exact to the cent below 9e13."""
    if values.dtype == np.float64:
        return np.rint(values.to_numpy() * 100.0) / 100.0
    amounts = pa.array(values, type=MONEY, from_pandas=True).cast(pa.float64()).to_numpy(zero_copy_only=False)
    # The cast is one digit off the nearest double now and then.
    exact: npt.NDArray[np.float64] = np.rint(amounts * 100.0) / 100.0
    return exact


def cents(amounts: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Whole cents of amounts without null."""
    whole: npt.NDArray[np.int64] = np.rint(amounts * 100.0).astype(np.int64)
    return whole


def decimals(amounts: npt.NDArray[np.float64]) -> pa.Array:
    """Amounts as DECIMAL(18,2), NaN as null."""
    is_null = np.isnan(amounts)
    whole = cents(np.where(is_null, 0.0, amounts))
    # Python integers built into 128-bit words: the sign extends into the high word.
    words = np.empty((len(whole), 2), dtype=np.int64)
    words[:, 0], words[:, 1] = whole, np.where(whole < 0, -1, 0)
    valid = pa.array(~is_null).buffers()[1]
    return pa.Array.from_buffers(MONEY, len(whole), [valid, pa.py_buffer(words.tobytes())], int(is_null.sum()))


def number(values: pd.Series) -> npt.NDArray[np.float64]:
    """Numbers as doubles, null as NaN."""
    numbers: npt.NDArray[np.float64] = values.to_numpy(dtype=np.float64, na_value=np.nan)
    return numbers


def flag(values: pd.Series) -> npt.NDArray[np.bool_]:
    """Flags, null as False."""
    if values.dtype == np.bool_:
        return values.to_numpy()
    flags: npt.NDArray[np.bool_] = values.astype(object).where(values.notna(), np.False_).to_numpy(dtype=bool)
    return flags


def text(values: pd.Series) -> npt.NDArray[np.object_]:
    """Texts, null as None."""
    texts: npt.NDArray[np.object_] = values.to_numpy(dtype=object)
    is_null = pd.isna(texts)
    if not is_null.any():
        return texts
    told = texts.copy()
    told[is_null] = None
    return told


def days(values: pd.Series) -> npt.NDArray[np.datetime64]:
    """Days as datetime64[D], null as NaT."""
    # Asking pandas to read what are days already takes it as long as reading texts.
    dates = values if values.dtype.kind == "M" else pd.to_datetime(values)
    known: npt.NDArray[np.datetime64] = dates.to_numpy().astype("datetime64[D]")
    return known


def age_in_months(then: pd.Series, as_of: dt.date) -> npt.NDArray[np.float64]:
    """Full calendar months from each day to `as_of`, where the last day of a month completes it; null as NaN."""
    day = days(then)
    month = day.astype("datetime64[M]")
    of_month = (day - month.astype("datetime64[D]")).astype(np.int64) + 1
    is_short = (of_month > as_of.day) & (as_of.day < monthrange(as_of.year, as_of.month)[1])
    months = (np.datetime64(as_of, "M") - month).astype(np.int64) - is_short
    age: npt.NDArray[np.float64] = np.where(np.isnat(day), np.nan, months)
    return age
