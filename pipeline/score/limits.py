"""The limit as the smallest of named caps, and what to do about the present one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.score.book_caps import book_caps, loss_budget
from pipeline.score.book_facts import loss_at
from pipeline.score.limit_caps import FLOOR, smallest_of
from pipeline.score.limit_offer import offer, valid_to
from pipeline.score.limit_steps import rounded_down
from pipeline.score.policy import TRACED
from pipeline.score.position_columns import flag, money, number

if TYPE_CHECKING:
    import numpy.typing as npt

    from pipeline.score.book_caps import LossBudget
    from pipeline.score.book_facts import BookFacts
    from pipeline.score.limit_caps import Judged, OwnCaps
    from pipeline.score.limit_sections import LimitsSection
    from pipeline.score.notes import Note

    Floats = npt.NDArray[np.float64]
    Texts = npt.NDArray[np.object_]

ACTIONS = ("keep", "raise", "cut", "hold", "refer")


@dataclass(frozen=True)
class Limits:
    """One value per position row; amounts NaN, days NaT and texts None where the status has no suggestion.

    `expected_loss` is that of the suggested limit drawn in full, rounded up to the cent, NaN without a grade. `traced`
    holds the amount of every cap and of every rule that held or referred the case, NaN where none applies.
    """

    suggested: Floats
    binding_cap: Texts
    action: Texts
    valid_to: npt.NDArray[np.datetime64]
    approval_tier: Texts
    terms_days: Floats
    deposit_share: Floats
    expected_loss: Floats
    traced: dict[str, Floats]
    budget: LossBudget
    notes: tuple[str | Note, ...]


def suggest_limits(own: OwnCaps, facts: BookFacts) -> Limits:
    """Suggests a limit for everyone rated or thin, 0 for whoever is in default, nothing for who is not rated.

    `facts` are those of the whole book under the same policy (score/book_facts.py); `own` may be any part of it, and
    each row gets what it would get with all others. The smallest cap is rounded down to the step of its size; a manual
    limit stands in its place unrounded, and so does the floor of a cut.
    """
    judged, limits = own.judged, own.judged.policy.limits
    in_default = judged.rating.status == "in_default"
    budget = loss_budget(facts, limits.loss_budget)
    caps = own.caps | book_caps(own, facts, budget)
    smallest, binding = smallest_of(caps)
    as_it_is = (binding == "manual") | (binding == FLOOR)
    suggested = np.where(as_it_is, smallest, rounded_down(smallest, limits.rounding))
    suggested, binding = np.where(in_default, 0.0, suggested), np.where(in_default, "in_default", binding)
    caps["in_default"] = np.where(in_default, 0.0, np.nan)
    rules = _rules(own, suggested)
    action = _action(judged, suggested, rules)
    terms, deposit = offer(judged)
    return Limits(
        suggested=suggested,
        binding_cap=binding,
        action=action,
        valid_to=valid_to(judged, suggested),
        approval_tier=_approval(suggested, action, limits),
        terms_days=terms,
        deposit_share=deposit,
        expected_loss=np.where(judged.rating.is_graded, loss_at(own, suggested) / 100.0, np.nan),
        traced={name: {**caps, **rules}[name] for name in TRACED},
        budget=budget,
        notes=(*own.notes, *budget.notes),
    )


def _rules(own: OwnCaps, suggested: Floats) -> dict[str, Floats]:
    """The rules that take the decision from the machine: where one bites, the amount it speaks of, else NaN."""
    judged, limits = own.judged, own.judged.policy.limits
    positions, rating, refer = judged.positions, judged.rating, limits.refer
    days = np.nan_to_num(number(positions["max_days_past_due"]))
    overdue = money(positions["overdue_amount"])
    has_overdue = overdue > limits.hold.overdue_amount_above
    is_held = has_overdue & (days > limits.hold.days_past_due_above)
    is_late = has_overdue & (days > refer.days_past_due_above) & ~is_held
    no_accounts = ~judged.has_accounts(limits.equity.accounts_max_age_months)
    group_defaults = np.nan_to_num(number(positions["group_default_count"]))
    current = money(positions["limit_current"])
    is_cut = _is_changed(suggested, current, limits) & (suggested < current)
    reckoned = own.is_reckoned
    is_large_thin = reckoned & (rating.status == "thin_file") & (suggested > refer.thin_file_above)
    is_large_unseen = reckoned & no_accounts & (suggested > refer.without_accounts_above)
    bites: dict[str, tuple[npt.NDArray[np.bool_], Floats | float]] = {
        "hold_overdue": (is_held, overdue),
        "refer_overdue": (is_late, overdue),
        "refer_thin_file": (is_large_thin, refer.thin_file_above),
        "refer_accounts": (is_large_unseen, refer.without_accounts_above),
        "refer_group": (group_defaults >= refer.group_defaults_from, suggested),
        "refer_person": (reckoned & flag(positions["is_natural_person"]) & is_cut, suggested),
    }
    return {name: np.where(rating.is_graded & where, amount, np.nan) for name, (where, amount) in bites.items()}


def _action(judged: Judged, suggested: Floats, rules: dict[str, Floats]) -> Texts:
    current = np.nan_to_num(money(judged.positions["limit_current"]))
    is_changed = _is_changed(suggested, current, judged.policy.limits)
    is_referred = np.any([~np.isnan(rules[name]) for name in rules if name.startswith("refer_")], axis=0)
    action = np.select(
        [
            judged.rating.status == "not_rated",
            (judged.rating.status == "in_default") | ~np.isnan(rules["hold_overdue"]),
            is_referred,
            is_changed & (suggested > current),
            is_changed & (suggested < current),
        ],
        ["keep", "hold", "refer", "raise", "cut"],
        default="keep",
    )
    return action.astype(object)


def _is_changed(suggested: Floats, current: Floats, limits: LimitsSection) -> npt.NDArray[np.bool_]:
    """True where the change is large enough to be made; no present limit counts as 0, and any change of it is."""
    before = np.nan_to_num(current)
    change = np.abs(np.nan_to_num(suggested) - before)
    is_small = (change < limits.keep_within.share * before) | ((change < limits.keep_within.amount) & (before > 0))
    changed: npt.NDArray[np.bool_] = (change > 0) & ~is_small
    return changed


def _approval(suggested: Floats, action: Texts, limits: LimitsSection) -> Texts:
    """Who approves; null for what is kept. A case that a person must decide begins at the referral tier."""
    tiers = np.array([tier.tier for tier in limits.approval], dtype=object)
    bounds = np.array([tier.up_to for tier in limits.approval[:-1]], dtype=np.float64)
    level = np.searchsorted(bounds, np.nan_to_num(suggested), side="left")
    least = list(tiers).index(limits.referral_tier)
    by_person = (action == "refer") | (action == "hold")
    needed: Texts = tiers[np.where(by_person, np.maximum(level, least), level)]
    needed[action == "keep"] = None
    return needed
