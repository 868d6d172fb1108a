"""The limit as the smallest of named caps, and what to do about the present one."""

from __future__ import annotations

import datetime as dt
from calendar import monthrange
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.score.limit_caps import TRACED, caps_of
from pipeline.score.position_columns import age_in_months, cents, flag, money, number, text

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from pipeline.score.exposure import Exposure
    from pipeline.score.policy import Policy
    from pipeline.score.policy_sections import LimitsSection
    from pipeline.score.rating import Rating

ACTIONS = ("keep", "raise", "cut", "hold", "refer")


@dataclass(frozen=True)
class Limits:
    """One value per position row; amounts NaN and texts None where the status has no suggestion.

    `traced` holds the amount of every cap and of every rule that held or referred the case, NaN where none applies.
    """

    suggested: npt.NDArray[np.float64]
    binding_cap: npt.NDArray[np.object_]
    action: npt.NDArray[np.object_]
    valid_to: npt.NDArray[np.object_]
    approval_tier: npt.NDArray[np.object_]
    terms_days: npt.NDArray[np.float64]
    deposit_share: npt.NDArray[np.float64]
    traced: dict[str, npt.NDArray[np.float64]]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Reach:
    """Where the machine decides alone so far, and where accounts are young enough to count."""

    by_machine: npt.NDArray[np.bool_]
    has_accounts: npt.NDArray[np.bool_]


def suggest_limits(
    positions: pd.DataFrame, rating: Rating, exposure: Exposure, policy: Policy, as_of: dt.date
) -> Limits:
    """Suggests a limit for everyone rated or thin, 0 for whoever is in default, nothing for who is not rated.

    The smallest cap is rounded down to the step of its size; a manual limit stands in its place unrounded. Ties go to
    the cap named first.
    """
    caps, notes = caps_of(positions, rating, exposure, policy, as_of)
    smallest, binding = _smallest(caps, rating)
    suggested = np.where(np.isnan(caps["manual"]), _rounded_down(smallest, policy.limits), caps["manual"])
    suggested[rating.status == "in_default"] = 0.0
    age = age_in_months(positions["accounts_end_on"], as_of)
    reach = Reach(np.isnan(caps["manual"]), age <= policy.limits.equity.accounts_max_age_months)
    rules = _rules(positions, rating, suggested, reach, policy.limits)
    action = _action(positions, rating, suggested, rules, policy.limits)
    terms, deposit = _offer(positions, rating, policy)
    return Limits(
        suggested=suggested,
        binding_cap=binding,
        action=action,
        valid_to=_valid_to(rating, policy.limits, as_of),
        approval_tier=_approval(suggested, action, policy.limits),
        terms_days=terms,
        deposit_share=deposit,
        traced={name: {**caps, **rules}[name] for name in TRACED},
        notes=notes,
    )


def _smallest(
    caps: dict[str, npt.NDArray[np.float64]], rating: Rating
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.object_]]:
    automatic = [name for name in caps if name != "manual"]
    amounts = np.vstack([caps[name] for name in automatic])
    filled = np.where(np.isnan(amounts), np.inf, amounts)
    has_cap = np.isfinite(filled).any(axis=0)
    smallest = np.where(has_cap, filled.min(axis=0, initial=np.inf), np.nan)
    binding = np.where(has_cap, np.array(automatic, dtype=object)[filled.argmin(axis=0)], None)
    by_hand = ~np.isnan(caps["manual"]) & rating.is_graded
    return smallest, np.where(by_hand, "manual", binding)


def _rounded_down(amounts: npt.NDArray[np.float64], limits: LimitsSection) -> npt.NDArray[np.float64]:
    known = np.where(np.isnan(amounts), 0.0, amounts)
    bounds = np.array([step.below for step in limits.rounding[:-1]], dtype=np.float64)
    steps = cents(np.array([step.step for step in limits.rounding]))
    step = steps[np.searchsorted(bounds, known, side="right")]
    return np.where(np.isnan(amounts), np.nan, cents(known) // step * step / 100.0)


def _rules(
    positions: pd.DataFrame,
    rating: Rating,
    suggested: npt.NDArray[np.float64],
    reach: Reach,
    limits: LimitsSection,
) -> dict[str, npt.NDArray[np.float64]]:
    """The rules that take the decision from the machine: where one bites, the amount it speaks of, else NaN."""
    days = np.nan_to_num(number(positions["max_days_past_due"]))
    overdue = money(positions["overdue_amount"])
    has_overdue = overdue > limits.hold.overdue_amount_above
    is_late = has_overdue & (days > limits.refer.days_past_due_above)
    is_held = has_overdue & (days > limits.hold.days_past_due_above)
    by_machine, no_accounts = reach.by_machine, ~reach.has_accounts
    group_defaults = np.nan_to_num(number(positions["group_default_count"]))
    current = money(positions["limit_current"])
    is_cut = _is_changed(suggested, current, limits) & (suggested < current)
    refer = limits.refer
    bites: dict[str, tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64] | float]] = {
        "hold_overdue": (is_held, overdue),
        "refer_overdue": (is_late & ~is_held, overdue),
        "refer_thin_file": (
            by_machine & (rating.status == "thin_file") & (suggested > refer.thin_file_above),
            refer.thin_file_above,
        ),
        "refer_accounts": (
            by_machine & no_accounts & (suggested > refer.without_accounts_above),
            refer.without_accounts_above,
        ),
        "refer_group": (group_defaults >= refer.group_defaults_from, suggested),
        "refer_person": (by_machine & flag(positions["is_natural_person"]) & is_cut, suggested),
    }
    return {name: np.where(rating.is_graded & where, amount, np.nan) for name, (where, amount) in bites.items()}


