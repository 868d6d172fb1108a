"""The replay month by month: what was refused, what was avoided, how wide the limits were."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.report import figures
from pipeline.report.backtest.naming import policy_name
from pipeline.report.blocks import Block, Cell, Chapter, Column, Table
from pipeline.report.drawing import chart
from pipeline.report.portfolio.drawings import lines

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipeline.report.portfolio.telling import Teller

    Pick = Callable[[Mapping[str, Any], str], float | None]


def months(t: Teller) -> Chapter:
    """Three drawings, each where two months have something to show, and a table of all months with their marks."""
    picks: dict[str, Pick] = {
        "refused_share": lambda m, n: _of(m, n, "refused_share", 100.0),
        "loss_avoided": lambda m, n: _of(m, n, "loss_avoided", 1e-3) if m["is_mature"] else None,
        "limit_of_need": lambda m, n: m["limits"][n]["limit_of_need"],
    }
    blocks: list[Block] = [_drawn(t, key, pick) for key, pick in picks.items() if _shown(t, pick) > 1]
    blocks.append(_table(t))
    return Chapter("months", t.say("months.title"), tuple(blocks), t.say("months.lead"))


def _shown(t: Teller, pick: Pick) -> int:
    """How many months have a value for some policy."""
    names = [one["name"] for one in t.told["policies"]]
    return sum(any(pick(month, name) is not None for name in names) for month in t.told["months"])


def _of(month: Mapping[str, Any], name: str, key: str, factor: float) -> float | None:
    if month["policies"] is None or month["policies"][name][key] is None:
        return None
    return factor * float(month["policies"][name][key])


def _drawn(t: Teller, key: str, pick: Pick) -> Block:
    rows = t.told["months"]
    names = [one["name"] for one in t.told["policies"]]
    series = [(policy_name(t, name), [pick(month, name) for month in rows]) for name in names]
    said = t.say(f"months.{key}.says", first=t.day(rows[0]["as_of"]), last=t.day(rows[-1]["as_of"]))
    title, caption = t.say(f"months.{key}.title"), t.say(f"months.{key}.caption", currency=t.currency)
    drawing = lines([month["as_of"] for month in rows], series, from_zero=True)
    return chart(f"months-{key.replace('_', '-')}", title, caption, said, drawing)


def _table(t: Teller) -> Table:
    names = [one["name"] for one in t.told["policies"]]
    heads = [Column(t.say(f"months.{name}"), is_number=name != "as_of") for name in ("as_of", "amount", "lost")]
    per_policy = [
        Column(t.say(f"months.of.{key}", policy=policy_name(t, name)), is_number=True)
        for name in names
        for key in ("refused", "avoided")
    ]
    rows = [
        (*_month(t, month), *(cell for name in names for cell in _by_policy(t, month, name)))
        for month in t.told["months"]
    ]
    return Table(
        t.say("months.caption", currency=t.currency), (*heads, *per_policy), tuple(rows), (t.say("months.note"),),
        is_fixed=True,
    )  # fmt: skip


def _month(t: Teller, month: Mapping[str, Any]) -> tuple[Cell, ...]:
    marks = [
        t.say(f"months.mark.{name}")
        for name, is_marked in (
            ("hypothetical", month["is_hypothetical"]),
            ("immature", not month["is_mature"]),
        )
        if is_marked
    ]
    lost = t.brief(month["lost"]) if month["is_mature"] else figures.DASH
    return Cell(t.day(month["as_of"]), note=figures.listed(marks)), Cell(t.brief(month["amount"])), Cell(lost)


def _by_policy(t: Teller, month: Mapping[str, Any], name: str) -> tuple[Cell, Cell]:
    if month["policies"] is None:
        return Cell(figures.DASH), Cell(figures.DASH)
    told = month["policies"][name]
    avoided = t.brief(told["loss_avoided"]) if month["is_mature"] else figures.DASH
    return Cell(t.brief(told["refused"]), note=figures.share(told["refused_share"], 0)), Cell(avoided)
