"""The sections of policy/ as frozen objects; what each key means stands in the YAML file beside its value."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - the reader resolves the hints
from dataclasses import dataclass
from typing import Literal

from pipeline.score.thin_file import ThinFileRule  # noqa: TC001 - the reader resolves the hints

Severity = Literal["watch", "act", "stop"]


@dataclass(frozen=True)
class Source:
    """Where a rule comes from and what it says."""

    title: str
    says: str


@dataclass(frozen=True)
class Wording:
    """One sentence in both languages."""

    en: str
    zh: str


@dataclass(frozen=True)
class _Dated:
    valid_from: dt.date
    owner: str
    sources: tuple[Source, ...]


@dataclass(frozen=True)
class GradeRow:
    """One line of the master scale."""

    grade: str
    pd_below: float
    pd: float
    segment: Literal["low", "medium", "high"]


@dataclass(frozen=True)
class MasterScaleSection(_Dated):
    """policy/master_scale.yaml."""

    grades: tuple[GradeRow, ...]


@dataclass(frozen=True)
class GradeLimits:
    """What a grade may have: ceiling, share of equity, terms, deposit, months until review."""

    amount: float
    equity_share: float
    terms_days: int
    deposit_share: float
    valid_months: int


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
class CoverRule:
    """From which grade a limit must be covered, and what may stand open."""

    from_grade: str
    uncovered_allowance: float


@dataclass(frozen=True)
class SingleNameRule:
    """Largest share of the book's exposure, and the amount it never goes below."""

    share_of_exposure: float
    at_least: float


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
    """What a customer in default is offered."""

    terms_days: int
    deposit_share: float


@dataclass(frozen=True)
class LimitsSection(_Dated):
    """policy/limits.yaml."""

    grades: dict[str, GradeLimits]
    equity: EquityRule
    need: NeedRule
    insured_cover: CoverRule
    single_name: SingleNameRule
    rounding: tuple[RoundingStep, ...]
    hold: HoldRule
    refer: ReferRule
    keep_within: KeepRule
    approval: tuple[ApprovalTier, ...]
    referral_tier: str
    in_default: DefaultOffer
    texts: dict[str, Wording]


@dataclass(frozen=True)
class LossSection(_Dated):
    """policy/lgd_ead.yaml."""

    committed_orders_share: float
    covered_share_default: float
    secured_lgd: dict[str, float]
    unsecured_lgd: dict[str, float]


@dataclass(frozen=True)
class DepthRule:
    """How old accounts may be to deepen our knowledge."""

    accounts_max_age_months: int


@dataclass(frozen=True)
class CodedWording:
    """A reason of policy's own: its stable code and its sentence."""

    code: str
    en: str
    zh: str


@dataclass(frozen=True)
class ThinFileTexts:
    """Reasons that are no feature's."""

    invoices: CodedWording
    history: CodedWording
    expert: CodedWording


@dataclass(frozen=True)
class ThinCardRule:
    """The card that tells thin files apart: the tables its features may be told from, and how many it may have."""

    tables: tuple[str, ...]
    max_variables: int


@dataclass(frozen=True)
class ThinFileSection(_Dated):
    """policy/thin_file.yaml."""

    thin: ThinFileRule
    confidence: float
    card: ThinCardRule
    best_grade: str
    data_depth: DepthRule
    texts: ThinFileTexts


@dataclass(frozen=True)
class CountryTerms:
    """Longest terms in days."""

    undertaking_days: int
    public_body_days: int


@dataclass(frozen=True)
class TermsSection(_Dated):
    """policy/terms.yaml."""

    default: CountryTerms
    countries: dict[str, CountryTerms]


@dataclass(frozen=True)
class _Rule:
    severity: Severity
    evidence: Wording
    action: Wording


@dataclass(frozen=True)
class OverLimitRule(_Rule):
    """Open balance above the limit."""

    share_above: float
    amount_above: float


@dataclass(frozen=True)
class GradeDownRule(_Rule):
    """Grade worse by notches since the run before."""

    notches_from: int
    open_days: int


@dataclass(frozen=True)
class OverdueGrowingRule(_Rule):
    """Overdue amount grown within a month."""

    times_from: float
    amount_above: float


@dataclass(frozen=True)
class OrdersHalvedRule(_Rule):
    """A feature of falling orders at or below a ratio."""

    feature: str
    at_most: float


@dataclass(frozen=True)
class GroupDefaultRule(_Rule):
    """Others of the group in default."""

    defaults_from: int


@dataclass(frozen=True)
class AlertRules:
    """The rules, in the order in which alerts are listed."""

    over_limit: OverLimitRule
    grade_down_two: GradeDownRule
    overdue_growing: OverdueGrowingRule
    orders_halved: OrdersHalvedRule
    group_default: GroupDefaultRule


@dataclass(frozen=True)
class AlertsSection(_Dated):
    """policy/alerts.yaml."""

    rules: AlertRules
