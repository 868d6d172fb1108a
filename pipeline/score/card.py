"""One customer's card: who, rating, why, exposure, limit and what bounds it, alerts; as text for a terminal."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, Literal

import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.errors import DamagedRunError, MissingInputError
from pipeline.score.movers import TOP
from pipeline.score.policy import policy_of
from pipeline.score.run_check import hash_breaches, read_manifest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_WIDTH = 18
_PARTS = ("data", "model", "policy")


def customer_card(run_folder: Path, customer_id: str, language: Literal["en", "zh"] = "en") -> str:
    """The card from a published run (or a link to one); sentences in the language asked for.

    Raises MissingInputError for a customer the run does not have, naming the nearest ids; DamagedRunError for a run
    that is not what its manifest says.
    """
    manifest = read_manifest(run_folder)
    breaches = hash_breaches(run_folder)
    if breaches:
        raise DamagedRunError(f"{breaches[0]}; restore the run or publish its day again")
    found = _rows(run_folder, "scored_book", customer_id)
    if not found:
        raise MissingInputError(_unknown(run_folder, customer_id, manifest["as_of"]))
    row = found[0]
    trace = _rows(run_folder, "limit_trace", customer_id)
    alerts = _rows(run_folder, "alerts", customer_id)
    changes = _rows(run_folder, "changes", customer_id)
    lines = [
        *_who(row, manifest),
        *_rating(row, manifest),
        *_change(changes, manifest),
        *_why(row, language),
        *_exposure(row),
        *_limit(row, trace, language),
        *_strategy(row, manifest, language),
        *_alerts(alerts, language),
    ]
    return "\n".join(lines) + "\n"


def _rows(folder: Path, name: str, customer_id: str) -> list[dict[str, Any]]:
    table = pq.read_table(folder / f"{name}.parquet", page_checksum_verification=True)
    rows: list[dict[str, Any]] = table.filter(pc.equal(table["customer_id"], customer_id)).to_pylist()
    return rows


def _unknown(folder: Path, customer_id: str, as_of: str) -> str:
    ids = pq.read_table(folder / "scored_book.parquet", columns=["customer_id"])["customer_id"].to_pylist()
    near = difflib.get_close_matches(customer_id, ids, n=3, cutoff=0.0)
    told = f"nearest: {', '.join(near)}" if near else "the run has no customer at all"
    return f"no customer {customer_id!r} among {len(ids):,} in the run of {as_of}; {told}"


def _line(title: str, value: str) -> str:
    return f"  {title:<{_WIDTH}}{value}"


def _share(value: Any) -> str:
    return "none" if value is None else f"{value:.2%}"


def _money(amount: Any) -> str:
    return "none" if amount is None else f"{amount:,.2f}"


def _who(row: dict[str, Any], manifest: dict[str, Any]) -> Iterator[str]:
    yield f"{row['customer_id']}  {row['name']}"
    currency = manifest["base_currency"] or "base currency"
    yield _line("as of", f"{row['as_of']}, amounts in {currency}")
    if row["group_id"] is not None:
        yield _line("group", row["group_id"])
    yield _line("made with", f"{row['model_version']}, {row['policy_version']}")


def _rating(row: dict[str, Any], manifest: dict[str, Any]) -> Iterator[str]:
    yield "Rating"
    yield _line("status", row["rating_status"].replace("_", " "))
    yield _line("depth of data", row["data_depth"])
    if row["pd"] is None:
        return
    label = manifest["label"]
    window = f"{label['window_months']} months" if label.get("window_months") else f"{label.get('window_days')} days"
    yield _line(f"PD ({label.get('kind')})", f"{row['pd']:.2%} within {window}")
    yield _line("grade", f"{row['grade']} ({row['segment']} risk)" if row["grade"] != "D" else "D (in default)")
    if row["score"] is not None:
        yield _line("score", f"{row['score']} by the {row['model'].replace('_', ' ')}, higher is safer")
    if row["pd_previous"] is not None:
        yield _line("before", f"{row['pd_previous']:.2%}, {row['grade_previous']}; {_moved(row)}")


def _moved(row: dict[str, Any]) -> str:
    """How the grade moved, and what moved PD or limit; where neither moved there is nothing to lay it to."""
    notches, driver = row["notches"], row["change_driver"]
    if driver == "none":
        return "nothing changed"
    moved = "same grade" if not notches else f"{abs(notches)} notch(es) {'worse' if notches > 0 else 'better'}"
    return f"{moved}; what changed came from {driver}" if not notches else f"{moved}, by {driver}"


def _change(changes: list[dict[str, Any]], manifest: dict[str, Any]) -> Iterator[str]:
    """What moved since the run before, in its three parts, and what moved it."""
    if not changes:
        return
    yield f"Change since {manifest['previous']['as_of']}"
    for change in sorted(changes, key=lambda one: one["quantity"] != "pd"):
        is_pd = change["quantity"] == "pd"
        write, show = (_points_of_pd, _share) if is_pd else (_signed_money, _money)
        before, after = show(change["before"]), show(change["after"])
        parts = [change[f"from_{part}"] for part in ("data", "model", "policy")]
        told = "it cannot be told what it came from: the old model or policy is gone"
        if None in (change["before"], change["after"]):
            told = "no parts, since there is none on one of the days"
        elif None not in parts:
            told = ", ".join(f"{name} {write(part)}" for name, part in zip(_PARTS, parts, strict=True))
        yield _line("PD" if is_pd else "limit suggested", f"{before} to {after}: {told}")
        moved = [
            f"{change[f'top_feature_{rank}']} ({change[f'top_feature_{rank}_share']:.0%})"
            for rank in range(1, TOP + 1)
            if change[f"top_feature_{rank}"] is not None
        ]
        if moved:
            yield _line("", f"moved by {', '.join(moved)}")


def _points_of_pd(part: float) -> str:
    return f"{100 * part:+.2f} points" if round(100 * part, 2) else "0"


def _signed_money(part: float) -> str:
    return f"{part:+,.2f}" if round(part, 2) else "0"


def _why(row: dict[str, Any], language: str) -> Iterator[str]:
    codes = [slot for slot in range(1, 5) if row[f"reason_{slot}_code"] is not None]
    if not codes:
        return
    yield "What speaks against it most (score points)"
    for slot in codes:
        points = row[f"reason_{slot}_points"]
        yield f"  {'' if points is None else f'{points:+d}':>6}  {row[f'reason_{slot}_{language}']}"


def _exposure(row: dict[str, Any]) -> Iterator[str]:
    yield "Exposure"
    yield _line("open", _money(row["open_amount"]))
    yield _line("overdue", f"{_money(row['overdue_amount'])}, oldest {row['max_days_past_due']} days")
    yield _line("at default (EAD)", _money(row["ead"]))
    if row["expected_loss"] is not None:
        yield _line("expected loss", f"{_money(row['expected_loss'])} (LGD {row['lgd']:.0%})")


def _limit(row: dict[str, Any], trace: list[dict[str, Any]], language: str) -> Iterator[str]:
    yield "Limit"
    used = "" if row["utilisation"] is None else f", used {row['utilisation']:.0%}"
    yield _line("present", f"{_money(row['limit_current'])}{used}")
    yield _line("suggested", f"{_money(row['limit_suggested'])}; {row['limit_action']}")
    if row["approval_tier"] is not None:
        yield _line("approved by", row["approval_tier"].replace("_", " "))
    if row["terms_days_suggested"] is not None:
        valid = "" if row["limit_valid_to"] is None else f", until {row['limit_valid_to']}"
        terms = f"{row['terms_days_suggested']} days, {row['deposit_share_suggested']:.0%} in advance"
        yield _line("terms", f"{terms}{valid}")
    for cap in trace:
        mark = "*" if cap["is_binding"] else " "
        yield f"  {mark} {cap['cap']:<{_WIDTH - 2}}{_money(cap['amount']):>16}  {cap[f'what_lifts_it_{language}']}"


def _strategy(row: dict[str, Any], manifest: dict[str, Any], language: str) -> Iterator[str]:
    """How the policy of the run treats the grade; nothing where the run was made by a policy with other keys."""
    policy = policy_of(manifest)
    strategy = None if policy is None else policy.strategy_of(row["grade"])
    if strategy is not None:
        title, action = (getattr(words, language) for words in (strategy.title, strategy.action))
        yield _line("strategy", f"{title}: {action}")


def _alerts(alerts: list[dict[str, Any]], language: str) -> Iterator[str]:
    yield "Alerts" if alerts else "No alerts"
    for alert in alerts:
        since = "" if alert["state"] == "new" else f" since {alert['opened_on']}"
        yield f"  {alert['severity']:<6}{alert['rule']} ({alert['state']}{since}): {alert[f'evidence_{language}']}"
        if alert["state"] != "closed":
            yield f"        {alert[f'action_{language}']}"
