"""The first page: which policy would have been better, by how much, whether it is decided, and what to doubt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.report import figures
from pipeline.report.backtest.naming import in_a_sentence, policy_name, signed_short
from pipeline.report.blocks import Block, Bullets, Chapter, Tile, Tiles

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.report.portfolio.telling import Teller


def first_page(t: Teller) -> Chapter:
    """The verdict of every pair that the last policy is in, its figures, and what throws them into doubt."""
    name = t.told["policies"][-1]["name"]
    of_it = [one for one in t.told["differences"] if one["second"] == name]
    main = of_it[-1] if name == "current" else next(one for one in of_it if one["first"] == "current")
    others = [verdict(t, one) for one in t.told["differences"] if one is not main]
    blocks: list[Block] = [_tiles(t, name, main)]
    if others:
        blocks.append(Bullets(t.say("first.others"), tuple(others)))
    blocks.append(Bullets(t.say("first.doubts"), _doubts(t)))
    return Chapter("first", t.say("first.title"), tuple(blocks), figures.sentences(verdict(t, main), _ground(t)))


def verdict(t: Teller, one: Mapping[str, Any]) -> str:
    """One pair of policies in a sentence."""
    net = one["net"]
    return t.say(
        f"first.verdict.{one['verdict']}",
        first=in_a_sentence(t, one["first"]),
        second=in_a_sentence(t, one["second"], key="first_named"),
        named=in_a_sentence(t, one["second"]),
        net=t.short(net["value"].lstrip("-")),
        signed=signed_short(t, net["value"]),
        range=t.aside(net["low"], net["high"], lambda amount: signed_short(t, amount)),
        n=figures.count(one["defaulted_customers_that_differ"]),
        deliveries=figures.count(one["deliveries_that_differ"]),
        confidence=figures.as_set(t.told["run"]["backtest"]["confidence"]),
        needed=t.told["run"]["backtest"]["min_bad_customers"],
    )


def _ground(t: Teller) -> str:
    judged = [month for month in t.told["months"] if month["is_judged"]]
    if not judged:
        return t.say("first.none_judged")
    delivered = t.told["delivered"]
    return t.say(
        "first.ground",
        months=len(judged),
        first=t.day(judged[0]["as_of"]),
        last=t.day(judged[-1]["as_of"]),
        amount=t.short(delivered["amount"]),
        lost=t.short(delivered["lost"]),
        defaulted=figures.count(delivered["defaulted_customers"]),
        customers=figures.count(delivered["customers"]),
    )


def _tiles(t: Teller, name: str, main: Mapping[str, Any]) -> Tiles:
    policy, limits = t.told["policies_figures"][name], t.told["limits"][name]
    need, too_little = limits["limit_of_need"], limits["short_share"]
    short = t.brief

    def tile(key: str, value: str, interval: str, note: str) -> Tile:
        return Tile(t.say(f"first.tile.{key}", currency=t.currency), value, interval, note)

    def range_of(raw: Mapping[str, Any] | None, write: Any) -> str:
        return "" if raw is None else t.range_of(raw["low"], raw["high"], write)

    avoided, refused = policy["loss_avoided_share"], policy["refused_share"]
    return Tiles(
        (
            tile(
                "net", signed_short(t, main["net"]["value"]), range_of(main["net"], lambda a: signed_short(t, a)),
                t.say("first.against", policy=policy_name(t, main["first"])),
            ),
            tile(
                "avoided", short(policy["loss_avoided"]["value"]), range_of(policy["loss_avoided"], short),
                t.say("first.of_losses", share=figures.share(None if avoided is None else avoided["value"])),
            ),
            tile(
                "refused", short(policy["refused"]["value"]), range_of(policy["refused"], short),
                t.say("first.of_sales", share=figures.share(None if refused is None else refused["value"])),
            ),
            tile(
                "need", figures.decimal(None if need is None else need["value"]), range_of(need, figures.decimal),
                t.say("first.short", share=figures.share(None if too_little is None else too_little["value"], 0)),
            ),
            tile(
                "changes", figures.count(limits["changes"]["value"]), range_of(limits["changes"], figures.count),
                t.say("first.approvals", n=figures.count(limits["approvals"]["value"])),
            ),
        )
    )  # fmt: skip


def _doubts(t: Teller) -> tuple[str, ...]:
    """What the figures themselves throw into doubt."""
    months, run = t.told["months"], t.told["run"]
    seen = sum(month["is_hypothetical"] for month in months)
    unripe = sum(not month["is_mature"] for month in months)
    found = []
    if seen:
        key = "first.doubt.hypothetical_judged" if _rests_on_seen(months) else "first.doubt.hypothetical"
        found.append(t.say(key, n=seen, of=len(months)))
    if unripe:
        found.append(t.say("first.doubt.immature", n=unripe, of=len(months)))
    found.append(
        t.say("first.doubt.cost", margin=figures.as_set(run["margin_share"]), lost=figures.as_set(run["lost_share"]))
    )
    found.append(t.say(f"first.doubt.referred.{run['backtest']['referred']}"))
    found.append(t.say("first.doubt.behaviour"))
    return tuple(found)


def _rests_on_seen(months: list[Mapping[str, Any]]) -> bool:
    return any(month["is_judged"] and month["is_hypothetical"] for month in months)
