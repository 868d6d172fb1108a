"""The card as a page that a person reads and signs: every bin with its points, and one customer worked by hand."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import pandas as pd

from pipeline.score.calibration import pd_of_log_odds
from pipeline.score.exports.exported_card import difference

if TYPE_CHECKING:
    from pipeline.score.exports.exported_card import ExportedCard
    from pipeline.score.scorecard import Bin, Characteristic

_KINDS = {"missing": "no value", "unseen": "any other"}


def markdown_text(exported: ExportedCard) -> str:
    """The page. Numbers keep every digit, lists of categories are JSON, so that the page scores as the card does."""
    card, line = exported.card, exported.calibration
    knots = "; ".join(f"{x!r} → {y!r}" for x, y in line.knots)
    parts = [
        f"# Scorecard {exported.version}",
        f"{exported.basis_text}\n{exported.scope_text}\n"
        f"Probability of: {exported.label_text}. Higher points are safer.",
        "## How to score a customer",
        "1. Start with the start value. For each characteristic find the first bin that holds the customer's value "
        "(*from* belongs to the bin, *below* does not) and add its points.",
        "2. raw = ln(base odds) + (points − base score) / factor, factor = doubling / ln 2.",
        "3. calibrated = the straight line between the two neighbouring knots of raw (beyond the outer ones: the same "
        "line); it is kept within ±36.",
        "4. PD = 1 / (1 + exp(calibrated)).",
        f"| quantity | value |\n|---|---:|\n| start value | {card.intercept_points!r} |\n| base score | "
        f"{float(card.base_score)!r} |\n| base odds | {float(card.base_odds)!r} |\n| doubling | {float(card.pdo)!r} |\n"
        f"| knots of the calibration ({line.method}) | {knots} |",
        "## Points",
        *(_characteristic(exported, c) for c in card.characteristics),
        "## One customer, worked by hand",
        _worked(exported),
        "## Approval",
        "| role | name | date | signature |\n|---|---|---|---|\n| prepared by | | | |\n| approved by | | | |",
    ]
    return "\n\n".join(parts) + "\n"


def _characteristic(exported: ExportedCard, c: Characteristic) -> str:
    order = ("special", "range", "categories", "missing", "unseen")
    rows = [
        f"| {_plain(b.label)} | {_holds(b)} | {b.points!r} | {difference(c, b)!r} | {b.count} | {_bads(exported, b)} |"
        for b in sorted(c.bins, key=lambda b: order.index(b.kind))
    ]
    head = f"### {_plain(exported.title(c.feature))} (`{c.feature}`)"
    information = f"; information value {c.iv:.3f}" if exported.has_outcomes else ""
    told = f"Reason code {exported.reason_code(c.feature)}; mean points {c.mean_points!r}{information}."
    columns = "| bin | holds | points | against the mean | snapshots | bads |\n|---|---|---:|---:|---:|---:|"
    return f"{head}\n\n{told}\n\n{columns}\n" + "\n".join(rows)


def _bads(exported: ExportedCard, b: Bin) -> str:
    return str(b.bads) if exported.has_outcomes else "–"


def _holds(b: Bin) -> str:
    """The values of a bin, so that a program can read them too."""
    if b.kind == "categories":
        return "`" + json.dumps(list(b.categories or ())).replace("|", "\\u007c").replace("`", "\\u0060") + "`"
    if b.kind == "special":
        return f"code {b.lower!r}"
    if b.kind == "range":
        bounds = [f"from {b.lower!r}"] if b.lower is not None else []
        bounds += [f"below {b.upper!r}"] if b.upper is not None else []
        return " ".join(bounds) or "any number"
    return _KINDS[b.kind]


def _worked(exported: ExportedCard) -> str:
    if exported.worked is None:
        return "No customer was at hand."
    card = exported.card
    frame = pd.DataFrame({name: [value] for name, value in exported.worked.items()})
    rows = [f"| start value | | | {card.intercept_points!r} |"]
    for c in card.characteristics:
        found = c.bins[int(c.bin_index(frame)[0])]
        value = exported.worked[c.feature]
        shown = "no value" if value is None else _plain(str(value))
        rows.append(f"| {_plain(exported.title(c.feature))} | {shown} | {_plain(found.label)} | {found.points!r} |")
    total = float(card.total_points(frame)[0])
    raw = float(card.log_odds(frame)[0])
    calibrated = float(exported.calibration.log_odds([raw])[0])
    rows.append(f"| sum | | | {total!r} |")
    head = "| characteristic | value | bin | points |\n|---|---|---|---:|"
    told = (
        f"raw = {math.log(card.base_odds)!r} + ({total!r} − {float(card.base_score)!r}) / {card.factor!r} = {raw!r}; "
        f"calibrated = {calibrated!r}; PD = {float(pd_of_log_odds([calibrated])[0])!r}."
    )
    return f"{head}\n" + "\n".join(rows) + f"\n\n{told}"


def _plain(text: str) -> str:
    """One line without signs that would break a table."""
    return " ".join(text.split()).replace("|", "\\|")
