"""`creditbook check`: a report on a folder; nothing is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.errors import ContractError
from pipeline.flows.mapping_file import mapping_in
from pipeline.params import IngestParams, parse_params
from pipeline.tables.check import check, text

if TYPE_CHECKING:
    from pathlib import Path


def check_folder(folder: Path, mapping: Path | None, root: Path) -> None:
    """Prints the report. Raises ContractError when the folder would not be taken in."""
    params = root / "params.yaml"
    settings = (
        parse_params(params.read_text(encoding="utf-8"), str(params)).ingest if params.is_file() else IngestParams()
    )
    report = check(folder, mapping_in(mapping) if mapping else None, settings)
    print(text(report))
    if report.exit_code:
        raise ContractError(f"{folder}: would not be taken in; the report above says why")
