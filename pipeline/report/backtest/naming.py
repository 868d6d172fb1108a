"""How policies and differences are named in the report on a replay."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from pipeline.report import figures

if TYPE_CHECKING:
    from pipeline.report.portfolio.telling import Teller

_KNOWN = ("stood", "current")


def policy_name(t: Teller, name: str) -> str:
    """The limits that stood and the policy in force in words; a candidate by the name of its file."""
    return t.say(f"policy.{name}") if name in _KNOWN else name


def in_a_sentence(t: Teller, name: str, *, key: str = "named") -> str:
    """The same within a sentence; `first_named` is the key of its beginning."""
    return t.say(f"{key}.{name if name in _KNOWN else 'candidate'}", name=name)


def signed_short(t: Teller, amount: object) -> str:
    """A difference of amounts with its sign, without the currency; a dash for null."""
    if amount is None:
        return figures.DASH
    text = t.brief(amount)
    return f"+{text}" if Decimal(str(amount)) > 0 and text.strip("0.") else text
