"""Characters that turn the direction of reading, shown instead of obeyed."""

from __future__ import annotations

import re

# Embeddings, overrides and isolates of Unicode's bidirectional algorithm (UAX 9, explicit formatting characters).
# The marks U+200E, U+200F and U+061C turn no letter round and stay.
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")


def shown(text: str) -> str:
    """The text with every such character written out by its number, so that a name reads as it is stored.

    Arabic and Hebrew need none of them to read from the right.

    >>> shown("invoice \\u202efdp.exe")
    'invoice [U+202E]fdp.exe'
    """
    return _TURNING.sub(lambda found: f"[U+{ord(found.group()):04X}]", text)
