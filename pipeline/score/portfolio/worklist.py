"""Whom to call first: overdue customers with the step that is expected to bring in most, as far as collectors can."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pipeline.score.alerts import SEVERITIES
from pipeline.score.portfolio.amounts import share, told

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    import numpy.typing as npt

    from pipeline.score.portfolio.sections import CollectionsSection, CollectionStep, LadderStep

    Floats = npt.NDArray[np.float64]

CASES = (
    "customer_id", "collector", "rank", "is_in_budget", "step", "recovery_cents", "overdue_cents", "disputed_cents",
    "items", "days", "grade", "segment", "severity",
)  # fmt: skip


def cases_of(
    now: pd.DataFrame, book: pd.DataFrame, policy: CollectionsSection, insolvent: AbstractSet[str] = frozenset()
) -> pd.DataFrame:
    """Every overdue customer from `amount_from` on with its best step, largest expected recovery first (`CASES`).

    `now`: the claims open on the day. `book`: customer_id, grade, segment, severity and collector (null: none).
    `insolvent`: whose default is an insolvency. Expected recovery of a step = overdue × success of the segment
    × (1 − fee share) − cost; the best of the steps allowed is taken, the earlier of the ladder on a tie. A dispute or
    an insolvency has its own step. `rank` counts from 1; `is_in_budget` marks the first of each collector that it can
    take in a week; a case whose step does not pay for itself has a recovery of 0 or less, and is in no budget.
    """
    overdue = now[now["overdue_cents"] > 0]
    rows = overdue.groupby("customer_id").agg(
        overdue_cents=("overdue_cents", "sum"), disputed_cents=("disputed_cents", "sum"),
        days=("days_past_due", "max"), items=("invoice_id", "nunique"),
    ).reset_index()  # fmt: skip
    rows = rows[rows["overdue_cents"] >= policy.amount_from * 100]
    known = book.set_index("customer_id")[["grade", "segment", "severity", "collector"]]
    rows = rows.join(known, on="customer_id")
    rows = rows.assign(severity=rows["severity"].fillna(SEVERITIES[0]))
    best, recovery = _best(rows, policy, rows["customer_id"].isin(list(insolvent)).to_numpy())
    rows = rows.assign(step=best, recovery_cents=recovery)
    rows = rows.sort_values(["recovery_cents", "customer_id"], ascending=[False, True], ignore_index=True)
    takes = {name: policy.budget.of(name).cases_per_week for name in collectors(rows)}
    pays = rows["recovery_cents"].to_numpy() > 0
    return ranked(rows, takes, pays)[list(CASES)]


def worklist(
    now: pd.DataFrame, cases: pd.DataFrame, reviews: pd.DataFrame, policy: CollectionsSection, top: int
) -> dict[str, Any]:
    """What the report tells of the cases and reviews: the first `top` of each, sums by step, and by collector what fits
    into a week and what is left over."""
    owing = now[now["overdue_cents"] > 0]["customer_id"].nunique()
    return {
        "customers": len(cases),
        "below_amount": int(owing - len(cases)),
        "amount_from": policy.amount_from,
        "overdue": told(int(cases["overdue_cents"].sum())),
        "recovery": told(float(cases["recovery_cents"].clip(lower=0).sum())),
        "in_budget": int(cases["is_in_budget"].sum()),
        "not_worth": int((cases["recovery_cents"] <= 0).sum()),
        "rows": [_case(row) for row in cases.head(top).to_dict("records")],
        "steps": _by_step(cases, policy),
        "collectors": _by_collector(cases, reviews, policy),
        "reviews": len(reviews),
        "reviews_due": int(reviews["is_due"].sum()),
        "reviews_new": int((reviews["state"] == "new").sum()),
        "reviews_in_budget": int(reviews["is_in_budget"].sum()),
        "review_again_days": policy.review_again_days,
        "review_rows": [_review(row) for row in reviews.head(top).to_dict("records")],
    }


def allowed(step: LadderStep, days: npt.NDArray[np.int64], gravity: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Where a step of the ladder may be taken: its days are reached (or an alert is grave enough) and not over."""
    found: npt.NDArray[np.bool_] = days >= step.from_days
    if step.or_severity is not None:
        found |= gravity >= SEVERITIES.index(step.or_severity)
    return found if step.until_days is None else found & (days <= step.until_days)


def recovery_of(step: CollectionStep, overdue_cents: Floats, segment: npt.NDArray[np.object_]) -> Floats:
    """Cents expected after the cost of the step, rounded half to even; below 0 when it costs more than it brings."""
    shares = vars(step.success)
    success = np.array([shares.get(one if isinstance(one, str) else "unrated", shares["unrated"]) for one in segment])
    found: Floats = np.rint(overdue_cents * success * (1.0 - step.fee_share) - step.cost * 100.0)
    return found


