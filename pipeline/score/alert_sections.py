"""policy/alerts.yaml as frozen objects: the small language in which the committee writes its early-warning rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from pipeline.score.policy_sections import Dated, Severity, Wording

if TYPE_CHECKING:
    from collections.abc import Iterator

Status = Literal["rated", "thin_file", "in_default", "not_rated"]
COMPARISONS = ("above", "at_least", "below", "at_most")


@dataclass(frozen=True)
class Condition:
    """A column held against a number, against another column (× `times` + `plus`), or against a list of texts.

    Exactly one of `above`, `at_least`, `below`, `at_most` and `one_of` is given. A null never holds. `evidence` is told
    instead of the rule's own when this condition is the one told of.
    """

    look_at: str
    above: float | str | None = None
    at_least: float | str | None = None
    below: float | str | None = None
    at_most: float | str | None = None
    one_of: tuple[str, ...] | None = None
    times: float = 1.0
    plus: float = 0.0
    evidence: Wording | None = None

    @property
    def comparison(self) -> str:
        """The comparison given."""
        return next(name for name in (*COMPARISONS, "one_of") if getattr(self, name) is not None)

    @property
    def against(self) -> float | str | None:
        """The number or the name of the column it is held against; null for a list of texts."""
        return None if self.comparison == "one_of" else getattr(self, self.comparison)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it looks at."""
        return (self.look_at, self.against) if isinstance(self.against, str) else (self.look_at,)


@dataclass(frozen=True)
class AlertRule:
    """A rule bites where every condition of `all_of` holds and, with `any_of`, at least one of those.

    The evidence is told of the first condition of `any_of` that holds, or without `any_of` of the first of `all_of`.
    `open_days`: an alert stays open this long although the rule no longer bites. `applies_to`: by rating status.
    """

    title: Wording
    severity: Severity
    evidence: Wording
    action: Wording
    all_of: tuple[Condition, ...] = ()
    any_of: tuple[Condition, ...] = ()
    applies_to: tuple[Status, ...] = ("rated", "thin_file", "in_default", "not_rated")
    open_days: int = 0

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """All of them, those of `all_of` first."""
        return (*self.all_of, *self.any_of)

    @property
    def told_of(self) -> tuple[Condition, ...]:
        """The conditions of which one is told as evidence, in the order in which they are tried."""
        return self.any_of or self.all_of[:1]

    def evidence_of(self, condition: Condition) -> Wording:
        """The sentence told when the condition is the one told of."""
        return condition.evidence or self.evidence


@dataclass(frozen=True)
class LookBack:
    """With which earlier run `look_back` compares: the newest at least `days` old and at most `at_most_days`, else the
    oldest that is younger."""

    days: int
    at_most_days: int


@dataclass(frozen=True)
class AlertsSection(Dated):
    """policy/alerts.yaml; the rules in the order in which they are listed."""

    look_back: LookBack
    rules: dict[str, AlertRule] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column a rule looks at, each once, in order."""
        return tuple(dict.fromkeys(name for rule in self.rules.values() for c in rule.conditions for name in c.columns))

    @property
    def features(self) -> tuple[str, ...]:
        """The features the rules look at on the day."""
        return tuple(self.below("feature."))

    @property
    def features_before(self) -> tuple[str, ...]:
        """The features the rules look at as they stood a month before."""
        return tuple(self.below("month_before.feature."))

    @property
    def looks_back(self) -> bool:
        """A rule looks at the rating of an earlier run."""
        return any(self.below("look_back."))

    def below(self, prefix: str) -> Iterator[str]:
        """The columns whose names begin so, each by the rest of its name."""
        return (name.removeprefix(prefix) for name in self.columns if name.startswith(prefix))
