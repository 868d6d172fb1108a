"""`creditbook check`: a report on a folder; nothing is written."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.flows import log
from pipeline.flows.mapping_file import mapping_in
from pipeline.params import IngestParams
from pipeline.plain_yaml import text_of
from pipeline.read_params import parse_params
from pipeline.tables.check import check, text

if TYPE_CHECKING:
    from pathlib import Path


def check_folder(folder: Path, mapping: Path | None, base_currency: str | None, root: Path) -> None:
    """Prints the report. Raises the error intake would raise (65, 66) when the folder would not be taken in."""
    settings = _settings(root)
    settings = replace(settings, base_currency=base_currency) if base_currency else settings
    report = check(folder, mapping_in(mapping) if mapping else None, settings)
    log.answer("ledger_checked", text(report))
    if report.error:
        raise type(report.error)(f"{folder}: would not be taken in; the report above says why")


def _settings(root: Path) -> IngestParams:
    """Those of the project; the defaults where the command is run outside one."""
    params = root / "params.yaml"
    if not params.is_file():
        return IngestParams()
    return parse_params(text_of(params), str(params)).ingest
