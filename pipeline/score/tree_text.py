"""The trees of a LightGBM text: what each node asks of which feature, and how many training rows went which way."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.errors import DamagedModelError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy.typing as npt

_CATEGORICAL, _DEFAULT_LEFT = 1, 2
_MISSING_ZERO, _MISSING_NAN = 1, 2


@dataclass(frozen=True)
class Node:
    """A question to one feature: `value <= threshold`, or whether a category's code is among `codes`. A null goes left
    where `null_goes_left`. `left_share` of the node's training rows went left. Children below 0 are leaves: −1 − leaf.
    """

    feature: int
    threshold: float
    codes: frozenset[int] | None
    null_goes_left: bool
    left: int
    right: int
    left_share: float


@dataclass(frozen=True)
class Tree:
    """Nodes, the first being the root, and the values of the leaves; `mean` is the value its training rows had."""

    nodes: tuple[Node, ...]
    leaves: npt.NDArray[np.float64]
    mean: float


def trees_of(text: str) -> tuple[Tree, ...] | None:
    """The trees of a model text whose hash was checked; null where it has kinds of trees that are not read here
    (linear leaves, zero taken as missing), which this project does not fit. Raises DamagedModelError on a tree that
    lacks a part."""
    trees = []
    for at, fields in enumerate(_sections(text)):
        try:
            tree = _tree(fields)
        except (KeyError, ValueError, IndexError) as error:
            raise DamagedModelError(
                f"booster.txt: tree {at} cannot be read ({error!r}); fit the model again with the locked LightGBM"
            ) from error
        if tree is None:
            return None
        trees.append(tree)
    return tuple(trees)


def _sections(text: str) -> Iterator[Mapping[str, str]]:
    for section in text.split("end of trees", maxsplit=1)[0].split("\nTree=")[1:]:
        yield dict(line.split("=", 1) for line in section.splitlines() if "=" in line)


def _tree(fields: Mapping[str, str]) -> Tree | None:
    leaves = _numbers(fields, "leaf_value")
    if int(fields.get("is_linear", "0")):
        return None
    if len(leaves) < 2:
        return Tree((), leaves, float(leaves[0]))
    kinds = _numbers(fields, "decision_type").astype(int)
    is_category = (kinds & _CATEGORICAL) > 0
    missing = kinds >> 2 & 3
    if (missing[~is_category] == _MISSING_ZERO).any():
        return None
    thresholds = _numbers(fields, "threshold")
    left, right = (_numbers(fields, side).astype(int) for side in ("left_child", "right_child"))
    rows, leaf_rows = _numbers(fields, "internal_count"), _numbers(fields, "leaf_count")
    codes = _codes(fields)
    nodes = []
    for i, feature in enumerate(_numbers(fields, "split_feature").astype(int)):
        at_left = rows[left[i]] if left[i] >= 0 else leaf_rows[~left[i]]
        named = codes[int(thresholds[i])] if is_category[i] else None
        # Without a null in training LightGBM reads a null as 0; a null category is none of those on the left.
        is_null_left = bool(kinds[i] & _DEFAULT_LEFT) if missing[i] == _MISSING_NAN else thresholds[i] >= 0.0
        goes_left = is_null_left and named is None
        share = float(at_left / rows[i])
        nodes.append(Node(int(feature), float(thresholds[i]), named, goes_left, int(left[i]), int(right[i]), share))
    return Tree(tuple(nodes), leaves, float((leaf_rows / rows[0] * leaves).sum()))


def _codes(fields: Mapping[str, str]) -> list[frozenset[int]]:
    """The category codes that go left, one set for each categorical question: bits in words of 32."""
    if not int(fields.get("num_cat", "0")):
        return []
    bounds, words = (_numbers(fields, name).astype(np.int64) for name in ("cat_boundaries", "cat_threshold"))
    return [
        frozenset(
            32 * place + bit for place, word in enumerate(words[start:end]) for bit in range(32) if int(word) >> bit & 1
        )
        for start, end in itertools.pairwise(bounds)
    ]


def _numbers(fields: Mapping[str, str], name: str) -> npt.NDArray[np.float64]:
    return np.array(fields[name].split(), dtype=np.float64)
