"""A share of the customers is drawn by group: whole, repeatable, and at its size."""

import dataclasses

import pyarrow as pa

from pipeline.labels.customer_share import drawn_share
from pipeline.params import LabelParams

ROWS = pa.table(
    {
        "customer_id": [f"{n:05d}" for n in range(6000)],
        "group_key": [f"G{n // 3}" for n in range(6000)],
    }
)


def drawn(share, seed=1, rows=ROWS):
    return drawn_share(rows, dataclasses.replace(LabelParams(), customer_share=share, share_seed=seed))


def test_the_whole_book_is_the_default():
    assert LabelParams().customer_share == 1
    assert drawn(1.0) is ROWS


def test_a_group_is_drawn_whole_or_not_at_all():
    found = drawn(0.3)["group_key"].value_counts().to_pylist()
    assert {pair["counts"] for pair in found} == {3}


def test_the_share_is_near_what_was_asked_and_a_larger_one_holds_a_smaller_one():
    small, large = (set(drawn(share)["customer_id"].to_pylist()) for share in (0.25, 0.5))
    assert 0.22 < len(small) / 6000 < 0.28
    assert small < large


def test_a_draw_hangs_on_the_group_and_the_seed_alone():
    half = ROWS.slice(0, 3000)
    assert drawn(0.4, rows=half).equals(drawn(0.4).filter(pa.compute.less(drawn(0.4)["customer_id"], "03000")))
    assert not drawn(0.4, seed=2).equals(drawn(0.4))
