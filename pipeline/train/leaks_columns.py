"""Columns that betray when they were filled, and columns that name the customer instead of telling of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.statistics.clustered import clustered_auc, distinct
from pipeline.statistics.proportions import jeffreys_of_groups
from pipeline.train.leaks_ground import Finding, per_cent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from pipeline.train.leaks_ground import Column, Ground

_AFTER = (
    "find out when it is filled; leave the column out if that is after as_of, or when the outcome is known, otherwise "
    "say why under leaks.accept"
)
_FEWEST_BAD_CUSTOMERS = 5
_UNIQUE = 0.9
_FEWEST_NAMES = 200
_ONE_LENGTH = 100


def fill_finding(column: Column, ground: Ground) -> Finding | None:
    """Whether a value is there tells good from bad by itself, by the lower bound of its AUC."""
    sample, settings, is_known = ground.sample, ground.settings, column.is_known
    bad, good = (float(is_known[sample.is_bad == outcome].mean()) for outcome in (1, 0))
    if (1 + abs(bad - good)) / 2 <= settings.warn_fill_auc:
        return None
    levels = is_known if bad > good else ~is_known
    found = clustered_auc(levels.astype(np.int64), sample.is_bad, sample.codes, settings.confidence)
    if found is None or found.low <= settings.warn_fill_auc:
        return None
    told = (
        f"is filled for {per_cent(bad)} of the bad rows and {per_cent(good)} of the good ones: that alone has an AUC "
        f"of {found.value:.3f} ({found.low:.3f} to {found.high:.3f}), on {found.bads:,} bad customers"
    )
    numbers = {"filled_of_bads": bad, "filled_of_goods": good, "auc": found.as_json()}
    verdict = "refuse" if found.low > settings.refuse_fill_auc else "warn"
    return Finding("filled_after", column.name, verdict, told, _AFTER, numbers)


def pure_findings(column: Column, ground: Ground) -> list[Finding]:
    """Values (or a null, or any value at all) behind which stand almost only bads, and many of them.

    Almost only: by the interval of their share, with customers as the evidence, the rows hold less than `few_goods` of
    the goods that so many rows would hold by chance.
    """
    sample, settings = ground.sample, ground.settings
    bads, goods = float(sample.is_bad.sum()), float((1 - sample.is_bad).mean())
    findings = []
    for name, is_in in _sets(column, ground, settings.warn_pure_share * bads):
        held = sample.is_bad[is_in]
        customers = distinct(sample.codes[is_in])
        low, high = jeffreys_of_groups(float(held.mean()), customers, settings.confidence)
        if 1 - low > settings.few_goods * goods or customers < _FEWEST_BAD_CUSTOMERS:
            continue
        share = float(held.sum()) / bads
        told = (
            f"{name} stands in {len(held):,} rows of {customers:,} customers, {per_cent(float(held.mean()))} of them "
            f"bad ({per_cent(low)} to {per_cent(high)}; {per_cent(1 - goods)} in the table), and holds "
            f"{per_cent(share)} of all bad rows"
        )
        numbers = {"value": name, "rows": len(held), "customers": customers, "bad_share": float(held.mean()),
                   "low": low, "high": high, "share_of_bads": share}  # fmt: skip
        verdict = "refuse" if share >= settings.refuse_pure_share else "warn"
        keys = tuple(ground.key(int(row)) for row in np.flatnonzero(is_in & (sample.is_bad == 1))[:3])
        findings.append(Finding("pure_value", column.name, verdict, told, _AFTER, numbers, keys))
    return findings


def identifier_finding(column: Column, ground: Ground) -> Finding | None:
    """A text of which nearly every customer has one of its own, or whole numbers that number the customers."""
    is_known = column.is_known
    values, customers = len(column.distinct), distinct(ground.customers[is_known])
    if values < _FEWEST_NAMES or values < _UNIQUE * customers:
        return None
    if not column.is_category and not _numbers_customers(column, ground, customers):
        return None
    told = f"has {values:,} different values for {customers:,} customers: it names them, and tells nothing of others"
    row = int(np.flatnonzero(is_known)[0])
    example = (f"{column.distinct[column.position[row]]} for {ground.key(row)}",)
    numbers = {"values": values, "customers": customers}
    return Finding("identifier", column.name, "warn", told, "leave the column out", numbers, example)


def _sets(column: Column, ground: Ground, fewest_bads: float) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Rows of a value, of no value and of any value that hold so many bads."""
    sample, is_known = ground.sample, column.is_known
    bads = np.bincount(column.position[is_known], weights=sample.is_bad[is_known], minlength=len(column.distinct))
    is_candidate = (bads >= max(fewest_bads, 1)) & (bads >= 0.5 * column.counts)
    for position in np.flatnonzero(is_candidate):
        yield f"the value {_spelled(column.distinct[position])}", column.position == position
    if is_known.all():
        return
    for name, is_in in (("a null", ~is_known), ("any value", is_known)):
        held = sample.is_bad[is_in].sum()
        if held >= max(fewest_bads, 1) and held >= 0.5 * is_in.sum() and len(column.distinct) > 1:
            yield name, is_in


def _spelled(value: Any) -> str:
    return repr(value) if isinstance(value, str) else f"{value:g}"


def _numbers_customers(column: Column, ground: Ground, customers: int) -> bool:
    """Whole numbers, one per customer and one customer per number, of about one length or in one sequence."""
    numbers, is_known = column.distinct, column.is_known
    if len(numbers) != customers or not (numbers == np.floor(numbers)).all():
        return False
    pairs = len(np.unique(column.position[is_known] * (ground.customers.max() + 1) + ground.customers[is_known]))
    is_one_length = numbers[0] > 0 and numbers[-1] < _ONE_LENGTH * numbers[0]
    is_sequence = numbers[-1] - numbers[0] < 2 * len(numbers)
    return bool(pairs == customers and (is_one_length or is_sequence))
