"""A feature, defined once: what it measures, its words in two languages, its direction of risk, what its null means."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import ibis.expr.operations as ops

from pipeline.tables.ledger import TABLES
from pipeline.tables.plural import plural

if TYPE_CHECKING:
    from collections.abc import Callable

    import ibis.expr.types as ir

    from pipeline.features.absence import Absence
    from pipeline.features.relation import Relation
    from pipeline.features.step import Step

Language = Literal["en", "zh"]
_WINDOW = re.compile(r"_(\d+)m$")
_LEDGER_ORDER = {
    f"{table.name}.{name}": place * 1000 + within
    for place, table in enumerate(TABLES)
    for within, name in enumerate(table.canonical_schema.names)
}


class Risk(StrEnum):
    """How the default probability moves as the value rises."""

    RISES = "rises"
    FALLS = "falls"
    EITHER = "either"


class Holds(StrEnum):
    """What a column holds: a number (float64) or a category (string)."""

    NUMBER = "number"
    CATEGORY = "category"


class Serves(StrEnum):
    """Who may use a column: models of default and people, or people and reports alone.

    A column that serves people alone could make a customer safer by one more invoice 90 days late: a mean, a habit or a
    share that the invoice thins out, trade that it adds to. docs/decisions/0008 tells why.
    """

    MODELS = "models"
    PEOPLE = "people"


class Tells(StrEnum):
    """What may be said of a column to the customer it is of: its value, its title alone, or nothing.

    Nothing where it is told from other customers; the title alone of what a third party told in confidence.
    """

    VALUE = "value"
    TITLE = "title"
    NOTHING = "nothing"


class Unit(StrEnum):
    """The unit of a value. Shares lie between 0 and 1 unless the definition says otherwise; money is base currency."""

    DAYS = "days"
    MONTHS = "months"
    YEARS = "years"
    COUNT = "count"
    SHARE = "share"
    RATIO = "ratio"
    MONEY = "money"
    POINTS = "points"
    FLAG = "flag"
    CATEGORY = "category"


class Subject(StrEnum):
    """The six subjects of the catalogue."""

    PAYMENT_BEHAVIOUR = "payment behaviour"
    OPEN_ITEMS = "open items and ageing"
    RELATIONSHIP = "orders and relationship"
    ACCOUNTS = "accounts"
    CONTRACTS = "contracts, disputes, limits and covers"
    OUTSIDE = "group and outside events"


@dataclass(frozen=True)
class Feature:
    """One column of the feature table.

    `idea` is the name without the window, `months` the window or null, `source` the tables without which the column is
    null for every customer. `columns` are the ledger's columns (`table.column`) that it is told from: beside the keys,
    `customer_id` and `known_on` of their tables nothing else can change it. `en` and `zh` are sentences with `{value}`,
    `{months}` and, after what is counted, `{s}` (tables/plural.py) to be formatted. `step` is what the customer can do
    about it, null for nothing; `tells` what it may be told. Both are for people: no model knows of them, so that they
    stand in no model's catalogue.
    """

    name: str
    idea: str
    subject: Subject
    source: tuple[str, ...]
    columns: tuple[str, ...]
    months: int | None
    unit: Unit
    risk: Risk
    serves: Serves
    holds: Holds
    null_means: str
    null_means_zh: str
    title_en: str
    title_zh: str
    en: str
    zh: str
    doc: str
    step: Step | None = None
    tells: Tells = Tells.VALUE

    @property
    def months_to_show(self) -> int:
        """Full months until what the customer does from today on is all that the column sees; 0: with the next day."""
        if self.step is not None and self.step.shows == "at_once":
            return 0
        found = _WINDOW.search(self.name)
        return int(found.group(1)) if found else 0

    def render(self, value: float | str | None, language: Language) -> str:
        """The sentence for a customer's own value; of a null value, what the null means."""
        if value is None or value != value:  # noqa: PLR0124 - NaN is a null from pandas
            title, meaning = (
                (self.title_en, self.null_means) if language == "en" else (self.title_zh, self.null_means_zh)
            )
            return f"{title}{': ' if language == 'en' else '：'}{meaning}"
        template = self.en if language == "en" else self.zh
        return template.format(value=value, months=self.months, s=plural(template, value))

    def as_json(self) -> dict[str, Any]:
        """Plain values, for `catalogue.json`."""
        return {
            "name": self.name,
            "idea": self.idea,
            "subject": str(self.subject),
            "source": list(self.source),
            "columns": list(self.columns),
            "months": self.months,
            "unit": str(self.unit),
            "risk": str(self.risk),
            "serves": str(self.serves),
            "holds": str(self.holds),
            "null_means": self.null_means,
            "null_means_zh": self.null_means_zh,
            "title_en": self.title_en,
            "title_zh": self.title_zh,
            "en": self.en,
            "zh": self.zh,
            "doc": self.doc,
        }


