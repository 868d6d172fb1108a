"""What each shape of a calibration lost on held-out customers, and which had too few bad customers to be tried."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.report import figures
from pipeline.report.blocks import Block, Cell, Column, Table
from pipeline.report.chapters.measured import model_name, models, normal_interval, z_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pipeline.report.report_input import ReportInput
    from pipeline.report.words import Words

# Methods differ by some ten-thousandths of a nat.
_DIGITS = 5


def methods_tried(given: ReportInput, words: Words) -> list[Block]:
    """One line per model and method; nothing where no model tells of methods that were tried or barred."""
    rows = [
        (Cell(model_name(name, given, words)), *cells)
        for name, told in models(given)
        for cells in _methods(_choice(given, told["kind"]), z_of(given), words)
    ]
    if not rows:
        return []
    columns = (
        Column(words("discrimination.model")),
        Column(words("calibration.method")),
        *(Column(words(f"calibration.methods.{name}"), is_number=True) for name in ("loss", "gain", "gain_error")),
        Column(words("calibration.methods.fate")),
    )
    note = words("calibration.methods.note", level=figures.share(given.confidence, 0))
    return [Table(words("calibration.methods.caption"), columns, tuple(rows), (note,))]


def _choice(given: ReportInput, kind: str) -> Mapping[str, Any]:
    """What the choice of the method told; empty for a model that does not tell it."""
    fit = (given.details.get(kind) or {}).get("calibration") or {}
    return fit.get("choice") or {}


def undecided(choice: Mapping[str, Any], given: ReportInput, words: Words) -> str:
    """The methods between which and the one taken the data do not decide, as a sentence; empty where there is none."""
    z = z_of(given)
    names = [name for name, lost in (choice.get("losses") or {}).items() if _fate(name, lost, choice, z) == "undecided"]
    if not names:
        return ""
    told = figures.listed(words.or_name("calibration.method_name", name) for name in names)
    return words("calibration.methods.by_rule", methods=told, level=figures.share(given.confidence, 0))


def _methods(choice: Mapping[str, Any], z: float, words: Words) -> Iterator[tuple[Cell, ...]]:
    """The methods that were tried, the least loss first, then those that were barred."""
    losses: Mapping[str, Mapping[str, float]] = choice.get("losses") or {}
    for method in sorted(losses, key=lambda name: (losses[name]["loss"], name)):
        told = losses[method]
        yield (
            _name(method, words),
            _around(told, "loss", z, lambda value: figures.decimal(value, _DIGITS)),
            _around(told, "gain", z, lambda value: figures.signed(value, _DIGITS)),
            Cell(figures.decimal(told["gain_error"], _DIGITS)),
            Cell(words(f"calibration.methods.{_fate(method, told, choice, z)}")),
        )
    for method, why in (choice.get("barred") or {}).items():
        barred = words("calibration.methods.barred", why=words.told(why))
        yield (_name(method, words), *(Cell(figures.DASH),) * 3, Cell(barred))


def _around(told: Mapping[str, float], name: str, z: float, write: Callable[[Any], str]) -> Cell:
    """A figure with its normal interval; Platt's line gains nothing over itself, and an earlier make tells no error of
    the loss."""
    raw = normal_interval(told, name, z) if told.get(f"{name}_error") else {"value": told[name]}
    shown = figures.measured(raw, write)
    return Cell(shown.value, note=shown.interval)


def _fate(method: str, told: Mapping[str, float], choice: Mapping[str, Any], z: float) -> str:
    """`taken`; `tried` of a method that differs from it beyond chance; `undecided` of one that does not.

    A choice of an earlier make tells differences from Platt's line only: where another was taken, `untold`.
    """
    if method == choice["method"]:
        return "taken"
    behind, error = told.get("behind"), told.get("behind_error")
    if choice["method"] == "platt":
        behind, error = -told["gain"], told["gain_error"]
    if behind is None or error is None:
        return "untold"
    return "undecided" if abs(behind) <= z * error else "tried"


def _name(method: str, words: Words) -> Cell:
    return Cell(words.or_name("calibration.method_name", method))
