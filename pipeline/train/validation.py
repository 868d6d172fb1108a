"""Measures both models, naive rules and, on a demo book, the truth itself, on the same rows with the same resamples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pipeline.errors import MissingInputError
from pipeline.score.feature_columns import number_column
from pipeline.statistics.association import spearman
from pipeline.statistics.bootstrap import gini_difference, gini_shares
from pipeline.statistics.discrimination import roc_points
from pipeline.statistics.proportions import jeffreys_of_groups
from pipeline.train.measures import draws_of, grade_measures, has_both, order_measures, pd_measures
from pipeline.train.parts import part_measures
from pipeline.train.sample import Sample, samples

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pipeline.params import ValidateParams
    from pipeline.score.master_scale import MasterScale
    from pipeline.score.model import Model
    from pipeline.train.splits import Timetable

    Floats = NDArray[np.float64]

ROLES = ("train", "calibration", "test", "out_of_time")
HELD_OUT = ("test", "out_of_time")
# What a credit clerk looks at without a model: the features whose larger value is the larger risk.
NAIVE_RULES: Mapping[str, Sequence[str]] = {
    "largest_lateness_6m": ("worst_days_late_with_overdue_6m",),
    "worst_days_past_due": ("oldest_days_past_due",),
}
_MOST_ROC_POINTS = 200


@dataclass(frozen=True)
class Validation:
    """`report` nested, `metrics` flat numbers (no nulls), `frames` small tables for plots; all in a fixed order."""

    report: dict[str, Any]
    metrics: dict[str, float]
    frames: dict[str, pd.DataFrame]


def validate(
    models: Mapping[str, Model],
    book: pd.DataFrame,
    table: Timetable,
    scale: MasterScale,
    settings: ValidateParams,
    *,
    naive: Mapping[str, Sequence[str]] | None = None,
    truth: pd.DataFrame | None = None,
    groups: Mapping[str, NDArray[np.object_]] | None = None,
) -> Validation:
    """Both models (`champion`, `challenger`) on train, calibration, test (other customers, later) and out_of_time.

    `naive` (by default `NAIVE_RULES`) names rules by the columns whose largest value is the risk (null: least risky);
    columns the book lacks are told, not guessed. `truth` has customer_id, as_of and pd: the true PD of the label, which
    is known on a demo book only. `groups` says of each row of out_of_time which part of the book it stands in, by
    division.
    """
    parts = samples(book, table)
    pds = {name: {role: model.pd(parts[role].rows) for role in ROLES} for name, model in models.items()}
    rules, absent = _rules(NAIVE_RULES if naive is None else naive, parts)
    report: dict[str, Any] = {
        "timetable": table.as_json(),
        "samples": {role: parts[role].counts() for role in ROLES},
        "models": {name: _model_report(models[name], pds[name], parts, scale, settings) for name in models},
        "naive": {
            name: {role: order_measures(risk[role], parts[role], settings) for role in HELD_OUT}
            for name, risk in rules.items()
        },
        "naive_absent": absent,
        "differences": _differences(pds, rules, parts, settings),
        "truth": None if truth is None else _against_truth(pds, parts, truth, settings),
        "default_rate_by_year": _by_year(parts["all"], settings.confidence),
        "parts": _parts(models, pds, parts["out_of_time"], groups or {}, settings),
    }
    frames = {
        "roc": _roc(pds, parts),
        "calibration_by_grade": _grades_frame(report),
        "default_rate": default_rate_by_date(parts["all"]),
    }
    return Validation(report, flat_metrics(report), frames)


def _model_report(
    model: Model, pds: Mapping[str, Floats], parts: Mapping[str, Sample], scale: MasterScale, settings: ValidateParams
) -> dict[str, Any]:
    return {
        "kind": model.kind,
        "version": model.version,
        "roles": {role: pd_measures(pds[role], parts[role], settings) for role in ROLES},
        "grades": {
            role: grade_measures(pds[role], parts[role], scale, settings.confidence) for role in ROLES if len(pds[role])
        },
    }


def _parts(
    models: Mapping[str, Model],
    pds: Mapping[str, Mapping[str, Floats]],
    sample: Sample,
    groups: Mapping[str, NDArray[np.object_]],
    settings: ValidateParams,
) -> dict[str, Any]:
    """Both models in each part of the book, beside the card of the thin pool, which rates those of little history."""
    if not len(sample.is_bad):
        return {}
    told = {name: by_role["out_of_time"] for name, by_role in pds.items()}
    champion = models.get("champion")
    if champion is not None and champion.thin_file.card is not None:
        told["thin_file"] = champion.thin_file.pd_of(sample.rows)
    return part_measures(told, sample, groups, settings.confidence)


def _rules(
    naive: Mapping[str, Sequence[str]], parts: Mapping[str, Sample]
) -> tuple[dict[str, dict[str, Floats]], dict[str, list[str]]]:
    rules, absent = {}, {}
    for name, columns in naive.items():
        missing = [column for column in columns if column not in parts["all"].rows.columns]
        if missing:
            absent[name] = missing
            continue
        rules[name] = {role: _largest(parts[role].rows, columns) for role in HELD_OUT}
    return rules, absent


def _largest(rows: pd.DataFrame, columns: Sequence[str]) -> Floats:
    values = np.column_stack([number_column(rows, name) for name in columns])
    return np.asarray(np.where(np.isnan(values), -1e300, values).max(axis=1))


def _differences(
    pds: Mapping[str, Mapping[str, Floats]],
    rules: Mapping[str, Mapping[str, Floats]],
    parts: Mapping[str, Sample],
    settings: ValidateParams,
) -> dict[str, Any]:
    """Gini of the challenger, and of the champion, less another: paired by the same resampled customers."""
    pairs = [("challenger", "champion")] if {"challenger", "champion"} <= set(pds) else []
    pairs += [("champion", rule) for rule in rules if "champion" in pds]
    scores = {**pds, **rules}
    return {
        f"{first} - {second}": {
            role: gini_difference(
                scores[first][role], scores[second][role], parts[role].is_bad, draws_of(parts[role], settings)
            ).as_json()
            if has_both(parts[role])
            else None
            for role in HELD_OUT
        }
        for first, second in pairs
    }


def _against_truth(
    pds: Mapping[str, Mapping[str, Floats]], parts: Mapping[str, Sample], truth: pd.DataFrame, settings: ValidateParams
) -> dict[str, Any]:
    """Gini of the true PD on the same rows, and how near each model comes to it; rows the truth lacks are left out.

    `gini` and `gini_share` are measured on outcomes and have an interval by customer group (see `draws_of`), both Ginis
    of a share on the same resamples. Rank correlation and mean PD compare with a known quantity on these very rows.
    """
    found: dict[str, Any] = {}
    for role in HELD_OUT:
        true_pd = _true_pd(parts[role], truth)
        is_told = ~np.isnan(true_pd)
        sample, true_pd = parts[role].part(is_told), true_pd[is_told]
        if not has_both(sample):
            found[role] = None
            continue
        told = {name: values[role][is_told] for name, values in pds.items()}
        best, shares = gini_shares(list(told.values()), true_pd, sample.is_bad, draws_of(sample, settings))
        found[role] = {
            "gini": best.value,
            "gini_interval": best.as_json(),
            "mean_pd": float(true_pd.mean()),
            "rows_left_out": int((~is_told).sum()),
            "models": {
                name: {
                    "gini_share": _finite(share.value),
                    "gini_share_interval": share.as_json(),
                    "rank_correlation": _finite(spearman(values, true_pd)),
                    "mean_pd_ratio": float(values.mean() / true_pd.mean()),
                }
                for (name, values), share in zip(told.items(), shares, strict=True)
            },
        }
    return found


def _true_pd(sample: Sample, truth: pd.DataFrame) -> Floats:
    """The true PD per row, NaN where there is none. A few rows may lack one (a firm that has failed and does not yet
    look it); raises MissingInputError when one row in twenty does."""
    keys = truth.assign(as_of=pd.to_datetime(truth["as_of"]))[["customer_id", "as_of", "pd"]]
    rows = pd.DataFrame(
        {"customer_id": sample.rows["customer_id"].to_numpy(), "as_of": pd.to_datetime(pd.Series(sample.days))}
    )
    joined = rows.merge(keys.drop_duplicates(["customer_id", "as_of"]), how="left", on=["customer_id", "as_of"])
    missing = joined[joined["pd"].isna()]
    if len(missing) > 0.05 * len(joined):
        first = missing.iloc[0]
        raise MissingInputError(
            f"truth: {len(missing):,} of {len(joined):,} rows have no true PD, e.g. {first['customer_id']!r} on "
            f"{first['as_of'].date()}; write the demo book again"
        )
    return joined["pd"].to_numpy(dtype=float)


def _by_year(sample: Sample, confidence: float) -> list[dict[str, Any]]:
    if _is_undated(sample):
        return []
    years = np.array([day.year for day in sample.days])
    told = []
    for year in np.unique(years):
        part = sample.part(years == year)
        rate = float(part.is_bad.sum()) / len(part.is_bad)
        low, high = jeffreys_of_groups(rate, part.customers, confidence)
        told.append({"year": int(year), **part.counts(), "low": low, "high": high})
    return told


def _is_undated(sample: Sample) -> bool:
    return all(day is None for day in sample.days)


def default_rate_by_date(sample: Sample) -> pd.DataFrame:
    """Rows, bads and default rate of each snapshot date, in order; no line for rows without dates."""
    if _is_undated(sample):
        return pd.DataFrame(columns=["as_of", "rows", "bads", "default_rate"])
    frame = pd.DataFrame({"as_of": [day.isoformat() for day in sample.days], "is_bad": sample.is_bad})
    grouped = frame.groupby("as_of", sort=True)["is_bad"].agg(["size", "sum"]).reset_index()
    grouped.columns = pd.Index(["as_of", "rows", "bads"])
    return grouped.assign(bads=grouped["bads"].astype(int), default_rate=grouped["bads"] / grouped["rows"])


def _roc(pds: Mapping[str, Mapping[str, Floats]], parts: Mapping[str, Sample]) -> pd.DataFrame:
    """ROC points of the held-out roles, thinned evenly to at most 200 a curve."""
    pieces = []
    for name, by_role in pds.items():
        for role in HELD_OUT:
            if not has_both(parts[role]):
                continue
            points = roc_points(by_role[role], parts[role].is_bad)
            kept = np.unique(np.linspace(0, len(points) - 1, min(len(points), _MOST_ROC_POINTS)).round().astype(int))
            frame = pd.DataFrame(points[kept], columns=["false_alarm_rate", "hit_rate"])
            pieces.append(frame.assign(model=name, role=role)[["model", "role", "false_alarm_rate", "hit_rate"]])
    return pd.concat(pieces, ignore_index=True) if pieces else pd.DataFrame()


def _grades_frame(report: Mapping[str, Any]) -> pd.DataFrame:
    rows = [
        {"model": name, "role": role, **entry}
        for name, told in report["models"].items()
        for role, entries in told["grades"].items()
        for entry in entries
    ]
    return pd.DataFrame(rows)


def flat_metrics(report: Mapping[str, Any]) -> dict[str, float]:
    """Numbers under dotted names such as `champion.test.gini` and `champion.test.gini_low`; nulls are left out."""
    found: dict[str, float] = {}
    for name, told in report["models"].items():
        for role, measures in told["roles"].items():
            for measure, value in measures.items():
                _put(found, f"{name}.{role}.{measure}", value)
    for name, roles in (*report["naive"].items(), *report["differences"].items()):
        for role, value in roles.items():
            measures = value if "gini" in (value or {}) else {"gini": value}
            for measure, interval in measures.items():
                _put(found, f"{name.replace(' - ', '_less_')}.{role}.{measure}", interval)
    for role, told in (report["truth"] or {}).items():
        _put(found, f"truth.{role}.gini", told and told["gini_interval"])
        for name, measures in (told or {"models": {}})["models"].items():
            for measure, value in measures.items():
                _put(found, f"{name}.{role}.truth_{measure.removesuffix('_interval')}", value)
    return found


_COUNTS = ("rounds", "bins")


def _put(found: dict[str, float], name: str, value: Any) -> None:
    """A measure with parts, such as an interval, leaves one number a part; its value goes by the plain name."""
    if isinstance(value, dict):
        for part, inner in value.items():
            if part not in _COUNTS:
                _put(found, name if part == "value" else f"{name}_{part}", inner)
    elif value is not None:
        found[name] = float(value)


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
