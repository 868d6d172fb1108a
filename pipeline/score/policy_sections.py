"""The sections of policy/ as frozen objects; what each key means stands in the YAML file beside its value."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - the reader resolves the hints
from dataclasses import dataclass
from typing import Literal

from pipeline.score.thin_file import ThinFileRule  # noqa: TC001 - the reader resolves the hints

Severity = Literal["watch", "act", "stop"]


@dataclass(frozen=True)
class Source:
    """Where a rule comes from and what it says."""

    title: str
    says: str


@dataclass(frozen=True)
class Wording:
    """One sentence in both languages."""

    en: str
    zh: str


@dataclass(frozen=True)
class Dated:
    """What every file of policy/ says of itself."""

    valid_from: dt.date
    owner: str
    sources: tuple[Source, ...]


@dataclass(frozen=True)
class GradeRow:
    """One line of the master scale."""

    grade: str
    pd_below: float
    pd: float
    segment: Literal["low", "medium", "high"]


@dataclass(frozen=True)
class MasterScaleSection(Dated):
    """policy/master_scale.yaml."""

    grades: tuple[GradeRow, ...]


@dataclass(frozen=True)
class DepthRule:
    """How old accounts may be to deepen our knowledge."""

    accounts_max_age_months: int


@dataclass(frozen=True)
class CodedWording:
    """A reason of policy's own: its stable code and its sentence."""

    code: str
    en: str
    zh: str


@dataclass(frozen=True)
class ThinFileTexts:
    """Reasons that are no feature's."""

    invoices: CodedWording
    history: CodedWording
    expert: CodedWording
    nothing: CodedWording


@dataclass(frozen=True)
class ThinCardRule:
    """The card that tells thin files apart: the tables its features may be told from, and how many it may have."""

    tables: tuple[str, ...]
    max_variables: int


@dataclass(frozen=True)
class ThinFileSection(Dated):
    """policy/thin_file.yaml."""

    thin: ThinFileRule
    confidence: float
    card: ThinCardRule
    best_grade: str
    data_depth: DepthRule
    texts: ThinFileTexts
