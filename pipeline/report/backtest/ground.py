"""What the replay rests on: the candidates, the models, the assumptions, and where it all comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.report import figures
from pipeline.report.blocks import Block, Bullets, Cell, Chapter, Commands, Facts, Heading, Missing, Table, cells

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.report.portfolio.telling import Teller

_ASSUMED = ("limit", "refused", "exposure", "loss", "net", "rating", "hold", "no_limit", "window", "level")
_UNKNOWN = ("behaviour", "others", "staff", "policy_then")


def candidates(t: Teller) -> Chapter:
    """Every key in which a candidate differs from the policy in force."""
    found = [one for one in t.told["policies"] if one["name"] not in {"stood", "current"}]
    blocks: list[Block] = []
    for one in found:
        blocks.append(Heading(t.say("candidates.heading", name=one["name"], version=one["version"])))
        if not one["changes"]:
            blocks.append(Missing(t.say("candidates.same")))
            continue
        rows = [cells(*change) for change in one["changes"]]
        blocks.append(t.table("candidates", ("key", "before_text", "after_text"), rows))
    if not found:
        blocks.append(Missing(t.say("candidates.none")))
    return Chapter("candidates", t.say("candidates.title"), tuple(blocks))


def models(t: Teller) -> Chapter:
    """Which model judged which months, and what it had been fitted on."""
    rows = [
        (
            Cell(one["version"], note=t.say("models.seen") if one["is_hypothetical"] else _basis(t, one["is_expert"])),
            *(Cell(t.day(one[name])) for name in ("fitted_on", "first_date", "last_date")),
            *(
                Cell(figures.DASH if one[name] is None else figures.count(one[name]))
                for name in ("dates", "snapshots", "bads", "bad_customers", "months")
            ),
        )
        for one in t.told["models"]
    ]
    heads = ("version", "fitted_on", "first_date", "last_date", "dates", "snapshots", "bads", "bad_customers", "months")
    blocks: list[Block] = [t.table("models", heads, rows, t.say("models.note"))]
    left_out = t.told["refits_left_out"]
    if left_out:
        told = tuple(t.say("models.left_out_on", day=t.day(day), why=t.words.told(why)) for day, why in left_out)
        blocks.append(Bullets(t.say("models.left_out"), told))
    run = t.told["run"]["backtest"]
    lead = t.say("models.lead", months=run["refit_months"], first=run["first_fit_snapshots"])
    return Chapter("models", t.say("models.title"), tuple(blocks), lead)


def _basis(t: Teller, is_expert: object) -> str:
    return t.say("models.expert") if is_expert else ""


def assumptions(t: Teller) -> Chapter:
    """What the replay assumes, with the formulas, and what no replay can know."""
    run = t.told["run"]
    values = {
        "margin": figures.as_set(run["margin_share"]),
        "lost": figures.as_set(run["lost_share"]),
        "cost": figures.as_set(run["margin_share"] * run["lost_share"]),
    }
    told = tuple(t.say(f"assumptions.{name}", **values) for name in _ASSUMED)
    referred = t.say(f"first.doubt.referred.{run['backtest']['referred']}")
    unknown = tuple(t.say(f"assumptions.unknown.{name}") for name in _UNKNOWN)
    blocks = (
        Bullets(t.say("assumptions.assumed"), (*told, referred)),
        Bullets(t.say("assumptions.not_known"), unknown),
    )
    return Chapter("assumptions", t.say("assumptions.title"), blocks)


def made(t: Teller, sources: Sequence[tuple[str, str]]) -> Chapter:
    """What went in, and the command that gives the same again."""
    run = t.told["run"]
    names = ("id", "from", "to", "extract_date", "data_version", "code_version")
    facts = Facts(tuple((t.say(f"made.{name}"), str(run[name])) for name in names))
    files = "".join(f" --policy {one['name']}.yaml" for one in t.told["policies"][2:])
    command = f"creditbook backtest --from {run['from']} --to {run['to']}{files}"
    blocks: list[Block] = [facts, Commands((command,))]
    if sources:
        rows = [cells(title, " ".join(says.split())) for title, says in sources]
        table = t.table("made.sources", ("source", "says_text"), rows)
        blocks.append(Table(table.caption, table.columns, table.rows))
    return Chapter("made", t.say("made.title"), tuple(blocks), t.say("made.lead"))
