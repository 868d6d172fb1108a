"""The leak detector: what a training table tells of its own future, refused or warned of with evidence.

A column can know the outcome, a row can stand on both sides of the split, a label can be no outcome of a window. None
of that shows in a Gini, except that it is too good. docs/leaks.md says what each check looks for and what to do.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pipeline.errors import UnfitForTrainingError
from pipeline.score.feature_columns import require_columns
from pipeline.train.leaks_columns import fill_finding, identifier_finding, pure_findings
from pipeline.train.leaks_ground import Finding, Ground, column_of
from pipeline.train.leaks_power import Power, power, power_findings
from pipeline.train.leaks_rows import overlap_findings, trait_of, twin_findings
from pipeline.train.leaks_time import FEWEST_DATES, constant_label_findings, truncation_findings, unsettled_findings
from pipeline.train.sample import samples
from pipeline.train.splits import ROLES, as_days

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pipeline.params import LabelParams, LeakParams
    from pipeline.train.label import Label
    from pipeline.train.sample import Sample
    from pipeline.train.splits import Timetable

VERDICTS = ("refuse", "warn", "accepted")
CHECKS = (
    "power",
    "lone_power",
    "named_like_outcome",
    "filled_after",
    "pure_value",
    "identifier",
    "dates",
    "identical_rows",
    "overlap",
    "constant_label",
    "truncated_window",
)
_STRONGEST = 10


@dataclass(frozen=True)
class LeakReport:
    """Findings, the gravest first; the power of the strongest columns; and the checks that had nothing to judge.

    `unjudged` says of a check why it could not be made. `idle` names entries of leaks.accept that met no finding.
    """

    findings: tuple[Finding, ...]
    strongest: tuple[Power, ...]
    unjudged: Mapping[str, str]
    idle: tuple[str, ...]
    columns: int

    @property
    def refused(self) -> tuple[Finding, ...]:
        """What stands in the way of training."""
        return tuple(finding for finding in self.findings if finding.verdict == "refuse")

    def require_clean(self) -> None:
        """Raises UnfitForTrainingError with every refusal at once."""
        refused = self.refused
        if not refused:
            return
        listed = "\n".join(f"  - {finding.text()}" for finding in refused)
        raise UnfitForTrainingError(
            f"leaks: {len(refused)} finding(s) refuse this table; a model fitted on it would look better than it is:\n"
            f"{listed}\nMend the table, or take a finding on yourself, by check or column and with the reason, under "
            "leaks.accept."
        )

    def text(self) -> str:
        """For a terminal: one line of counts and one line a warning or accepted finding."""
        counts = {verdict: sum(1 for f in self.findings if f.verdict == verdict) for verdict in VERDICTS}
        lines = [
            f"leaks: {self.columns} columns checked, {counts['refuse']} refused, {counts['warn']} warning(s), "
            f"{counts['accepted']} accepted"
        ]
        lines += [f"warning: {finding.text()}" for finding in self.findings if finding.verdict == "warn"]
        lines += [f"accepted: {f.text()} ({f.accepted})" for f in self.findings if f.verdict == "accepted"]
        lines += [f"leaks.accept.{name}: meets no finding any more; remove it" for name in self.idle]
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "findings": [finding.as_json() for finding in self.findings],
            "strongest": [found.as_json() for found in self.strongest],
            "unjudged": dict(self.unjudged),
            "idle": list(self.idle),
            "columns": self.columns,
        }


def find_leaks(
    book: pd.DataFrame,
    catalogue: Sequence[Mapping[str, Any]],
    table: Timetable,
    label: LabelParams | Label,
    settings: LeakParams,
    *,
    known_until: dt.date | None = None,
) -> LeakReport:
    """Every check on a training book (see `train_scorecard`); nothing is refused here, see `require_clean`.

    `known_until` is the last day of which every event is known (the extract date less the posting lag), where it is
    told. Raises ContractError when the book lacks a column of the catalogue or a number is none.
    """
    require_columns(book, [str(feature["name"]) for feature in catalogue])
    dated = [feature for feature in catalogue if _holds_dates(book[str(feature["name"])])]
    read = [feature for feature in catalogue if feature not in dated]
    ground = Ground(*_rows(book, table), read, label, settings, known_until)
    findings = [_date_finding(str(feature["name"])) for feature in dated]
    findings += overlap_findings(ground) + constant_label_findings(ground) + unsettled_findings(ground)
    powers: list[Power] = []
    if ground.has_both:
        findings += truncation_findings(ground)
        powers = _through_columns(ground, findings)
    ordered = sorted(_accepted(findings, settings.accept), key=_rank)
    met = {name for finding in ordered for name in (finding.check, finding.column)}
    return LeakReport(
        tuple(ordered),
        tuple(sorted(powers, key=lambda p: (-p.best.low, p.column))[:_STRONGEST]),
        _unjudged(ground),
        tuple(name for name in settings.accept if name not in met),
        len(catalogue),
    )


def _through_columns(ground: Ground, findings: list[Finding]) -> list[Power]:
    """Reads each column once, for all checks on columns; the rows are compared at the end."""
    powers, traits = [], []
    for feature in ground.catalogue:
        column = column_of(ground, feature)
        traits.append(trait_of(column, ground))
        found = (power(column, ground), fill_finding(column, ground), identifier_finding(column, ground))
        powers += [found[0]] if found[0] else []
        findings += [finding for finding in found[1:] if finding]
        findings += pure_findings(column, ground)
    findings += power_findings(powers, ground)
    named = {finding.column for finding in findings if finding.check == "identifier"}
    findings += twin_findings([trait for trait in traits if trait.name not in named], ground)
    return powers


def _rows(book: pd.DataFrame, table: Timetable) -> tuple[Sample, NDArray[np.object_], NDArray[np.datetime64]]:
    """The labelled rows, the role of each, and the days of all rows; no days for rows without dates."""
    sample = samples(book, table)["all"]
    by_customer = table.group_role(pd.Series(sample.clusters)).to_numpy(dtype=object)
    if table.is_undated:
        return sample, by_customer, np.empty(0, dtype="datetime64[D]")
    roles, days = np.full(len(sample.is_bad), "", dtype=object), sample.days.astype("datetime64[D]")
    for name in ROLES:
        serving = np.array(getattr(table, name), dtype="datetime64[D]")
        roles[(by_customer == name) & np.isin(days, serving)] = name
    return sample, roles, np.array(as_days(book["as_of"]), dtype="datetime64[D]")


def _accepted(findings: Sequence[Finding], accept: Mapping[str, str]) -> list[Finding]:
    """Findings of which the check or the column is named in leaks.accept carry the reason instead of the verdict."""
    told = []
    for finding in findings:
        reason = accept.get(finding.column or "") or accept.get(finding.check)
        told.append(replace(finding, verdict="accepted", accepted=reason) if reason else finding)
    return told


def _rank(finding: Finding) -> tuple[int, int, str]:
    return VERDICTS.index(finding.verdict), CHECKS.index(finding.check), finding.column or ""


def _unjudged(ground: Ground) -> dict[str, str]:
    found: dict[str, str] = {}
    if not ground.has_both:
        return dict.fromkeys(CHECKS, "the table lacks good or bad rows")
    dates = len(ground.dates) if len(ground.all_days) else 0
    if dates < FEWEST_DATES:
        found["truncated_window"] = f"the table has {dates} date(s) with an outcome, {FEWEST_DATES} are needed"
    if len(np.unique(ground.customers)) == len(ground.customers):
        found["constant_label"] = "every customer has one row"
    if len(ground.catalogue) < ground.settings.fewest_values:
        found["identical_rows"] = f"{len(ground.catalogue)} columns are too few to know a row by"
    return found


def _holds_dates(column: pd.Series) -> bool:
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return True
    if column.dtype != object:
        return False
    first = column.first_valid_index()
    return first is not None and isinstance(column.loc[first], dt.date)


def _date_finding(name: str) -> Finding:
    told = "holds dates, which say nothing of a customer by themselves and may lie after as_of"
    return Finding("dates", name, "refuse", told, "hand in the days from it to as_of instead, or leave it out")
