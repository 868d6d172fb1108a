"""What a model predicts, told once beside the labelled rows and read by everything that fits, measures or tells."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.params import LabelParams

_OF_A_LEDGER = ("kind", "days", "window_months", "window_days")


@dataclass(frozen=True)
class Label:
    """`kind` default and late are of a ledger, target is of a table of one's own, whose catalogue gives the words:
    `title` the event ("bankruptcy"), `happened_en` what befell a bad row. Of the window at most one is set; a table
    may tell none.
    """

    kind: Literal["default", "late", "target"]
    days: int | None
    window_months: int | None
    window_days: int | None
    title_en: str = ""
    title_zh: str = ""
    happened_en: str = ""

    @property
    def is_of_table(self) -> bool:
        """The rows come from a modelling table: no ledger, no positions, no definition of default behind them."""
        return self.kind == "target"

    @classmethod
    def of_json(cls, told: Mapping[str, Any]) -> Label:
        """From the plain values of `as_json`."""
        return cls(**told)

    def as_json(self) -> dict[str, Any]:
        """Plain values: for a ledger kind, days and window, for a table the words as well."""
        return label_values(self)


def label_values(label: Label | LabelParams) -> dict[str, Any]:
    """What a model's manifest says of its label."""
    if isinstance(label, Label) and label.is_of_table:
        return asdict(label)
    return {name: getattr(label, name) for name in _OF_A_LEDGER}
