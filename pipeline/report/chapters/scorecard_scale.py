"""From a card's points to odds, PD and score: at once where the calibration is worked into them, else with it."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

from pipeline.report import figures
from pipeline.report.blocks import Block, Facts, Text
from pipeline.score.calibration import Calibration, log_odds_of_pd
from pipeline.score.points import Scaling

if TYPE_CHECKING:
    from pipeline.report.report_input import ReportInput
    from pipeline.report.words import Words
    from pipeline.score.scorecard import Scorecard


def calibration_beside(given: ReportInput) -> Calibration | None:
    """The line that the points have still to pass; null where it is worked into them, and they add up to the score."""
    if not given.scorecard_calibration:
        return None
    line = Calibration.from_json(json.dumps(given.scorecard_calibration))
    return None if line.method == "identity" else line


def points_digits(card: Scorecard) -> int:
    """Decimals of a point: whole points have none."""
    return 0 if card.rounding == "whole" else 4


def scaling(card: Scorecard, line: Calibration | None, words: Words) -> Facts:
    """What points mean, and every step from their sum to the PD (and, beside a calibration, to the score)."""
    told = {"base": f"{card.base_score:g}", "odds": f"{card.base_odds:g}", "pdo": f"{card.pdo:g}"}
    start = (words("scorecard.start"), figures.decimal(card.intercept_points, points_digits(card)))
    scale = words("scorecard.base_text", score=told["base"], odds=told["odds"])
    doubling = words("scorecard.pdo_text", pdo=told["pdo"])
    if line is None:
        return Facts(
            (
                (words("scorecard.base"), scale),
                (words("scorecard.pdo"), doubling),
                start,
                (words("scorecard.formula"), words("scorecard.formula_text", **told)),
            )
        )
    return Facts(
        (
            (words("scorecard.base"), words("scorecard.uncalibrated", text=scale)),
            (words("scorecard.pdo"), words("scorecard.uncalibrated", text=doubling)),
            start,
            (words("scorecard.raw"), words("scorecard.raw_text", **told)),
            (words("scorecard.line"), words("scorecard.line_text", knots=_knots(line))),
            (words("scorecard.after"), words("scorecard.after_text", **told)),
        )
    )


def worked_result(
    card: Scorecard, total: float, exact_total: float, line: Calibration | None, words: Words
) -> list[Block]:
    """From one customer's points to the PD that is used; `total` is the sum of the points as printed, the PD goes by
    the exact one."""
    odds = card.base_odds * 2.0 ** ((total - card.base_score) / card.pdo)
    exact = card.base_odds * 2.0 ** ((exact_total - card.base_score) / card.pdo)
    told = {
        "base_odds": f"{card.base_odds:g}",
        "total": figures.decimal(total, points_digits(card)),
        "base": f"{card.base_score:g}",
        "pdo": f"{card.pdo:g}",
        "odds": figures.decimal(odds, 4),
    }
    if line is None:
        return [
            Text(words("scorecard.odds_text", pd=_pd(1 / (1 + exact)), **told)),
            Text(words("scorecard.folded")),
        ]
    return [Text(words("scorecard.raw_odds_text", **told)), _calibrated(card, math.log(exact), line, words)]


def _calibrated(card: Scorecard, raw: float, line: Calibration, words: Words) -> Text:
    scale = Scaling(card.pdo, card.base_score, card.base_odds)
    pd_used = float(line.pd([raw])[0])
    calibrated = float(log_odds_of_pd(pd_used))
    return Text(
        words(
            "scorecard.calibrated",
            raw=figures.decimal(raw, 4),
            calibrated=figures.decimal(calibrated, 4),
            pd=_pd(pd_used),
            knots=_knots(line),
            base=f"{card.base_score:g}",
            pdo=f"{card.pdo:g}",
            odds=f"{card.base_odds:g}",
            points=figures.decimal(scale.points(calibrated), 2),
            score=figures.decimal(scale.score(pd_used), 0),
        )
    )


def _knots(line: Calibration) -> str:
    return figures.in_turn(f"{figures.significant(x)} → {figures.significant(y)}" for x, y in line.knots)


def _pd(value: float) -> str:
    return f"{figures.decimal(value, 6)} ({figures.probability(value)})"
