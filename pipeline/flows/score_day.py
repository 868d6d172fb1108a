"""A day's ledger, the model in force and the policy, to a published run."""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa

from pipeline.datasets import code_hash, put_file, write_json, write_table
from pipeline.engine.scratch import ScratchFolder
from pipeline.errors import CreditbookError, ParameterError
from pipeline.features.catalog import KINDS
from pipeline.flows import log
from pipeline.flows.decision import day_of, user_of
from pipeline.flows.definition import default_definition
from pipeline.flows.deliver import hand_on, open_targets
from pipeline.flows.night_gate import Decision, gates_told, let_through, newest_by_table
from pipeline.flows.night_log import tell_of_absent, tell_of_run
from pipeline.flows.night_sight import Judges, sight_of
from pipeline.flows.no_ledger import NO_LEDGER, refuse_own_table, why_no_ledger
from pipeline.flows.overtaken import RestsOn, require_not_overtaken, versions_now, versions_of
from pipeline.flows.run_before import warn_of_later_runs
from pipeline.flows.setting import Setting, ledger_in, open_setting
from pipeline.history.snapshots import month_ends
from pipeline.score.breakers import Seen, breakers_of
from pipeline.score.conservation import require_same_totals
from pipeline.score.cores import threads
from pipeline.score.meanwhile import run_of_day
from pipeline.score.model_folder import read_role
from pipeline.score.policy import read_policy
from pipeline.score.publish import drafting, previous_folder, prune_runs, publish_draft, run_looked_back_to
from pipeline.score.stream import score_rows
from pipeline.tables.canonical import read_manifest
from pipeline.tables.own_table_writing import holds_own_table
from pipeline.tables.unchanged import unchanged

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pipeline.deliver.target import Target
    from pipeline.history.definition import DefaultDefinition
    from pipeline.score.scored_book import ScoredNight
    from pipeline.tables.canonical import Ledger

_ROLES: tuple[Literal["champion"], Literal["challenger"]] = ("champion", "challenger")
_DIVIDES = ("industry_section", "size_class")


@dataclass(frozen=True)
class Places:
    """Where a run reads and publishes."""

    tables: Path
    models: Path
    out: Path


@dataclass(frozen=True)
class _LookedAt:
    """Features that people look at on the day after, and the file in which they find them."""

    features: frozenset[str]
    night: Path


def score(setting: Setting) -> None:
    """The stage: scores `score.as_of` (null: the extract date); leaves a receipt, and the features with answers."""
    settings, project = setting.params.score, setting.project
    if holds_own_table(project.ledger):
        _leave_receipt_without_ledger(setting)
        return
    places = Places(project.ledger, project.models, project.root / settings.out)
    targets = open_targets(setting, places.out)
    as_of = settings.as_of or _extract_date(places.tables)
    looked_at = _LookedAt(_looked_at_by_day(project.models), project.night)
    night, folder = _scored(setting, as_of, places, looked_at)
    receipt = {
        "run_id": folder.name,
        "as_of": as_of.isoformat(),
        "model_version": night.model.version,
        "out": settings.out,
        **{name: night.summary[name] for name in ("counts", "totals")},
    }
    write_json(receipt, project.receipt)
    _follow_up(setting, targets, places, night, as_of)


def _looked_at_by_day(models: Path) -> frozenset[str]:
    """What people look at on the day after: the features of both models in force, and by what the book is divided."""
    pair = [read_role(models, role) for role in _ROLES if (models / f"{role}.json").is_file()]
    return frozenset(_DIVIDES).union(*(model.features for model in pair))


def _leave_receipt_without_ledger(setting: Setting) -> None:
    """A modelling table has nothing to score: a receipt that says so, and no row for the monitoring."""
    project = setting.project
    why = why_no_ledger(project.ledger)
    write_json({"status": NO_LEDGER, "why": why}, project.receipt)
    write_table(pa.table({"customer_id": pa.array([], pa.string()), "as_of": pa.array([], pa.date32())}), project.night)
    log.say("nothing_scored", f"nothing scored: {why}")


def score_as_of(
    root: Path,
    as_of: dt.date,
    tables: Path | None,
    models: Path | None,
    out: Path | None,
    *,
    accept: str | None = None,
    by: str | None = None,
) -> None:
    """The command: scores a day from the places named, by default the project's.

    `accept` is the reason to publish the run whatever the breakers say, `by` who gives it (null: the user of the
    machine). Raises GateError when a breaker stops the run and there is no reason.
    """
    setting = open_setting(root)
    decision = None if accept is None else Decision(accept, user_of(by), day_of(setting, None))
    places = _places(setting, tables, models, out)
    targets = open_targets(setting, places.out)
    night, _ = _scored(setting, as_of, places, decision=decision)
    _follow_up(setting, targets, places, night, as_of)


