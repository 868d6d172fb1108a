"""The features of a modelling table: short entries of its catalogue, made whole with names and words of both languages.

An entry for many like columns names them as `PAY_AMT{1..6}`; `{n}` in its name and titles is the number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

Risk = Literal["rises", "falls", "either"]
Holds = Literal["number", "category"]

_MANY = re.compile(r"\{(\d+)\.\.(\d+)\}")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
# Columns of the training book that are no feature.
_RESERVED = {
    "customer_id", "as_of", "group_key", "outcome", "is_bad", "event_on", "window_end", "pd", "base",
    "invoices_due_12m_count", "history_months",
}  # fmt: skip


@dataclass(frozen=True)
class Special:
    """A code that stands in the place of a number and means something else; it gets a bin of its own."""

    code: float
    en: str
    zh: str = ""


@dataclass(frozen=True)
class Defaults:
    """What entries that say nothing else take."""

    unit: str = ""
    risk: Risk = "either"
    holds: Holds = "number"
    special: tuple[Special, ...] = ()
    null_means_en: str = "not given"
    null_means_zh: str = "未提供"


@dataclass(frozen=True)
class FeatureEntry:
    """One entry as written: `column`, and whatever differs from the defaults.

    `levels` gives the words of each code of a category; `idea` ties columns that say the same of different spells.
    """

    column: str
    name: str | None = None
    unit: str | None = None
    risk: Risk | None = None
    holds: Holds | None = None
    title_en: str | None = None
    title_zh: str | None = None
    en: str | None = None
    zh: str | None = None
    idea: str | None = None
    special: tuple[Special, ...] | None = None
    levels: dict[str, str] = field(default_factory=dict)
    null_means_en: str | None = None
    null_means_zh: str | None = None
    note: str = ""


@dataclass(frozen=True)
class TableFeature:
    """One feature of a modelling table, made whole."""

    name: str
    column: str
    idea: str
    unit: str
    risk: Risk
    holds: Holds
    title_en: str
    title_zh: str
    en: str
    zh: str
    special: tuple[Special, ...]
    levels: dict[str, str]
    null_means_en: str
    null_means_zh: str
    note: str

    def as_json(self, source: str) -> dict[str, Any]:
        """The entry of catalogue.json: the keys of a ledger's feature, and the special codes."""
        return {
            "name": self.name,
            "idea": self.idea,
            "subject": "modelling table",
            "source": [source],
            "months": None,
            "unit": self.unit,
            "risk": self.risk,
            "holds": self.holds,
            "null_means": self.null_means_en,
            "null_means_zh": self.null_means_zh,
            "title_en": self.title_en,
            "title_zh": self.title_zh,
            "en": self.en,
            "zh": self.zh,
            "doc": self.note,
            "special": [{"code": s.code, "en": s.en, "zh": s.zh or s.en} for s in self.special],
        }


def resolved(entries: tuple[FeatureEntry, ...], defaults: Defaults, breaches: list[str]) -> tuple[TableFeature, ...]:
    """Every feature of the entries in order; what is wrong is added to `breaches`."""
    found = []
    for i, entry in enumerate(entries):
        for one in _each(entry):
            feature = _whole(one, defaults)
            breaches.extend(f"features[{i}] ({feature.column}): {breach}" for breach in _breaches(feature))
            found.append(feature)
    return tuple(found)


def _each(entry: FeatureEntry) -> Iterator[FeatureEntry]:
    many = _MANY.search(entry.column)
    if not many:
        yield entry
        return
    for n in range(int(many[1]), int(many[2]) + 1):
        texts = {
            key: text.replace("{n}", str(n))
            for key in ("name", "title_en", "title_zh", "en", "zh", "note")
            if (text := getattr(entry, key)) is not None
        }
        yield replace(entry, column=_MANY.sub(str(n), entry.column, count=1), **texts)


def _whole(entry: FeatureEntry, defaults: Defaults) -> TableFeature:
    name = entry.name or re.sub(r"[^a-z0-9]+", "_", entry.column.lower()).strip("_")
    unit = defaults.unit if entry.unit is None else entry.unit
    holds = entry.holds or ("category" if entry.levels else defaults.holds)
    title_en = entry.title_en or entry.column
    title_zh = entry.title_zh or title_en
    shown = "{value}" if holds == "category" else "{value:,.6g}"
    tail = f" {unit}" if unit and holds == "number" else ""
    return TableFeature(
        name=name,
        column=entry.column,
        idea=entry.idea or name,
        unit="category" if holds == "category" else unit or "number",
        risk=entry.risk or defaults.risk,
        holds=holds,
        title_en=title_en,
        title_zh=title_zh,
        en=entry.en or f"{_plain(title_en)}: {shown}{_plain(tail)}",
        zh=entry.zh or f"{_plain(title_zh)}：{shown}{_plain(tail)}",
        special=(defaults.special if holds == "number" else ()) if entry.special is None else entry.special,
        levels=entry.levels,
        null_means_en=entry.null_means_en or defaults.null_means_en,
        null_means_zh=entry.null_means_zh or defaults.null_means_zh,
        note=entry.note,
    )


def _plain(text: str) -> str:
    """The text with braces that a format leaves alone."""
    return text.replace("{", "{{").replace("}", "}}")


def _breaches(feature: TableFeature) -> Iterator[str]:
    if not _NAME.fullmatch(feature.name):
        yield f"the name {feature.name!r} must be small letters, digits and _, starting with a letter; give a `name`"
    if feature.name in _RESERVED:
        yield f"the name {feature.name!r} is one of the training book's own; give another `name`"
    if feature.holds == "category" and feature.special:
        yield "a category has no special codes: each of its values has a place of its own; name it in `levels`"
    if feature.holds == "number" and feature.levels:
        yield "`levels` are of a category: set holds: category, or use `special` for codes among numbers"
    if feature.holds == "category" and feature.risk != "either":
        yield f"a category has no order, so its risk cannot be {feature.risk!r}; leave it out"
    codes = [s.code for s in feature.special]
    if len(set(codes)) != len(codes):
        yield "a special code stands twice"
    value: object = "x" if feature.holds == "category" else 1.0
    for key in ("en", "zh"):
        try:
            getattr(feature, key).format(value=value, months=None)
        except (ValueError, KeyError, IndexError) as error:
            yield f"{key}: the sentence cannot be filled ({error!r}); it may use {{value}} only"
