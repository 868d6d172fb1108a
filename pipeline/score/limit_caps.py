"""The caps that hang on the customer alone, each an amount per customer, null where it cannot be reckoned."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pipeline.score.limit_steps import floor_of_a_cut, rounded_down, step_up
from pipeline.score.notes import Note
from pipeline.score.position_columns import age_in_months, money, number

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    import numpy.typing as npt

    from pipeline.score.exposure import Exposure
    from pipeline.score.policy import Policy
    from pipeline.score.rating import Rating

    Floats = npt.NDArray[np.float64]
    Texts = npt.NDArray[np.object_]

# What a review may soften step by step, and what it may not.
SOFT = ("grade", "equity", "need", "purchases", "step_up")
HARD = ("insured_cover",)
FLOOR = "floor_step_down"


@dataclass(frozen=True)
class Judged:
    """One position row per customer, how it is rated, and what it stands for on the day under a policy."""

    positions: pd.DataFrame
    rating: Rating
    exposure: Exposure
    policy: Policy
    as_of: dt.date

    @cached_property
    def grade_at(self) -> npt.NDArray[np.intp]:
        """Place of each row's grade on the master scale, 0 for the best; -1 for D and without grade."""
        names = pd.Index(self.policy.scale.names, dtype=object)
        at: npt.NDArray[np.intp] = names.get_indexer(pd.Index(self.rating.grade, dtype=object))
        return at

    def by_grade(self, values: Iterable[float]) -> Floats:
        """One value per grade of the master scale, in its order, to one per row; NaN for D and without grade."""
        return np.array([*values, np.nan])[self.grade_at]

    def has_accounts(self, max_age_months: int) -> npt.NDArray[np.bool_]:
        """Where the last accounts are young enough to count."""
        young: npt.NDArray[np.bool_] = age_in_months(self.positions["accounts_end_on"], self.as_of) <= max_age_months
        return young


@dataclass(frozen=True)
class OwnCaps:
    """The caps of each customer by its own figures; amounts to the cent, NaN where one does not apply.

    `caps` by name, with `manual` and `floor_step_down`; `limit`: what they would give, rounded, were there no other
    customer (the manual amount where there is one); `binding`: which of them sets it. Both null without a grade.
    """

    judged: Judged
    caps: dict[str, Floats]
    limit: Floats
    binding: Texts
    notes: tuple[Note, ...]

    @property
    def is_by_hand(self) -> npt.NDArray[np.bool_]:
        """Where a person has set the limit."""
        by_hand: npt.NDArray[np.bool_] = ~np.isnan(self.caps["manual"])
        return by_hand

    @property
    def is_reckoned(self) -> npt.NDArray[np.bool_]:
        """Where the caps set the limit: graded, and no person has."""
        reckoned: npt.NDArray[np.bool_] = self.judged.rating.is_graded & ~self.is_by_hand
        return reckoned


def own_caps(judged: Judged) -> OwnCaps:
    """Every cap that needs no other customer. Notes tell of manual limits that are no amounts."""
    manual, notes = _manual(judged.positions)
    limits = judged.policy.limits
    named = {
        "grade": judged.by_grade(limits.grades[grade].amount for grade in judged.policy.scale.names),
        "equity": _equity(judged),
        "need": _need(judged),
        "purchases": _purchases(judged),
        "step_up": step_up(judged.positions, limits.step, judged.as_of),
        "insured_cover": _insured_cover(judged),
        "manual": manual,
        FLOOR: floor_of_a_cut(judged.positions, limits, judged.as_of),
    }
    graded = judged.rating.is_graded
    caps = {name: np.where(graded, np.rint(cap * 100.0) / 100.0, np.nan) for name, cap in named.items()}
    limit, binding = smallest_of(caps)
    whole = np.where(binding == FLOOR, limit, rounded_down(limit, limits.rounding))
    return OwnCaps(judged, caps, np.where(np.isnan(caps["manual"]), whole, caps["manual"]), binding, notes)


