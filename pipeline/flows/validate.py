"""Measures both candidates, explains them, registers them; the first pair promotes itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.datasets import read_table, write_json, write_text
from pipeline.durable import draft_folder
from pipeline.flows import log
from pipeline.flows.candidates import Candidate, candidates, store
from pipeline.flows.committee import told_to_committee
from pipeline.flows.evidence import write_evidence
from pipeline.flows.lineage import lineage, registered_lineage
from pipeline.flows.monitored_before import monitored_before
from pipeline.flows.promotion import promote_first_pair
from pipeline.flows.registration import register
from pipeline.flows.scale import master_scale
from pipeline.flows.training_book import positions_of, timetable_of, training_book
from pipeline.flows.training_source import label_of
from pipeline.score.policy import read_policy
from pipeline.train.comparison_ground import book_groups
from pipeline.train.explanation import explanation_plots, mean_weights
from pipeline.train.sample import samples
from pipeline.train.validation import Validation
from pipeline.train.validation import validate as measure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from pipeline.flows.setting import Setting
    from pipeline.score.model import Model
    from pipeline.train.sample import Sample


def validate(setting: Setting) -> None:
    """Writes models/validation/, stores and registers both models; promotes them when no model is in force yet."""
    pair = candidates(setting.project)
    book = training_book(setting)
    table = timetable_of(setting, book)
    models = {role: candidate.model for role, candidate in pair.items()}
    # Rules of thumb read a ledger; a table tells none.
    naive: dict[str, list[str]] | None = {} if label_of(setting).is_of_table else None
    truth = _truth(setting, models["champion"])
    parts = samples(book, table)
    scale, groups = master_scale(setting), _groups(setting, parts["out_of_time"])
    measured = measure(models, book, table, scale, setting.params.validate, naive=naive, truth=truth, groups=groups)
    before = monitored_before(setting)
    tests = told_to_committee(
        setting, pair, book, table, scale, report=measured.report, groups=groups, monitored=before
    )
    # Rows without dates have none out of time; then the other customers are what is explained.
    held_out = parts["test" if table.is_undated else "out_of_time"].rows
    made_of = lineage(setting)
    with draft_folder(setting.project.validation) as draft:
        added = {"tests": tests, "lineage": dict(made_of), "monitored": None if before is None else before.as_json()}
        _write(draft, pair, measured, held_out, added)
    whole = registered_lineage(setting)
    for role, candidate in pair.items():
        store(setting.project, candidate)
        told = measured.report["models"][role]
        write_evidence(setting.project, candidate, validation=told, lineage=whole, parts=parts, table=table)
    register(setting, pair, metrics=measured.metrics, lineage=whole, rows=held_out, validation=measured.report)
    log.say("in_force", promote_first_pair(setting, models, None if table.is_undated else whole["extract_date"]))
    level = setting.params.validate.confidence
    log.say("validated", headline(measured.metrics, list(models), table.held_out, level))


def _groups(setting: Setting, sample: Sample) -> dict[str, NDArray[np.object_]]:
    """By what the book is divided; nothing for a table of one's own, which tells no positions."""
    if label_of(setting).is_of_table or not len(sample.is_bad):
        return {}
    return book_groups(positions_of(setting, sample.rows), sample, read_policy(setting.project.policy))


def _truth(setting: Setting, model: Model) -> pd.DataFrame | None:
    """The true PD of the demo economy, where the ledger is the demo's and the label is the one it tells of."""
    if setting.params.ingest.source != "demo" or not model.is_default_12m:
        return None
    truth: pd.DataFrame = read_table(setting.project.demo_truth, made_by="ingest").to_pandas()
    return truth.rename(columns={"true_pd": "pd"})


def _write(
    draft: Path,
    pair: Mapping[str, Candidate],
    measured: Validation,
    held_out: pd.DataFrame,
    added: Mapping[str, Any],
) -> None:
    report: dict[str, Any] = {
        **measured.report,
        "details": {candidate.model.kind: candidate.details for candidate in pair.values()},
        "weights": {role: mean_weights(candidate.model, held_out) for role, candidate in pair.items()},
        **added,
    }
    write_json(report, draft / "validation.json")
    write_json(measured.metrics, draft / "metrics.json")
    names = {"roc": "roc", "calibration_by_grade": "calibration", "default_rate": "default_rate"}
    for name, file in names.items():
        write_text(measured.frames[name].to_csv(index=False, lineterminator="\n"), draft / f"{file}.csv")
    for candidate in pair.values():
        folder = draft / "pictures" / candidate.model.kind
        folder.mkdir(parents=True)
        for name, picture in explanation_plots(candidate.model, held_out).items():
            (folder / name).write_bytes(picture)


def headline(metrics: Mapping[str, float], roles: Sequence[str], held_out: str, confidence: float) -> str:
    """A line for each model: its Gini on `held_out` rows with the interval, or why it has none."""
    level, lines = f"{100 * confidence:g} %", []
    for role in roles:
        gini = metrics.get(f"{role}.test.gini")
        if gini is None:
            lines.append(f"{role}: the test set holds no bad or no good customer; its Gini cannot be told")
            continue
        low, high = (metrics.get(f"{role}.test.gini_{end}") for end in ("low", "high"))
        is_told = low is not None and high is not None
        interval = f"{level} interval {low:.3f} to {high:.3f}" if is_told else "too few bad customers to tell"
        lines.append(f"{role}: Gini {gini:.3f} ({interval}), {held_out}")
    return "\n".join(lines)
