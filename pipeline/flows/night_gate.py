"""Between a scored run and its publication: the circuit breakers, and whoever lets a run through in spite of them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from pipeline.errors import ParameterError
from pipeline.flows import log
from pipeline.history.point_in_time import newest_known
from pipeline.score.holding import Acceptance, acceptances, is_held, record, report, stopped
from pipeline.score.publish import hold_draft, published, run_inputs
from pipeline.score.run_check import run_id_of
from pipeline.tables.ledger import BY_NAME

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from pipeline.engine import Engine
    from pipeline.night_params import BreakerParams
    from pipeline.score.breakers import Breaker
    from pipeline.score.draft import Draft
    from pipeline.score.scored_book import ScoredNight
    from pipeline.tables.canonical import Ledger


_UNSEEN = "--accept was given for a run that nobody can have looked at, and was not recorded: look at it first. "


@dataclass(frozen=True)
class Decision:
    """To publish a run whatever the breakers say: why, by whom, and the day of it."""

    reason: str
    by: str
    on: dt.date


def gates_told(breakers: Sequence[Breaker], settings: BreakerParams) -> dict[str, Any]:
    """What the manifest tells of the breakers; the hash of their thresholds is part of what a run is made of."""
    thresholds = hashlib.sha256(json.dumps(asdict(settings), sort_keys=True).encode()).hexdigest()[:16]
    return {"gates": [one.as_json() for one in breakers], "thresholds": thresholds}


def let_through(  # noqa: PLR0917 - a run, its place, what is told of it and who decides
    draft: Draft,
    run: ScoredNight,
    out: Path,
    told: Mapping[str, Any],
    breakers: Sequence[Breaker],
    decision: Decision | None,
) -> None:
    """Returns when the run drafted may be published; otherwise keeps it aside and raises GateError.

    A run that is published already, or that somebody accepted, may be. A decision on a run that no breaker stops is
    told and not recorded: there was nothing to decide. Only a run that lies held can be accepted: nobody has looked at
    any other.
    """
    red = tuple(one.name for one in breakers if one.light == "red")
    run_id = run_id_of(run_inputs(run, told))
    if not red or published(out, run_id) is not None or any(one.run_id == run_id for one in acceptances(out)):
        if decision is not None:
            text = f"--accept: nothing stops run {run_id} now, so that nothing was recorded"
            log.say("nothing_to_accept", text, run_id=run_id)
        return
    as_of = run.as_of.isoformat()
    if decision is None or not is_held(out, run_id):
        hold_draft(draft, run, out, told, report(run_id, breakers, as_of))
        raise stopped(run_id, breakers, out, as_of, "" if decision is None else _UNSEEN)
    record(out, Acceptance(run_id, as_of, red, decision.by, decision.on.isoformat(), decision.reason))


def newest_by_table(engine: Engine, ledger: Ledger, as_of: dt.date, tables: Iterable[str]) -> dict[str, dt.date | None]:
    """By table that was handed in, the newest day on which a row became known up to `as_of`; null without a row.

    Raises ParameterError for a table that the ledger's contract does not have.
    """
    unknown = sorted(set(tables) - set(BY_NAME))
    if unknown:
        raise ParameterError(
            f"score.breakers.stale_days: {len(unknown)} unknown table(s), e.g. {unknown[0]!r}; name one of "
            f"{', '.join(BY_NAME)}"
        )
    found = {}
    for table in sorted(set(tables) & ledger.present):
        found[table] = engine.collect(newest_known(ledger, table, as_of), order_by=["day"])["day"][0].as_py()
    return found
