"""The parts of one customer's raw score for a terminal, down to their sum, and how that becomes PD and score."""

from __future__ import annotations

import math
import string
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.score.calibration import MAX_LOG_ODDS
from pipeline.score.explanation.book import BIN, CONTRIBUTION, VALUE
from pipeline.score.feature_columns import codes_of
from pipeline.score.scorecard import Scorecard
from pipeline.score.sentences import sentence

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipeline.score.calibration import Calibration
    from pipeline.score.model import Model

_WIDTH = 18
_UNITS = {"points": "points", "log_odds": "ln odds of good"}


def explanation_text(row: Mapping[str, Any], model: Model, source: str) -> str:
    """The text of one row of the explained book (score/explanation/book.py): the base, every feature with the
    customer's value as its sentence tells it, its bin on a card and what it adds; their sum; calibration, PD and score;
    `source` tells where the values come from.

    Points that are all whole are told as such, other numbers to six decimals.
    """
    return "\n".join([*_explained(row, model), _line("features", source)]) + "\n"


def nothing_text(row: Mapping[str, Any]) -> str:
    """Why a row of the scored book has nothing to be explained by: in default, not rated or graded by hand."""
    if row["rating_status"] == "in_default":
        told = "in default PD is 1 by the definition of default, and there is no score"
    elif row["rating_status"] == "not_rated":
        told = "who is not rated has neither PD nor score"
    else:
        told = f"the grade was set by hand; PD {row['pd']:.6%} and score {row['score']} are those of the grade"
    return f"What each feature adds\n  nothing: {told}\n"


def _explained(row: Mapping[str, Any], model: Model) -> Iterator[str]:
    names = model.thin_file.features if row["model"] == "thin_file" else model.features
    yield f"What each feature adds to the raw score ({_UNITS[row['unit']]}; above 0 is safer)"
    yield from _table(row, names, model)
    yield "From the raw score to PD and score"
    yield from _odds(row, model)
    yield from _thin_level(model) if row["model"] == "thin_file" else _calibration(row, model.calibration)
    log_odds = float(np.clip(row["calibrated_log_odds"], -MAX_LOG_ODDS, MAX_LOG_ODDS))
    clipped = "" if log_odds == row["calibrated_log_odds"] else f", no further from 0 than {MAX_LOG_ODDS:g}"
    yield _line("calibrated", f"{log_odds:.6f} ln odds of good{clipped}")
    yield _line("PD", f"{row['pd']:.6%} = 1 / (1 + e^{log_odds:.6f})")
    scaling = model.scaling
    points = float(scaling.points(log_odds))
    reckoned = f"{scaling.base_score:g} + {scaling.pdo:g} / ln 2 × ({log_odds:.6f} − ln {scaling.base_odds:g})"
    yield _line("score", f"{row['score']} = {reckoned} = {points:.6f}, halves rounded up")
    if row["unit"] == "points":
        yield _line("reasons", "told against each feature's mean points at development, of adverse values alone")


def _table(row: Mapping[str, Any], names: Sequence[str], model: Model) -> Iterator[str]:
    catalogue = model.catalogue_by_name
    cells = [("base", "", "", row["base"])]
    for name in names:
        told = _value(catalogue[name], row[VALUE + name])
        cells.append((name, told, row.get(BIN + name) or "", row[CONTRIBUTION + name]))
    cells.append(("raw score", "", "", row["raw_score"]))
    is_whole = row["unit"] == "points" and all(float(cell[3]).is_integer() for cell in cells)
    numbers = [f"{number:+.0f}" if is_whole else f"{number:+.6f}" for *_, number in cells]
    # Base and raw score are no change of anything: without a sign unless below 0.
    numbers[0], numbers[-1] = numbers[0].removeprefix("+"), numbers[-1].removeprefix("+")
    widths = [max(len(cell[column]) for cell in cells) for column in range(3)]
    last = max(map(len, numbers))
    for cell, number in zip(cells, numbers, strict=True):
        texts = (f"{one:<{width}}" for one, width in zip(cell[:3], widths, strict=True) if width)
        yield f"  {'  '.join(texts)}  {number:>{last}}"


def _value(entry: Mapping[str, Any], value: Any) -> str:
    """The value alone, as the feature's sentence tells it; a special code with what it means."""
    if value is None:
        return "null"
    if isinstance(value, float) and value in codes_of(entry):
        return f"{value:g} ({sentence(entry, value, 'en')})"
    places = [place for place in string.Formatter().parse(str(entry["en"])) if place[1] == "value"]
    _, _, spec, conversion = places[0] if places else ("", "value", "", None)
    template = "{value" + (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "") + "}"
    return sentence({**entry, "en": template}, value, "en")


def _odds(row: Mapping[str, Any], model: Model) -> Iterator[str]:
    """How points are ln odds; a booster's raw score is that already."""
    raw = f"{row['raw_log_odds']:.6f}"
    card = model.thin_file.card if row["model"] == "thin_file" else model.predictor
    if not isinstance(card, Scorecard):
        yield _line("raw", f"{raw} ln odds of good")
        return
    points = f"ln {card.base_odds:g} + ({row['raw_score']:.6f} − {card.base_score:g}) × ln 2 / {card.pdo:g}"
    yield _line("raw", f"{raw} ln odds of good = {points}")


def _calibration(row: Mapping[str, Any], calibration: Calibration) -> Iterator[str]:
    raw = row["raw_log_odds"]
    if calibration.folded is not None:
        yield _line("calibration", f"{_straight(calibration.folded)}; worked into the points")
    elif calibration.method == "identity":
        yield _line("calibration", "none")
    elif calibration.is_straight:
        yield _line("calibration", f"{calibration.method}: {_straight(calibration.knots)}")
    else:
        inner = [x for x, _ in calibration.knots[1:-1]]
        x, y, slope = calibration.segments[int(np.searchsorted(inner, raw, side="right"))]
        stretch = f"{y:.6f} + {slope:.6f} × (raw − {_signed(x)}), its stretch of {len(calibration.segments)}"
        yield _line("calibration", f"{calibration.method}: {stretch}")


def _straight(knots: Sequence[tuple[float, float]]) -> str:
    (x0, y0), (x1, y1) = knots
    slope = (y1 - y0) / (x1 - x0)
    return f"{y0 - slope * x0:.6f} + {slope:.6f} × raw"


def _signed(number: float) -> str:
    return f"({number:.6f})" if math.copysign(1.0, number) < 0 else f"{number:.6f}"


def _thin_level(model: Model) -> Iterator[str]:
    """The pool's own level: the card of the pool is calibrated to it, and without a card it is the PD of everybody."""
    thin = model.thin_file
    bound = f"the {thin.confidence:.0%} bound"
    rests_on = f"set from {bound} of {thin.bads} defaults among {thin.customers:,} customers"
    level = f"pool of thin files: {thin.pd:.6%} ({rests_on})"
    yield _line("calibration", f"{level}, worked into the points" if thin.card else f"{level}, for everybody: no card")


def _line(title: str, value: str) -> str:
    return f"  {title:<{_WIDTH}}{value}"
