"""Whom to call first: overdue customers by what a call can be expected to bring in, with the step policy names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.score.portfolio.amounts import share, told

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from pipeline.score.portfolio.sections import CollectionsSection, Step


def worklist(
    now: pd.DataFrame,
    book: pd.DataFrame,
    lost_share: Sequence[float],
    policy: CollectionsSection,
    top: int,
) -> dict[str, Any]:
    """The overdue customers, largest expected recovery first; `top` of them, with the sums over all by step.

    `now`: the claims open on the day. `lost_share`: by bucket, the share of an amount expected to be lost (used rate
    of the provision matrix times LGD); expected recovery is the overdue amount less it. `book` is indexed by
    customer_id, with rating_status and grade.
    """
    overdue = now[now["overdue_cents"] > 0]
    lost = np.asarray(lost_share, dtype=float)[overdue["bucket"].to_numpy(int)]
    disputed = overdue["disputed_cents"]
    by = overdue.assign(lost=overdue["overdue_cents"] * lost, disputed=disputed).groupby("customer_id")
    rows = by.agg(
        overdue=("overdue_cents", "sum"), lost=("lost", "sum"), disputed=("disputed", "sum"),
        days=("days_past_due", "max"), items=("invoice_id", "nunique"),
    ).reset_index()  # fmt: skip
    worth = rows["overdue"] >= policy.amount_from * 100
    rows = rows[worth].assign(recovery=(rows["overdue"] - rows["lost"]).round())
    status = book["rating_status"].reindex(rows["customer_id"]).to_numpy()
    steps = [
        step_for(int(r["days"]), r["disputed"] / r["overdue"], s == "in_default", policy)
        for r, s in zip(rows.to_dict("records"), status, strict=True)
    ]
    grades = book["grade"].reindex(rows["customer_id"]).to_numpy()
    rows = rows.assign(step=[one.code for one in steps], grade=grades)
    rows = rows.sort_values(["recovery", "customer_id"], ascending=[False, True])
    return {
        "customers": len(rows),
        "below_amount": int((~worth).sum()),
        "amount_from": policy.amount_from,
        "overdue": told(int(rows["overdue"].sum())),
        "recovery": told(float(rows["recovery"].sum())),
        "rows": [
            {
                "customer_id": row["customer_id"],
                "grade": row["grade"] if isinstance(row["grade"], str) else None,
                "overdue": told(row["overdue"]),
                "disputed": told(row["disputed"]),
                "items": int(row["items"]),
                "days": int(row["days"]),
                "recovery": told(row["recovery"]),
                "step": row["step"],
            }
            for row in rows.head(top).to_dict("records")
        ],
        "steps": _by_step(rows, policy),
    }


def step_for(days: int, disputed_share: float, is_in_default: bool, policy: CollectionsSection) -> Step:  # noqa: FBT001
    """The step for a customer: a default and a dispute come before the ladder, of which the last step reached holds."""
    if is_in_default:
        return policy.in_default
    if disputed_share >= policy.disputed_share_from:
        return policy.dispute
    return [step for step in policy.ladder if step.from_days <= max(days, policy.ladder[0].from_days)][-1]


def steps_of(policy: CollectionsSection) -> Mapping[str, Step]:
    """Every step by its code, in the order of the ladder."""
    return {one.code: one for one in (*policy.ladder, policy.dispute, policy.in_default)}


def _by_step(rows: pd.DataFrame, policy: CollectionsSection) -> list[dict[str, Any]]:
    found = []
    for code, step in steps_of(policy).items():
        part = rows[rows["step"] == code]
        found.append(
            {
                "step": code,
                "en": step.en,
                "zh": step.zh,
                "customers": len(part),
                "overdue": told(int(part["overdue"].sum())),
                "recovery": told(float(part["recovery"].sum())),
                "share": share(float(part["overdue"].sum()), float(rows["overdue"].sum())),
            }
        )
    return found