def score_days(
    root: Path, days: tuple[dt.date, dt.date], tables: Path | None, models: Path | None, out: Path | None
) -> None:
    """The command's back-fill: every month end from the first day to the last, oldest first, each with only what was
    known then. Raises ParameterError when there is none between."""
    first, last = days
    if first > last:
        raise ParameterError(f"score: --from {first} lies after --to {last}; name the earlier day first")
    setting = open_setting(root)
    places = _places(setting, tables, models, out)
    ends = month_ends(first, last)
    if not ends:
        raise ParameterError(f"score: no month end lies from {first} to {last}; name a later --to")
    targets = open_targets(setting, places.out)
    nights = [_scored(setting, as_of, places)[0] for as_of in ends]
    _follow_up(setting, targets, places, nights[-1], *ends)


def _places(setting: Setting, tables: Path | None, models: Path | None, out: Path | None) -> Places:
    project = setting.project
    places = Places(tables or project.ledger, models or project.models, out or project.root / setting.params.score.out)
    refuse_own_table(places.tables)
    return places


def _scored(
    setting: Setting,
    as_of: dt.date,
    places: Places,
    looked_at: _LookedAt | None = None,
    decision: Decision | None = None,
) -> tuple[ScoredNight, Path]:
    watched, wait, steps = setting.params.score.breakers, setting.params.score.wait_seconds, log.Steps()
    workers = min(setting.params.score.workers, threads())
    # Before anything is read: whoever publishes the day from here on may have read something newer.
    own = run_of_day(places.out, as_of)
    policy = read_policy(setting.project.policy, KINDS)
    model = read_role(places.models, setting.params.score.role)
    previous = previous_folder(places.out, as_of, places.models)
    others = frozenset[str]() if looked_at is None else looked_at.features
    definition = default_definition(setting)
    judges = Judges(model, policy, previous, run_looked_back_to(places.out, as_of, policy.alerts), others)
    with _folder_of_run(setting) as scratch:
        with setting.engine() as engine, steps.step("features"), unchanged(places.tables):
            ledger = ledger_in(engine, places.tables)
            tell_of_absent(ledger.present)
            _require_known(ledger, as_of)
            sight = sight_of(engine, ledger, as_of, judges, definition, scratch)
            newest = newest_by_table(engine, ledger, as_of, watched.stale_days)
            told = _told(ledger, places.tables, definition)
        versions = versions_of(ledger.data_version, model.version, policy, definition)
        rests_on = RestsOn(as_of, own, judges.runs_before, versions)
        with drafting(places.out, wait) as draft:
            in_force = partial(versions_now, setting, places.tables, places.models)
            require_not_overtaken(places.out, rests_on, policy.alerts, in_force)
            with steps.step("book"):
                night, figures = score_rows(sight.rows, model, policy, as_of, draft.add, workers=workers)
                require_same_totals(sight.counted, night.summary)
            with steps.step("breakers"):
                before = None if previous is None else previous.head.as_of
                breakers = breakers_of(Seen(figures, model, as_of, before, newest), watched)
                told |= gates_told(breakers, watched)
                let_through(draft, night, places.out, told, breakers, decision)
            with steps.step("publishing"):
                folder = publish_draft(draft, night, places.out, told)
        if looked_at is not None:
            put_file(sight.features, looked_at.night)
    tell_of_run(night, places.out / f"as_of={as_of}", folder, breakers, steps)
    return night, folder


def _require_known(ledger: Ledger, as_of: dt.date) -> None:
    if as_of > ledger.extract_date:
        raise ParameterError(
            f"score: the day {as_of} lies after the extract date {ledger.extract_date}, beyond which nothing "
            "is known; score that day or an earlier one, or take in a newer ledger"
        )


def _follow_up(
    setting: Setting, targets: Sequence[Target], places: Places, night: ScoredNight, *asked: dt.date
) -> None:
    """After what was published is told: later runs that rest on another run are named by the policy of the `night`
    scored last, old runs go, targets take the new ones. Neither of the last two keeps the other back, and what fails of
    either ends the command; the new runs are published all the same.

    Raises what `prune_runs` and `hand_on` raise; where both fail, the error of the targets, which tells of both.
    """
    score = setting.params.score
    warn_of_later_runs(places.out, asked, night.policy.alerts)
    try:
        prune_runs(places.out, score.keep, score.wait_seconds, asked)
    except CreditbookError as error:
        kept = f"score.keep: what was scored is published; old runs could not be removed: {error}"
        try:
            hand_on(setting, targets)
        except CreditbookError as other:
            raise type(other)(f"{other}\n{kept}") from error
        raise type(error)(kept) from error
    hand_on(setting, targets)


@contextmanager
def _folder_of_run(setting: Setting) -> Iterator[Path]:
    """A folder for the rows of the run; gone at its end, or at the start of the next after a kill."""
    scratch = ScratchFolder(setting.project.root / "data" / "scratch", "night")
    try:
        yield scratch.path
    finally:
        scratch.close()


def _extract_date(tables: Path) -> dt.date:
    return dt.date.fromisoformat(read_manifest(tables)["extract_date"])


def _told(ledger: Ledger, tables: Path, definition: DefaultDefinition) -> dict[str, Any]:
    """What the manifest tells beyond the run itself."""
    return {
        "base_currency": ledger.base_currency,
        "data_version": ledger.data_version,
        "code_version": code_hash(),
        "default_definition": definition.hash(),
        "quarantined": read_manifest(tables).get("quarantined", {}),
    }
