"""The gates of a promotion as a table for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.train.gates import ANSWERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.train.gates import Gate


def gate_table(gates: Sequence[Gate]) -> str:
    """One line a gate: name, light, value, interval, threshold, and what stands behind it."""
    lines = [f"{'gate':<24}{'light':<8}{'passes':<11}{'value':>9}  {'interval':<20}{'threshold':<20}"]
    lines += [_line(gate) for gate in gates]
    return "\n".join(lines)


def _line(gate: Gate) -> str:
    value = "–" if gate.value is None else _number(gate.value)
    interval = "–" if gate.low is None or gate.high is None else f"{_number(gate.low)} to {_number(gate.high)}"
    answer = ANSWERS[gate.light]
    return f"{gate.name:<24}{gate.light:<8}{answer:<11}{value:>9}  {interval:<20}{gate.threshold:<20}{gate.told}"


def _number(value: float) -> str:
    return f"{value:.3f}" if value == 0 or abs(value) >= 0.001 else f"{value:.1e}"
