"""Every figure of the demo economy in one place, with its source where it has one."""

from __future__ import annotations

from dataclasses import dataclass

LAST_MONTH = "2025-12"
BASE_CURRENCY = "EUR"


@dataclass(frozen=True)
class Industry:
    """An ISIC division: its mean quality, the swing of its season (share of mean orders) and the month of its peak."""

    code: str
    share: float
    quality: float
    season: float
    peak: int


INDUSTRIES = (
    Industry("A01", 0.05, 0.00, 0.35, 8),
    Industry("C10", 0.09, 0.34, 0.15, 11),
    Industry("C20", 0.06, 0.40, 0.10, 4),
    Industry("C25", 0.12, 0.00, 0.10, 5),
    Industry("C26", 0.07, 0.23, 0.12, 11),
    Industry("C28", 0.10, 0.17, 0.10, 10),
    Industry("F41", 0.09, -0.52, 0.30, 7),
    Industry("F43", 0.08, -0.46, 0.25, 7),
    Industry("G46", 0.14, 0.00, 0.12, 11),
    Industry("G47", 0.08, -0.29, 0.30, 12),
    Industry("H49", 0.07, -0.29, 0.10, 11),
    Industry("I56", 0.05, -0.63, 0.25, 7),
)


@dataclass(frozen=True)
class SizeClass:
    """A size class: share of firms, mean quality, orders a month, median order in EUR, median total assets in EUR."""

    name: str
    share: float
    quality: float
    orders: float
    order_amount: float
    total_assets: float


SIZES = (
    SizeClass("micro", 0.34, -0.40, 1.1, 1_800.0, 4.0e5),
    SizeClass("small", 0.36, 0.00, 1.7, 4_500.0, 2.5e6),
    SizeClass("medium", 0.20, 0.34, 2.5, 12_000.0, 1.4e7),
    SizeClass("large", 0.10, 0.69, 4.0, 36_000.0, 1.2e8),
)


@dataclass(frozen=True)
class Place:
    """A country with its currency and regions; `share` of the customers."""

    country: str
    currency: str
    share: float
    regions: tuple[str, ...]


PLACES = (
    Place("DE", "EUR", 0.40, ("Bayern", "Hessen", "Nordrhein-Westfalen", "Sachsen")),
    Place("FR", "EUR", 0.16, ("Bretagne", "Normandie", "Occitanie")),
    Place("NL", "EUR", 0.12, ("Noord-Holland", "Utrecht")),
    Place("IT", "EUR", 0.12, ("Lombardia", "Veneto")),
    Place("US", "USD", 0.10, ("Illinois", "New York", "Texas")),
    Place("CN", "CNY", 0.07, ("广东", "江苏")),
    Place("NA", "USD", 0.03, ("Khomas",)),
)


@dataclass(frozen=True)
class Economy:
    """The demo economy's parameters. Qualities are in units of about one standard deviation, higher is better;
    rates are per month unless the name says per day; lateness is in days."""

    # --- who is there
    burn_in_months: int = 24
    candidates_per_customer: float = 1.30  # some candidates fail or leave before the ledger begins
    initial_share: float = 0.77
    new_customer_quality: float = -0.50  # newcomers are weaker; without them survivors would better the book every year
    leave_rate: float = 0.0009
    natural_person_share: float = 0.06
    public_body_share: float = 0.03
    grouped_share: float = 0.18
    late_habit_share: float = 0.18
    late_habit_days: tuple[float, float] = (20.0, 45.0)
    prompt_habit_sd: float = 2.2

    # --- latent quality: level of the firm + own swing (part of it the group's) + industry + macro
    level_sd: float = 0.66  # what size, industry, age do not say of the firm's level
    swing_sd: float = 0.74
    swing_persistence: float = 0.972  # half-life two years
    group_weight: float = 0.45  # share of the swing's variance that a group has in common
    industry_sd: float = 0.13
    industry_persistence: float = 0.96
    macro_sd: float = 0.04  # small, so that a calibration carries from one year to the next
    macro_persistence: float = 0.97

    # --- trade
    invoice_noise: float = 0.55  # sd of ln(amount) around the firm's mean order
    trade_noise: float = 0.35  # sd of ln of the firm's mean order and of its orders a month
    amount_by_quality: float = 0.60  # the same for ln amount of an order
    demand_by_quality: float = 0.75  # ln orders per unit of quality above the firm's level
    cancelled_share: float = 0.03
    credit_note_share: float = 0.022
    debit_note_share: float = 0.007

    # --- payment: days late = habit + stretch(quality) + noise(quality), never reaching 90 before distress
    stretch_days: float = 11.0  # stretch = this × softplus(−quality): 3 days at +1, 14 at −1, 33 at −3
    stretch_by_change: float = 0.60  # a fall below its own level shows more than a low level
    noise_days: float = 4.2  # noise = this × exp(−noise_by_quality × quality), within noise_range
    noise_by_quality: float = 0.75
    noise_range: tuple[float, float] = (0.8, 14.0)
    partial_share: tuple[float, float] = (0.16, 1.1)  # share = a × sigmoid(−b × (quality + 1.2))
    bounced_share: tuple[float, float] = (0.08, 1.3)
    disputed_share: tuple[float, float] = (0.09, 1.0)
    late_posting_share: float = 0.10
    very_late_posting_share: float = 0.003
    unallocated_share: float = 0.003

    # --- distress: onset by a logistic hazard in quality; then payment stops
    hazard_level: float = -5.95
    hazard_slope: float = 1.78
    onset_days: int = 10  # it shows in the first days of a month, when wages, rent and taxes have been paid
    stopped_share: float = 0.88  # share of open items on which payment stops
    failed_share: float = 0.50  # of those, share with a payment that bounces
    instalment_share: float = 0.25  # of those, share with one instalment on account
    rescue_rate_per_day: float = 0.0032  # about a fifth is rescued before 90 days past due
    insolvency_rate_per_day: float = 0.0012
    delivery_days_after_onset: int = 25
    breathing_space_months: int = 6  # no new distress so soon after a rescue or a cure
    cure_share: float = 0.45
    cure_days: tuple[int, int] = (20, 160)
    insolvency_after_default_share: float = 0.60
    insolvency_after_default_days: tuple[int, int] = (15, 240)
    write_off_days: tuple[int, int] = (300, 480)
    recovery_share: tuple[float, float] = (0.02, 0.45)  # of the open amount, paid long after
    probation_days: int = 90
    default_days: int = 90
    # EBA GL/2016/07 art. 178 leaves the amount to the authority: EUR 500, and EUR 100 for retail, are the euro area's
    # (Regulation (EU) 2018/171); the relative threshold is 1 %.
    threshold_cents: int = 500_00
    threshold_natural_person_cents: int = 100_00

    # --- what others say
    accounts_share: float = 0.50
    rated_share: float = 0.62
    rating_noise: float = 0.28
    rating_lag_months: int = 2
    accounts_noise: float = 0.22
    limited_share: float = 0.86
    insured_share: float = 0.38
    contract_share: float = 0.32

    # --- the truth
    truth_paths: int = 128
    truth_months: int = 12


ECONOMY = Economy()
