"""The card as one JSON document that says how to score by it; a model folder's `scorecard.json` is for our own code."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from pipeline.score.calibration import MAX_LOG_ODDS
from pipeline.score.exports.exported_card import difference

if TYPE_CHECKING:
    from pipeline.score.exports.exported_card import ExportedCard
    from pipeline.score.scorecard import Bin, Characteristic

FORMAT = "creditbook-card/1"
_HOW = [
    "points = start_points + the points of the bin of each characteristic, added in the order given",
    "the bin: kind missing for null and NaN; kind special for a value that equals its code; else the range with "
    "lower <= value < upper (null: no bound); kind unseen for a category that no bin lists; infinity is an error",
    "raw = ln_base_odds + (points - base_score) / factor",
    "calibrated = y0 + (raw - x0) * ((y1 - y0) / (x1 - x0)) between the two knots (x, y) around raw; beyond the outer "
    "knots the outer line goes on; at an inner knot the line to its right holds",
    "log_odds = calibrated, kept between -limit_log_odds and limit_log_odds",
    "pd = 1 / (1 + exp(log_odds)); score = floor(base_score + factor * (log_odds - ln_base_odds) + 0.5)",
    "difference_from_mean = points - mean_points: the lower, the more it speaks against the customer",
]


def json_text(exported: ExportedCard) -> str:
    """The document; every number keeps every digit, keys stand in a fixed order."""
    card = exported.card
    document = {
        "format": FORMAT,
        "model_version": exported.version,
        "basis": exported.basis,
        "basis_text": exported.basis_text,
        "scope_text": exported.scope_text,
        "label": dict(exported.label),
        "how": _HOW,
        "scale": {
            "pdo": card.pdo,
            "base_score": card.base_score,
            "base_odds": card.base_odds,
            "ln_base_odds": math.log(card.base_odds),
            "factor": card.factor,
        },
        "start_points": card.intercept_points,
        "characteristics": [_characteristic(exported, c) for c in card.characteristics],
        "calibration": {
            "method": exported.calibration.method,
            "knots": [list(knot) for knot in exported.calibration.knots],
            "limit_log_odds": MAX_LOG_ODDS,
        },
    }
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _characteristic(exported: ExportedCard, characteristic: Characteristic) -> dict[str, Any]:
    entry = exported.catalogue.get(characteristic.feature, {})
    return {
        "feature": characteristic.feature,
        "title_en": exported.title(characteristic.feature),
        "title_zh": entry.get("title_zh"),
        "unit": entry.get("unit"),
        "risk": characteristic.risk,
        "reason_code": exported.reason_code(characteristic.feature),
        "mean_points": characteristic.mean_points,
        "coefficient": characteristic.coefficient,
        "iv": characteristic.iv if exported.has_outcomes else None,
        "bins": [_bin(exported, characteristic, b) for b in characteristic.bins],
    }


def _bin(exported: ExportedCard, characteristic: Characteristic, bin_: Bin) -> dict[str, Any]:
    return {
        "label": bin_.label,
        "kind": bin_.kind,
        "lower": bin_.lower,
        "upper": bin_.upper,
        "categories": None if bin_.categories is None else list(bin_.categories),
        "points": bin_.points,
        "difference_from_mean": difference(characteristic, bin_),
        "woe": bin_.woe,
        "count": bin_.count,
        "bads": bin_.bads if exported.has_outcomes else None,
    }
