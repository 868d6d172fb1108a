"""The gate of stability: a group of customers that moves as one is one witness."""

import datetime as dt
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from pipeline.flows.promote_version import _stability
from pipeline.params import PromotionParams

MAY, JUNE = dt.date(2025, 5, 31), dt.date(2025, 6, 30)
SETTING = SimpleNamespace(params=SimpleNamespace(promotion=PromotionParams()))


@pytest.mark.parametrize(("group", "light"), [("G1", "amber"), (None, "red")])
def test_a_score_that_moved_with_one_group_is_undecided_and_with_as_many_customers_red(group, light):
    # Twelve months of 50 customers, a fifth risky. On the newest day 24 of 40 are: 16 of them one group, or nobody's.
    score = {"splits": [2.0], "counts": [120, 480], "missing": 0}
    model = SimpleNamespace(
        development={"rows": 600, "customers": 50, "score": score, "features": {}},
        pd=lambda rows: rows["risk"].to_numpy(dtype=float),
    )
    names = [f"C{n}" for n in range(40)]
    keys = [group or name for name in names[:16]] + names[16:]
    day = pd.DataFrame({"customer_id": names, "group_key": keys, "risk": np.where(np.arange(40) < 24, 0.3, 0.02)})
    # The day before says nothing: only the newest is looked at.
    book = pd.concat([day.assign(as_of=MAY, risk=0.02), day.assign(as_of=JUNE)], ignore_index=True)
    found = _stability(SETTING, SimpleNamespace(book=book), model)
    # Shares of 0.2 and 0.6: half a row in each bin takes 0.717 to 0.706.
    assert found.value == pytest.approx(0.706, abs=0.001)
    assert found.light == light
