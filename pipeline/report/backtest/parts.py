"""For whom a policy is better: by grade and segment; and what it did with the limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.report import figures
from pipeline.report.backtest.naming import policy_name, signed_short
from pipeline.report.blocks import Block, Cell, Chapter, Column, Missing, Table
from pipeline.score.limits import ACTIONS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.report.portfolio.telling import Teller


def grades(t: Teller) -> Chapter:
    """Sales refused, losses avoided and the net by grade and by segment of the policy in force today."""
    blocks: list[Block] = []
    for key in ("segments", "grades"):
        rows = t.told[key]
        blocks.append(_parts(t, key, rows) if rows else Missing(t.say("first.none_judged")))
    return Chapter("grades", t.say("grades.title"), tuple(blocks), t.say("grades.lead"))


# Safest first; what is no grade of the scale last.
_SEGMENTS = ("low", "medium", "high", "default", "none")
_LAST = ("D", "none")


def _place_of(key: str, name: str) -> tuple[int, str]:
    order = _SEGMENTS if key == "segments" else _LAST
    return (order.index(name) + 1 if name in order else 0, name)


def _parts(t: Teller, key: str, parts: Sequence[Mapping[str, Any]]) -> Table:
    names = [one["name"] for one in t.told["policies"]]
    heads = (
        Column(t.say(f"grades.{key}")),
        Column(t.say("months.amount"), is_number=True),
        Column(t.say("months.lost"), is_number=True),
        *(
            Column(t.say(f"grades.of.{what}", policy=policy_name(t, name)), is_number=True)
            for name in names
            for what in ("refused", "net")
        ),
    )
    rows = [
        (
            Cell(_part_name(t, key, str(part["key"]))),
            Cell(t.brief(part["amount"])),
            Cell(t.brief(part["lost"])),
            *(cell for name in names for cell in _cells(t, part["policies"][name])),
        )
        for part in sorted(parts, key=lambda part: _place_of(key, str(part["key"])))
    ]
    note = t.say("grades.note", needed=t.told["run"]["backtest"]["min_bad_customers"])
    return Table(t.say(f"grades.caption_{key}", currency=t.currency), heads, tuple(rows), (note,), is_fixed=True)


def _part_name(t: Teller, key: str, name: str) -> str:
    if name == "none":
        return t.say("grades.none")
    return t.name_of("segment", name) if key == "segments" else name


def _cells(t: Teller, told: Mapping[str, Any]) -> tuple[Cell, Cell]:
    avoided = t.brief(told["loss_avoided"])
    return (
        Cell(t.brief(told["refused"]), note=figures.share(told["refused_share"], 0)),
        Cell(signed_short(t, told["net"]), note=f"{_interval(t, told)}{t.say('grades.avoided', amount=avoided)}"),
    )


def _interval(t: Teller, told: Mapping[str, Any]) -> str:
    """Of the net; nothing where too few defaulted for one."""
    if told["net_low"] is None:
        return ""
    return t.say("grades.interval", low=signed_short(t, told["net_low"]), high=signed_short(t, told["net_high"]))


def doings(t: Teller) -> Chapter:
    """What was decided over all months, and by whom it would have had to be approved."""
    names = [one["name"] for one in t.told["policies"]]
    heads = (Column(t.say("doings.what")), *(Column(policy_name(t, name), is_number=True) for name in names))
    actions = [
        (
            Cell(t.name_of("action", action)),
            *(Cell(_known(t.told["limits"][name]["actions"], action, name)) for name in names),
        )
        for action in ACTIONS
    ]
    tiers = sorted(
        {tier for name in names for tier in t.told["limits"][name]["tiers"]}, key=lambda tier: _place(t, tier)
    )
    approved = [
        (
            Cell(t.name_of("tier", tier)),
            *(Cell(_known(t.told["limits"][name]["tiers"], tier, name)) for name in names),
        )
        for tier in tiers
    ]
    groups = ((0, t.say("doings.actions")), (len(actions), t.say("doings.tiers")))
    table = Table(
        t.say("doings.caption"), heads, (*actions, *approved), (t.say("doings.note"),), groups=groups, is_fixed=True
    )
    return Chapter("doings", t.say("doings.title"), (table,), t.say("doings.lead"))


def _known(counts: Mapping[str, int], key: str, policy: str) -> str:
    """A count; a dash for what the ledger does not tell of the limits that stood."""
    if key not in counts or (policy == "stood" and key not in {"raise", "cut"}):
        return figures.DASH
    return figures.count(counts[key])


def _place(t: Teller, tier: str) -> int:
    """The order of the tiers, as the policies tell it."""
    for name in (one["name"] for one in t.told["policies"]):
        order = t.told["limits"][name]["tier_order"]
        if tier in order:
            return int(order.index(tier))
    return 0
