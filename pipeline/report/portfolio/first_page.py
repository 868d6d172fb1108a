"""The first page: how the book stands, what moved since last month, what a reader must decide or doubt."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipeline.report import figures
from pipeline.report.blocks import Block, Bullets, Chapter, Missing, Tile, Tiles
from pipeline.report.portfolio.doings import overtaken
from pipeline.report.portfolio.telling import change

if TYPE_CHECKING:
    from pipeline.report.portfolio.telling import Teller


def first_page(t: Teller) -> Chapter:
    """Verdict, five figures, what changed, open questions."""
    ageing, loss = t.told["ageing"], t.told["expected_loss"]
    lead = t.say(
        "first.lead",
        total=t.short(ageing["total"]),
        customers=figures.count(ageing["customers"]),
        overdue=figures.share(ageing["overdue_share"]),
        loss=t.short(loss["performing"]["value"]),
        in_default=figures.count(t.told["exposure"]["in_default"]),
    )
    blocks: list[Block] = [_tiles(t)]
    changed = _changed(t)
    if changed:
        blocks.append(
            Bullets(t.say("first.changed", day=t.day(t.told["run_before"] or t.told["month_before"])), changed)
        )
    else:
        blocks.append(Missing(t.say("first.no_month_before")))
    blocks.append(Bullets(t.say("first.questions"), _questions(t)))
    return Chapter("first", t.say("first.title"), tuple(blocks), lead)


def _tiles(t: Teller) -> Tiles:
    ageing, now = t.told["ageing"], t.told["over_time"][-1]
    loss, provisions = t.told["expected_loss"]["performing"], t.told["provisions"]
    matrix, lifetime = provisions["matrix"]["total"], provisions["lifetime"]
    days = figures.DASH if now["dso"] is None else t.say("days", n=figures.decimal(now["dso"], 1))
    best = figures.DASH if now["best_possible_dso"] is None else figures.decimal(now["best_possible_dso"], 1)
    beside = (
        t.say("first.no_lifetime") if lifetime is None
        else t.say("first.beside", lifetime=t.brief(lifetime["total"]["value"]), interval=t.aside(
            lifetime["total"]["low"], lifetime["total"]["high"], t.brief
        ))
    )  # fmt: skip
    return Tiles(
        (
            Tile(
                t.say("first.tile.open", currency=t.currency), t.brief(ageing["total"]), "",
                t.say("first.since", change=change(ageing["total"], ageing["total_before"])),
            ),
            Tile(
                t.say("first.tile.overdue"), figures.share(ageing["overdue_share"]), "",
                t.say("first.was", before=figures.share(ageing["overdue_share_before"])),
            ),
            Tile(t.say("first.tile.dso"), days, "", t.say("first.best", best=best)),
            Tile(
                t.say("first.tile.loss", currency=t.currency), t.brief(loss["value"]),
                t.range_of(loss["low"], loss["high"], t.brief),
                t.say("first.management"),
            ),
            Tile(
                t.say("first.tile.allowance", currency=t.currency), t.brief(matrix["value"]),
                t.range_of(matrix["low"], matrix["high"], t.brief), beside,
            ),
        )
    )  # fmt: skip


def _changed(t: Teller) -> tuple[str, ...]:
    found = []
    ageing, moved = t.told["ageing"], t.told["migration"]
    if ageing["total_before"] is not None:
        found.append(
            t.say(
                "first.change.ageing",
                total=change(ageing["total"], ageing["total_before"]),
                now=figures.share(ageing["overdue_share"]),
                before=figures.share(ageing["overdue_share_before"]),
            )
        )
    if moved is not None:
        values = {
            name: figures.count(moved[name]) for name in ("graded", "up", "down", "two_or_more", "to_default", "cured")
        }
        found.append(t.say("first.change.grades", **values))
        loss = t.told["expected_loss"]
        found.append(
            t.say("first.change.loss", before=t.short(loss["total_before"]), now=t.short(loss["total"]),
                  change=change(loss["total"], loss["total_before"]))
        )  # fmt: skip
    if "changes" in t.told["limits"]:
        counts = {row["change"]: figures.count(row["customers"]) for row in t.told["limits"]["changes"]}
        found.append(t.say("first.change.limits", **counts))
    return tuple(found)


def _questions(t: Teller) -> tuple[str, ...]:
    """What the figures themselves throw into doubt; each a sentence with its figures."""
    found = [*_of_allowances(t), *_of_loss_given_default(t), *_of_scenarios(t), *_of_alerts(t)]
    if t.told["level"] is None:
        found.append(t.say("first.question.no_level"))
    if t.told["run"]["before"]["is_overtaken"]:
        found.append(overtaken(t))
    if not t.told["run"]["ledger_is_that_of_the_run"]:
        found.append(t.say("first.question.other_ledger"))
    left = (t.told["provisions"]["lifetime"] or {}).get("left_out") or {"items": 0}
    if left["items"]:
        found.append(t.say("first.question.left_out", n=figures.count(left["items"]), amount=t.short(left["amount"])))
    return tuple(found or [t.say("first.question.none")])


def _of_allowances(t: Teller) -> list[str]:
    """The matrix and the model put the allowance where neither's interval reaches the other's."""
    matrix, lifetime = t.told["provisions"]["matrix"], t.told["provisions"]["lifetime"]
    both = [matrix["total"], {} if lifetime is None else lifetime["total"]]
    if any(one.get(end) is None for one in both for end in ("low", "high")):
        return []
    if max(Decimal(one["low"]) for one in both) <= min(Decimal(one["high"]) for one in both):
        return []
    gaps = {
        one["bucket"]: abs(Decimal(one["provision"]["value"] or 0) - Decimal(other["loss"] or 0))
        for one, other in zip(matrix["buckets"], lifetime["buckets"], strict=True)
    }
    widest = max(gaps, key=lambda bucket: gaps[bucket])
    values = {
        name: t.short(one["value"]) + t.aside(one["low"], one["high"], t.short)
        for name, one in zip(("matrix", "model"), both, strict=True)
    }
    return [t.say("first.question.allowances", bucket=t.name_of("bucket", widest), gap=t.short(gaps[widest]), **values)]


def _of_loss_given_default(t: Teller) -> list[str]:
    seen = t.told["provisions"]["recoveries"] or {}
    recovered, last = seen.get("recovered"), t.told["provisions"]["matrix"]["buckets"][-1]
    if not recovered or recovered.get("high") is None or last["lgd"] is None:
        return [t.say("first.question.no_recoveries")]
    if recovered["low"] <= 1 - last["lgd"] <= recovered["high"]:
        return []
    return [
        t.say(
            "first.question.lgd" if recovered["high"] < 1 - last["lgd"] else "first.question.lgd_high",
            amount=t.short(seen["amount"]),
            lgd=figures.share(last["lgd"], 0),
            recovered=figures.share(recovered["value"]),
            interval=t.range_of(recovered["low"], recovered["high"], figures.share),
            n=figures.count(seen["customers"]),
            months=seen["months"],
        )
    ]


def _of_scenarios(t: Teller) -> list[str]:
    dated = t.told["provisions"]["matrix"]["scenarios"]
    if dated is None:
        return [t.say("first.question.no_scenarios")]
    if not dated["is_out_of_date"]:
        return []
    return [t.say("first.question.old_scenarios", day=t.day(dated["valid_from"]), months=dated["review_months"])]


def _of_alerts(t: Teller) -> list[str]:
    """The rules whose alerts were followed by default no more often than customers at large."""
    warning: dict[str, Any] = t.told["alerts"]["warning"]
    base = warning.get("base_rate")
    if base is None or base["value"] is None:
        return []
    dull = [
        t.rule(row["rule"]) for row in warning["rules"]
        if row["hit_rate"]["low"] is not None and Decimal(row["hit_rate"]["low"]) <= Decimal(base["value"])
    ]  # fmt: skip
    if not dull:
        return []
    return [t.say("first.question.dull_rules", rules=figures.listed(dull), base=figures.share(base["value"]))]