def ranked(rows: pd.DataFrame, takes: dict[str | None, int], may: npt.NDArray[np.bool_]) -> pd.DataFrame:
    """Rows in their order with `rank`, and `is_in_budget` for the first of each collector that may and fit."""
    desk = rows["collector"].astype(object).where(rows["collector"].notna(), None)
    place = pd.Series(may).groupby(desk.fillna("\0").to_numpy()).cumsum().to_numpy(dtype=np.int64)
    room = np.array([takes[name] for name in desk], dtype=np.int64)
    return rows.assign(collector=desk, rank=np.arange(1, len(rows) + 1), is_in_budget=may & (place <= room))


def collectors(rows: pd.DataFrame) -> list[str | None]:
    """The collectors of the rows by name, those without one last."""
    names = sorted({name for name in rows["collector"] if isinstance(name, str)})
    return [*names, None]


def _best(
    rows: pd.DataFrame, policy: CollectionsSection, is_insolvent: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.object_], Floats]:
    overdue, segment = rows["overdue_cents"].to_numpy(dtype=float), rows["segment"].to_numpy(dtype=object)
    days = rows["days"].to_numpy(dtype=np.int64)
    gravity = np.array([SEVERITIES.index(one) for one in rows["severity"]], dtype=np.int64)
    table = np.array(
        [np.where(allowed(s, days, gravity), recovery_of(s, overdue, segment), -np.inf) for s in policy.ladder]
    ).reshape(len(policy.ladder), len(rows))
    codes = np.array([step.code for step in policy.ladder], dtype=object)
    best, recovery = codes[table.argmax(axis=0)], table.max(axis=0)
    is_disputed = rows["disputed_cents"].to_numpy(dtype=float) >= policy.disputed_share_from * overdue
    for step, where in ((policy.dispute, is_disputed), (policy.insolvency, is_insolvent)):
        best = np.where(where, step.code, best)
        recovery = np.where(where, recovery_of(step, overdue, segment), recovery)
    return best, recovery


def _case(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        "customer_id": row["customer_id"],
        "collector": row["collector"],
        "grade": row["grade"] if isinstance(row["grade"], str) else None,
        "severity": row["severity"],
        "overdue": told(row["overdue_cents"]),
        "disputed": told(row["disputed_cents"]),
        "items": int(row["items"]),
        "days": int(row["days"]),
        "recovery": told(row["recovery_cents"]),
        "step": row["step"],
        "is_in_budget": bool(row["is_in_budget"]),
    }


def _review(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        "customer_id": row["customer_id"],
        "collector": row["collector"],
        "grade": row["grade"] if isinstance(row["grade"], str) else None,
        "severity": row["severity"],
        "state": row["state"],
        "opened_on": row["opened_on"].date().isoformat(),
        "is_due": bool(row["is_due"]),
        "is_left_over": bool(row["is_left_over"]),
        "alerts": int(row["alerts"]),
        "loss": told(row["loss_cents"]),
        "is_in_budget": bool(row["is_in_budget"]),
    }


def _by_step(cases: pd.DataFrame, policy: CollectionsSection) -> list[dict[str, Any]]:
    found = []
    for step in policy.steps:
        part = cases[cases["step"] == step.code]
        found.append(
            {
                "step": step.code,
                "en": step.en,
                "zh": step.zh,
                "customers": len(part),
                "overdue": told(int(part["overdue_cents"].sum())),
                "recovery": told(float(part["recovery_cents"].sum())),
                "share": share(float(part["overdue_cents"].sum()), float(cases["overdue_cents"].sum())),
            }
        )
    return found


def _by_collector(cases: pd.DataFrame, reviews: pd.DataFrame, policy: CollectionsSection) -> list[dict[str, Any]]:
    found = []
    for name in collectors(pd.concat([cases[["collector"]], reviews[["collector"]]])):
        mine, looked = (rows[rows["collector"].isna() if name is None else rows["collector"] == name]
                        for rows in (cases, reviews))  # fmt: skip
        if not len(mine) and not len(looked):
            continue
        taken = mine[mine["is_in_budget"]]
        left = mine[~mine["is_in_budget"]]
        found.append(
            {
                "collector": name,
                "cases": len(mine),
                "cases_per_week": policy.budget.of(name).cases_per_week,
                "in_budget": len(taken),
                "left_over": len(left),
                "recovery": told(float(taken["recovery_cents"].sum())),
                "recovery_left": told(float(left["recovery_cents"].clip(lower=0).sum())),
                "reviews": int(looked["is_due"].sum()),
                "reviews_in_budget": int(looked["is_in_budget"].sum()),
            }
        )
    return found
