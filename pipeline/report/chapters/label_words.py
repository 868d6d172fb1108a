"""The label in words: what the models predict, and over which window."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.report.words import Words


def window_words(label: Mapping[str, Any], words: Words) -> str:
    """The performance window, such as "12 months"."""
    if label.get("window_months"):
        return words("label.months", n=label["window_months"])
    return words("label.days", n=label.get("window_days"))


def label_words(label: Mapping[str, Any], words: Words) -> str:
    """The label with its window, such as "default within 12 months"."""
    return words(f"label.{label['kind']}", days=label.get("days"), window=window_words(label, words))


def bad_words(label: Mapping[str, Any], words: Words) -> str:
    """What happened to a bad customer: "defaulted", or "fell 30 or more days late"."""
    return words(f"label.{label['kind']}_happened", days=label.get("days"))


def settled_on(day: dt.date, label: Mapping[str, Any]) -> dt.date:
    """The day by which the outcome of a snapshot has happened."""
    offset = pd.DateOffset(months=int(label["window_months"])) if label.get("window_months") else None
    end = (pd.Timestamp(day) + offset).date() if offset else day + dt.timedelta(days=int(label.get("window_days") or 0))
    return end + dt.timedelta(days=int(label.get("days") or 0) if label["kind"] == "late" else 0)
