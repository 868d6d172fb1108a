"""Reads formats from a mapping, for a file or for one column."""

from __future__ import annotations

import codecs
import string
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from pipeline.tables.formats import Formats

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.tables.section import Section

ALL_FORMATS = tuple(f.name for f in fields(Formats))
# A file has one encoding and one delimiter; the rest may differ from column to column.
COLUMN_FORMATS = tuple(name for name in ALL_FORMATS if name not in {"encoding", "delimiter"})


def read_formats(section: Section, base: Formats, names: tuple[str, ...]) -> Formats | None:
    """The formats among the section's keys over those of `base`; null when there is none. Unfit ones are told."""
    found: dict[str, Any] = {}
    for name in names:
        if section.has(name):
            is_list = name.endswith("_texts")
            found[name] = section.texts(name) if is_list else section.take(name, str, getattr(base, name))
    if not found:
        return None
    formats = replace(base, **found)
    for why, key in _unfit(formats):
        if key in found:
            section.refuse(why, key)
    return formats


def _unfit(formats: Formats) -> Iterator[tuple[str, str]]:
    try:
        codecs.lookup(formats.encoding)
    except LookupError:
        yield f"no encoding is called {formats.encoding!r}", "encoding"
    if len(formats.delimiter) != 1:
        yield f"expected one character, found {formats.delimiter!r}", "delimiter"
    if formats.decimal_point not in {".", ","}:
        yield f"expected a point or a comma, found {formats.decimal_point!r}", "decimal_point"
    if len(formats.thousands) > 1 or formats.thousands in {*string.digits, "-", formats.decimal_point}:
        yield f"expected one character that is not the decimal point, found {formats.thousands!r}", "thousands"
    if formats.minus not in {"leading", "trailing"}:
        yield f"expected leading or trailing, found {formats.minus!r}", "minus"
    directives = {formats.dates[i : i + 2] for i, c in enumerate(formats.dates) if c == "%"}
    if not {"%d", "%m"} <= directives or not {"%Y", "%y"} & directives:
        yield f"expected a format with %Y, %m and %d, found {formats.dates!r}", "dates"
