"""The forms a card can be exported in, by the name a user types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.score.exports.exported_card import exported_card
from pipeline.score.exports.json_card import json_text
from pipeline.score.exports.markdown import markdown_text
from pipeline.score.exports.pmml import pmml_text
from pipeline.score.exports.sql import TABLE, sql_text
from pipeline.score.exports.workbook import workbook

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.score.exports.exported_card import ExportedCard
    from pipeline.score.model import Model

_TEXTS: dict[str, Callable[[ExportedCard], str]] = {
    "json": json_text,
    "pmml": pmml_text,
    "md": markdown_text,
}
FORMS = ("json", "sql", "pmml", "xlsx", "md")


def export(model: Model, form: str, *, dialect: str = "duckdb", table: str = TABLE) -> bytes:
    """The content of the file; `dialect` and `table` are of SQL only.

    Raises ParameterError when the model is no scorecard or its texts cannot be carried.
    """
    exported = exported_card(model)
    if form == "xlsx":
        return workbook(exported)
    text = sql_text(exported, dialect, table) if form == "sql" else _TEXTS[form](exported)
    return text.encode()
