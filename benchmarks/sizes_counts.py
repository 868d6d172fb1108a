"""How often each test was made, how often it rejected, and of how many books."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pipeline.train.committee_result import Result

NOMINAL, NOMINAL_PSI = 0.05, 0.01


@dataclass
class Counts:
    """`draws` counts books, `made` and `rejected` tests by name; `total` sums the figures of the tests made."""

    draws: int = 0
    made: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    total: Counter[str] = field(default_factory=Counter)

    def add(self, name: str, is_rejected: bool | None, value: float = 0.0) -> None:  # noqa: FBT001 - one outcome
        """A null outcome is a test that was not made."""
        if is_rejected is not None:
            self.made[name] += 1
            self.rejected[name] += bool(is_rejected)
            self.total[name] += value  # type: ignore[assignment]

    def add_all(self, results: Iterable[Result], tests: Iterable[str]) -> None:
        """Those of the results that are among the named tests and have a p-value, at the level of five in a hundred."""
        for one in results:
            name = f"{one.id}.{one.basis}"
            if name in tests and one.p_value is not None and np.isfinite(one.p_value):
                self.add(name, one.p_value < NOMINAL, one.value or 0.0)

    def joined(self, other: Counts) -> Counts:
        """Both together."""
        sums = [one.copy() for one in self._counters()]
        for mine, others in zip(sums, other._counters(), strict=True):
            mine.update(others)
        return Counts(self.draws + other.draws, *sums)

    def fewest(self, tests: Iterable[str]) -> int:
        """How often the rarest of the tests was made."""
        return min(self.made[name] for name in tests)

    def share(self, name: str) -> float | None:
        """Rejected of made; null with none made."""
        return self.rejected[name] / self.made[name] if self.made[name] else None

    def mean(self, name: str) -> float | None:
        """The mean figure of a test where it was made; null with none made."""
        return self.total[name] / self.made[name] if self.made[name] else None

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        made, rejected, total = (dict(one) for one in self._counters())
        return {"draws": self.draws, "made": made, "rejected": rejected, "total": total}

    @classmethod
    def of_json(cls, told: Mapping[str, Any]) -> Counts:
        """What `as_json` told."""
        return cls(told["draws"], *(Counter(told[name]) for name in ("made", "rejected", "total")))

    def _counters(self) -> tuple[Counter[str], Counter[str], Counter[str]]:
        return self.made, self.rejected, self.total
