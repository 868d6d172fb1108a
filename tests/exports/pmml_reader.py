"""A small reader of PMML Scorecards by the letter of the standard, independent of the code that writes them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

NS = "{http://www.dmg.org/PMML-4_4}"
_FUNCTIONS = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "min": min,
    "max": max,
    "exp": math.exp,
    "floor": math.floor,
}


@dataclass(frozen=True)
class PmmlCard:
    """A parsed document."""

    model: ET.Element
    texts: frozenset[str]

    @classmethod
    def read(cls, text: str) -> PmmlCard:
        root = ET.fromstring(text.encode())
        fields = root.find(f"{NS}DataDictionary")
        texts = frozenset(f.attrib["name"] for f in fields if f.attrib["dataType"] == "string")
        return cls(root.find(f"{NS}Scorecard"), texts)

    def score(self, row: dict[str, Any]) -> dict[str, Any]:
        """The output fields of one row; a null is None."""
        total, below = float(self.model.attrib["initialScore"]), []
        for characteristic in self.model.find(f"{NS}Characteristics"):
            attribute = next(a for a in characteristic if self._holds(a[0], row))
            total += float(attribute.attrib["partialScore"])
            lost = float(characteristic.attrib["baselineScore"]) - float(attribute.attrib["partialScore"])
            below.append((lost, characteristic.attrib["reasonCode"]))
        # pointsBelow: the largest distance below the baseline first.
        codes = [code for _, code in sorted(below, key=lambda one: -one[0])]
        found: dict[str, Any] = {}
        for field in self.model.find(f"{NS}Output"):
            feature = field.attrib["feature"]
            if feature == "predictedValue":
                found[field.attrib["name"]] = total
            elif feature == "reasonCode":
                found[field.attrib["name"]] = codes[int(field.attrib["rank"]) - 1]
            else:
                found[field.attrib["name"]] = _value(field[0], found)
        return found

    def _holds(self, predicate: ET.Element, row: dict[str, Any]) -> bool:
        kind = predicate.tag.removeprefix(NS)
        if kind == "True":
            return True
        if kind == "CompoundPredicate":
            parts = [self._holds(part, row) for part in predicate]
            return all(parts) if predicate.attrib["booleanOperator"] == "and" else any(parts)
        value, operator = row[predicate.attrib["field"]], predicate.attrib["operator"]
        if operator == "isMissing":
            return value is None
        if value is None:
            return False
        told = predicate.attrib["value"]
        other = told if predicate.attrib["field"] in self.texts else float(told)
        return {"equal": value == other, "lessThan": value < other, "greaterOrEqual": value >= other}[operator]


def _value(expression: ET.Element, fields: dict[str, Any]) -> float:
    kind = expression.tag.removeprefix(NS)
    if kind == "Constant":
        return float(expression.text)
    if kind == "FieldRef":
        return fields[expression.attrib["field"]]
    if kind == "Apply":
        return _FUNCTIONS[expression.attrib["function"]](*(_value(part, fields) for part in expression))
    knots = [(float(k.attrib["orig"]), float(k.attrib["norm"])) for k in expression]
    x = fields[expression.attrib["field"]]
    at = max((i for i, (orig, _) in enumerate(knots[:-1]) if orig <= x), default=0)
    (x0, y0), (x1, y1) = knots[at], knots[at + 1]
    return y0 + (x - x0) / (x1 - x0) * (y1 - y0)
