"""One booster of several: all their trees in one LightGBM text, whose raw score is the mean of theirs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_FIRST_TREE, _LAST = "\nTree=0\n", "\nend of trees"
# What LightGBM itself multiplies when it weighs a tree.
_SCALED = re.compile(r"^(leaf_value|internal_value|shrinkage)=(.+)$", re.MULTILINE)


def mean_of(texts: Sequence[str]) -> str:
    """A model text with every tree of `texts`, the values of each divided by their number; one text stays as it is.

    It is a sum of trees like any other: monotone where all of them are, and explained exactly. The mean log odds from
    which boosting begins stand in the first tree of each text, and so are averaged too. All texts must have the same
    features; the parameters told at the end are those of the first.

    >>> _divided("leaf_value=0.5 -1\\nleaf_count=7 3", 2)
    'leaf_value=0.25 -0.5\\nleaf_count=7 3'
    """
    if len(texts) == 1:
        return texts[0]
    import lightgbm

    head, _, rest = texts[0].partition(_FIRST_TREE)
    tail = rest.partition(_LAST)[2]
    # Without the sizes of the trees LightGBM reads them one by one; it writes the sizes, and counts the splits, anew.
    head = "\n".join(line for line in head.splitlines() if not line.startswith("tree_sizes="))
    trees = [tree for text in texts for tree in _trees(text)]
    body = "".join(f"\nTree={at}\n{_divided(tree, len(texts))}" for at, tree in enumerate(trees))
    merged: str = lightgbm.Booster(model_str=f"{head}\n{body}{_LAST}{tail}").model_to_string()
    return merged


def _trees(text: str) -> list[str]:
    """What stands below the number of each tree."""
    body = text.split(_LAST, maxsplit=1)[0].split("\nTree=")[1:]
    return [tree.split("\n", maxsplit=1)[1] for tree in body]


def _divided(tree: str, by: int) -> str:
    def line(found: re.Match[str]) -> str:
        return f"{found[1]}={' '.join(repr(float(value) / by).removesuffix('.0') for value in found[2].split())}"

    return _SCALED.sub(line, tree)
