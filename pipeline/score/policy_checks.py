"""What the files of policy/ must agree on, beyond the type of each key; every breach is told."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipeline.score.limit_sections import LimitsSection, LossSection, TermsRule, TermsSection

_SEGMENTS = ("low", "medium", "high", "default")


def contradictions(built: Mapping[str, Any], traced: Sequence[str]) -> list[str]:
    """Breaches between and within the sections by name; `traced` are the caps and rules that need a text."""
    limits: LimitsSection = built["limits"]
    grades = [row.grade for row in built["master_scale"].grades]
    return [
        *_grade_breaches(grades, limits, built["thin_file"]),
        *(f"limits.texts.{cap}: missing" for cap in traced if cap not in limits.texts),
        *_ladder_breaches(limits),
        *_amount_breaches(limits),
        *_strategy_breaches(limits),
        *_loss_breaches(built["lgd_ead"]),
        *_terms_breaches(built["terms"]),
    ]


def _grade_breaches(grades: list[str], limits: LimitsSection, thin_file: Any) -> Iterator[str]:
    yield from (f"limits.grades.{g}: missing, the master scale has it" for g in grades if g not in limits.grades)
    yield from (f"limits.grades.{g}: not on the master scale" for g in limits.grades if g not in grades)
    for path, grade in (
        ("limits.insured_cover.from_grade", limits.insured_cover.from_grade),
        ("thin_file.best_grade", thin_file.best_grade),
    ):
        if grade not in grades:
            yield f"{path}: {grade!r} is not on the master scale"
    if not 0.5 <= thin_file.confidence < 1:
        yield f"thin_file.confidence: {thin_file.confidence:g} lies outside 0.5 to 1"


def _ladder_breaches(limits: LimitsSection) -> Iterator[str]:
    for name, bounds in (
        ("rounding", [step.below for step in limits.rounding]),
        ("approval", [tier.up_to for tier in limits.approval]),
    ):
        inner = [b for b in bounds[:-1] if b is not None]
        if not bounds or bounds[-1] is not None or len(inner) != len(bounds) - 1 or inner != sorted(set(inner)):
            yield f"limits.{name}: bounds must rise and end with null"
    yield from (f"limits.rounding: a step of {s.step:g} is no step" for s in limits.rounding if s.step <= 0)
    if limits.referral_tier not in [tier.tier for tier in limits.approval]:
        yield f"limits.referral_tier: {limits.referral_tier!r} is no approval tier"


def _amount_breaches(limits: LimitsSection) -> Iterator[str]:
    """Shares of a whole lie within 0 to 1, all other figures are not below 0."""
    shares = {
        "purchases.share": limits.purchases.share,
        "step.down_share": limits.step.down_share,
        "single_name.share_of_exposure": limits.single_name.share_of_exposure,
        "group.share_of_exposure": limits.group.share_of_exposure,
        "loss_budget.share_of_billing": limits.loss_budget.share_of_billing,
        "in_default.deposit_share": limits.in_default.deposit_share,
        **{f"grades.{grade}.deposit_share": row.deposit_share for grade, row in limits.grades.items()},
    }
    amounts = {
        "step.up_share": limits.step.up_share,
        "step.up_at_least": limits.step.up_at_least,
        "step.up_after_days": limits.step.up_after_days,
        "step.down_after_days": limits.step.down_after_days,
        "single_name.at_least": limits.single_name.at_least,
        "group.at_least": limits.group.at_least,
        "loss_budget.amount": limits.loss_budget.amount,
        "insured_cover.uncovered_allowance": limits.insured_cover.uncovered_allowance,
        "need.headroom": limits.need.headroom,
        **{f"grades.{grade}.amount": row.amount for grade, row in limits.grades.items()},
        **{f"grades.{grade}.terms_days": row.terms_days for grade, row in limits.grades.items()},
    }
    for path, share in shares.items():
        if share is not None and not 0 <= share <= 1:
            yield f"limits.{path}: {share:g} lies outside 0 to 1"
    for path, amount in amounts.items():
        if amount is not None and amount < 0:
            yield f"limits.{path}: {amount:g} lies below 0"


def _strategy_breaches(limits: LimitsSection) -> Iterator[str]:
    named = {f"limits.grades.{grade}.strategy": row.strategy for grade, row in limits.grades.items()}
    named["limits.in_default.strategy"] = limits.in_default.strategy
    for path, strategy in named.items():
        if strategy not in limits.strategies:
            yield f"{path}: {strategy!r} is none of limits.strategies, which are {', '.join(limits.strategies)}"
    unused = sorted(set(limits.strategies) - set(named.values()))
    yield from (f"limits.strategies.{name}: no grade has it" for name in unused)


def _loss_breaches(loss: LossSection) -> Iterator[str]:
    for name in ("secured_lgd", "unsecured_lgd"):
        table = getattr(loss, name)
        if set(table) != set(_SEGMENTS):
            yield f"lgd_ead.{name}: needs low, medium, high and default, has {', '.join(table)}"
        yield from (
            f"lgd_ead.{name}.{key}: {lgd:g} lies outside 0 to 1" for key, lgd in table.items() if not 0 <= lgd <= 1
        )
    for name in ("committed_orders_share", "unused_limit_share", "covered_share_default"):
        if not 0 <= getattr(loss, name) <= 1:
            yield f"lgd_ead.{name}: {getattr(loss, name):g} lies outside 0 to 1"
    for name, least in (("committed_orders_days", 1), ("default_terms_days", 0)):
        if getattr(loss, name) < least:
            yield f"lgd_ead.{name}: {getattr(loss, name)} lies below {least}"


def _terms_breaches(terms: TermsSection) -> Iterator[str]:
    for country, rules in terms.countries.items():
        if not re.fullmatch("[A-Z]{2}", country):
            yield f"terms.countries.{country}: no ISO 3166 code of two letters, such as CN"
        yield from _rule_breaches(f"terms.countries.{country}", rules)
    yield from _rule_breaches("terms.default", terms.default)


def _rule_breaches(path: str, rules: Sequence[TermsRule]) -> Iterator[str]:
    if not rules:
        yield f"{path}: no rule; name one, or leave the country out"
    for at, rule in enumerate(rules):
        if rule.days <= 0:
            yield f"{path}[{at}].days: {rule.days} are no terms"
        if rule.agreed_days is not None and rule.agreed_days < rule.days:
            yield f"{path}[{at}].agreed_days: {rule.agreed_days} are fewer than the {rule.days} without an agreement"
        for name in ("buyer_sizes", "supplier_sizes"):
            if getattr(rule, name) == ():
                yield f"{path}[{at}].{name}: empty; null stands for every size"
