"""policy/statement.yaml as frozen objects: whom the customer may ask, and which rights it is told of."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - the reader resolves the hints
from dataclasses import dataclass

from pipeline.score.policy_sections import Wording  # noqa: TC001 - the reader resolves the hints
from pipeline.score.portfolio.sections import ToldSource  # noqa: TC001 - the reader resolves the hints


@dataclass(frozen=True)
class Right:
    """One right in the words of the house, and the law it comes from."""

    law: Wording
    says: Wording


@dataclass(frozen=True)
class StatementSection:
    """policy/statement.yaml. `contact` and `review` stand on every page, `rights` on those of natural persons."""

    valid_from: dt.date
    owner: str
    sources: tuple[ToldSource, ...]
    contact: Wording
    review: Wording
    rights: tuple[Right, ...]


def gaps(section: StatementSection) -> list[str]:
    """What a page could not be handed out without: texts that are empty, no rights at all."""
    said = {"contact": section.contact, "review": section.review}
    for place, right in enumerate(section.rights):
        said |= {f"rights[{place}].law": right.law, f"rights[{place}].says": right.says}
    found = [
        f"statement.{name}.{language}: say it in words"
        for name, wording in said.items()
        for language in ("en", "zh")
        if not getattr(wording, language).strip()
    ]
    return found if section.rights else [*found, "statement.rights: a natural person has rights; name them"]
