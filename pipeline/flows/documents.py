"""The documents that are generated from the definitions, so that they cannot fall out of step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.datasets import write_text
from pipeline.errors import ContractError, MissingInputError
from pipeline.flows import log
from pipeline.history.definition import parse_definition
from pipeline.labels.definition_document import definition_document
from pipeline.labels.scenarios import parse_scenario
from pipeline.report import data_dictionary
from pipeline.tables import dictionary, mapping_guide

if TYPE_CHECKING:
    from pathlib import Path


def write_documents(root: Path) -> None:
    """Writes every generated document."""
    for name, text in _documents(root).items():
        write_text(text, root / name)
        log.say("document_written", f"wrote {root / name}")


def check_documents(root: Path) -> None:
    """Raises ContractError naming the documents that are not in step with the definitions."""
    documents = _documents(root)
    stale = [
        name
        for name, text in documents.items()
        if not (root / name).is_file() or (root / name).read_text(encoding="utf-8") != text
    ]
    if stale:
        raise ContractError(f"{len(stale)} document(s) out of step, e.g. {stale[0]}: run creditbook docs and commit it")
    log.say("documents_checked", f"{len(documents)} generated documents are in step")


def _documents(root: Path) -> dict[str, str]:
    return {
        "docs/features.md": data_dictionary.markdown(),
        "docs/ledger.md": dictionary.markdown(),
        "docs/mappings.md": mapping_guide.guide(),
        "docs/default-definition.md": _default_definition(root),
    }


def _default_definition(root: Path) -> str:
    """From the policy and the scenarios, which are tests as well."""
    policy, folder = root / "policy" / "default_definition.yaml", root / "tests" / "labels" / "scenarios"
    paths = sorted(folder.glob("*.yaml"))
    if not policy.is_file() or not paths:
        raise MissingInputError(
            f"{policy} or the scenarios in {folder} are not there; run this in a clone of the project"
        )
    scenarios = [parse_scenario(path.stem, path.read_text(encoding="utf-8")) for path in paths]
    return definition_document(parse_definition(policy.read_text(encoding="utf-8"), str(policy)), scenarios)
