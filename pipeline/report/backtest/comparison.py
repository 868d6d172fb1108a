"""The policies side by side, and each pair of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.report import figures
from pipeline.report.backtest.naming import policy_name, signed_short
from pipeline.report.blocks import Cell, Chapter, Column, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipeline.report.portfolio.telling import Teller

    Pick = Callable[[Mapping[str, Any], Mapping[str, Any]], Mapping[str, Any] | None]

_KINDS = ("raise", "cut", "refer", "hold")
_AMOUNTS = ("refused", "refused_of_defaulters", "loss_avoided", "margin_forgone", "net")


def side_by_side(t: Teller) -> Chapter:
    """One column a policy, one line a quantity, intervals under the figures."""
    names = [one["name"] for one in t.told["policies"]]
    columns = (Column(t.say("beside.what")), *(Column(policy_name(t, name), is_number=True) for name in names))
    rows = [
        *(_line(t, f"beside.{key}", _picking(key), t.brief) for key in _AMOUNTS),
        _line(t, "beside.refused_share", lambda p, _: p["refused_share"], figures.share),
        _line(t, "beside.loss_avoided_share", lambda p, _: p["loss_avoided_share"], figures.share),
        _line(t, "beside.break_even", lambda p, _: _plain(p["break_even_cost_share"]), figures.share),
        _line(t, "beside.mean_limit", lambda _, q: q["mean_limit"], t.brief),
        _line(t, "beside.mean_need", lambda _, q: q["mean_need"], t.brief),
        _line(t, "beside.limit_of_need", lambda _, q: q["limit_of_need"], figures.decimal),
        _line(t, "beside.short_share", lambda _, q: q["short_share"], figures.share),
        _line(t, "beside.compared", lambda _, q: _plain(q["compared"]), figures.count),
        _line(t, "beside.changes", lambda _, q: q["changes"], figures.count),
        _line(t, "beside.approvals", lambda _, q: q["approvals"], figures.count),
        *(_line(t, f"beside.approvals_of.{kind}", _deciding(kind), figures.count) for kind in _KINDS),
    ]
    caption = t.say(
        "beside.caption", currency=t.currency, confidence=figures.as_set(t.told["run"]["backtest"]["confidence"])
    )
    table = Table(caption, columns, tuple(rows), (t.say("beside.note"), t.say("beside.stood_note")), is_fixed=True)
    return Chapter("beside", t.say("beside.title"), (table,), t.say("beside.lead"))


def _picking(key: str) -> Pick:
    return lambda policy, _: policy[key]


def _deciding(kind: str) -> Pick:
    return lambda _, limits: None if limits["approvals_by"] is None else _plain(limits["approvals_by"][kind])


def _plain(value: Any) -> dict[str, Any] | None:
    return None if value is None else {"value": value, "low": None, "high": None}


def _line(
    t: Teller,
    key: str,
    pick: Pick,
    write: Callable[[Any], str],
) -> tuple[Cell, ...]:
    found = [Cell(t.say(key))]
    for one in t.told["policies"]:
        raw = pick(t.told["policies_figures"][one["name"]], t.told["limits"][one["name"]])
        if raw is None or raw["value"] is None:
            found.append(Cell(figures.DASH))
            continue
        found.append(Cell(write(raw["value"]), note=t.range_of(raw["low"], raw["high"], write)))
    return tuple(found)


def differences(t: Teller) -> Chapter:
    """Every pair: the second less the first, on the same deliveries and the same draws of customers."""
    tables = (_of_money(t), _of_limits(t))
    return Chapter("differences", t.say("differences.title"), tables, t.say("differences.lead"))


def _of_money(t: Teller) -> Table:
    def signed(raw: Mapping[str, Any]) -> Cell:
        return _moved(t, raw, lambda amount: signed_short(t, amount))

    rows = [
        (
            _pair(t, one),
            *(signed(one[name]) for name in ("net", "loss_avoided", "refused")),
            Cell(figures.share(one["break_even_cost_share"])),
            Cell(figures.count(one["defaulted_customers_that_differ"])),
            Cell(t.say(f"word.{one['verdict']}")),
        )
        for one in t.told["differences"]
    ]
    heads = ("pair_head", "net", "loss_avoided", "refused", "break_even", "witnesses", "verdict_text")
    needed = t.told["run"]["backtest"]["min_bad_customers"]
    return t.table("differences", heads, rows, t.say("differences.note", needed=needed))


def _of_limits(t: Teller) -> Table:
    rows = [
        (
            _pair(t, one),
            _moved(t, one["limits"]["limit_of_need"], figures.signed),
            Cell(figures.count(one["limits"]["compared"])),
            *(_moved(t, one["limits"][name], lambda n: figures.signed(n, 0)) for name in ("changes", "approvals")),
        )
        for one in t.told["differences"]
    ]
    return t.table("moved", ("pair_head", "need", "compared", "changes", "approvals"), rows, t.say("moved.note"))


def _pair(t: Teller, one: Mapping[str, Any]) -> Cell:
    return Cell(t.say("pair", first=policy_name(t, one["first"]), second=policy_name(t, one["second"])))


def _moved(t: Teller, raw: Mapping[str, Any] | None, write: Callable[[Any], str]) -> Cell:
    if raw is None or raw["value"] is None:
        return Cell(figures.DASH)
    return Cell(write(raw["value"]), note=t.range_of(raw["low"], raw["high"], write))
