"""Groups held in arrays: sums as by hand, the same however the book is cut, a few bytes each."""

from __future__ import annotations

from collections import Counter
from functools import reduce
from operator import add

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.score.group_totals import GroupTotals

PART = st.dictionaries(st.sampled_from(["A", "B", "Ü", "集团", ""]), st.tuples(st.integers(0, 99), st.integers(0, 99)))


def totals(part):
    amounts = np.array(list(part.values()), dtype=np.int64).reshape(-1, 2)
    return GroupTotals.of(list(part), amounts[:, 0], amounts[:, 1])


def test_a_group_in_two_parts_has_what_both_hold_and_want():
    both = totals({"A": (100, 20), "B": (5, 0)}) + totals({"B": (1, 7)})
    assert both.rows(["B", "A"]).to_pylist() == [
        {"group_id": "B", "taken": 6, "wanted": 7},
        {"group_id": "A", "taken": 100, "wanted": 20},
    ]
    assert both.rows([]).num_rows == 0
    with pytest.raises(KeyError, match="C"):
        both.rows(["A", "C"])


@settings(deadline=None, max_examples=50)
@given(parts=st.lists(PART, max_size=12))
def test_the_sum_of_parts_is_that_of_a_counter_in_any_order(parts):
    taken, wanted = Counter(), Counter()
    for part in parts:
        taken.update({name: amounts[0] for name, amounts in part.items()})
        wanted.update({name: amounts[1] for name, amounts in part.items()})
    names = sorted({name for part in parts for name in part})
    found = reduce(add, map(totals, parts), GroupTotals())
    mine, theirs = found.cents(names)
    assert mine.tolist() == [taken[name] for name in names]
    assert theirs.tolist() == [wanted[name] for name in names]
    assert found == reduce(add, map(totals, reversed(parts)), GroupTotals())
    assert (found == totals({"A": (1, 1)})) == (names == ["A"] and taken["A"] == wanted["A"] == 1)


def test_a_book_of_many_groups_holds_some_thirty_bytes_of_each_in_few_tables():
    parts, each = 100, 200
    held = GroupTotals()
    before = pa.total_allocated_bytes()
    for part in range(parts):
        names = [f"{part:04d}.G{number:05d}" for number in range(each)]
        held += GroupTotals.of(names, np.full(each, part), np.arange(each))
    assert pa.total_allocated_bytes() - before < 40 * parts * each  # 11 of the name, 4 of its place, 16 of two numbers
    assert len(held.tables) <= 7  # log2 of the parts
    assert held.cents(["0099.G00199", "0000.G00001"])[0].tolist() == [99, 0]
