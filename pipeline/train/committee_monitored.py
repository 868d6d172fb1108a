"""How the model in force has done since it went into service, as monitoring left it: read by the next validation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pipeline.train.committee_result import Result

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipeline.train.committee_ground import Ground

GROUP = "monitoring"


@dataclass(frozen=True)
class Monitored:
    """`gates` of the published run of `as_of` by `model_version`, plain values (score/monitor_gates.py), and the sha256
    of the file they were read from. `why`: why they judge nobody in force; then there is none."""

    sha256: str
    model_version: str
    as_of: str
    run_id: str
    gates: tuple[Mapping[str, Any], ...]
    why: Literal["", "other_model"] = ""

    def as_json(self) -> dict[str, Any]:
        """Where the gates came from, as plain values."""
        return {name: getattr(self, name) for name in ("sha256", "model_version", "as_of", "run_id")}


def monitored_results(ground: Ground) -> Iterator[Result]:
    """One result a gate, lit as monitoring lit it; a single grey one where nothing has watched the model in force.

    `model` is the role of a model that is validated here and in force already; empty for another one in force.
    """
    found = ground.ledger.monitored
    if found is None or found.why:
        why = "no_ledger" if ground.label.is_of_table else "not_monitored" if found is None else found.why
        yield Result("monitored", GROUP, "grey", "published", why=why)
        return
    role = next((name for name, model in ground.models.items() if model.version == found.model_version), "")
    where = {"model_version": found.model_version, "as_of": found.as_of, "run_id": found.run_id}
    for gate in found.gates:
        yield Result(
            "monitored",
            GROUP,
            gate["light"],
            "published",
            role,
            part=str(gate["name"]),
            value=gate["value"],
            low=gate["low"],
            high=gate["high"],
            against=gate.get("noise"),
            why="monitored_too_little" if gate["light"] == "grey" else "",
            details=({**where, "threshold": gate["threshold"], "says": gate["says"]},),
        )
