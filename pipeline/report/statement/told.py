"""Everything that one customer's page tells, gathered and already fit to be handed out."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from pipeline.report.statement.sections import StatementSection
    from pipeline.score.comparables import Width
    from pipeline.score.policy_sections import Wording
    from pipeline.score.statement.prospects import Prospects
    from pipeline.score.statement.what_counts import Counted
    from pipeline.score.thin_file import ThinFileRule

Standing = Literal["rated", "thin_file", "expert", "in_default", "not_rated"]
_LONGEST_NAME = 120
_PICTOGRAPHS = (0x1F000, 0x20000)


@dataclass(frozen=True)
class Who:
    """The customer. `is_person`: a natural person; null where the master data do not say."""

    customer_id: str
    name: str
    is_person: bool | None


@dataclass(frozen=True)
class Grading:
    """The rating as published. `place` is that of the grade among `grades`, 1 the best; null without a grade.

    `invoices_due` and `history_months` say how much there was to go by, `needs` how much a rating of its own takes,
    `default_on` since when a default stands.
    """

    standing: Standing
    grade: str | None
    place: int | None
    grades: int
    score: int | None
    label: Mapping[str, Any]
    invoices_due: int
    history_months: int
    needs: ThinFileRule
    default_on: dt.date | None


@dataclass(frozen=True)
class LimitTold:
    """The limit in force (null: none), what is open, what of it is overdue, and what the rules give, in `currency`.

    `open_amount` is that of invoices and debit notes; credit notes and payments not allocated are not deducted.
    `reckoned` is null where a person decides first: nobody is promised what others must still approve. `cap` is the
    name of what bounds it and is told only where nobody decides first. `is_held`: nothing more is delivered on credit
    for now. `up_to` is the largest amount that needs nobody's approval; null: any. `strategy`: how customers of the
    grade are delivered to, null without one.
    """

    currency: str
    current: float | None
    open_amount: float
    overdue_amount: float
    reckoned: float | None
    cap: str | None
    is_held: bool
    up_to: float | None
    strategy: Wording | None


@dataclass(frozen=True)
class CustomerStatement:
    """One customer's page before it has a language. `sources` are the tables with rows of the customer that the rating
    was told from; `width` how wide the circle of comparable customers was drawn, null where there were too few;
    `lacks_accounts` that accounts would count and none are there."""

    who: Who
    as_of: dt.date
    grading: Grading
    limit: LimitTold
    against: tuple[Counted, ...]
    in_favour: tuple[Counted, ...]
    prospects: Prospects | None
    width: Width | None
    lacks_accounts: bool
    sources: tuple[str, ...]
    house: StatementSection
    reference: str


def shown(text: str) -> str:
    """A name as it can be printed: one line of 120 characters at most, without control characters, marks that turn the
    direction of other text, and pictographs, for which no font of the PDF has a shape.

    >>> shown("Bad" + chr(0x202E) + "Name" + chr(10) + "Ltd")
    'BadName Ltd'
    """
    line = " ".join("".join(c for c in text if c.isspace() or _is_printed(c)).split())
    return line if len(line) <= _LONGEST_NAME else f"{line[: _LONGEST_NAME - 1]}…"


def _is_printed(letter: str) -> bool:
    return unicodedata.category(letter)[0] != "C" and not _PICTOGRAPHS[0] <= ord(letter) < _PICTOGRAPHS[1]
