"""The documents that are generated from the definitions, so that they cannot fall out of step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.datasets import write_text
from pipeline.errors import ContractError
from pipeline.report import data_dictionary
from pipeline.tables import dictionary, mapping_guide

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_DOCUMENTS: Mapping[str, Callable[[], str]] = {
    "docs/features.md": data_dictionary.markdown,
    "docs/ledger.md": dictionary.markdown,
    "docs/mappings.md": mapping_guide.guide,
}


def write_documents(root: Path) -> None:
    """Writes every generated document."""
    for name, text in _DOCUMENTS.items():
        write_text(text(), root / name)
        print(f"wrote {root / name}")


def check_documents(root: Path) -> None:
    """Raises ContractError naming the documents that are not in step with the definitions."""
    stale = [
        name
        for name, text in _DOCUMENTS.items()
        if not (root / name).is_file() or (root / name).read_text(encoding="utf-8") != text()
    ]
    if stale:
        raise ContractError(f"{len(stale)} document(s) out of step, e.g. {stale[0]}: run creditbook docs and commit it")
    print(f"{len(_DOCUMENTS)} generated documents are in step")
