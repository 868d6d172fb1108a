"""The named caps of a limit, each an amount per customer, null where it cannot be reckoned; and how they are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from pipeline.score.policy import CAPS, REFERRALS
from pipeline.score.position_columns import age_in_months, decimals, money, number, text

if TYPE_CHECKING:
    import datetime as dt

    import numpy.typing as npt

    from pipeline.score.exposure import Exposure
    from pipeline.score.limits import Limits
    from pipeline.score.policy import Policy
    from pipeline.score.rating import Rating

TRACED = (*CAPS, *REFERRALS)
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


def caps_of(
    positions: pd.DataFrame, rating: Rating, exposure: Exposure, policy: Policy, as_of: dt.date
) -> tuple[dict[str, npt.NDArray[np.float64]], tuple[str, ...]]:
    """Every cap by name, to the cent; NaN where it does not apply. Notes tell of manual limits that are no amounts."""
    manual, notes = _manual(positions)
    rule = policy.limits.single_name
    largest = max(rule.share_of_exposure * exposure.total_ead, rule.at_least)
    graded = {
        "grade": _by_grade(rating, {g: row.amount for g, row in policy.limits.grades.items()}),
        "equity": _equity(positions, rating, policy, as_of),
        "need": _need(positions, policy),
        "insured_cover": _insured_cover(positions, rating, policy),
        "single_name": np.full(len(positions), largest),
        "manual": manual,
    }
    caps = {name: np.where(rating.is_graded, np.rint(cap * 100.0) / 100.0, np.nan) for name, cap in graded.items()}
    caps["in_default"] = np.where(rating.status == "in_default", 0.0, np.nan)
    return caps, notes


def limit_trace(positions: pd.DataFrame, limits: Limits, policy: Policy) -> pa.Table:
    """One row per customer and cap that applies, ordered by customer and the order of the caps.

    Rows named `hold_` and `refer_` are no caps: they tell which rule took the decision from the machine, with the
    amount it speaks of.
    """
    customers = text(positions["customer_id"])
    amounts = np.column_stack([limits.traced[name] for name in TRACED])
    row, column = np.nonzero(~np.isnan(amounts))
    names = np.array(TRACED, dtype=object)[column]
    wording = policy.limits.texts
    return pa.Table.from_arrays(
        [
            pa.array(customers[row], pa.string()),
            pa.array(names, pa.string()),
            decimals(amounts[row, column]),
            pa.array(names == limits.binding_cap[row], pa.bool_()),
            pa.array([wording[name].en for name in names], pa.string()),
            pa.array([wording[name].zh for name in names], pa.string()),
        ],
        schema=TRACE_SCHEMA,
    )


def _by_grade(rating: Rating, amounts: dict[str, float]) -> npt.NDArray[np.float64]:
    return np.array([amounts.get(grade, np.nan) for grade in rating.grade], dtype=np.float64)


def _equity(positions: pd.DataFrame, rating: Rating, policy: Policy, as_of: dt.date) -> npt.NDArray[np.float64]:
    """Share of the last known equity, not below 0; null without accounts young enough."""
    age = age_in_months(positions["accounts_end_on"], as_of)
    share = _by_grade(rating, {g: row.equity_share for g, row in policy.limits.grades.items()})
    cap = np.maximum(money(positions["equity_amount"]), 0.0) * share
    return np.where(age <= policy.limits.equity.accounts_max_age_months, cap, np.nan)


def _need(positions: pd.DataFrame, policy: Policy) -> npt.NDArray[np.float64]:
    """Billing per day × terms × headroom, at least the committed orders; null without billing and orders.

    Billing per day is taken over the months since the first invoice (the running one counts), twelve at most.
    """
    rule = policy.limits.need
    billing = np.maximum(np.nan_to_num(money(positions["billing_12m_amount"])), 0.0)
    committed = np.nan_to_num(money(positions["committed_orders_amount"]))
    months = np.clip(np.nan_to_num(number(positions["history_months"])) + 1.0, 1.0, 12.0)
    terms = number(positions["mean_terms_days"])
    terms = np.where(np.isnan(terms), rule.default_terms_days, terms)
    need = np.maximum(billing / (months * 365.0 / 12.0) * terms * rule.headroom, committed)
    return np.where((billing > 0) | (committed > 0), need, np.nan)


def _insured_cover(positions: pd.DataFrame, rating: Rating, policy: Policy) -> npt.NDArray[np.float64]:
    """Cover plus the allowance that may stand open, for grades that must be covered; null for better ones."""
    rule = policy.limits.insured_cover
    must = policy.scale.position(rating.grade) >= policy.scale.position([rule.from_grade])[0]
    cover = np.nan_to_num(money(positions["cover_amount"]))
    return np.where(must, cover + rule.uncovered_allowance, np.nan)


def _manual(positions: pd.DataFrame) -> tuple[npt.NDArray[np.float64], tuple[str, ...]]:
    wanted = positions["limit_override"]
    amounts = pd.to_numeric(wanted, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    is_wrong = wanted.notna().to_numpy() & ~((amounts >= 0) & (amounts < 1e15))
    if not is_wrong.any():
        return amounts, ()
    told = (
        f"overrides.to_value: {int(is_wrong.sum())} limit override(s) are no amounts, e.g. "
        f"{wanted[is_wrong].iloc[0]!r}; they were not applied"
    )
    return np.where(is_wrong, np.nan, amounts), (told,)
