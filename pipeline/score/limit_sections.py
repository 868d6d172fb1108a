"""policy/limits.yaml, lgd_ead.yaml and terms.yaml as frozen objects; what each key means stands in the file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipeline.score.policy_sections import Dated, Source, Wording

SupplierSize = Literal["micro", "small", "medium", "large"]


@dataclass(frozen=True)
class GradeLimits:
    """What a grade may have: ceiling, share of equity, terms, deposit, months until review, and how it is treated."""

    amount: float
    equity_share: float
    terms_days: int
    deposit_share: float
    valid_months: int
    strategy: str


@dataclass(frozen=True)
class EquityRule:
    """How old accounts may be to count."""

    accounts_max_age_months: int


@dataclass(frozen=True)
class NeedRule:
    """Headroom over the present need, and terms where none are known."""

    headroom: float
    default_terms_days: int


@dataclass(frozen=True)
class PurchasesRule:
    """The largest share of a customer's purchases that we supply on credit, and how old accounts may be to count."""

    share: float
    accounts_max_age_months: int


@dataclass(frozen=True)
class CoverRule:
    """From which grade a limit must be covered, and what may stand open."""

    from_grade: str
    uncovered_allowance: float


@dataclass(frozen=True)
class StepRule:
    """How far a limit may rise and fall at one review, and how soon after a change it may rise or fall again."""

    up_share: float
    up_at_least: float
    up_after_days: int
    down_share: float
    down_after_days: int


@dataclass(frozen=True)
class BookShareRule:
    """Largest share of the book's exposure, and the amount it never goes below."""

    share_of_exposure: float
    at_least: float


@dataclass(frozen=True)
class LossBudgetRule:
    """What the book may be expected to lose on its limits: a share of the billing of 12 months, an amount, or the
    smaller of the two; both null is no budget."""

    share_of_billing: float | None
    amount: float | None


@dataclass(frozen=True)
class RoundingStep:
    """Step of limits below an amount; null is the rest."""

    below: float | None
    step: float


@dataclass(frozen=True)
class HoldRule:
    """When nothing more is delivered on credit."""

    days_past_due_above: int
    overdue_amount_above: float


@dataclass(frozen=True)
class ReferRule:
    """When a person decides."""

    days_past_due_above: int
    thin_file_above: float
    without_accounts_above: float
    group_defaults_from: int


@dataclass(frozen=True)
class KeepRule:
    """Changes too small to make."""

    share: float
    amount: float


@dataclass(frozen=True)
class ApprovalTier:
    """Who approves up to an amount; null is the rest."""

    tier: str
    up_to: float | None


@dataclass(frozen=True)
class DefaultOffer:
    """What a customer in default is offered, and how it is treated."""

    terms_days: int
    deposit_share: float
    strategy: str


@dataclass(frozen=True)
class Strategy:
    """How a customer is treated: a name, what is to be done, and what the customer itself is told of it."""

    title: Wording
    action: Wording
    customer: Wording


@dataclass(frozen=True)
class LimitsSection(Dated):
    """policy/limits.yaml."""

    grades: dict[str, GradeLimits]
    equity: EquityRule
    need: NeedRule
    purchases: PurchasesRule
    insured_cover: CoverRule
    step: StepRule
    single_name: BookShareRule
    group: BookShareRule
    loss_budget: LossBudgetRule
    rounding: tuple[RoundingStep, ...]
    hold: HoldRule
    refer: ReferRule
    keep_within: KeepRule
    approval: tuple[ApprovalTier, ...]
    referral_tier: str
    in_default: DefaultOffer
    strategies: dict[str, Strategy]
    texts: dict[str, Wording]


@dataclass(frozen=True)
class LossSection(Dated):
    """policy/lgd_ead.yaml."""

    committed_orders_share: float
    committed_orders_days: int
    default_terms_days: int
    unused_limit_share: float
    covered_share_default: float
    secured_lgd: dict[str, float]
    unsecured_lgd: dict[str, float]


@dataclass(frozen=True)
class TermsRule:
    """One ceiling: for which buyers and suppliers it holds, the days without an agreement, and the most that may be
    agreed (null: the law names no most)."""

    buyer: Literal["undertaking", "public_body"]
    buyer_sizes: tuple[str, ...] | None
    supplier_sizes: tuple[SupplierSize, ...] | None
    days: int
    agreed_days: int | None
    source: Source


@dataclass(frozen=True)
class TermsSection(Dated):
    """policy/terms.yaml."""

    supplier_size: SupplierSize
    ceiling: Literal["statutory", "agreed"]
    default: tuple[TermsRule, ...]
    countries: dict[str, tuple[TermsRule, ...]]
