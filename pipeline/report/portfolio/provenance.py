"""Where the figures come from: run, versions, sources, and the command that gives them again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.report.blocks import Block, Chapter, Commands, Facts, Table, cells

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.report.portfolio.telling import Teller


def provenance(t: Teller, sources: Sequence[tuple[str, str]]) -> Chapter:
    """The run told of, and the sources of the rules applied."""
    run = t.told["run"]
    names = ("as_of", "run_id", "model_version", "policy_version", "data_version", "runs", "first_run")
    facts = Facts(tuple((t.say(f"made.{name}"), str(run[name])) for name in names))
    command = f"creditbook portfolio --as-of {run['as_of']}" + (" --names" if t.names else "")
    blocks: list[Block] = [facts, Commands((command,))]
    if sources:
        table = t.table("made.sources", ("source", "says_text"), [cells(title, says) for title, says in sources])
        blocks.append(Table(table.caption, table.columns, table.rows))
    return Chapter("made", t.say("made.title"), tuple(blocks), t.say("made.lead"))
