"""`creditbook explain`: one customer's card from a published run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.errors import MissingInputError
from pipeline.flows import log
from pipeline.flows.setting import open_setting
from pipeline.score.card import customer_card

if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path


def explain_customer(root: Path, customer_id: str, out: Path | None, as_of: dt.date | None) -> None:
    """Prints the card. Raises MissingInputError when no such run or no such customer is there, DamagedRunError."""
    setting = open_setting(root)
    folder = (out or setting.project.root / setting.params.score.out) / (f"as_of={as_of}" if as_of else "latest")
    if not folder.is_dir():
        raise MissingInputError(f"{folder}: no published run here; run creditbook score --as-of DATE first")
    log.answer("customer_explained", customer_card(folder, customer_id))
