"""The caps that hang on the whole book: a single name, a group, and what the book may be expected to lose."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pipeline.score.position_columns import cents, text

if TYPE_CHECKING:
    import numpy.typing as npt

    from pipeline.score.book_facts import BookFacts
    from pipeline.score.limit_caps import OwnCaps
    from pipeline.score.limit_sections import BookShareRule, LossBudgetRule

    Floats = npt.NDArray[np.float64]

# Doubles carry 15 digits: an amount is taken this much smaller, so that its loss never passes the line.
_SHY = 1.0 - 1e-12


@dataclass(frozen=True)
class LossBudget:
    """What the book may lose, what it would lose by everyone's own caps, and the most per customer; cents.

    `budget` is null when policy names none, `waterline` when the book is within it.
    """

    budget: int | None
    wanted: int
    by_hand: int
    waterline: int | None

    @property
    def totals(self) -> dict[str, str | None]:
        """The figures for the manifest, as money in text."""
        named = {
            "loss_budget": self.budget,
            "expected_loss_at_own_caps": self.wanted,
            "expected_loss_per_customer_at_most": self.waterline,
        }
        return {name: None if figure is None else told(figure) for name, figure in named.items()}

    @property
    def notes(self) -> tuple[str, ...]:
        """Tells when the budget cuts limits, and when limits set by hand alone use it up."""
        if self.budget is None or self.waterline is None:
            return ()
        if self.by_hand >= self.budget:
            return (
                f"limits: those set by hand alone are expected to lose {told(self.by_hand)}, the loss budget of the "
                f"book is {told(self.budget)}: nothing is left for the others; look at the overrides or the budget",
            )
        return (
            f"limits: by their own caps they would be expected to lose {told(self.wanted)}, the loss budget of the "
            f"book is {told(self.budget)}; no limit is expected to lose more than {told(self.waterline)}",
        )


def told(cents_: int) -> str:
    """Money as text.

    >>> told(123), told(-5)
    ('1.23', '-0.05')
    """
    return str(Decimal(cents_).scaleb(-2))


def loss_budget(facts: BookFacts, rule: LossBudgetRule) -> LossBudget:
    """The budget of the book: the smaller of the share of its billing of 12 months and the amount."""
    named = []
    if rule.share_of_billing is not None:
        named.append(int(facts.billing * rule.share_of_billing))
    if rule.amount is not None:
        named.append(round(rule.amount * 100.0))
    budget = min(named, default=None)
    return LossBudget(
        budget=budget,
        wanted=facts.loss_wanted,
        by_hand=facts.loss_by_hand,
        waterline=None if budget is None else facts.waterline(budget),
    )


def book_caps(own: OwnCaps, facts: BookFacts, budget: LossBudget) -> dict[str, Floats]:
    """The caps by name, to the cent, for whoever's limit the caps set or would set; NaN where one does not apply."""
    limits, graded = own.judged.policy.limits, own.judged.rating.is_graded
    caps = {
        "single_name": np.full(len(own.limit), share_of_book(facts, limits.single_name) / 100.0),
        "group": _group(own, facts),
        "loss_budget": _loss_budget(own, budget),
    }
    return {name: np.where(graded, cap, np.nan) for name, cap in caps.items()}


def share_of_book(facts: BookFacts, rule: BookShareRule) -> int:
    """The largest amount, in cents, of the share of the book's exposure and the amount it never goes below."""
    return max(int(facts.ead * rule.share_of_exposure), round(rule.at_least * 100.0))


def _group(own: OwnCaps, facts: BookFacts) -> Floats:
    """What a member may have of its group's room; null without a group.

    Room = cap of the group − what members hold whose limit is not reckoned (in default, not rated: their exposure; by
    hand: that limit). While the others together want no more than the room, each may have what they leave; else each
    has the room in proportion to what its own caps give it. The two meet where the wants fill the room.
    """
    codes, names = pd.factorize(text(own.judged.positions["group_id"]), use_na_sentinel=True)
    taken, wants = facts.groups.cents([str(name) for name in names])
    most = share_of_book(facts, own.judged.policy.limits.group)
    room = np.append(np.maximum(most - taken, 0), 0)[codes]
    wanted = np.append(wants, 0)[codes]
    mine = np.where(own.is_reckoned, cents(np.nan_to_num(own.limit)), 0)
    cap = room - (wanted - mine)
    short = (codes >= 0) & own.is_reckoned & (wanted > room)
    # The product may pass 64 bits; Python's whole numbers keep the share exact.
    cap[short] = mine[short].astype(object) * room[short].astype(object) // wanted[short].astype(object)
    return np.where((codes >= 0) & own.is_reckoned, cap / 100.0, np.nan)


def _loss_budget(own: OwnCaps, budget: LossBudget) -> Floats:
    """The amount at which PD × LGD × amount reaches the waterline; null when the book is within its budget."""
    if budget.waterline is None:
        return np.full(len(own.limit), np.nan)
    pd_ = own.judged.rating.pd
    lost = np.where(pd_ > 0, budget.waterline / 100.0 / np.where(pd_ > 0, pd_, 1.0), np.inf)
    amount = own.judged.exposure.rates.drawn(lost)
    bounded = np.where(np.isfinite(amount), amount, np.nan)
    return np.where(own.is_reckoned, np.floor(bounded * 100.0 * _SHY) / 100.0, np.nan)
