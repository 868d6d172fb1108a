"""The 12-month expected loss of the book, what a year's loss may come to, and what single defaults would cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.score.portfolio.amounts import share, told

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from pipeline.score.portfolio.rolls import Rounds

SEGMENTS = ("low", "medium", "high", "default")
# Rounds times customers held in memory at once.
_CELLS = 4_000_000


def expected_loss(
    book: pd.DataFrame, before: pd.DataFrame | None, level: tuple[float, float] | None, rounds: Rounds
) -> dict[str, Any]:
    """PD x LGD x EAD by segment and in all, beside the run before (null: none).

    `book` has segment, pd, lgd, ead_cents, loss_cents. `level`: the ends of the interval of observed over expected
    defaults; the interval of the loss of those not in default scales it by them, null where there is none.
    """
    rows = []
    for name in SEGMENTS:
        part = book[book["segment"] == name]
        then = None if before is None else before[before["segment"] == name]
        rows.append(
            {
                "segment": name,
                "customers": len(part),
                "ead": told(int(part["ead_cents"].sum())),
                "expected_loss": told(int(part["loss_cents"].sum())),
                "before": None if then is None else told(int(then["loss_cents"].sum())),
            }
        )
    performing = book[book["segment"].isin(SEGMENTS[:-1])]
    cents, ead = int(performing["loss_cents"].sum()), int(performing["ead_cents"].sum())
    ends = (None, None) if level is None else (cents * level[0], cents * level[1])
    return {
        "segments": rows,
        "total": told(int(book["loss_cents"].sum())),
        "total_before": None if before is None else told(int(before["loss_cents"].sum())),
        "performing": {"value": told(cents), "low": told(ends[0]), "high": told(ends[1])},
        "performing_share": share(cents, ead),
        "performing_customers": len(performing),
        "expected_defaults": float(performing["pd"].sum()),
        "year": loss_of_a_year(performing, rounds),
    }


def loss_of_a_year(performing: pd.DataFrame, rounds: Rounds) -> dict[str, Any] | None:
    """How the loss of the window falls when every PD is right and customers default independently; null without any.

    Drawn `rounds` times from the seed: mean, median, the ends of the interval, and the 99th percentile. Independence
    is the best case: in a bad year customers fail together, and the tail is longer.
    """
    pd = performing["pd"].to_numpy(float)
    stake = (performing["ead_cents"].to_numpy(float) * performing["lgd"].to_numpy(float))[~np.isnan(pd)]
    pd = pd[~np.isnan(pd)]
    if not len(pd):
        return None
    generator = np.random.Generator(np.random.PCG64(rounds.seed))
    n, losses = 10 * rounds.rounds, []
    size = max(1, _CELLS // len(pd))
    for start in range(0, n, size):
        drawn = generator.random((min(size, n - start), len(pd))) < pd
        losses.append(np.sum(np.where(drawn, stake, 0.0), axis=1))
    sample: NDArray[np.float64] = np.concatenate(losses)
    tail = 50.0 * (1.0 - rounds.confidence)
    low, median, high, far = np.percentile(sample, [tail, 50.0, 100.0 - tail, 99.0])
    return {
        "rounds": n,
        "mean": told(float(np.sum(pd * stake))),
        "median": told(median),
        "low": told(low),
        "high": told(high),
        "percentile_99": told(far),
    }


def costs_of_default(book: pd.DataFrame, groups: Mapping[str, str], top: int) -> list[dict[str, Any]]:
    """What the default of each of the largest customers by exposure at default would cost, and of its whole group.

    Cost = loss given default x exposure at default; for a customer in default that is its expected loss already. The
    group's cost adds those of its other customers (null: the customer stands alone).
    """
    stake = (book["ead_cents"].to_numpy(float) * np.nan_to_num(book["lgd"].to_numpy(float))).round()
    rows = book.assign(cost=stake, group=[groups.get(c, c) for c in book["customer_id"]])
    of_group = rows.groupby("group")["cost"].agg(["sum", "size"])
    total_loss, total_ead = float(book["loss_cents"].sum()), float(book["ead_cents"].sum())
    largest = rows.sort_values(["ead_cents", "customer_id"], ascending=[False, True]).head(top)
    found = []
    for row in largest[largest["ead_cents"] > 0].to_dict("records"):
        members = int(of_group.loc[row["group"], "size"])
        found.append(
            {
                "customer_id": row["customer_id"],
                "status": row["rating_status"],
                "grade": _text(row["grade"]),
                "pd": _number(row["pd"]),
                "lgd": _number(row["lgd"]),
                "ead": told(row["ead_cents"]),
                "share": share(row["ead_cents"], total_ead),
                "cost": told(row["cost"]),
                "of_expected_loss": share(row["cost"], total_loss),
                "group": None if members < 2 else row["group"],
                "group_customers": members,
                "group_cost": None if members < 2 else told(float(of_group.loc[row["group"], "sum"])),
            }
        )
    return found


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: float) -> float | None:
    return None if value is None or np.isnan(value) else float(value)
