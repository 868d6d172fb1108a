"""The scorecard as SQL: the same points, and the PD to 1e-12, inside a database."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pipeline.errors import ParameterError
from pipeline.score.calibration import MAX_LOG_ODDS

if TYPE_CHECKING:
    from pipeline.score.calibration import Calibration
    from pipeline.score.scorecard import Bin, Characteristic, Scorecard

DIALECTS = ("duckdb",)


def sql_expression(card: Scorecard, calibration: Calibration, dialect: str = "duckdb") -> str:
    """A select list with card_points, card_log_odds, card_score and card_pd, for a table with the features as columns.

    Points are added in the order of the card, so they equal `Scorecard.total_points` bit for bit. A null or NaN takes
    the missing bin, a special code its own, an infinite value gives null points and PD. Later columns use the names of
    earlier ones, which DuckDB allows. Raises ParameterError for another dialect.
    """
    if dialect not in DIALECTS:
        raise ParameterError(f"scorecard SQL: no dialect {dialect!r}; known: {', '.join(DIALECTS)}")
    terms = [_number(card.intercept_points), *(_case(c) for c in card.characteristics)]
    shift = _number(math.log(card.base_odds))
    base, factor = _number(card.base_score), _number(card.factor)
    limit = _number(MAX_LOG_ODDS)
    return ",\n".join(
        (
            "\n  + ".join(terms) + " AS card_points",
            f"{shift} + (card_points - {base}) / {factor} AS card_raw_log_odds",
            f"{_calibrated(calibration)} AS card_calibrated",
            # Not least() and greatest(): they skip nulls, and a null would come out as a score.
            f"CASE WHEN card_calibrated > {limit} THEN {limit} WHEN card_calibrated < -{limit} THEN -{limit}"
            " ELSE card_calibrated END AS card_log_odds",
            f"CAST(floor({base} + {factor} * (card_log_odds - {shift}) + 0.5e0) AS BIGINT) AS card_score",
            "1e0 / (1e0 + exp(card_log_odds)) AS card_pd",
        )
    )


def _calibrated(calibration: Calibration) -> str:
    raw = "card_raw_log_odds"
    lines = [f"{_number(y)} + ({raw} - {_number(x)}) * {_number(slope)}" for x, y, slope in calibration.segments]
    if len(lines) == 1:
        return lines[0]
    ends = [x for x, _ in calibration.knots[1:-1]]
    cases = [f"WHEN {raw} < {_number(end)} THEN {line}" for end, line in zip(ends, lines, strict=False)]
    return f"CASE {' '.join(cases)} ELSE {lines[-1]} END"


def _case(characteristic: Characteristic) -> str:
    column = _name(characteristic.feature)
    missing = next(b for b in characteristic.bins if b.kind == "missing")
    if characteristic.holds_categories:
        whens = [f"WHEN {column} IS NULL THEN {_number(missing.points)}"]
        whens += [_in(column, b) for b in characteristic.bins if b.kind == "categories"]
        last = next(b for b in characteristic.bins if b.kind == "unseen")
    else:
        value = f"CAST({column} AS DOUBLE)"
        ranges = [b for b in characteristic.bins if b.kind == "range"]
        whens = [
            f"WHEN {column} IS NULL OR isnan({value}) THEN {_number(missing.points)}",
            # DuckDB allows no error() under a column name that is used again; null cannot be taken for a score.
            f"WHEN isinf({value}) THEN CAST(NULL AS DOUBLE)",
            *(
                f"WHEN {value} = {_number(b.lower)} THEN {_number(b.points)}"
                for b in characteristic.bins
                if b.kind == "special" and b.lower is not None
            ),
            *(f"WHEN {value} < {_number(b.upper)} THEN {_number(b.points)}" for b in ranges if b.upper is not None),
        ]
        last = ranges[-1]
    return f"CASE {' '.join(whens)} ELSE {_number(last.points)} END"


def _in(column: str, bin_: Bin) -> str:
    listed = ", ".join(_text(category) for category in bin_.categories or ())
    return f"WHEN {column} IN ({listed}) THEN {_number(bin_.points)}"


def _number(value: float) -> str:
    """A double literal that reads back to the same bits; without an exponent DuckDB would make it a DECIMAL."""
    spelled = repr(float(value))
    return f"({spelled})" if "e" in spelled else f"({spelled}e0)"


def _name(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
