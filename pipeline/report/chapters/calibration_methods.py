"""What each shape of a calibration lost on held-out customers, and which had too few bad customers to be tried."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.report import figures
from pipeline.report.blocks import Block, Cell, Column, Table
from pipeline.report.chapters.measured import model_name, models

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipeline.report.report_input import ReportInput
    from pipeline.report.words import Words

# Methods differ by some ten-thousandths of a nat.
_DIGITS = 5


def methods_tried(given: ReportInput, words: Words) -> list[Block]:
    """One line per model and method; nothing where no model tells of methods that were tried or barred."""
    rows = [
        (Cell(model_name(name, given, words)), *cells)
        for name, told in models(given)
        for cells in _methods(_choice(given, told["kind"]), words)
    ]
    if not rows:
        return []
    columns = (
        Column(words("discrimination.model")),
        Column(words("calibration.method")),
        *(Column(words(f"calibration.methods.{name}"), is_number=True) for name in ("loss", "gain", "gain_error")),
        Column(words("calibration.methods.fate")),
    )
    note = words("calibration.methods.note")
    return [Table(words("calibration.methods.caption"), columns, tuple(rows), (note,))]


def _choice(given: ReportInput, kind: str) -> Mapping[str, Any]:
    """What the choice of the method told; empty for a model that does not tell it."""
    fit = (given.details.get(kind) or {}).get("calibration") or {}
    return fit.get("choice") or {}


def _methods(choice: Mapping[str, Any], words: Words) -> Iterator[tuple[Cell, ...]]:
    """The methods that were tried, the least loss first, then those that were barred."""
    losses: Mapping[str, Mapping[str, float]] = choice.get("losses") or {}
    for method in sorted(losses, key=lambda name: (losses[name]["loss"], name)):
        told = losses[method]
        fate = "taken" if method == choice["method"] else "tried"
        yield (
            _name(method, words),
            Cell(figures.decimal(told["loss"], _DIGITS)),
            Cell(figures.signed(told["gain"], _DIGITS)),
            Cell(figures.decimal(told["gain_error"], _DIGITS)),
            Cell(words(f"calibration.methods.{fate}")),
        )
    for method, why in (choice.get("barred") or {}).items():
        barred = words("calibration.methods.barred", why=words.told(why))
        yield (_name(method, words), *(Cell(figures.DASH),) * 3, Cell(barred))


def _name(method: str, words: Words) -> Cell:
    return Cell(words.or_name("calibration.method_name", method))
