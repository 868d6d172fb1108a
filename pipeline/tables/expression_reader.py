"""Reads the expressions of a mapping's columns from YAML."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pipeline.tables.contract import Kind
from pipeline.tables.expressions import Cell, Concatenate, Constant, Expression, Extreme, FirstOf, HashOf, RowNumber
from pipeline.tables.formats_reader import COLUMN_FORMATS, read_formats
from pipeline.tables.section import Section

if TYPE_CHECKING:
    from pipeline.tables.formats import Formats

FORMS = ("column", "constant", "row_number", "hash_of", "concatenate", "first_of", "earliest", "latest")
_TEXT_KINDS = frozenset({Kind.ID, Kind.TEXT})


@dataclass(frozen=True)
class Place:
    """Where an expression stands: its path in the YAML, what its column holds, its file's formats, whether its rows
    stand for groups."""

    path: str
    kind: Kind
    formats: Formats
    has_groups: bool


def read_expression(raw: object, place: Place, breaches: list[str]) -> Expression | None:
    """The expression at `place`: a text is a source column's name, a section one of FORMS. Null after a breach."""
    if isinstance(raw, str):
        return Cell(raw)
    section = Section(raw, place.path, breaches)
    if not isinstance(raw, dict):
        return None
    given = [form for form in FORMS if section.has(form)]
    if len(given) != 1:
        section.refuse(f"expected one of {', '.join(FORMS)}, found {', '.join(given) or 'none'}")
        return None
    form = given[0]
    if form in {"first_of", "earliest", "latest"}:
        expression = _choice(section, form, place)
    elif form in {"row_number", "hash_of", "concatenate"}:
        expression = _id(section, form, place.kind)
    elif form == "constant":
        expression = _constant(section, place.kind)
    else:
        expression = _cell(section, place.kind, place.formats)
    section.close()
    return expression


def _choice(section: Section, form: str, place: Place) -> Expression | None:
    if form != "first_of" and (place.kind is not Kind.DATE or not place.has_groups):
        section.refuse("gives a day of a group: it needs a date column and `one_row_per`", form)
    options = [
        read_expression(raw, replace(place, path=f"{section.join(form)}[{i}]"), section.breaches)
        for i, raw in enumerate(section.take(form, list))
    ]
    found = tuple(option for option in options if option is not None)
    if not found:
        section.refuse("expected a list of expressions", form)
        return None
    return FirstOf(found) if form == "first_of" else Extreme(form, found)


def _id(section: Section, form: str, kind: Kind) -> Expression:
    if kind not in _TEXT_KINDS:
        section.refuse(f"makes a text, but the column holds a {kind}", form)
    if form == "row_number":
        if section.take("row_number", bool) is not True:
            section.refuse("expected true", form)
        return RowNumber(section.take("prefix", str, ""))
    columns = section.texts(form)
    if not columns:
        section.refuse("expected a list of source columns", form)
    if form == "hash_of":
        return HashOf(columns, section.take("prefix", str, ""))
    return Concatenate(columns, section.take("separator", str, "-"))


def _constant(section: Section, kind: Kind) -> Constant:
    raw: Any = section.raw("constant")
    wanted: dict[Kind, tuple[type, ...]] = {
        Kind.DATE: (dt.date,),
        Kind.BOOL: (bool,),
        Kind.INT: (int,),
        Kind.MONEY: (int, float, str),
        Kind.NUMBER: (int, float),
        Kind.SHARE: (int, float),
    }
    fits = isinstance(raw, wanted.get(kind, (str,))) and (kind is Kind.BOOL or not isinstance(raw, bool))
    if not fits:
        section.refuse(f"expected a {kind} (quote texts and ids), found {raw!r}", "constant")
    return Constant(str(raw).lower() if isinstance(raw, bool) else str(raw))


def _cell(section: Section, kind: Kind, formats: Formats) -> Cell:
    column = section.take("column", str)
    extract = section.take("extract", str, "") or None
    if extract is not None:
        _check_pattern(section, extract)
    texts = section.take("texts", dict, {})
    if not all(isinstance(k, str) and isinstance(v, str) for k, v in texts.items()):
        section.refuse("expected texts for texts (quote both sides)", "texts")
    own = read_formats(section, formats, COLUMN_FORMATS)
    days = section.take("plus_days", int, 0) - section.take("minus_days", int, 0)
    bounds = [
        section.take(key, dt.date, None) if section.has(key) else None for key in ("no_earlier_than", "no_later_than")
    ]
    if kind is not Kind.DATE and (days or any(bounds)):
        section.refuse(f"moves or bounds a day, but the column holds a {kind}")
    negate = section.take("negate", bool, default=False)
    if negate and kind not in {Kind.MONEY, Kind.NUMBER}:
        section.refuse(f"turns a sign, but the column holds a {kind}", "negate")
    return Cell(column, extract, texts, own, negate, days, bounds[0], bounds[1])


def _check_pattern(section: Section, pattern: str) -> None:
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        section.refuse(f"is no pattern: {error}", "extract")
        return
    if groups != 1:
        section.refuse(f"expected a pattern with one group in parentheses, found {groups}", "extract")
