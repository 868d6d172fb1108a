"""A measured model of cost: seconds and memory of the whole catalogue by payments and snapshots.

    python -m benchmarks.cost_model

Fits seconds = fixed + a x payments + b x snapshots to a grid of sizes, each measured once in a process of its own, by
least squares of relative errors with no coefficient below 0; the same for the peak memory. Two larger sizes are held
out and told against the model. A ledger of the demo's kind has about 120 payments per customer; `payments` stands for
its other rows too, which grow with it. What is told of 10^5 customers and more is extrapolated.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import nnls

from benchmarks.big_book import demo_ledger, rows_of, tiled
from benchmarks.one_build import Asked, Built, engine_settings, in_own_process
from benchmarks.readme_tables import Figure, publish, told

if TYPE_CHECKING:
    from collections.abc import Sequence

COPIES, DATES = (1, 2, 4, 8), (1, 6, 12)
HELD_OUT = ((5, 36), (20, 1))
"""Copies and month ends that the model is tried on, beyond the grid it is fitted to."""
NEEDED = ((100_000, 1), (100_000, 36), (1_000_000, 1), (1_000_000, 36), (10_000_000, 1))
"""Customers and month ends that the table tells the need of."""


@dataclass(frozen=True)
class Measured:
    """One size and what it took."""

    customers: int
    payments: int
    snapshots: int
    seconds: float
    peak_gib: float


@dataclass(frozen=True)
class Model:
    """seconds = fixed + per_payment x payments + per_snapshot x snapshots; `worst` is the largest relative error."""

    fixed: float
    per_payment: float
    per_snapshot: float
    worst: float

    def at(self, payments: float, snapshots: float) -> float:
        """What the model says of a size."""
        return self.fixed + self.per_payment * payments + self.per_snapshot * snapshots


def fitted(sizes: Sequence[tuple[float, float]], values: Sequence[float]) -> Model:
    """The model of values over (payments, snapshots).

    >>> model = fitted([(0, 0), (10, 0), (0, 10), (10, 10)], [1.0, 2.0, 3.0, 4.0])
    >>> round(model.fixed, 6), round(model.per_payment, 6), round(model.per_snapshot, 6)
    (1.0, 0.1, 0.2)
    """
    measured = np.asarray(values, float)
    terms = np.column_stack([np.ones(len(measured)), np.asarray(sizes, float)])
    # Each row over its value: an error of a tenth counts the same at one second and at a hundred. Columns of like
    # size keep the solver exact.
    scale = terms.max(axis=0)
    coefficients, _ = nnls(terms / scale / measured[:, None], np.ones(len(measured)))
    coefficients = coefficients / scale
    worst = float(np.abs(terms @ coefficients / measured - 1).max())
    return Model(*(float(c) for c in coefficients), worst)


def figures(grid: Sequence[Measured], held_out: Sequence[Measured], memory_limit: str) -> list[Figure]:
    """The coefficients, every measurement against the model, and what larger books need."""
    time = fitted([(m.payments, m.snapshots) for m in grid], [m.seconds for m in grid])
    # Near the limit the engine spills, and the peak says no more of what would be needed.
    roomy = [m for m in grid if m.peak_gib < 0.75 * gib(memory_limit)]
    memory = fitted([(m.payments, m.snapshots) for m in roomy], [m.peak_gib for m in roomy])
    per_customer = grid[-1].payments / grid[-1].customers
    return [
        _coefficients("seconds", time),
        _coefficients(f"GiB without spilling (from {len(roomy)} sizes well below the limit)", memory),
        *(_against("fitted to", m, time) for m in grid),
        *(_against("**held out**", m, time) for m in held_out),
        *(_needed(customers, dates, per_customer, time, memory) for customers, dates in NEEDED),
    ]


def gib(limit: str) -> float:
    """A memory limit in GiB, by DuckDB's units.

    >>> round(gib("2GB"), 2), gib("1.5 GiB")
    (1.86, 1.5)
    """
    amount, unit = re.fullmatch(r"([\d.]+) *([KMGT])(i?)B", limit).group(1, 2)
    base = 1024 if "i" in limit else 1000
    return float(amount) * base ** ("KMGT".index(unit) + 1) / 2**30


def _coefficients(name: str, model: Model) -> Figure:
    said = f"{model.fixed:.2f} + {model.per_payment * 1e6:.2f} a million payments"
    said += f" + {model.per_snapshot * 1e6:.1f} a million snapshots"
    return Figure(name, f"within {model.worst:.0%} of every size fitted to", said)


def _against(kind: str, size: Measured, time: Model) -> Figure:
    name = f"{kind}: {size.payments:,} payments, {size.snapshots:,} snapshots"
    return Figure(
        name, f"{size.seconds:.1f} s, {size.peak_gib:.1f} GiB", f"{time.at(size.payments, size.snapshots):.1f} s"
    )


def _needed(customers: int, dates: int, per_customer: float, time: Model, memory: Model) -> Figure:
    """What a size beyond the measured ones needs by the model."""
    payments, snapshots = customers * per_customer, customers * dates
    name = f"{customers:,} customers, {dates} month end{'s' if dates > 1 else ''}: {payments / 1e6:,.0f} M payments"
    said = f"{_duration(time.at(payments, snapshots))}; {memory.at(payments, snapshots):,.0f} GiB without spilling"
    return Figure(name, "extrapolated", said)


def _duration(spent: float) -> str:
    if spent < 600:
        return f"{spent:.0f} s"
    return f"{spent / 60:.0f} min" if spent < 36_000 else f"{spent / 3600:.0f} h"


def measured_at(ledger: Path, dates: int) -> Measured:
    """One point of the grid."""
    built: Built = in_own_process(Asked(str(ledger), dates=dates))
    return Measured(built.rows // dates, rows_of(ledger)["payments"], built.rows, built.seconds, built.peak_gib)


def main() -> None:
    """Measures the grid and what is held out, fits and rewrites the table."""
    grid, held_out = [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        demo = demo_ledger(folder)
        for copies in COPIES:
            ledger = tiled(demo, copies, folder / f"tiled{copies}")
            grid += [measured_at(ledger, dates) for dates in DATES]
        for copies, dates in HELD_OUT:
            held_out.append(measured_at(tiled(demo, copies, folder / f"held{copies}"), dates))
    settings = engine_settings()
    note = f"Each size once, {settings.threads} threads, engine.memory_limit {settings.memory_limit}."
    lines = figures(grid, held_out, settings.memory_limit)
    publish("cost_model", told(lines, note, held_against="the model"))


if __name__ == "__main__":
    main()
