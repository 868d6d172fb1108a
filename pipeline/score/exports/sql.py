"""The card as one SQL statement: the same points bit for bit, and the PD to 1e-12, inside a database."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pipeline.errors import ParameterError
from pipeline.score.calibration import MAX_LOG_ODDS
from pipeline.score.exports.dialects import dialect_of

if TYPE_CHECKING:
    from pipeline.score.calibration import Calibration
    from pipeline.score.exports.dialects import Dialect
    from pipeline.score.exports.exported_card import ExportedCard
    from pipeline.score.scorecard import Bin, Characteristic, Scorecard

TABLE = "features"


def sql_text(exported: ExportedCard, dialect: str, table: str = TABLE) -> str:
    """`sql_statement` under a head that says which model it is and what its columns mean."""
    head = [
        f"Scorecard {exported.version}, for {dialect}. {exported.basis_text}",
        exported.scope_text,
        f"{table} is a table of yours with a column for each feature, and none that begins with card_.",
        "It gives back every column of the table and:",
        "card_points_<feature>      points of the customer's bin",
        "card_difference_<feature>  those points against the mean of the development book; the lowest below 0",
        "                           are the reasons, of bins with points below 0 that went bad more often than all",
        "card_points                the start value and all points, added in the order of the card",
        f"card_pd                    probability of the label: {exported.label_text}",
        "card_score                 whole score of that PD; null, as points and PD, where a value is infinite",
    ]
    told = "\n".join(f"-- {' '.join(line.splitlines())}" for line in head)
    return f"{told}\n{sql_statement(exported.card, exported.calibration, dialect, table)};\n"


def sql_statement(card: Scorecard, calibration: Calibration, dialect: str = "duckdb", table: str = TABLE) -> str:
    """All columns of `table`, then card_points_<feature>, card_points, card_raw_log_odds, card_calibrated,
    card_log_odds, card_score, card_pd and card_difference_<feature>.

    Points are added in the order of the card, so they equal `Scorecard.total_points` bit for bit. A null or NaN takes
    the missing bin, a special code its own, an infinite value gives null points and PD. Raises ParameterError for
    another dialect, or a name that is too long for it.
    """
    spoken = dialect_of(dialect)
    _require_short_names(card, spoken)
    number, name = spoken.number, spoken.identifier
    shift, limit = number(math.log(card.base_odds)), number(MAX_LOG_ODDS)
    base, factor = number(card.base_score), number(card.factor)
    own = [f"{_case(c, spoken)} AS {name(_points_of(c))}" for c in card.characteristics]
    total = " + ".join([number(card.intercept_points), *(name(_points_of(c)) for c in card.characteristics)])
    differences = [
        f"{name(_points_of(c))} - {number(c.mean_points)} AS {name(_difference_of(c))}" for c in card.characteristics
    ]
    clipped = (
        # Not least() and greatest(): they skip nulls, and a null would come out as a score.
        f"CASE WHEN card_calibrated > {limit} THEN {limit} WHEN card_calibrated < -{limit} THEN -{limit}"
        " ELSE card_calibrated END"
    )
    steps = [
        ("card_1", name(table), own),
        ("card_2", "card_1", [f"{total} AS card_points"]),
        ("card_3", "card_2", [f"{shift} + (card_points - {base}) / {factor} AS card_raw_log_odds"]),
        ("card_4", "card_3", [f"{_calibrated(calibration, spoken)} AS card_calibrated"]),
        ("card_5", "card_4", [f"{clipped} AS card_log_odds"]),
    ]
    written = [
        f"{step} AS (\n  SELECT {source}.*,\n    {_listed(columns)}\n  FROM {source}\n)"
        for step, source, columns in steps
    ]
    last = [
        f"CAST(floor({base} + {factor} * (card_log_odds - {shift}) + {number(0.5)}) AS BIGINT) AS card_score",
        f"{number(1.0)} / ({number(1.0)} + exp(card_log_odds)) AS card_pd",
        *differences,
    ]
    return f"WITH {', '.join(written)}\nSELECT card_5.*,\n    {_listed(last)}\nFROM card_5"


def _listed(columns: list[str]) -> str:
    return ",\n    ".join(columns)


def _points_of(characteristic: Characteristic) -> str:
    return f"card_points_{characteristic.feature}"


def _difference_of(characteristic: Characteristic) -> str:
    return f"card_difference_{characteristic.feature}"


def _require_short_names(card: Scorecard, dialect: Dialect) -> None:
    longest = dialect.longest_name
    long_ones = [c.feature for c in card.characteristics if longest and len(_difference_of(c).encode()) > longest]
    if long_ones:
        raise ParameterError(
            f"scorecard SQL: {len(long_ones)} feature name(s) are too long for {dialect.name}, which cuts names after "
            f"{longest} bytes, e.g. card_difference_{long_ones[0]}; shorten the names or take another dialect"
        )


def _calibrated(calibration: Calibration, dialect: Dialect) -> str:
    number, raw = dialect.number, "card_raw_log_odds"
    lines = [f"{number(y)} + ({raw} - {number(x)}) * {number(slope)}" for x, y, slope in calibration.segments]
    if len(lines) == 1:
        return lines[0]
    ends = [x for x, _ in calibration.knots[1:-1]]
    cases = [f"WHEN {raw} < {number(end)} THEN {line}" for end, line in zip(ends, lines, strict=False)]
    return f"CASE {' '.join(cases)} ELSE {lines[-1]} END"


def _case(characteristic: Characteristic, dialect: Dialect) -> str:
    column, number = dialect.identifier(characteristic.feature), dialect.number
    missing = next(b for b in characteristic.bins if b.kind == "missing")
    if characteristic.holds_categories:
        whens = [f"WHEN {column} IS NULL THEN {number(missing.points)}"]
        whens += [_in(column, b, dialect) for b in characteristic.bins if b.kind == "categories" and b.categories]
        last = next(b for b in characteristic.bins if b.kind == "unseen")
    else:
        value = f"CAST({column} AS {dialect.double})"
        ranges = [b for b in characteristic.bins if b.kind == "range"]
        whens = [
            f"WHEN {column} IS NULL OR {dialect.is_nan(value)} THEN {number(missing.points)}",
            # Spark and PostgreSQL have no error() in an expression of numbers; null cannot be taken for a score.
            f"WHEN {dialect.is_infinite(value)} THEN CAST(NULL AS {dialect.double})",
            *(
                f"WHEN {value} = {number(b.lower)} THEN {number(b.points)}"
                for b in characteristic.bins
                if b.kind == "special" and b.lower is not None
            ),
            *(f"WHEN {value} < {number(b.upper)} THEN {number(b.points)}" for b in ranges if b.upper is not None),
        ]
        last = ranges[-1]
    arms = "\n      ".join([*whens, f"ELSE {number(last.points)}"])
    return f"CASE\n      {arms}\n    END"


def _in(column: str, bin_: Bin, dialect: Dialect) -> str:
    listed = ", ".join(dialect.text(category) for category in bin_.categories or ())
    return f"WHEN {column} IN ({listed}) THEN {dialect.number(bin_.points)}"
