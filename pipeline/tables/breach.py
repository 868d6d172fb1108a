"""A broken rule, told: table, column, how many of how many, one example, what to do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Breach:
    """Rows of one table that break one rule. `rule` completes the sentence "3 of 90 rows …"."""

    table: str
    column: str
    rule: str
    count: int
    rows: int
    example: str
    remedy: str

    @property
    def text(self) -> str:
        """The breach in one line."""
        return (
            f"{self.table}.{self.column}: {self.count:,} of {self.rows:,} rows {self.rule}, "
            f"e.g. {self.example}; {self.remedy}"
        )


def shown(value: object, longest: int = 60) -> str:
    """A value as it stands in a message: quoted text, ISO days, cut when long."""
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


_ONE_ROW = {
    "are": "is",
    "have": "has",
    "lie": "lies",
    "name": "names",
    "share": "shares",
    "repeat": "repeats",
}


def of_one_row(rule: str) -> str:
    """The rule as said of one row: "are before issued_on" becomes "is before issued_on"."""
    verb, _, rest = rule.partition(" ")
    return f"{_ONE_ROW.get(verb, verb)} {rest}"
