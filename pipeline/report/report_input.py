"""What the report tells from: plain values, tables and pictures; no file, engine or registry in sight."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd


@dataclass(frozen=True)
class WorkedCustomer:
    """A customer to reckon by hand: `features` maps every feature of the scorecard to its value (null: missing)."""

    customer_id: str
    as_of: str
    features: Mapping[str, Any]


@dataclass(frozen=True)
class Effects:
    """What each feature adds to the forecast of each row, in log odds of the bad outcome, and the rows' features."""

    contributions: pd.DataFrame
    features: pd.DataFrame


@dataclass(frozen=True)
class ReportInput:
    """Everything the model report needs.

    `label`: kind, days, window_months, window_days. `validation` and `roc`: `report` and `frames["roc"]` of
    train.validation; `confidence` is the level of its intervals, `min_bad_customers` the fewest that show anything,
    `significance` the p-value below which something is called contradicted, `power` the probability with which a
    deviation counts as one that would have been shown, `blind_level` the factor on the PD that matters. `snapshots`:
    one row per (customer_id, as_of) with group_key, outcome and is_bad (null: not trained on); industry, size_class,
    region and data_depth are told where the columns are there.
    `catalogue`: the features' definitions as JSON. `details`: what fitting told, by kind of model.
    `definition`, `master_scale`, `limit_policy`: the policy files as read (the last empty for a table of one's own).
    `scorecard`, `scorecard_calibration`: the JSON files of the model folder, null when there is no scorecard.
    `thin_card`: the card of the thin pool in its thin_file.json, null when the pool has none.
    `worked`: a customer to reckon by hand. `pictures`, `weights`: of the booster, as train.explanation makes them: PNG
    files by name (`bar.png`, `beeswarm.png`, `dependence_<feature>.png`) and mean absolute contributions. `book`: a
    scored book, null when none has been scored. `limitations`: sentences for the first page. `table`: what was taken
    in, where the models stand on a modelling table instead of a ledger (name, source, licence, target,
    excluded, identified_by, remarks as its manifest tells them); then `definition` is empty.
    `before`: the champion before the one told of (model_version, kind, features, evidence, comparison, why_none), empty
    for the first. `comparison`: champion against challenger on the rows neither has seen, as `creditbook compare` tells
    it. `bin_years`: rows by feature, year and position of the bin. `effects`: of the challenger on held-out rows.
    `worked_name`: the name of the worked customer, empty where names were not asked for.
    `in_force`: what models/<role>.json says of each role somebody holds.
    `monitored`: what monitoring told last of the model in force (model_version, as_of, gates); empty before its first
    run.
    `provenance`: versions and hashes in the order in which they are told; `champion` and `challenger` are candidates
    told of, `extract_date` and `champion` also stand under the title. `commands`: lines to type to get the same again.
    `lineage`: what the champion told of was made from, as its own evidence tells it, beside that of `before`.
    """

    label: Mapping[str, Any]
    validation: Mapping[str, Any]
    snapshots: pd.DataFrame
    catalogue: Sequence[Mapping[str, Any]]
    details: Mapping[str, Mapping[str, Any]]
    definition: Mapping[str, Any]
    master_scale: Mapping[str, Any]
    limit_policy: Mapping[str, Any] = field(default_factory=dict)
    roc: pd.DataFrame | None = None
    confidence: float = 0.95
    min_bad_customers: int = 10
    significance: float = 0.05
    power: float = 0.80
    blind_level: float = 2.0
    scorecard: Mapping[str, Any] | None = None
    scorecard_calibration: Mapping[str, Any] | None = None
    thin_card: Mapping[str, Any] | None = None
    worked: WorkedCustomer | None = None
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    before: Mapping[str, Any] = field(default_factory=dict)
    monitored: Mapping[str, Any] = field(default_factory=dict)
    comparison: Mapping[str, Any] | None = None
    bin_years: pd.DataFrame | None = None
    effects: Effects | None = None
    worked_name: str = ""
    book: pd.DataFrame | None = None
    base_currency: str = ""
    limitations: Sequence[str] = ()
    table: Mapping[str, Any] | None = None
    in_force: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    provenance: Mapping[str, str] = field(default_factory=dict)
    lineage: Mapping[str, str] = field(default_factory=dict)
    commands: Sequence[str] = ()
    language: str = "en"

    @property
    def is_undated(self) -> bool:
        """The rows have no dates."""
        return (self.validation.get("timetable") or {}).get("purge") == "undated"

    @property
    def is_candidate(self) -> bool:
        """The model told of as champion does not hold that role."""
        told = self.provenance.get("champion")
        return told is not None and (self.in_force.get("champion") or {}).get("model_version") != told

    @property
    def other_words(self) -> tuple[str, ...]:
        """The files of words that replace those of a dated ledger, and those of a champion in force."""
        standing = ("candidate",) if self.is_candidate else ()
        return (*(("table",) if self.table else ()), *(("undated",) if self.is_undated else ()), *standing)

    @property
    def titles(self) -> dict[str, str]:
        """The title of each feature in the report's language; a feature without one is called by its name."""
        return {str(f["name"]): str(f.get(f"title_{self.language}") or f["name"]) for f in self.catalogue}
