"""Training on a share of the customers, drawn as a pure function of their group and a seed."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from pipeline.params import LabelParams


def drawn_share(outcomes: pa.Table, settings: LabelParams) -> pa.Table:
    """The rows of the groups of customers that fall into `customer_share`; all rows when it is 1.

    A group is drawn by a hash of its `group_key` and `share_seed`: whole or not at all, whatever other groups there
    are, and a larger share holds a smaller one. The split draws by another hash, so its shares stay what they are.
    """
    if settings.customer_share >= 1:
        return outcomes
    keys = outcomes["group_key"].combine_chunks().dictionary_encode()
    is_drawn = pa.array(
        [_place(key, settings.share_seed) < settings.customer_share for key in keys.dictionary.to_pylist()]
    )
    return outcomes.filter(is_drawn.take(keys.indices))


def _place(key: str, seed: int) -> float:
    """Where in 0 to 1 a group lies."""
    digest = hashlib.sha256(f"customer_share {seed} {key}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
