"""A tiny evaluator of the formulas in the exported workbook: what a spreadsheet would show, by other code."""

from __future__ import annotations

import math
import re
from typing import Any

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+\.?\d*(?:[eE][-+]?\d+)?)|(?P<cell>(?:(\w+)!)?\$?[A-Z]+\$?\d+(?::\$?[A-Z]+\$?\d+)?)"
    r"|(?P<name>[A-Z]+)(?=\()|(?P<sign><=|--|[-+*/=(),]))"
)


class Sheets:
    """The cells of a workbook by sheet and place; formulas are worked out when they are asked for."""

    def __init__(self, book: Any) -> None:
        self.cells = {
            (sheet.title, cell.coordinate): cell.value for sheet in book.worksheets for row in sheet for cell in row
        }

    def value(self, sheet: str, place: str) -> Any:
        held = self.cells.get((sheet, place))
        if not (isinstance(held, str) and held.startswith("=")):
            return held
        return _Reader(self, sheet, held[1:]).whole()


class _Reader:
    def __init__(self, sheets: Sheets, sheet: str, text: str) -> None:
        self.sheets, self.sheet, self.at = sheets, sheet, 0
        self.tokens = []
        place = 0
        while place < len(text):
            found = _TOKEN.match(text, place)
            assert found, f"cannot read {text[place:]!r}"
            self.tokens.append((found.lastgroup, found[found.lastgroup]))
            place = found.end()

    def whole(self) -> Any:
        value = self._comparison()
        assert self.at == len(self.tokens), f"left over: {self.tokens[self.at :]}"
        return value

    def _peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def _take(self, expected: str | None = None) -> tuple[str, str]:
        token = self.tokens[self.at]
        assert expected is None or token[1] == expected, f"{token} where {expected} was due"
        self.at += 1
        return token

    def _comparison(self) -> Any:
        left = self._sum()
        if self._peek() in {"=", "<="}:
            sign = self._take()[1]
            right = self._sum()
            if sign == "=":
                return _each(left, lambda one: one == right)
            return _each(left, lambda one: None not in {one, right} and one <= right)
        return left

    def _sum(self) -> Any:
        value = self._product()
        while self._peek() in {"+", "-"}:
            sign = self._take()[1]
            other = self._product()
            value = value + other if sign == "+" else value - other
        return value

    def _product(self) -> Any:
        value = self._atom()
        while self._peek() in {"*", "/"}:
            sign = self._take()[1]
            other = self._atom()
            value = value * other if sign == "*" else value / other
        return value

    def _atom(self) -> Any:
        group, text = self._take()
        if group == "number":
            return float(text)
        if group == "cell":
            return self._cells(text)
        if group == "name":
            return self._call(text)
        if text == "-":
            return -self._atom()
        if text == "--":
            return _each(self._atom(), float)
        assert text == "(", text
        value = self._comparison()
        self._take(")")
        return value

    def _cells(self, text: str) -> Any:
        sheet, _, place = text.rpartition("!")
        places = place.replace("$", "").split(":")
        sheet = sheet or self.sheet
        if len(places) == 1:
            return self.sheets.value(sheet, places[0])
        (column, first), (_, last) = (re.fullmatch(r"([A-Z]+)(\d+)", one).groups() for one in places)
        return [self.sheets.value(sheet, f"{column}{row}") for row in range(int(first), int(last) + 1)]

    def _call(self, name: str) -> Any:
        self._take("(")
        given = []
        while self._peek() != ")":
            given.append(self._comparison())
            if self._peek() == ",":
                self._take()
        self._take(")")
        return _FUNCTIONS[name](*given)


def _each(value: Any, function: Any) -> Any:
    return [function(one) for one in value] if isinstance(value, list) else function(value)


def _sum_of_products(first: list[float], second: list[float] | None = None) -> float:
    total = 0.0
    for i, one in enumerate(first):
        total += one * (1.0 if second is None else second[i])
    return total


# Both branches of IF are worked out: none of them has an effect.
_FUNCTIONS = {
    "IF": lambda is_so, yes, no: yes if is_so else no,
    "ISBLANK": lambda value: value is None,
    "ISNUMBER": lambda value: isinstance(value, int | float),
    "NA": lambda: "#N/A",
    "EXACT": lambda names, value: _each(names, lambda name: name == value),
    "SUMPRODUCT": lambda first, second=None: _sum_of_products(first if isinstance(first, list) else [first], second),
    "INDEX": lambda values, at: values[int(at) - 1] if isinstance(values, list) else values,
    "MIN": min,
    "MAX": max,
    "EXP": math.exp,
    "FLOOR": lambda value, step: math.floor(value / step) * step,
}
