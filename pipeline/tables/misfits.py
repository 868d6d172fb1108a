"""Tells texts that do not fit their column apart by what they look like, so that each gets its own remedy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.compute as pc

from pipeline.tables.contract import Column, Kind
from pipeline.tables.formats import parse_day

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from pipeline.tables.received import Misfits

_NUMBERS = frozenset({Kind.MONEY, Kind.NUMBER, Kind.SHARE, Kind.INT})
_DATE_FORMATS = (
    "%Y%m%d",
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%Y/%m/%d",
    "%d-%m-%Y",
    "%d-%b-%Y",
    "%m/%d/%y",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
)


@dataclass(frozen=True)
class Look:
    """Texts of one look: what they are called, how to mend them, which rows."""

    breach: str
    remedy: str
    mask: NDArray[np.bool_]


def looks(column: Column, misfits: Misfits) -> Iterator[Look]:
    """The misfits of a column, apart by look; every misfit is in exactly one."""
    left = misfits.mask
    for pattern, breach, remedy in _patterns(column):
        fits = pc.fill_null(pc.match_substring_regex(misfits.texts, pattern), False).to_numpy(zero_copy_only=False)  # noqa: FBT003
        mask = left & fits
        if mask.any():
            yield Look(breach, remedy, mask)
        left = left & ~fits
    if left.any():
        breach, remedy = _otherwise(column, misfits, left)
        yield Look(breach, remedy, left)


def _patterns(column: Column) -> tuple[tuple[str, str, str], ...]:
    if column.kind not in _NUMBERS:
        return ()
    whole = "whole numbers" if column.kind is Kind.INT else "numbers with a decimal point"
    return (
        (
            r"^-?(\d{1,3}(\.\d{3})+|\d+),\d+-?$",
            "have a decimal comma",
            f'declare `decimal_point: ","` (and `thousands: "."`) in a mapping, or hand in {whole}',
        ),
        (
            r"^-?\d{1,3}([.,' ]\d{3})+([.,]\d+)?-?$",
            "may have a thousands separator (three digits follow it) and could be read in two ways",
            "declare `thousands:` and `decimal_point:` in a mapping, or hand in plain amounts such as 1234.50",
        ),
        (
            r"^-?\d+\.\d{3,}$",
            "have more than two decimals",
            "round to cents at the source; amounts hold two decimals",
        ),
        (
            r"^\d+(\.\d+)?-$",
            "have the minus behind the number",
            "declare `minus: trailing` in a mapping",
        ),
    )


def _otherwise(column: Column, misfits: Misfits, left: NDArray[np.bool_]) -> tuple[str, str]:
    if column.kind is Kind.DATE:
        return "are not dates such as 2019-09-30", _date_remedy(misfits, left)
    if column.kind is Kind.BOOL:
        return "are neither true nor false", "declare `true_texts:` and `false_texts:` in a mapping"
    if column.kind is Kind.INT:
        return "are not whole numbers", "hand in whole numbers such as 30, and leave the cell empty where there is none"
    if column.kind in _NUMBERS:
        sort = "amounts" if column.kind is Kind.MONEY else "numbers"
        return (
            f"are text, not {sort}",
            f"hand in finite {sort} such as 1234.50, and leave the cell empty where there is none "
            "(or declare `null_texts:` in a mapping)",
        )
    return "are texts the mapping does not know", "extend `texts:` or `extract:` of the mapping"


def _date_remedy(misfits: Misfits, left: NDArray[np.bool_]) -> str:
    sample = [misfits.texts[int(i)].as_py() for i in np.flatnonzero(left)[:200]]
    fitting = [f for f in _DATE_FORMATS if all(parse_day(text, f) is not None for text in sample)]
    if not fitting:
        return "correct them, or declare their format with `dates:` in a mapping"
    choice = " or ".join(f'`dates: "{f}"`' for f in fitting)
    return f"declare {choice} in a mapping, or hand in ISO dates"