def smallest_of(caps: dict[str, Floats]) -> tuple[Floats, Texts]:
    """The limit before rounding, and the cap that sets it; both null where no cap applies.

    min(hard caps, max(min(soft caps), floor)); a manual limit stands in the place of all. Ties go to the cap named
    first.
    """
    soft, soft_name = _least(caps, SOFT)
    floor = caps[FLOOR]
    is_lifted = ~np.isnan(soft) & (floor > soft)
    amount = np.where(is_lifted, floor, soft)
    name: Texts = np.where(is_lifted, FLOOR, soft_name)
    hard, hard_name = _least(caps, [cap for cap in caps if cap not in {*SOFT, FLOOR, "manual"}])
    is_hard = np.isnan(amount) | (hard < amount)
    by_hand = ~np.isnan(caps["manual"])
    name = np.where(by_hand, "manual", np.where(is_hard, hard_name, name))
    smallest: Floats = np.where(by_hand, caps["manual"], np.where(is_hard, hard, amount))
    return smallest, name


def _least(caps: dict[str, Floats], names: Iterable[str]) -> tuple[Floats, Texts]:
    known = [name for name in names if name in caps]
    amounts = np.vstack([caps[name] for name in known])
    filled = np.where(np.isnan(amounts), np.inf, amounts)
    least = filled.min(axis=0)
    has_one = np.isfinite(least)
    which: Texts = np.array(known, dtype=object)[filled.argmin(axis=0)]
    which[~has_one] = None
    return np.where(has_one, least, np.nan), which


def _equity(judged: Judged) -> Floats:
    """Share of the last known equity, not below 0; null without accounts young enough."""
    limits = judged.policy.limits
    share = judged.by_grade(limits.grades[grade].equity_share for grade in judged.policy.scale.names)
    cap = np.maximum(money(judged.positions["equity_amount"]), 0.0) * share
    return np.where(judged.has_accounts(limits.equity.accounts_max_age_months), cap, np.nan)


def _need(judged: Judged) -> Floats:
    """Billing per day × terms × headroom, at least the committed orders; null without billing and orders.

    Billing per day is taken over the months since the first invoice (the running one counts), twelve at most.
    """
    positions, rule = judged.positions, judged.policy.limits.need
    billing = np.maximum(np.nan_to_num(money(positions["billing_12m_amount"])), 0.0)
    committed = np.nan_to_num(money(positions["committed_orders_amount"]))
    months = np.clip(np.nan_to_num(number(positions["history_months"])) + 1.0, 1.0, 12.0)
    need = np.maximum(billing / (months * 365.0 / 12.0) * _terms(judged) * rule.headroom, committed)
    return np.where((billing > 0) | (committed > 0), need, np.nan)


def _purchases(judged: Judged) -> Floats:
    """Share of the cost of sales per day × terms × headroom; null without accounts young enough that tell a cost.

    The same terms and headroom as for the need: it binds where we bill more than the share of what the customer buys.
    """
    rule, headroom = judged.policy.limits.purchases, judged.policy.limits.need.headroom
    cost = money(judged.positions["cost_of_sales_amount"])
    cap = rule.share * cost / 365.0 * _terms(judged) * headroom
    return np.where((cost > 0) & judged.has_accounts(rule.accounts_max_age_months), cap, np.nan)


def _terms(judged: Judged) -> Floats:
    terms = number(judged.positions["mean_terms_days"])
    return np.where(np.isnan(terms), judged.policy.limits.need.default_terms_days, terms)


def _insured_cover(judged: Judged) -> Floats:
    """Insurance, guarantees and collateral plus what may stand open, for grades that must be covered; else null."""
    rule, scale = judged.policy.limits.insured_cover, judged.policy.scale
    must = judged.grade_at >= scale.names.index(rule.from_grade)
    cover = np.nan_to_num(money(judged.positions["cover_amount"]))
    return np.where(must, cover + rule.uncovered_allowance, np.nan)


def _manual(positions: pd.DataFrame) -> tuple[Floats, tuple[Note, ...]]:
    wanted = positions["limit_override"]
    amounts = pd.to_numeric(wanted, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    is_wrong = wanted.notna().to_numpy() & ~((amounts >= 0) & (amounts < 1e15))
    if not is_wrong.any():
        return amounts, ()
    told = "overrides.to_value: {count} limit override(s) are no amounts, e.g. {example!r}; they were not applied"
    return np.where(is_wrong, np.nan, amounts), (Note(told, int(is_wrong.sum()), wanted[is_wrong].iloc[0]),)