def _action(
    positions: pd.DataFrame,
    rating: Rating,
    suggested: npt.NDArray[np.float64],
    rules: dict[str, npt.NDArray[np.float64]],
    limits: LimitsSection,
) -> npt.NDArray[np.object_]:
    current = money(positions["limit_current"])
    is_changed = _is_changed(suggested, current, limits)
    is_referred = np.any([~np.isnan(rules[name]) for name in rules if name.startswith("refer_")], axis=0)
    action = np.select(
        [
            rating.status == "not_rated",
            (rating.status == "in_default") | ~np.isnan(rules["hold_overdue"]),
            is_referred,
            is_changed & (suggested > np.nan_to_num(current)),
            is_changed & (suggested < np.nan_to_num(current)),
        ],
        ["keep", "hold", "refer", "raise", "cut"],
        default="keep",
    )
    return action.astype(object)


def _is_changed(
    suggested: npt.NDArray[np.float64], current: npt.NDArray[np.float64], limits: LimitsSection
) -> npt.NDArray[np.bool_]:
    """True where the change is large enough to be made; no present limit counts as 0."""
    before = np.nan_to_num(current)
    change = np.abs(np.nan_to_num(suggested) - before)
    is_small = (change < limits.keep_within.share * before) & (change < limits.keep_within.amount)
    changed: npt.NDArray[np.bool_] = (change > 0) & ~is_small
    return changed


def _approval(
    suggested: npt.NDArray[np.float64], action: npt.NDArray[np.object_], limits: LimitsSection
) -> npt.NDArray[np.object_]:
    """Who approves; null for what is kept. A case that a person must decide begins at the referral tier."""
    tiers = np.array([tier.tier for tier in limits.approval], dtype=object)
    bounds = np.array([tier.up_to for tier in limits.approval[:-1]], dtype=np.float64)
    level = np.searchsorted(bounds, np.nan_to_num(suggested), side="left")
    least = list(tiers).index(limits.referral_tier)
    by_person = (action == "refer") | (action == "hold")
    needed: npt.NDArray[np.object_] = tiers[np.where(by_person, np.maximum(level, least), level)]
    needed[action == "keep"] = None
    return needed


def _valid_to(rating: Rating, limits: LimitsSection, as_of: dt.date) -> npt.NDArray[np.object_]:
    ends = {name: months_after(as_of, rule.valid_months) for name, rule in limits.grades.items()}
    return np.array([ends.get(grade) for grade in rating.grade], dtype=object)


def _offer(
    positions: pd.DataFrame, rating: Rating, policy: Policy
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Terms in days, not above what the country allows, and the share to be paid in advance."""
    grades, terms = policy.limits.grades, policy.terms
    is_public = flag(positions["is_public_body"])
    rules = [terms.countries.get(country, terms.default) for country in text(positions["country"])]
    longest = np.array(
        [
            rule.public_body_days if public else rule.undertaking_days
            for rule, public in zip(rules, is_public, strict=True)
        ],
        dtype=np.float64,
    )
    days = np.array([grades[g].terms_days if g in grades else np.nan for g in rating.grade], dtype=np.float64)
    deposit = np.array([grades[g].deposit_share if g in grades else np.nan for g in rating.grade], dtype=np.float64)
    in_default = rating.status == "in_default"
    days = np.where(in_default, policy.limits.in_default.terms_days, np.minimum(days, longest))
    return days, np.where(in_default, policy.limits.in_default.deposit_share, deposit)


def months_after(day: dt.date, months: int) -> dt.date:
    """The same day that many calendar months later, clipped to the length of the month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
