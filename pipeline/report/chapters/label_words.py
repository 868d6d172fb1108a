"""The label in words: what the models predict, and over which window."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.report.words import Words


def window_words(label: Mapping[str, Any], words: Words) -> str:
    """The performance window, such as "12 months"; words for none where a table tells none."""
    if not has_window(label):
        return words("label.no_window")
    if label.get("window_months"):
        return words("label.months", n=label["window_months"])
    return words("label.days", n=label.get("window_days"))


def label_words(label: Mapping[str, Any], words: Words) -> str:
    """The label with its window, such as "default within 12 months"."""
    if label["kind"] == "target":
        title = str(label.get(f"title_{words.language}") or label["title_en"])
        return words("label.target", title=title, window=window_words(label, words)) if has_window(label) else title
    return words(f"label.{label['kind']}", days=label.get("days"), window=window_words(label, words))


def has_window(label: Mapping[str, Any]) -> bool:
    """A performance window is told."""
    return bool(label.get("window_months") or label.get("window_days"))


def event_words(label: Mapping[str, Any], words: Words) -> str:
    """What happened to a bad customer and when: "defaulted within 12 months"."""
    happened = bad_words(label, words)
    return words("label.event", happened=happened, window=window_words(label, words)) if has_window(label) else happened


def bad_words(label: Mapping[str, Any], words: Words) -> str:
    """What happened to a bad customer: "defaulted", or "fell 30 or more days late"."""
    if label["kind"] == "target":
        told = label.get(f"happened_{words.language}")
        title = str(label.get(f"title_{words.language}") or label["title_en"])
        return str(told) if told else words("label.target_happened", title=title)
    return words(f"label.{label['kind']}_happened", days=label.get("days"))


def settled_on(day: dt.date, label: Mapping[str, Any]) -> dt.date:
    """The day by which the outcome of a snapshot has happened."""
    offset = pd.DateOffset(months=int(label["window_months"])) if label.get("window_months") else None
    end = (pd.Timestamp(day) + offset).date() if offset else day + dt.timedelta(days=int(label.get("window_days") or 0))
    return end + dt.timedelta(days=int(label.get("days") or 0) if label["kind"] == "late" else 0)
