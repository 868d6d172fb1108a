"""How a report of the book says a figure: money with its currency, intervals, customers, in the report's language."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipeline.report import figures
from pipeline.report.blocks import Cell, Column, Table
from pipeline.report.words import words_in

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pipeline.report.words import Words

_PREFIX = "portfolio"


@dataclass(frozen=True)
class Teller:
    """What every chapter tells with: the figures (score/portfolio/portfolio.py), words, and names where asked for.

    `names` is empty when customers are told by number only. `prefix` is where the words of the report stand; what it
    does not word itself it takes from the portfolio report.
    """

    told: Mapping[str, Any]
    language: str
    names: Mapping[str, str] = field(default_factory=dict)
    prefix: str = _PREFIX

    @property
    def words(self) -> Words:
        """All words of the language."""
        return words_in(self.language)

    def say(self, key: str, **values: object) -> str:
        """A text of the report."""
        own = f"{self.prefix}.{key}"
        return self.words(own if self.words.has(own) else f"{_PREFIX}.{key}", **values)

    @property
    def _space(self) -> str:
        """Between a figure and its unit: a space that does not break, none in Chinese."""
        return "" if self.language == "zh" else "\u00a0"

    def name_of(self, group: str, name: object) -> str:
        """The word for a bucket, rule, action …; its own name where nobody worded it."""
        is_own = self.words.has(f"{self.prefix}.{group}.{name}")
        return self.words.or_name(f"{self.prefix if is_own else _PREFIX}.{group}", name)

    def rule(self, name: str) -> str:
        """The title of an alert rule as policy words it; its own name where policy no longer has it."""
        titles = self.told["alerts"]["titles"].get(name, {})
        return str(titles.get("zh" if self.language == "zh" else "en", name.replace("_", " ")))

    @property
    def back_fill(self) -> str:
        """How earlier runs are made: up to the day of the report, so that it is compared with them too.

        Only month ends are back-filled; any other day is scored again by itself.
        """
        day = str(self.told["run"]["as_of"])
        following = dt.date.fromisoformat(day) + dt.timedelta(days=1)
        return self.say("back_fill.month_end" if following.day == 1 else "back_fill.other_day", day=day)

    @property
    def currency(self) -> str:
        """The base currency in the report's language."""
        return self.name_of("currency", self.told["run"]["base_currency"])

    def short(self, amount: object) -> str:
        """An amount for a sentence: millions, or ten thousands in Chinese; small ones whole; a dash for null."""
        if amount is None:
            return figures.DASH
        value = Decimal(str(amount))
        return self.say("money.with_currency", amount=self.brief(value), currency=self.currency, space=self._space)

    def brief(self, amount: object) -> str:
        """The same without the currency."""
        if amount is None:
            return figures.DASH
        value = Decimal(str(amount))
        unit, size = ("wan", Decimal(10_000)) if self.language == "zh" else ("million", Decimal(1_000_000))
        if abs(value) < size / 2:
            return self.say("money.plain", amount=figures.count(value))
        digits = 2 if abs(value) < 10 * size else 1 if abs(value) < 1000 * size else 0
        return self.say(f"money.{unit}", amount=figures.decimal(value / size, digits), space=self._space)

    def range_of(self, low: object, high: object, write: Callable[[Any], str]) -> str:
        """An interval in words; empty when an end is null."""
        if low is None or high is None:
            return ""
        return figures.between(write(low), write(high))

    def aside(self, low: object, high: object, write: Callable[[Any], str]) -> str:
        """An interval in brackets behind its figure; empty when an end is null."""
        told = self.range_of(low, high, write)
        return self.say("aside", range=told, space=" " if self._space else "") if told else ""

    def measured(self, raw: Mapping[str, Any] | None, write: Callable[[Any], str]) -> Cell:
        """A cell with the interval under the value; "not enough data" for null."""
        if raw is None or raw.get("value") is None:
            return Cell(self.say("not_enough"))
        return Cell(write(raw["value"]), note=self.range_of(raw.get("low"), raw.get("high"), write))

    def day(self, value: object) -> str:
        """A day as the language writes it; a dash for null."""
        return figures.day(None if value is None else str(value))

    def customer(self, customer_id: str) -> Cell:
        """A customer by number, with the name under it where names were asked for."""
        return Cell(customer_id, note=self.names.get(customer_id, ""))

    def table(
        self,
        key: str,
        heads: Sequence[str],
        rows: Sequence[tuple[Cell, ...]],
        *notes: str,
        is_fixed: bool = True,
        **values: object,
    ) -> Table:
        """A table whose caption and heads are words below `key`; all columns but the first and those that end in _text
        hold numbers. `is_fixed`: the order says something, so that a reader may not sort."""
        columns = tuple(
            Column(self.say(f"{key}.{head}"), is_number=at > 0 and not head.endswith("_text"))
            for at, head in enumerate(heads)
        )
        caption = self.say(f"{key}.caption", currency=self.currency, **values)
        return Table(caption, columns, tuple(rows), tuple(notes), is_fixed=is_fixed)


def money(amount: object) -> str:
    """An amount in whole units of the currency, which the caption names; a dash for null.

    >>> money("1234567.89"), money(None)
    ('1,234,568', '–')
    """
    return figures.DASH if amount is None else figures.count(Decimal(str(amount)))


def change(now: object, before: object) -> str:
    """The relative change of two amounts, with its sign; a dash where there was nothing before.

    >>> change("110", "100"), change("1", None)
    ('+10.0\\u202f%', '–')
    """
    if now is None or before is None or not Decimal(str(before)):
        return figures.DASH
    return figures.signed(100 * (Decimal(str(now)) / Decimal(str(before)) - 1), 1) + figures.share(0, 0)[1:]
