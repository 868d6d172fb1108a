"""The card as a PMML 4.4 Scorecard with reason codes; the calibration is a transformation of its output.

Source: Data Mining Group, PMML 4.4.1, Scorecard and Output, https://dmg.org/pmml/v4-4-1/Scorecard.html
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from pipeline.score.calibration import MAX_LOG_ODDS
from pipeline.score.exports.exported_card import require_plain_text

if TYPE_CHECKING:
    from pipeline.score.exports.exported_card import ExportedCard
    from pipeline.score.scorecard import Bin, Characteristic

NAMESPACE = "http://www.dmg.org/PMML-4_4"
_REASONS = 4


def pmml_text(exported: ExportedCard) -> str:
    """The document. Outputs: card_points, card_raw_log_odds, card_calibrated, card_log_odds, card_pd, card_score and
    card_reason_1..4 (the lowest points against the mean of the development book come first).

    A missing value takes its own attribute, which stands first, then special codes, then ranges or lists; a category
    that no list names takes the last. PMML has no word for an infinite value: keep such rows away from it. Raises
    ParameterError when a text holds a sign that XML cannot carry.
    """
    require_plain_text(exported, "pmml")
    root = ET.Element("PMML", xmlns=NAMESPACE, version="4.4")
    told = f"{exported.basis_text} {exported.scope_text} PD of: {exported.label_text}."
    head = _under(root, "Header", description=told)
    _under(head, "Application", name="creditbook", version=exported.version)
    dictionary = _under(root, "DataDictionary", numberOfFields=str(len(exported.card.characteristics)))
    for characteristic in exported.card.characteristics:
        is_text = characteristic.holds_categories
        kind = (
            {"optype": "categorical", "dataType": "string"}
            if is_text
            else {"optype": "continuous", "dataType": "double"}
        )
        _under(
            dictionary,
            "DataField",
            name=characteristic.feature,
            displayName=exported.title(characteristic.feature),
            **kind,
        )
    _model(root, exported)
    ET.indent(root, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _model(root: ET.Element, exported: ExportedCard) -> None:
    model = _under(
        root,
        "Scorecard",
        modelName=exported.version,
        functionName="regression",
        initialScore=_number(exported.card.intercept_points),
        useReasonCodes="true",
        reasonCodeAlgorithm="pointsBelow",
        baselineMethod="mean",
    )
    schema = _under(model, "MiningSchema")
    for characteristic in exported.card.characteristics:
        _under(schema, "MiningField", name=characteristic.feature, usageType="active", invalidValueTreatment="asIs")
    _outputs(model, exported)
    characteristics = _under(model, "Characteristics")
    for characteristic in exported.card.characteristics:
        _characteristic(characteristics, characteristic, exported.reason_code(characteristic.feature))


def _outputs(model: ET.Element, exported: ExportedCard) -> None:
    card = exported.card
    output = _under(model, "Output")
    _under(output, "OutputField", name="card_points", optype="continuous", dataType="double", feature="predictedValue")
    shift, factor = _constant(math.log(card.base_odds)), _constant(card.factor)
    above = _apply("-", _field("card_points"), _constant(card.base_score))
    _transformed(output, "card_raw_log_odds", _apply("+", shift, _apply("/", above, factor)))
    line = ET.Element("NormContinuous", field="card_raw_log_odds", outliers="asIs")
    for raw, calibrated in exported.calibration.knots:
        _under(line, "LinearNorm", orig=_number(raw), norm=_number(calibrated))
    _transformed(output, "card_calibrated", line)
    floored = _apply("max", _field("card_calibrated"), _constant(-MAX_LOG_ODDS))
    _transformed(output, "card_log_odds", _apply("min", floored, _constant(MAX_LOG_ODDS)))
    odds = _apply("exp", _field("card_log_odds"))
    _transformed(output, "card_pd", _apply("/", _constant(1.0), _apply("+", _constant(1.0), odds)))
    beyond = _apply("-", _field("card_log_odds"), _constant(math.log(card.base_odds)))
    points = _apply("+", _constant(card.base_score), _apply("*", _constant(card.factor), beyond))
    _transformed(output, "card_score", _apply("floor", _apply("+", points, _constant(0.5))))
    for rank in range(1, min(_REASONS, len(card.characteristics)) + 1):
        _under(
            output,
            "OutputField",
            name=f"card_reason_{rank}",
            optype="categorical",
            dataType="string",
            feature="reasonCode",
            rank=str(rank),
        )


def _characteristic(parent: ET.Element, characteristic: Characteristic, reason_code: str) -> None:
    told = _under(
        parent,
        "Characteristic",
        name=characteristic.feature,
        reasonCode=reason_code,
        baselineScore=_number(characteristic.mean_points),
    )
    # The first attribute that is true counts, so a code must come before the range it lies in.
    order = ("missing", "special", "categories", "range", "unseen")
    for bin_ in sorted(characteristic.bins, key=lambda b: order.index(b.kind)):
        attribute = ET.Element("Attribute", partialScore=_number(bin_.points))
        predicate = _predicate(characteristic.feature, bin_)
        if predicate is not None:
            attribute.append(predicate)
            told.append(attribute)


def _predicate(feature: str, bin_: Bin) -> ET.Element | None:
    """What is true of a value in the bin; null for a list without categories, which holds nothing."""
    if bin_.kind == "missing":
        return _simple(feature, "isMissing")
    if bin_.kind == "special" and bin_.lower is not None:
        return _simple(feature, "equal", _number(bin_.lower))
    if bin_.kind == "categories":
        return _all_or_any("or", [_simple(feature, "equal", category) for category in bin_.categories or ()])
    parts = []
    if bin_.lower is not None:
        parts.append(_simple(feature, "greaterOrEqual", _number(bin_.lower)))
    if bin_.upper is not None:
        parts.append(_simple(feature, "lessThan", _number(bin_.upper)))
    return _all_or_any("and", parts) if parts else ET.Element("True")


def _all_or_any(operator: str, parts: list[ET.Element]) -> ET.Element | None:
    if len(parts) < 2:
        return parts[0] if parts else None
    compound = ET.Element("CompoundPredicate", booleanOperator=operator)
    compound.extend(parts)
    return compound


def _simple(feature: str, operator: str, value: str | None = None) -> ET.Element:
    given = {"field": feature, "operator": operator}
    return ET.Element("SimplePredicate", given if value is None else {**given, "value": value})


def _transformed(output: ET.Element, name: str, expression: ET.Element) -> None:
    field = _under(output, "OutputField", name=name, optype="continuous", dataType="double", feature="transformedValue")
    field.append(expression)


def _apply(function: str, *arguments: ET.Element) -> ET.Element:
    applied = ET.Element("Apply", function=function)
    applied.extend(arguments)
    return applied


def _field(name: str) -> ET.Element:
    return ET.Element("FieldRef", field=name)


def _constant(value: float) -> ET.Element:
    constant = ET.Element("Constant", dataType="double")
    constant.text = _number(value)
    return constant


def _under(parent: ET.Element, tag: str, /, **attributes: str) -> ET.Element:
    return ET.SubElement(parent, tag, attributes)


def _number(value: float) -> str:
    """The shortest text that reads back to the same double."""
    return repr(float(value))
