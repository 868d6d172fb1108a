"""policy/provisions.yaml and policy/collections.yaml as frozen objects; what each key means stands in the files."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - the reader resolves the hints
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class ToldSource:
    """Where a rule comes from and what it says, in both languages."""

    title: str
    en: str
    zh: str


@dataclass(frozen=True)
class ScenarioCase:
    """One course of the economy: its weight, and the factor on loss rates and on the intensity of default."""

    name: str
    weight: float
    factor: float


@dataclass(frozen=True)
class ScenarioSet:
    """The scenarios in force from a day on, with where they come from."""

    valid_from: dt.date
    source_en: str
    source_zh: str
    cases: tuple[ScenarioCase, ...]

    @property
    def mean_factor(self) -> float:
        """The probability-weighted factor."""
        return sum(case.weight * case.factor for case in self.cases)


@dataclass(frozen=True)
class ProvisionsSection:
    """policy/provisions.yaml."""

    valid_from: dt.date
    owner: str
    sources: tuple[ToldSource, ...]
    bucket_ends: tuple[int, ...]
    history_months: int
    outcome_months: int
    fewest_customers: int
    review_months: int
    scenarios: tuple[ScenarioSet, ...]

    def scenarios_on(self, day: dt.date) -> ScenarioSet | None:
        """The newest set dated on or before the day; null when there is none."""
        dated = [one for one in self.scenarios if one.valid_from <= day]
        return max(dated, key=lambda one: one.valid_from) if dated else None


@dataclass(frozen=True)
class Step:
    """Something to do about a customer: its code and the sentence in both languages."""

    code: str
    en: str
    zh: str


@dataclass(frozen=True)
class Success:
    """Share of the overdue amount that a step is expected to bring in, by segment; `unrated`: customers without one."""

    low: float
    medium: float
    high: float
    default: float
    unrated: float


@dataclass(frozen=True)
class CollectionStep(Step):
    """A step of collection: its cost, the share of what comes in that goes to who collects, and how much comes in."""

    cost: float
    fee_share: float
    success: Success


@dataclass(frozen=True)
class LadderStep(CollectionStep):
    """A step of the ladder: from so many days past due on (or an alert of `or_severity` or graver), until so many."""

    from_days: int
    until_days: int | None
    or_severity: Literal["watch", "act", "stop"] | None


@dataclass(frozen=True)
class Capacity:
    """What one collector can take a week: overdue cases, and alerts of customers who are not overdue."""

    cases_per_week: int
    reviews_per_week: int


@dataclass(frozen=True)
class Budget:
    """Capacities by collector; `each` for those who are not named."""

    each: Capacity
    collectors: dict[str, Capacity]

    def of(self, collector: str | None) -> Capacity:
        """What the collector can take; null is the customers without one."""
        return self.each if collector is None else self.collectors.get(collector, self.each)


@dataclass(frozen=True)
class CollectionsSection:
    """policy/collections.yaml."""

    valid_from: dt.date
    owner: str
    sources: tuple[ToldSource, ...]
    amount_from: float
    disputed_share_from: float
    dispute: CollectionStep
    insolvency: CollectionStep
    ladder: tuple[LadderStep, ...]
    budget: Budget
    review_again_days: int

    @property
    def steps(self) -> tuple[CollectionStep, ...]:
        """Every step, those of the ladder first."""
        return (*self.ladder, self.dispute, self.insolvency)


def contradictions(provisions: ProvisionsSection, collections: CollectionsSection) -> list[str]:
    """Every value of the two files that cannot be, named by its path; empty when they hold together."""
    found = []
    ends = provisions.bucket_ends
    if len(ends) < 2 or ends[0] != 0 or list(ends) != sorted(set(ends)):
        found.append(f"provisions.bucket_ends: must begin with 0 and rise, found {list(ends)}")
    if not 1 <= provisions.outcome_months < provisions.history_months <= 240:
        found.append(
            f"provisions.history_months: {provisions.history_months} must exceed outcome_months "
            f"({provisions.outcome_months}), 240 at most"
        )
    if provisions.fewest_customers < 2:
        found.append(f"provisions.fewest_customers: {provisions.fewest_customers} is below 2")
    for at, one in enumerate(provisions.scenarios):
        path = f"provisions.scenarios[{at}]"
        total = sum(case.weight for case in one.cases)
        if not one.cases or abs(total - 1.0) > 1e-9 or min(case.weight for case in one.cases) < 0:
            found.append(f"{path}.cases: weights of at least 0 must add up to 1, found {total:g}")
        found += [f"{path}.cases.{c.name}.factor: {c.factor:g} is below 0" for c in one.cases if c.factor < 0]
    return found + _of_collections(collections)


def _of_collections(collections: CollectionsSection) -> list[str]:
    found = []
    days = [step.from_days for step in collections.ladder]
    if not days or days[0] != 1 or days != sorted(set(days)):
        found.append(f"collections.ladder: from_days must rise from 1, found {days}")
    elif not _covers_every_day(collections.ladder):
        found.append(
            "collections.ladder: some day past due has no step; let until_days reach the next from_days, or null"
        )
    if not 0 < collections.disputed_share_from <= 1:
        found.append(f"collections.disputed_share_from: {collections.disputed_share_from:g} lies outside 0 to 1")
    if collections.amount_from < 0:
        found.append(f"collections.amount_from: {collections.amount_from:g} is below 0")
    if collections.review_again_days < 1:
        found.append(f"collections.review_again_days: {collections.review_again_days} is below 1")
    codes = [step.code for step in collections.steps]
    found += [
        f"collections: the step {code!r} stands twice" for code in sorted({c for c in codes if codes.count(c) > 1})
    ]
    for step in collections.steps:
        if step.cost < 0:
            found.append(f"collections.{step.code}.cost: {step.cost:g} is below 0")
        shares = {"fee_share": step.fee_share, **{f"success.{k}": v for k, v in vars(step.success).items()}}
        found += [
            f"collections.{step.code}.{name}: {value:g} lies outside 0 to 1"
            for name, value in shares.items()
            if not 0 <= value <= 1
        ]
    for name, capacity in {"each": collections.budget.each, **collections.budget.collectors}.items():
        found += [
            f"collections.budget.{name}.{what}: {value} is below 0"
            for what, value in vars(capacity).items()
            if value < 0
        ]
    return found


def _covers_every_day(ladder: tuple[LadderStep, ...]) -> bool:
    reach = 0
    for step in ladder:
        if step.from_days > reach + 1:
            return False
        if step.until_days is None:
            return True
        reach = max(reach, step.until_days)
    return False