@dataclass(frozen=True)
class FeatureFamily:
    """One definition: a measure of a relation, and one column per window.

    `measure` is an aggregate of the relation's rows, or a plain value where the relation has one row per snapshot.
    `without_rows` is the value of a customer without a row in a table that was handed in; null unless nothing is an
    amount of its own: of counts, sums, and of lateness where nothing is late. `people_only` says that its columns serve
    people alone, `in_confidence` that a third party told them for us alone, `step` what the customer can do.
    """

    idea: str
    measure: Callable[[ir.Table], ir.Value]
    relation: Relation
    tables: tuple[str, ...]
    windows: tuple[int, ...]
    unit: Unit
    risk: Risk
    holds: Holds
    absence: Absence
    title_en: str
    title_zh: str
    en: str
    zh: str
    without_rows: float | None
    people_only: bool
    in_confidence: bool
    step: Step | None

    def features(self, subject: Subject) -> tuple[Feature, ...]:
        """The family's columns: one per window, the window last in the name; one plain column without windows."""
        return tuple(self._feature(subject, months) for months in self.windows or (None,))

    def _feature(self, subject: Subject, months: int | None) -> Feature:
        return Feature(
            name=self.column(months),
            idea=self.idea,
            subject=subject,
            source=self.tables,
            columns=self.columns,
            months=months,
            unit=self.unit,
            risk=self.risk,
            serves=Serves.PEOPLE if self.people_only else Serves.MODELS,
            holds=self.holds,
            null_means=self.absence.en,
            null_means_zh=self.absence.zh,
            title_en=self.title_en.format(months=months),
            title_zh=self.title_zh.format(months=months),
            en=self.en,
            zh=self.zh,
            doc=inspect.cleandoc(self.measure.__doc__ or ""),
            step=self.step,
            tells=self.tells,
        )

    @property
    def tells(self) -> Tells:
        """What may be said of it to the customer."""
        if self.relation.looks_at_others:
            return Tells.NOTHING
        return Tells.TITLE if self.in_confidence else Tells.VALUE

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The ledger's columns that the measure is told from, in its order: found by looking at the measure."""
        return tuple(sorted(self.relation.sources_of(set(self.touched)), key=_LEDGER_ORDER.__getitem__))

    @cached_property
    def touched(self) -> frozenset[str]:
        """The relation's columns that the measure touches."""
        measured = self.measure(self.relation.outline())
        return frozenset(found.name for found in measured.op().find(ops.Field))

    def column(self, months: int | None) -> str:
        """The column's name for one of the windows."""
        return self.idea if months is None else f"{self.idea}_{months}m"


def feature(
    source: Relation,
    *,
    unit: Unit,
    risk: Risk,
    null_means: Absence,
    title_en: str,
    title_zh: str,
    en: str,
    zh: str,
    months: tuple[int, ...] = (),
    tables: tuple[str, ...] = (),
    idea: str = "",
    without_rows: float | None = None,
    people_only: bool = False,
    in_confidence: bool = False,
    step: Step | None = None,
) -> Callable[[Callable[[ir.Table], ir.Value]], FeatureFamily]:
    """Makes a family of a measure; nothing is registered, `catalog.py` lists what counts.

    `tables` names what the measure needs beyond the tables of its relation; `idea` replaces the function's name where
    one function makes several families. Raises ValueError for a window the relation does not reach, and for a step of
    a column without a safe direction.
    """
    too_long = [m for m in months if m not in source.windows]
    if too_long:
        raise ValueError(f"relation {source.name}: no window of {too_long} months, it has {list(source.windows)}")
    if step is not None and risk is Risk.EITHER:
        raise ValueError(f"feature {title_en!r}: {step.name} is no step where no direction is safe")

    def define(measure: Callable[[ir.Table], ir.Value]) -> FeatureFamily:
        return FeatureFamily(
            idea=idea or measure.__name__,
            measure=measure,
            relation=source,
            tables=(*source.tables, *(t for t in tables if t not in source.tables)),
            windows=months,
            unit=unit,
            risk=risk,
            holds=Holds.CATEGORY if unit is Unit.CATEGORY else Holds.NUMBER,
            absence=null_means,
            title_en=title_en,
            title_zh=title_zh,
            en=en,
            zh=zh,
            without_rows=without_rows,
            people_only=people_only,
            in_confidence=in_confidence,
            step=step,
        )

    return define
