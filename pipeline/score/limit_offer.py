"""What goes with a limit: terms within what the country allows, the share in advance, how long it holds."""

from __future__ import annotations

import datetime as dt
from calendar import monthrange
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pipeline.score.position_columns import days, flag, money, text

if TYPE_CHECKING:
    import numpy.typing as npt

    from pipeline.score.limit_caps import Judged
    from pipeline.score.limit_sections import TermsRule, TermsSection

    Floats = npt.NDArray[np.float64]

_KINDS = ("undertaking", "public_body")


def offer(judged: Judged) -> tuple[Floats, Floats]:
    """Terms in days, not above what the country allows, and the share to be paid in advance; null where not rated."""
    limits, names = judged.policy.limits, judged.policy.scale.names
    in_default = judged.rating.status == "in_default"
    terms = judged.by_grade(limits.grades[grade].terms_days for grade in names)
    deposit = judged.by_grade(limits.grades[grade].deposit_share for grade in names)
    longest = _longest_terms(judged)
    return (
        np.where(in_default, limits.in_default.terms_days, np.minimum(terms, longest)),
        np.where(in_default, limits.in_default.deposit_share, deposit),
    )


def valid_to(judged: Judged, suggested: Floats) -> npt.NDArray[np.datetime64]:
    """The last day of the limit: by grade, not beyond a decision or a cover it rests on; NaT without a grade.

    It rests on a decision by hand on the limit or the grade, and on cover where the grade must be covered and the
    limit is more than may stand open.
    """
    limits, names, positions = judged.policy.limits, judged.policy.scale.names, judged.positions
    ends = [np.datetime64(months_after(judged.as_of, limits.grades[grade].valid_months), "D") for grade in names]
    last = np.array([*ends, np.datetime64("NaT", "D")])[judged.grade_at]
    rule = limits.insured_cover
    is_covered = (judged.grade_at >= names.index(rule.from_grade)) & (suggested > rule.uncovered_allowance)
    is_covered &= np.nan_to_num(money(positions["cover_amount"])) > 0
    for column, rests in (
        ("limit_override_ends_on", positions["limit_override"].notna().to_numpy()),
        ("grade_override_ends_on", judged.rating.model == "expert"),
        ("cover_ends_on", is_covered),
    ):
        end = days(positions[column])
        last = np.where(rests & (end < last), end, last)
    return last


def months_after(day: dt.date, months: int) -> dt.date:
    """The same day that many calendar months later, clipped to the length of the month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _longest_terms(judged: Judged) -> Floats:
    """The country's ceiling by kind and size of the buyer, infinite where no rule holds."""
    positions, terms = judged.positions, judged.policy.terms
    country, countries = pd.factorize(text(positions["country"]), use_na_sentinel=True)
    size, sizes = pd.factorize(text(positions["size_class"]), use_na_sentinel=True)
    # One row and column more: a null stands at -1.
    table = np.array(
        [
            [[ceiling(terms, c, kind, s) for kind in _KINDS] for s in (*sizes, None)]
            for c in (*(str(name) for name in countries), None)
        ]
    )
    longest: Floats = table[country, size, flag(positions["is_public_body"]).astype(np.intp)]
    return longest


def ceiling(terms: TermsSection, country: str | None, buyer: str, size: str | None) -> float:
    """Longest terms in days that may be suggested; infinite where no rule holds, or no most may be agreed.

    The shortest of the country's rules that hold, of the default's where the country has none for such a buyer. A buyer
    whose size nobody told counts as every size.
    """
    for rules in (terms.countries.get(country or "", ()), terms.default):
        holding = [rule for rule in rules if _holds(rule, terms, buyer, size)]
        if holding:
            return min(_days(rule, terms) for rule in holding)
    return np.inf


def _holds(rule: TermsRule, terms: TermsSection, buyer: str, size: str | None) -> bool:
    is_buyer = rule.buyer == buyer and (rule.buyer_sizes is None or size is None or size in rule.buyer_sizes)
    return is_buyer and (rule.supplier_sizes is None or terms.supplier_size in rule.supplier_sizes)


def _days(rule: TermsRule, terms: TermsSection) -> float:
    if terms.ceiling == "statutory":
        return float(rule.days)
    return np.inf if rule.agreed_days is None else float(rule.agreed_days)
