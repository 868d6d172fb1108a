"""The catalogue of a modelling table of one's own: target, keys, date, group, features, special codes, exclusions.

Read from YAML into frozen objects; unknown keys, wrong types and contradictions are told all at once, none is guessed.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass, field
from typing import Any, Literal

from pipeline.errors import ParameterError
from pipeline.plain_yaml import read_yaml
from pipeline.sections import build
from pipeline.tables.formats import ISO_DATE, Formats
from pipeline.tables.own_table_features import Defaults, FeatureEntry, TableFeature, resolved

YEAR = "year"


@dataclass(frozen=True)
class FileSection:
    """How the file writes its values. `header` names the columns of a file that has no header line, in order."""

    encoding: str = "utf-8"
    delimiter: str = ","
    decimal_point: str = "."
    thousands: str = ""
    null_texts: tuple[str, ...] = ("",)
    header: tuple[str, ...] | None = None

    def formats(self, dates: str = ISO_DATE) -> Formats:
        """The formats for the parsers of the tables, with the format of the date column."""
        return Formats(
            encoding=self.encoding,
            delimiter=self.delimiter,
            dates=dates,
            decimal_point=self.decimal_point,
            thousands=self.thousands,
            null_texts=self.null_texts,
        )


@dataclass(frozen=True)
class TargetSection:
    """What is predicted: the texts of `column` that mean bad and good; `indeterminate` ones are not trained on.

    `title` names the event ("bankruptcy"), `happened` what befell a bad row ("went bankrupt"). `rule`: with
    `last_row_of_entity` a label that a source wrote on every row of a failed entity counts on its last row only, the
    earlier ones are good; rows whose window reaches beyond the table's last date are immature.
    """

    column: str
    bad: tuple[str, ...]
    good: tuple[str, ...]
    title_en: str
    title_zh: str
    happened_en: str = ""
    indeterminate: tuple[str, ...] = ()
    rule: Literal["each_row", "last_row_of_entity"] = "each_row"


@dataclass(frozen=True)
class DateSection:
    """The day a row tells of: its column and strptime format; `year` reads a year as its 31 December."""

    column: str
    format: str = ISO_DATE


@dataclass(frozen=True)
class WindowSection:
    """How long after the row its outcome may come; exactly one of the two."""

    months: int | None = None
    days: int | None = None


@dataclass(frozen=True)
class Catalogue:
    """Everything a modelling table needs said about it; `features` in order, as resolved from their entries."""

    name: str
    source: str
    licence: str
    target: TargetSection
    features: tuple[TableFeature, ...]
    file: FileSection
    key: tuple[str, ...]
    entity: str | None
    group: str | None
    date: DateSection | None
    window: WindowSection | None
    excluded: dict[str, str]
    identical_rows: Literal["refuse", "keep", "drop"]
    notes: tuple[str, ...]

    @property
    def named_columns(self) -> dict[str, str]:
        """Every column the catalogue speaks of, and as what; an excluded one may be absent from the file."""
        roles = dict.fromkeys((f.column for f in self.features), "a feature")
        roles |= dict.fromkeys(self.key, "the key")
        roles[self.target.column] = "the target"
        for column, role in ((self.entity, "the entity"), (self.group, "the group")):
            roles |= {column: role} if column else {}
        return roles | ({self.date.column: "the date"} if self.date else {})


@dataclass(frozen=True)
class _Written:
    """The file as written."""

    name: str
    source: str
    licence: str
    target: TargetSection
    features: tuple[FeatureEntry, ...]
    file: FileSection = FileSection()
    key: tuple[str, ...] | None = None
    entity: str | None = None
    group: str | None = None
    date: DateSection | None = None
    window: WindowSection | None = None
    excluded: dict[str, str] = field(default_factory=dict)
    defaults: Defaults = field(default_factory=Defaults)
    identical_rows: Literal["refuse", "keep", "drop"] = "refuse"
    notes: tuple[str, ...] = ()


def parse_catalogue(text: str, origin: str) -> Catalogue:
    """Reads a catalogue. Raises ParameterError naming every breach at once.

    >>> parse_catalogue("name: x", "catalogue.yaml")
    Traceback (most recent call last):
    pipeline.errors.ParameterError: catalogue.yaml: 4 breach(es):
      - source: missing
      - licence: missing
      - target: missing
      - features: missing
    Correct the keys named (docs/own-table.md tells each); none was ignored.
    """
    breaches: list[str] = []
    written: _Written = build(_Written, _texts_of_codes(read_yaml(text, origin)), "", breaches)
    features: tuple[TableFeature, ...] = ()
    if not breaches:
        features = resolved(written.features, written.defaults, breaches)
        breaches.extend(_contradictions(written, features))
    if breaches:
        listed = "\n".join(f"  - {breach}" for breach in breaches)
        raise ParameterError(
            f"{origin}: {len(breaches)} breach(es):\n{listed}\n"
            "Correct the keys named (docs/own-table.md tells each); none was ignored."
        )
    values = {name: getattr(written, name) for name in Catalogue.__dataclass_fields__}
    return Catalogue(**{**values, "features": features, "key": written.key or ()})


def _texts_of_codes(raw: Any) -> Any:
    """Whole numbers among the target's values and a category's levels as texts: 1 in YAML is "1" in the file."""
    if not isinstance(raw, dict) or not isinstance(raw.get("target"), dict):
        return raw
    target = dict(raw["target"])
    for name in ("bad", "good", "indeterminate"):
        if isinstance(target.get(name), list):
            target[name] = [str(v) if isinstance(v, int) and not isinstance(v, bool) else v for v in target[name]]
    return {**raw, "target": target}


def _contradictions(written: _Written, features: tuple[TableFeature, ...]) -> list[str]:
    return [*_of_file(written.file), *_of_target(written), *_of_columns(written, features), *_of_days(written)]


def _of_file(file: FileSection) -> list[str]:
    found = []
    try:
        codecs.lookup(file.encoding)
    except LookupError:
        found.append(f"file.encoding: no encoding is called {file.encoding!r}")
    if len(file.delimiter) != 1:
        found.append(f"file.delimiter: expected one character, found {file.delimiter!r}")
    if file.decimal_point not in {".", ","}:
        found.append(f"file.decimal_point: expected a point or a comma, found {file.decimal_point!r}")
    if len(file.thousands) > 1 or file.thousands == file.decimal_point:
        found.append(f"file.thousands: expected one character that is not the decimal point, found {file.thousands!r}")
    repeated = sorted({name for name in file.header or () if (file.header or ()).count(name) > 1})
    if repeated:
        found.append(f"file.header: {len(repeated)} name(s) stand twice, e.g. {repeated[0]!r}")
    return found


def _of_target(written: _Written) -> list[str]:
    target = written.target
    found = [f"target.{name}: name at least one value" for name in ("bad", "good") if not getattr(target, name)]
    values = (*target.bad, *target.good, *target.indeterminate)
    twice = sorted({value for value in values if values.count(value) > 1})
    if twice:
        found.append(f"target: the value {twice[0]!r} stands in more than one of bad, good and indeterminate")
    if target.rule == "last_row_of_entity" and not (written.entity and written.date):
        found.append("target.rule: last_row_of_entity needs entity and date, which tell which row is the last")
    return found


def _of_columns(written: _Written, features: tuple[TableFeature, ...]) -> list[str]:
    found = [] if features else ["features: name at least one"]
    if written.key == ():
        found.append("key: name the columns of the key, or null to count rows")
    columns = [f.column for f in features]
    for what in ("column", "name"):
        names = [getattr(f, what) for f in features]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            found.append(f"features: {len(twice)} {what}(s) stand twice, e.g. {twice[0]!r}")
    date = written.date.column if written.date else None
    others = {
        "target.column": written.target.column,
        "date.column": date,
        "entity": written.entity,
        "group": written.group,
        **{f"key[{i}]": column for i, column in enumerate(written.key or ())},
    }
    found += [f"{path}: {column!r} is a feature as well" for path, column in others.items() if column in columns]
    spoken_of = {*columns, *filter(None, others.values())}
    found += [f"excluded.{c}: the column is used as well" for c in written.excluded if c in spoken_of]
    found += [f"excluded.{c}: tell the reason" for c, reason in written.excluded.items() if not reason.strip()]
    return found


def _of_days(written: _Written) -> list[str]:
    found = []
    date, window = written.date, written.window
    if date and date.format != YEAR:
        parts = {date.format[i : i + 2] for i, c in enumerate(date.format) if c == "%"}
        if not {"%Y", "%m", "%d"} <= parts:
            found.append(f"date.format: expected {YEAR} or a format with %Y, %m and %d, found {date.format!r}")
    if window and (window.months is None) == (window.days is None):
        found.append("window: set exactly one of months and days")
    if window and any(length is not None and length < 1 for length in (window.months, window.days)):
        found.append("window: must be at least 1")
    return found
