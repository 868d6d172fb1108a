"""Limits: what changed in the ledger since the run before, and what the run suggests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.score.portfolio.amounts import told

if TYPE_CHECKING:
    import pandas as pd

CHANGES = ("raised", "cut", "new", "removed", "unchanged")
ACTIONS = ("keep", "raise", "cut", "hold", "refer")


def limit_changes(book: pd.DataFrame, before: pd.DataFrame | None, top: int) -> dict[str, Any]:
    """Limits in the ledger against the run before (null: none), the largest changes, and the actions suggested.

    Both runs have customer_id and limit_cents (NaN: no limit); the book also limit_action and suggested_cents.
    """
    actions = []
    for action in ACTIONS:
        part = book[book["limit_action"] == action]
        actions.append(
            {
                "action": action,
                "customers": len(part),
                "limit": told(float(part["limit_cents"].sum())),
                "suggested": told(float(part["suggested_cents"].sum())),
            }
        )
    return {"actions": actions, **({} if before is None else _changed(book, before, top))}


def _changed(book: pd.DataFrame, before: pd.DataFrame, top: int) -> dict[str, Any]:
    both = before[["customer_id", "limit_cents"]].merge(
        book[["customer_id", "limit_cents"]], on="customer_id", how="outer", suffixes=("_was", "_is")
    )
    was, now = both["limit_cents_was"].to_numpy(float), both["limit_cents_is"].to_numpy(float)
    had, has = ~np.isnan(was), ~np.isnan(now)
    is_any = {
        "raised": had & has & (now > was),
        "cut": had & has & (now < was),
        "new": ~had & has,
        "removed": had & ~has,
        "unchanged": had & has & (now == was),
    }
    delta = np.nan_to_num(now) - np.nan_to_num(was)
    moved = both.assign(delta=delta)[delta != 0]
    moved = moved.assign(size=moved["delta"].abs()).sort_values(["size", "customer_id"], ascending=[False, True])
    return {
        "changes": [
            {
                "change": name,
                "customers": int(is_any[name].sum()),
                "before": told(float(np.nansum(was[is_any[name]]))),
                "after": told(float(np.nansum(now[is_any[name]]))),
            }
            for name in CHANGES
        ],
        "largest": [
            {
                "customer_id": row["customer_id"],
                "before": None if np.isnan(row["limit_cents_was"]) else told(row["limit_cents_was"]),
                "after": None if np.isnan(row["limit_cents_is"]) else told(row["limit_cents_is"]),
            }
            for row in moved.head(top).to_dict("records")
        ],
    }
