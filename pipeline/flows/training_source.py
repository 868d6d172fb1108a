"""Where the training rows come from, a ledger or a table of one's own, as the stages before told it in files.

Everything from the fits on asks here and nowhere else what is predicted and what the features mean.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from pipeline.datasets import read_json
from pipeline.train.label import Label

if TYPE_CHECKING:
    from pipeline.flows.setting import Setting


def label_of(setting: Setting) -> Label:
    """What is predicted. Raises MissingInputError before the stage label has run."""
    return Label.of_json(read_json(setting.project.label, made_by="label"))


def catalogue_of(setting: Setting) -> list[dict[str, Any]]:
    """The features in order, as catalogue.json tells them. Raises MissingInputError before build_features has run."""
    catalogue: list[dict[str, Any]] = read_json(setting.project.catalogue, made_by="build_features")
    return catalogue


def hash_of(catalogue: list[dict[str, Any]]) -> str:
    """sha256 of a catalogue's words, directions and order; what a definition computes is told by the code's hash."""
    text = json.dumps(catalogue, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
