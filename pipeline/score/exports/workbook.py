"""The card as an Excel workbook: the points, one customer worked by live formulas, the calibration."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from pipeline.score.calibration import MAX_LOG_ODDS
from pipeline.score.exports.exported_card import difference, require_plain_text
from pipeline.score.exports.workbook_bytes import workbook_bytes

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

    from pipeline.score.exports.exported_card import ExportedCard
    from pipeline.score.scorecard import Bin, Characteristic

POINTS, CALIBRATION, CUSTOMER = "Points", "Calibration", "Customer"
POINT_COLUMNS = (
    "feature", "characteristic", "kind", "bin", "from", "below", "category", "points", "difference from mean",
    "reason code", "snapshots", "bads",
)  # fmt: skip
_ORDER = ("missing", "special", "range", "categories", "unseen")
_FIRST_INPUT = 5


def workbook(exported: ExportedCard) -> bytes:
    """The file's content, the same bytes for the same card. Sheets: Points, Customer, Calibration.

    Points has one row per bin, and one per category of a list. In Customer the values may be typed over: an empty cell
    is a missing value, text in the place of a number gives #N/A. Raises ParameterError when a text holds a sign that
    a workbook cannot carry.
    """
    from openpyxl import Workbook

    require_plain_text(exported, "a workbook")
    book = Workbook()
    first_rows = _points(book.active, exported)
    _customer(book.create_sheet(CUSTOMER), exported, first_rows)
    _calibration(book.create_sheet(CALIBRATION), exported)
    _style(book)
    return workbook_bytes(book)


def point_rows(characteristic: Characteristic) -> list[tuple[Bin, str | None]]:
    """The rows of a characteristic as Points has them: each bin, or each category of its list, in a fixed order."""
    ordered = sorted(characteristic.bins, key=lambda b: _ORDER.index(b.kind))
    return [(b, name) for b in ordered for name in (b.categories or () if b.kind == "categories" else (None,))]


def _points(sheet: Worksheet, exported: ExportedCard) -> dict[str, int]:
    """Writes the sheet; gives back the first row of each feature."""
    sheet.title = POINTS
    _row(sheet, 1, POINT_COLUMNS)
    first_rows, row = {}, 2
    for c in exported.card.characteristics:
        first_rows[c.feature] = row
        for b, category in point_rows(c):
            bounds = (b.lower, b.upper if b.kind == "range" else None)
            told = (c.feature, exported.title(c.feature), b.kind, b.label, *bounds, category, b.points)
            bads = b.bads if exported.has_outcomes else None
            _row(sheet, row, (*told, difference(c, b), exported.reason_code(c.feature), b.count, bads))
            row += 1
    return first_rows


def _customer(sheet: Worksheet, exported: ExportedCard, first_rows: dict[str, int]) -> None:
    card = exported.card
    _row(sheet, 1, (f"Scorecard {exported.version}: type a customer's values into column C",))
    _row(sheet, 2, (f"{exported.basis_text} {exported.scope_text}",))
    _row(sheet, 3, ("feature", "characteristic", "value", "points", "difference from mean"))
    _row(sheet, 4, (None, "Start value", None, card.intercept_points))
    row = _FIRST_INPUT
    for c in card.characteristics:
        value = (exported.worked or {}).get(c.feature)
        _row(sheet, row, (c.feature, exported.title(c.feature), value))
        sheet.cell(row, 4).value = f"={_points_formula(c, f'C{row}', first_rows[c.feature])}"
        sheet.cell(row, 5).value = f"=D{row}-F{row}"
        sheet.cell(row, 6).value = c.mean_points
        row += 1
    sheet.cell(3, 6).value = "mean points"
    total = "+".join(f"D{i}" for i in range(4, row))
    for name, formula in _result_formulas(total, row, len(exported.calibration.segments)):
        _row(sheet, row, (None, name))
        sheet.cell(row, 4).value = f"={formula}"
        row += 1


def _points_formula(c: Characteristic, value: str, first: int) -> str:
    rows = [b for b, _ in point_rows(c)]
    at = {kind: [first + i for i, b in enumerate(rows) if b.kind == kind] for kind in _ORDER}
    missing = f"{POINTS}!$H${at['missing'][0]}"
    if c.holds_categories:
        unseen = f"{POINTS}!$H${at['unseen'][0]}"
        if not at["categories"]:
            return f"IF(ISBLANK({value}),{missing},{unseen})"
        names, points = _span("G", at["categories"]), _span("H", at["categories"])
        is_it = f"EXACT({names},{value})"
        return f"IF(ISBLANK({value}),{missing},IF(SUMPRODUCT(--{is_it})=0,{unseen},SUMPRODUCT(--{is_it},{points})))"
    ranges = at["range"]
    found = f"{POINTS}!$H${ranges[0]}"
    if len(ranges) > 1:
        found = f"INDEX({_span('H', ranges)},1+SUMPRODUCT(--({_span('E', ranges[1:])}<={value})))"
    for special in reversed(at["special"]):
        found = f"IF({value}={POINTS}!$E${special},{POINTS}!$H${special},{found})"
    return f"IF(ISBLANK({value}),{missing},IF(ISNUMBER({value}),{found},NA()))"


def _result_formulas(total: str, row: int, segments: int) -> list[tuple[str, str]]:
    """Points, raw and calibrated ln odds of good, PD and score, by the cells of Calibration."""
    points, raw, calibrated, limited = (f"D{row + i}" for i in range(4))
    base, shift, factor, limit = (f"{CALIBRATION}!$B${i}" for i in (3, 5, 6, 7))
    last = 2 + segments
    inner = f"{CALIBRATION}!$E$4:$E${last}"
    at = f"1+SUMPRODUCT(--({inner}<={raw}))" if segments > 1 else "1"
    x, y, slope = (f"INDEX({CALIBRATION}!${c}$3:${c}${last},{at})" for c in "EFG")
    return [
        ("Points", total),
        ("ln odds of good, raw", f"{shift}+({points}-{base})/{factor}"),
        ("ln odds of good, calibrated", f"{y}+({raw}-{x})*{slope}"),
        ("the same, within its limits", f"MIN(MAX({calibrated},-{limit}),{limit})"),
        ("PD", f"1/(1+EXP({limited}))"),
        ("Score", f"FLOOR({base}+{factor}*({limited}-{shift})+0.5,1)"),
    ]


def _calibration(sheet: Worksheet, exported: ExportedCard) -> None:
    card = exported.card
    facts: tuple[tuple[str, Any], ...] = (
        ("Scale", None),
        ("pdo", card.pdo),
        ("base score", card.base_score),
        ("base odds", card.base_odds),
        ("ln base odds", math.log(card.base_odds)),
        ("points for one unit of ln odds", card.factor),
        ("limit of ln odds", MAX_LOG_ODDS),
        ("model", exported.version),
        ("PD of", exported.label_text),
        ("basis", exported.basis_text),
        ("whom it rates", exported.scope_text),
        ("calibration", exported.calibration.method),
    )
    for row, fact in enumerate(facts, 1):
        _row(sheet, row, fact)
    told = ("from raw", "calibrated there", "slope")
    for column, name in enumerate(told, 5):
        sheet.cell(2, column).value = name
    for row, segment in enumerate(exported.calibration.segments, 3):
        for column, value in enumerate(segment, 5):
            sheet.cell(row, column).value = value


def _span(column: str, rows: list[int]) -> str:
    return f"{POINTS}!${column}${rows[0]}:${column}${rows[-1]}"


def _row(sheet: Worksheet, row: int, values: tuple[Any, ...]) -> None:
    for column, value in enumerate(values, 1):
        cell = sheet.cell(row, column)
        cell.value = value
        if isinstance(value, str):
            # A category that begins with = is a text, not a formula.
            cell.data_type = "s"


def _style(book: Workbook) -> None:
    from openpyxl.styles import Font

    widths = {POINTS: (24, 34, 12, 24, 10, 10, 16, 12, 12, 24, 10, 10), CUSTOMER: (24, 34, 14, 24, 20, 14)}
    for sheet in book.worksheets:
        for column, width in enumerate(widths.get(sheet.title, (30, 24, 4, 4, 16, 16, 16)), 1):
            sheet.column_dimensions[chr(64 + column)].width = width
        head = 3 if sheet.title == CUSTOMER else 1
        for cell in sheet[head]:
            cell.font = Font(bold=True)
