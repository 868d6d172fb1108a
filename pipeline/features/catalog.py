"""The catalogue: every feature there is, listed by subject. What is not listed here does not exist."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Literal

from pipeline.features import (
    accounts,
    accounts_over_time,
    accounts_quality,
    disputes,
    group_and_outside_events,
    linked_customers,
    orders,
)
from pipeline.features import billing_and_relationship as relationship
from pipeline.features import contracts_limits_and_covers as agreements
from pipeline.features import open_items_and_ageing as open_items
from pipeline.features import payment_behaviour as behaviour
from pipeline.features import payment_patterns as patterns
from pipeline.features import rolls_and_collection as collection
from pipeline.features import seasons_and_depth as depth
from pipeline.features.feature import Feature, FeatureFamily, Holds, Subject

if TYPE_CHECKING:
    from collections.abc import Mapping

BY_SUBJECT: Mapping[Subject, tuple[FeatureFamily, ...]] = {
    Subject.PAYMENT_BEHAVIOUR: (
        behaviour.mean_days_late,
        behaviour.spread_of_days_late,
        behaviour.days_late_change,
        behaviour.median_days_late,
        behaviour.range_of_days_late,
        behaviour.days_late_over_own_best,
        behaviour.share_paid_over_0_days_late,
        behaviour.share_paid_over_10_days_late,
        behaviour.share_paid_over_30_days_late,
        behaviour.share_paid_over_60_days_late,
        behaviour.share_paid_over_90_days_late,
        behaviour.share_paid_early,
        behaviour.paydex,
        behaviour.worst_days_late,
        behaviour.mean_days_to_pay,
        behaviour.part_payment_share,
        behaviour.settled_invoice_count,
        behaviour.bounced_payment_count,
        behaviour.mean_days_late_with_overdue,
        behaviour.worst_days_late_with_overdue,
        behaviour.unpaid_share_of_due,
        patterns.days_late_slope,
        patterns.days_late_acceleration,
        patterns.days_late_of_large_invoices,
        patterns.terms_used,
        patterns.round_payment_share,
        patterns.month_end_payment_share,
        patterns.payment_gap_over_habit,
        patterns.paid_new_before_old_share_3m,
        patterns.months_since_worst_days_late,
        patterns.months_since_over_30_days_late,
    ),
    Subject.OPEN_ITEMS: (
        open_items.open_amount,
        open_items.open_item_count,
        open_items.overdue_item_count,
        open_items.overdue_item_share,
        open_items.open_share_over_0_days_past_due,
        open_items.open_share_1_to_30_days_past_due,
        open_items.open_share_over_30_days_past_due,
        open_items.open_share_over_60_days_past_due,
        open_items.open_share_over_90_days_past_due,
        open_items.oldest_days_past_due,
        open_items.mean_days_past_due,
        open_items.open_share_beyond_habit,
        open_items.oldest_days_past_due_over_habit,
        open_items.largest_open_item_share,
        open_items.open_credit_share,
        open_items.dso_3m,
        open_items.dso_12m,
        open_items.overdue_days_of_billing,
        open_items.overdue_growth_3m,
        open_items.open_growth_3m,
        open_items.due_soon_in_months_of_payment,
        open_items.paid_to_billed_3m,
        collection.roll_rate_not_due_1m,
        collection.roll_rate_1_to_30_1m,
        collection.roll_rate_not_due_3m,
        collection.best_possible_dso_12m,
    ),
    Subject.RELATIONSHIP: (
        orders.order_count,
        orders.order_trend,
        orders.order_level_year_on_year,
        orders.cancelled_order_share,
        orders.days_since_last_order,
        orders.order_gap_over_habit,
        orders.book_to_bill_3m,
        relationship.billed_amount,
        relationship.invoice_count,
        relationship.billed_month_count,
        relationship.billing_trend,
        relationship.billing_level_year_on_year,
        relationship.credit_note_share,
        relationship.mean_terms_days,
        relationship.terms_change,
        relationship.days_since_last_invoice,
        relationship.days_since_last_payment,
        relationship.tenure_months,
        relationship.firm_age_years,
        relationship.industry_section,
        relationship.size_class,
        relationship.is_natural_person,
        depth.order_level_same_quarter,
        depth.billing_level_same_quarter,
        depth.order_burst_while_overdue,
        depth.write_off_count,
        depth.history_months,
        depth.told_subject_share,
        depth.master_data_share,
    ),
    Subject.ACCOUNTS: (
        accounts.current_ratio,
        accounts.quick_ratio,
        accounts.cash_ratio,
        accounts.working_capital_to_assets,
        accounts.equity_ratio,
        accounts.debt_to_assets,
        accounts.short_term_debt_share,
        accounts.retained_earnings_to_assets,
        accounts.open_to_equity,
        accounts.interest_coverage,
        accounts.cash_flow_to_liabilities,
        accounts.cash_quality,
        accounts.return_on_assets,
        accounts.ebit_to_assets,
        accounts.net_margin,
        accounts.gross_margin,
        accounts.asset_turnover,
        accounts.receivable_days,
        accounts.inventory_days,
        accounts.billing_to_cost_of_sales,
        accounts.revenue_growth,
        accounts.equity_change,
        accounts.net_margin_change,
        accounts_quality.accounts_age_months,
        accounts_quality.publication_delay_months,
        accounts_quality.is_audited,
        accounts.total_assets,
        accounts.altman_z_double_prime,
        accounts_over_time.interest_rate_paid,
        accounts_over_time.current_liability_share,
        accounts_over_time.asset_growth,
        accounts_over_time.debt_change,
        accounts_over_time.cash_change,
        accounts_over_time.receivable_days_change,
        accounts_over_time.gross_margin_change,
        accounts_over_time.loss_year_count,
        accounts_over_time.ohlson_o_without_size,
    ),
    Subject.CONTRACTS: (
        agreements.contract_count,
        agreements.contract_months_left,
        agreements.deposit_share,
        agreements.deposit_to_open,
        agreements.late_obligation_share,
        agreements.mean_obligation_days_late,
        agreements.overdue_obligation_count,
        disputes.dispute_count,
        disputes.rejected_dispute_share,
        disputes.upheld_dispute_share,
        disputes.disputed_to_billed,
        disputes.mean_dispute_days,
        disputes.disputed_open_share,
        agreements.utilisation,
        agreements.overdue_to_limit,
        agreements.utilisation_change_3m,
        agreements.days_over_limit_share_12m,
        agreements.limit_change_12m,
        agreements.limit_age_months,
        agreements.limit_in_months_of_billing,
        agreements.cover_to_open,
        agreements.cover_change_12m,
        agreements.premium_rate,
    ),
    Subject.OUTSIDE: (
        group_and_outside_events.group_member_count,
        group_and_outside_events.group_overdue_share,
        group_and_outside_events.group_share_over_90_days_past_due,
        group_and_outside_events.group_insolvency_count_24m,
        group_and_outside_events.group_default_count,
        group_and_outside_events.group_mean_days_late_12m,
        linked_customers.shared_bank_account_count,
        linked_customers.shared_phone_count,
        linked_customers.shared_address_count,
        linked_customers.linked_default_count,
        group_and_outside_events.industry_default_share,
        group_and_outside_events.industry_overdue_share,
        group_and_outside_events.industry_share_over_90_days_past_due,
        group_and_outside_events.industry_days_late_change,
        group_and_outside_events.litigation_count,
        group_and_outside_events.lien_count,
        group_and_outside_events.payment_plan_count,
        group_and_outside_events.contact_count,
        group_and_outside_events.master_change_count,
        group_and_outside_events.promise_count,
        group_and_outside_events.broken_promise_count,
        group_and_outside_events.broken_plan_count,
        group_and_outside_events.external_rating,
        group_and_outside_events.external_rating_change_12m,
        group_and_outside_events.external_rating_age_months,
        group_and_outside_events.industry_index_change_3m,
        group_and_outside_events.industry_index_change_12m,
        group_and_outside_events.pmi,
        group_and_outside_events.pmi_change_12m,
    ),
}
FAMILIES: tuple[FeatureFamily, ...] = tuple(family for families in BY_SUBJECT.values() for family in families)
FEATURES: tuple[Feature, ...] = tuple(
    feature for subject, families in BY_SUBJECT.items() for family in families for feature in family.features(subject)
)
_BY_NAME = {feature.name: feature for feature in FEATURES}
KINDS: dict[str, Literal["number", "text"]] = {
    feature.name: "text" if feature.holds is Holds.CATEGORY else "number" for feature in FEATURES
}
"""What each column holds, by name, for rules that people write over features."""


def by_name(name: str) -> Feature:
    """The feature of that name. Raises KeyError when the catalogue has none."""
    try:
        return _BY_NAME[name]
    except KeyError:
        raise KeyError(f"the catalogue has no feature {name!r}; creditbook docs writes the list") from None


def as_json() -> list[dict[str, Any]]:
    """The catalogue as plain values, in order."""
    return [feature.as_json() for feature in FEATURES]


def catalogue_hash() -> str:
    """sha256 of the catalogue's words, directions and order; what a definition computes is told by the code's hash."""
    text = json.dumps(as_json(), ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
