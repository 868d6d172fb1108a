"""How DuckDB, PostgreSQL and Spark spell names, texts and doubles; each literal reads back to the same bits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Dialect:
    """One database's spelling. `double` is the type's name; `is_nan` and `is_infinite` take an expression of it."""

    name: str
    double: str
    identifier: Callable[[str], str]
    text: Callable[[str], str]
    number: Callable[[float], str]
    is_nan: Callable[[str], str]
    is_infinite: Callable[[str], str]
    longest_name: int | None = None


def dialect_of(name: str) -> Dialect:
    """The dialect of that name. Raises ParameterError for one that is not spoken."""
    if name not in DIALECTS:
        raise ParameterError(f"scorecard SQL: no dialect {name!r}; known: {', '.join(DIALECTS)}")
    return DIALECTS[name]


def _doubled(quote: str) -> Callable[[str], str]:
    return lambda text: quote + text.replace(quote, quote * 2) + quote


def _exponent(value: float) -> str:
    """Without an exponent DuckDB would make it a DECIMAL."""
    spelled = repr(float(value))
    return f"({spelled})" if "e" in spelled else f"({spelled}e0)"


def _spark_text(text: str) -> str:
    """Backslashes escape in Spark, two quotes join texts in older versions, and ${…} would be substituted."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("$", "\\u0024")
    return f"'{escaped}'"


DIALECTS = {
    "duckdb": Dialect(
        name="duckdb",
        double="DOUBLE",
        identifier=_doubled('"'),
        text=_doubled("'"),
        number=_exponent,
        is_nan=lambda value: f"isnan({value})",
        is_infinite=lambda value: f"isinf({value})",
    ),
    "postgres": Dialect(
        name="postgres",
        double="double precision",
        identifier=_doubled('"'),
        # E'…' means the same whatever standard_conforming_strings is.
        text=lambda text: "E" + _doubled("'")(text.replace("\\", "\\\\")),
        # A plain 0.5 would be a numeric.
        number=lambda value: f"double precision '{float(value)!r}'",
        is_nan=lambda value: f"{value} = double precision 'NaN'",
        is_infinite=lambda value: f"{value} IN (double precision 'Infinity', double precision '-Infinity')",
        # In bytes; PostgreSQL cuts longer names off.
        longest_name=63,
    ),
    "spark": Dialect(
        name="spark",
        double="DOUBLE",
        identifier=_doubled("`"),
        text=_spark_text,
        number=lambda value: f"({float(value)!r}D)",
        is_nan=lambda value: f"isnan({value})",
        is_infinite=lambda value: f"{value} IN (DOUBLE('Infinity'), DOUBLE('-Infinity'))",
    ),
}
