"""From what validation measured to the model report."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd
import yaml

from pipeline.datasets import read_json, read_table, write_json
from pipeline.flows.candidates import candidates
from pipeline.flows.committee_facts import bins_by_year, depths, effects_of, model_before, pair_compared
from pipeline.flows.evidence import read_evidence
from pipeline.flows.no_ledger import NO_LEDGER
from pipeline.flows.report_files import publish_document, remove_others
from pipeline.flows.role_history import ROLES, record_of
from pipeline.flows.training_book import KEY, timetable_of, training_book
from pipeline.flows.training_source import catalogue_of, label_of
from pipeline.report.model_card import model_card
from pipeline.report.model_report import ReportInput, WorkedCustomer, model_report
from pipeline.score.policy import read_policy
from pipeline.score.run_check import RUNS
from pipeline.tables.canonical import read_manifest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pipeline.flows.candidates import Candidate
    from pipeline.flows.setting import Setting
    from pipeline.score.model import Model

_FROM_POSITION = ("industry", "size_class", "region", "data_depth")
_COMMANDS = ("make run", "creditbook stage validate", "creditbook stage report", "dvc metrics show")


def report(setting: Setting) -> None:
    """Writes the model report in every language and format asked for, and the model card, to models/report."""
    project, settings = setting.project, setting.params.report
    pair = candidates(project)
    told = read_json(project.validation / "validation.json", made_by="validate")
    given = _input(setting, pair, told)
    written = [project.report.with_name("model_card.json")]
    write_json(model_card(given), written[0])
    for language in settings.language:
        document = model_report(replace(given, language=language))
        # The first language has the plain name, which other tools and bookmarks know.
        name = project.report.stem + ("" if language == settings.language[0] else f"_{language}")
        written += publish_document(document, project.report.with_name(name), settings.formats)
    remove_others(project.report.parent, written)


def _input(setting: Setting, pair: Mapping[str, Candidate], told: dict[str, Any]) -> ReportInput:
    project = setting.project
    taken_in = read_manifest(project.ledger)
    label = label_of(setting)
    card, book = pair["champion"].folder, training_book(setting)
    worked, scored = _worked(setting, book, pair["champion"]), _book(setting)
    records = ((str(role), record_of(project.models, role)) for role in ROLES)
    in_force = {role: record for role, record in records if record}
    made_from = _made_from(setting, pair["champion"].model.version, told)
    return ReportInput(
        label=label.as_json(),
        validation=told,
        snapshots=_snapshots(setting),
        catalogue=catalogue_of(setting),
        details=told["details"],
        definition={} if label.is_of_table else yaml.safe_load(project.definition.read_text(encoding="utf-8")),
        master_scale=yaml.safe_load(project.master_scale.read_text(encoding="utf-8")),
        limit_policy={} if label.is_of_table else yaml.safe_load(project.limit_policy.read_text(encoding="utf-8")),
        roc=_roc(project.validation / "roc.csv"),
        confidence=setting.params.validate.confidence,
        min_bad_customers=setting.params.validate.min_bad_customers,
        significance=setting.params.validate.significance,
        power=setting.params.validate.tests.power,
        blind_level=setting.params.validate.tests.blind_level,
        scorecard=json.loads((card / "scorecard.json").read_text(encoding="utf-8")),
        scorecard_calibration=json.loads((card / "calibration.json").read_text(encoding="utf-8")),
        thin_card=json.loads((card / "thin_file.json").read_text(encoding="utf-8")).get("card"),
        worked=worked,
        pictures=_pictures(project.validation / "pictures" / "booster"),
        weights=told["weights"].get("challenger", {}),
        book=scored,
        base_currency=taken_in.get("base_currency", ""),
        limitations=[*told["timetable"]["limitations"], *_assumptions(taken_in)],
        table=taken_in if label.is_of_table else None,
        in_force=in_force,
        provenance={
            "extract_date": told["lineage"]["extract_date"],
            **{f"{role}_in_force": str(record["model_version"]) for role, record in in_force.items()},
            "champion": pair["champion"].model.version,
            **({"challenger": pair["challenger"].model.version} if "challenger" in pair else {}),
            **told["lineage"],
            **_commit(made_from),
        },
        lineage=made_from,
        commands=_COMMANDS,
        before=model_before(setting, pair["champion"].model, in_force.get("champion")),
        monitored=_monitored(setting),
        comparison=pair_compared(setting, {role: candidate.model for role, candidate in pair.items()}),
        bin_years=bins_by_year(book, pair["champion"].model),
        effects=effects_of(book, timetable_of(setting, book), _challenger(pair)),
        worked_name=_name_of(worked, scored, setting.params.report.customers),
    )


def _made_from(setting: Setting, version: str, told: Mapping[str, Any]) -> dict[str, str]:
    """What a model was made from as its evidence tells it; what the validation tells where none is kept."""
    found = read_evidence(setting.project, version)
    return dict(told["lineage"] if found is None else found.told["lineage"])


def _commit(made_from: Mapping[str, str]) -> dict[str, str]:
    """The git commit that the validation of a model was run on; nothing where it is not told."""
    commit = made_from.get("git_commit")
    return {"commit": str(commit)} if commit else {}


def _monitored(setting: Setting) -> dict[str, Any]:
    """What the stage monitor told last; empty before its first run and where no ledger was scored."""
    path = setting.project.monitoring / "monitoring.json"
    told: dict[str, Any] = read_json(path, made_by="monitor") if path.is_file() else {}
    return told if told.get("gates") else {}


def _snapshots(setting: Setting) -> pd.DataFrame:
    """Every snapshot with its outcome, and what the population chapter tells of it."""
    outcomes: pd.DataFrame = read_table(setting.project.snapshots, made_by="label").to_pandas()
    if label_of(setting).is_of_table:
        return outcomes
    stood = read_table(setting.project.positions, made_by="build_features").to_pandas()
    stood["data_depth"] = depths(stood, read_policy(setting.project.policy))
    merged: pd.DataFrame = outcomes.merge(stood[[*KEY, *_FROM_POSITION]], on=KEY, how="left", validate="one_to_one")
    return merged


def _challenger(pair: Mapping[str, Candidate]) -> Model | None:
    return pair["challenger"].model if "challenger" in pair else None


def _name_of(worked: WorkedCustomer, scored: pd.DataFrame | None, customers: str) -> str:
    """The name of the worked customer in the last scored book; empty unless names are asked for and known."""
    if customers != "names" or scored is None or "name" not in scored.columns:
        return ""
    found = scored.loc[scored["customer_id"] == worked.customer_id, "name"].dropna()
    return str(found.iloc[0]) if len(found) else ""


def _worked(setting: Setting, book: pd.DataFrame, champion: Candidate) -> WorkedCustomer:
    """The held-out customer of middling risk: neither the best nor the worst says how points add up."""
    rows = book[(timetable_of(setting, book).role(book) == "test") & book["is_bad"].notna()]
    ordered = rows.assign(pd=champion.model.pd(rows)).sort_values(["pd", "customer_id", "as_of"], ignore_index=True)
    row = ordered.iloc[len(ordered) // 2]
    features = {name: None if pd.isna(row[name]) else row[name] for name in champion.model.features}
    return WorkedCustomer(row["customer_id"], "" if row["as_of"] is None else row["as_of"].isoformat(), features)


def _roc(path: Path) -> pd.DataFrame | None:
    """The ROC points; null where the held-out rows have no bad or no good, so that there is no curve."""
    return pd.read_csv(path) if path.read_text(encoding="utf-8").strip() else None


def _book(setting: Setting) -> pd.DataFrame | None:
    """The book that was scored last: what the grades and limits chapters tell of; null where there is no ledger."""
    receipt = read_json(setting.project.receipt, made_by="score")
    if receipt.get("status") == NO_LEDGER:
        return None
    folder = setting.project.root / receipt["out"] / RUNS / receipt["run_id"]
    book: pd.DataFrame = read_table(folder / "scored_book.parquet", made_by="score").to_pandas()
    return book


def _pictures(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.png"))}


def _assumptions(taken_in: Mapping[str, Any]) -> list[str]:
    """What intake assumed of a ledger, or what the catalogue of a table warns of."""
    return [*(f"assumed at intake: {told}" for told in taken_in.get("assumptions", [])), *taken_in.get("notes", [])]
