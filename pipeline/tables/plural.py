"""The ending of an English noun after a number: one day, two days."""

from __future__ import annotations

import string
from functools import lru_cache


def plural(template: str, value: object) -> str:
    """What stands at `{s}` in a template with `{value}`: nothing where the value is told as 1 or −1, else "s".

    >>> words = "{value:.0f} payment{s} bounced"
    >>> words.format(value=1.0, s=plural(words, 1.0)), words.format(value=0.0, s=plural(words, 0.0))
    ('1 payment bounced', '0 payments bounced')
    """
    written = _format_of_value(template)
    return "" if written is not None and format(value, written).lstrip("+-") == "1" else "s"


@lru_cache(maxsize=1024)
def _format_of_value(template: str) -> str | None:
    """How the template writes its value; null where no noun hangs on it."""
    fields = {name: written or "" for _, name, written, _ in string.Formatter().parse(template) if name is not None}
    return fields.get("value") if "s" in fields else None
