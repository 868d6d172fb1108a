"""Publishing a run: a folder that never changes, and links that are swapped when it is whole."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pipeline.durable import locked, put_folder, replace_link, replace_text, sweep_asides, told_errors
from pipeline.errors import CreditbookError, DamagedRunError, ParameterError
from pipeline.score.alert_columns import day_looked_back_to
from pipeline.score.alerts import ALERT_SCHEMA
from pipeline.score.columns import BOOK_SCHEMA
from pipeline.score.draft import RUN_TABLES, Draft
from pipeline.score.holding import HELD, release
from pipeline.score.meanwhile import link_of, published_days
from pipeline.score.model_folder import read_model
from pipeline.score.policy import policy_of
from pipeline.score.previous import BOOK_COLUMNS, EarlierRun, PreviousFolder, PreviousRun, no_rows
from pipeline.score.retention import prune
from pipeline.score.run_check import MANIFEST, RUNS, hash_breaches, read_manifest, run_id_of, sealed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from pipeline.night_params import KeepParams
    from pipeline.score.alert_sections import AlertsSection
    from pipeline.score.model import Model
    from pipeline.score.scored_book import ScoredNight, ScoredRun

FORMAT = 2
# What the caller tells beyond the run itself.
_TOLD = frozenset(
    {"base_currency", "data_version", "code_version", "default_definition", "gates", "thresholds", "quarantined"}
)


@contextmanager
def drafting(out: Path, wait_seconds: float = 0) -> Iterator[Draft]:
    """A run to be filled part by part, then published or held; nothing of it stays when neither is done.

    Nobody else can write under `out` meanwhile; another run is waited for, `wait_seconds` long. Raises LockedError,
    OutputError, StorageError.
    """
    with locked(out / ".lock", wait_seconds):
        with told_errors(out):
            runs = out / RUNS
            runs.mkdir(exist_ok=True)
            sweep_asides(runs)
            folder = runs / ".draft.aside"
            folder.mkdir()
        try:
            draft = Draft(folder)
            try:
                draft.open()
                yield draft
            finally:
                draft.abandon()
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def publish(run: ScoredRun, out: Path, manifest: Mapping[str, Any], wait_seconds: float = 0) -> Path:
    """Publishes a run that is in memory; else as `publish_draft`."""
    run_inputs(run, manifest)
    with drafting(out, wait_seconds) as draft:
        draft.add(run)
        return publish_draft(draft, run, out, manifest)


def publish_draft(draft: Draft, night: ScoredNight, out: Path, manifest: Mapping[str, Any]) -> Path:
    """Publishes what was drafted under `out` and returns its folder `out/.runs/<run id>`.

    `manifest` tells `data_version` and `code_version` and, when known, `base_currency`, the hash of the
    `default_definition`, `gates`, the hash of their `thresholds`, and `quarantined` (rows by table). What was held of
    the day is removed.
    A whole run is left as it is. `as_of=DATE` always points to the run published last for the day;
    `latest` only ever moves to the same or a later day, so that filling in an old day does not turn readers back.
    Raises OutputError, StorageError, ParameterError.
    """
    inputs = run_inputs(night, manifest)
    folder = out / RUNS / run_id_of(inputs)
    with told_errors(out):
        if published(out, folder.name) is None:
            _put(draft, night, folder, inputs, manifest)
        target = f"{RUNS}/{folder.name}"
        replace_link(link_of(out, night.as_of), target)
        if _latest_day(out) <= night.as_of:
            replace_link(out / "latest", target)
        release(out, night.as_of.isoformat())
    return folder


def prune_runs(out: Path, keep: KeepParams, wait_seconds: float = 0, asked: Iterable[dt.date] = ()) -> list[Path]:
    """Removes the runs that the policy no longer keeps; gives back what went. The days just `asked` for stay, however
    old. Raises LockedError, StorageError."""
    with locked(out / ".lock", wait_seconds), told_errors(out):
        linked = {day: link_of(out, day) for day in published_days(out)}
        return prune(out, linked, keep, frozenset(asked))


def hold_draft(draft: Draft, night: ScoredNight, out: Path, manifest: Mapping[str, Any], why: str) -> Path:
    """Keeps what was drafted aside, whole, with the report of why; no link points to it. Raises as `publish_draft`."""
    inputs = run_inputs(night, manifest)
    folder = out / HELD / run_id_of(inputs)
    with told_errors(out):
        sweep_asides(out / HELD)
        release(out, night.as_of.isoformat())
        # The report first: by it the next night of the day finds what is to be removed, however far this one came.
        replace_text(folder.with_name(f"{folder.name}.md"), why)
        _put(draft, night, folder, inputs, manifest)
    return folder


def run_inputs(run: ScoredNight, manifest: Mapping[str, Any]) -> dict[str, str]:
    """What a run is made of; equal inputs give the same run id and the same bytes."""
    unknown = sorted(set(manifest) - _TOLD)
    missing = [name for name in ("data_version", "code_version") if name not in manifest]
    if unknown or missing:
        raise ParameterError(
            f"publish: the manifest takes {', '.join(sorted(_TOLD))}; unknown: {', '.join(unknown) or 'none'}; "
            f"missing: {', '.join(missing) or 'none'}"
        )
    return {
        "as_of": run.as_of.isoformat(),
        "data_version": str(manifest["data_version"]),
        "model_version": run.model.version,
        "policy_version": run.policy.version,
        "previous": "" if run.previous is None else run.previous.manifest_sha256,
        "looked_back": "" if run.looked_back is None else run.looked_back.manifest_sha256,
        "code_version": str(manifest["code_version"]),
        "default_definition": str(manifest.get("default_definition", "")),
        "thresholds": str(manifest.get("thresholds", "")),
        "quarantined": _hash_of(manifest.get("quarantined")),
    }


def published(out: Path, run_id: str) -> Path | None:
    """The folder of a run that is already there and whole, else null."""
    folder = out / RUNS / run_id
    return folder if (folder / MANIFEST).is_file() and not hash_breaches(folder) else None


def previous_run(out: Path, as_of: dt.date, models: Path | None = None) -> PreviousRun | None:
    """The newest published run of a day before `as_of` with all its rows, null without one. For many customers take
    `previous_folder`, which reads them as they are needed. Raises as that does."""
    found = previous_folder(out, as_of, models)
    return None if found is None else found.whole()


def previous_folder(out: Path, as_of: dt.date, models: Path | None = None) -> PreviousFolder | None:
    """The newest published run of a day before `as_of`, null without one. Raises DamagedRunError."""
    days = [day for day in published_days(out) if day < as_of]
    if not days:
        return None
    folder = _whole(out, max(days), "previous")
    manifest = read_manifest(folder)
    versions = manifest["versions"]
    head = PreviousRun(
        as_of=max(days),
        run_id=manifest["run_id"],
        manifest_sha256=_manifest_hash(folder),
        model_version=versions["model"]["version"],
        policy_version=versions["policy"]["version"],
        book=no_rows(BOOK_SCHEMA, BOOK_COLUMNS),
        alerts=no_rows(ALERT_SCHEMA, ALERT_SCHEMA.names),
        policy=policy_of(manifest),
        model=None if models is None else _model_of(models / versions["model"]["version"]),
    )
    return PreviousFolder(head, folder)


def run_looked_back_to(out: Path, as_of: dt.date, section: AlertsSection) -> EarlierRun | None:
    """The published run that alert rules compare with, null without one or when no rule does.

    Raises DamagedRunError.
    """
    if not section.looks_back:
        return None
    day = day_looked_back_to(published_days(out), as_of, section.look_back)
    if day is None:
        return None
    folder = _whole(out, day, "older")
    return EarlierRun(day, read_manifest(folder)["run_id"], _manifest_hash(folder), folder)


def _whole(out: Path, day: dt.date, which: str) -> Path:
    folder = link_of(out, day).resolve()
    breaches = hash_breaches(folder)
    if breaches:
        raise DamagedRunError(
            f"{folder}: the {which} run is damaged ({breaches[0]}); restore it or publish its day again"
        )
    return folder


def _manifest_hash(folder: Path) -> str:
    return hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()


def _hash_of(told: Mapping[str, Any] | None) -> str:
    """sha256 of what is told, empty when nothing is."""
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest() if told else ""


def _named(run: PreviousRun | EarlierRun | None) -> dict[str, str] | None:
    if run is None:
        return None
    return {"as_of": run.as_of.isoformat(), "run_id": run.run_id, "manifest_sha256": run.manifest_sha256}


def _put(draft: Draft, night: ScoredNight, folder: Path, inputs: Mapping[str, str], told: Mapping[str, Any]) -> None:
    """The manifest last, then all of it in its place at once."""
    files = draft.close()
    manifest = {
        "format": FORMAT,
        "run_id": folder.name,
        "inputs": dict(inputs),
        "as_of": night.as_of.isoformat(),
        "base_currency": told.get("base_currency"),
        "label": dict(night.model.label),
        "versions": _versions(night, inputs),
        "rows": {name: files[f"{name}.parquet"].rows for name in RUN_TABLES},
        "files": {name: {"sha256": file.sha256, "bytes": file.bytes} for name, file in files.items()},
        "counts": night.summary["counts"],
        "totals": night.summary["totals"],
        "notes": night.summary["notes"],
        "gates": told.get("gates", []),
        "quarantined": told.get("quarantined", {}),
        "previous": _named(night.previous),
        "looked_back": _named(night.looked_back),
    }
    put_folder(draft.folder, folder, MANIFEST, sealed(manifest))


def _versions(run: ScoredNight, inputs: Mapping[str, str]) -> dict[str, Any]:
    return {
        "model": {"version": run.model.version, "kind": run.model.kind},
        "policy": {
            "version": run.policy.version,
            "valid_from": run.policy.valid_from.isoformat(),
            "hashes": dict(run.policy.hashes),
            # The text travels with the run, so that the next one can tell what a change of policy did.
            "texts": dict(run.policy.texts),
        },
        "master_scale": run.policy.hashes["master_scale"],
        "default_definition": inputs["default_definition"],
        "feature_catalogue": run.model.catalogue_hash,
        "code": inputs["code_version"],
        "ledger": inputs["data_version"],
    }


def _model_of(folder: Path) -> Model | None:
    try:
        return read_model(folder)
    except CreditbookError:
        # Gone or damaged; the caller notes that the change cannot be told apart.
        return None


def _latest_day(out: Path) -> dt.date:
    latest = out / "latest"
    try:
        return dt.date.fromisoformat(read_manifest(latest.resolve())["as_of"])
    except CreditbookError:
        # No latest yet, or one that points to nothing whole: any run is better.
        return dt.date.min
