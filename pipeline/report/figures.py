"""Numbers and days as a reader of the language meets them: a real minus sign, and no more digits than are known."""

from __future__ import annotations

import math
import re
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Iterator, Mapping

DASH = "–"
_MINUS = "−"


@dataclass(frozen=True)
class _Style:
    """How a language writes: the sign of per cent, what stands between the ends of an interval, a list, a day."""

    per_cent: str
    to: str
    comma: str
    semicolon: str
    day: str
    gap: str


_STYLES: Mapping[str, _Style] = {
    "en": _Style("\u202f%", " to ", ", ", "; ", "{0:04d}-{1:02d}-{2:02d}", " "),
    "zh": _Style("%", "至", "、", "；", "{0}年{1}月{2}日", ""),
}
_STYLE: ContextVar[_Style] = ContextVar("style", default=_STYLES["en"])


@contextmanager
def written_in(language: str) -> Iterator[None]:
    """Everything written inside is written as that language does; English outside, as `decimal.localcontext` works.

    >>> with written_in("zh"):
    ...     share(0.031), between("1", "2"), day("2025-12-31"), listed(["A", "B"])
    ('3.1%', '1至2', '2025年12月31日', 'A、B')
    """
    before = _STYLE.set(_STYLES.get(language, _STYLES["en"]))
    try:
        yield
    finally:
        _STYLE.reset(before)


def is_known(value: object) -> bool:
    """A number that can be printed: not null, not NaN, not infinite."""
    if value is None or isinstance(value, str | bool):
        return False
    try:
        return math.isfinite(float(value))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False


def decimal(value: Any, digits: int = 2) -> str:
    """A plain number; a dash when it is not known. What rounds to nothing carries no sign.

    >>> decimal(-1234.5, 1), decimal(-0.001), decimal(None)
    ('−1,234.5', '0.00', '–')
    """
    if not is_known(value):
        return DASH
    text = f"{float(value):,.{digits}f}"
    if text.startswith("-"):
        text = text[1:] if not text.strip("-0.,") else _MINUS + text[1:]
    return text


def count(value: Any) -> str:
    """A whole number with grouped thousands.

    >>> count(1234567)
    '1,234,567'
    """
    return decimal(value, 0)


def share(value: Any, digits: int = 1) -> str:
    """A share of 1 as per cent.

    >>> share(0.0312)
    '3.1\\u202f%'
    """
    return DASH if not is_known(value) else f"{decimal(100 * float(value), digits)}{_STYLE.get().per_cent}"


def as_set(value: float) -> str:
    """A share of 1 as per cent that people set: no digit more than they gave.

    >>> as_set(0.0035)
    '0.35\\u202f%'
    """
    return f"{100 * value:g}{_STYLE.get().per_cent}"


def probability(value: Any) -> str:
    """A default probability as per cent, with the digits that tell a good grade from a very good one.

    >>> probability(0.00034), probability(0.0123), probability(0.213), probability(1.0)
    ('0.034\\u202f%', '1.23\\u202f%', '21.3\\u202f%', '100\\u202f%')
    """
    if not is_known(value):
        return DASH
    part = float(value)
    digits = 0 if part in {0.0, 1.0} else 1 if part >= 0.1 else 2 if part >= 0.001 else 3
    return share(part, digits)


def signed(value: Any, digits: int = 2) -> str:
    """A difference: always with its sign.

    >>> signed(0.021), signed(-0.3), signed(0)
    ('+0.02', '−0.30', '0.00')
    """
    text = decimal(value, digits)
    is_rise = is_known(value) and not text.startswith(_MINUS) and text.strip("0.,") != ""
    return f"+{text}" if is_rise else text


def plain(value: Any) -> str:
    """A value of a feature with four figures that count; a text as it stands, null as a dash.

    >>> plain(0.123456), plain(1234.5678), plain(3.0), plain("C26"), plain(None)
    ('0.1235', '1,234.57', '3', 'C26', '–')
    """
    if isinstance(value, str):
        return value
    if not is_known(value):
        return DASH
    number = float(value)
    if number == round(number):
        return count(number)
    digits = max(2, 3 - math.floor(math.log10(abs(number))))
    text = decimal(number, min(digits, 8))
    return text.rstrip("0").rstrip(".") if "." in text else text


def significant(value: float, digits: int = 6) -> str:
    """A number with so many figures that count and no thousands.

    >>> significant(-0.024), significant(-1234.5678, 4)
    ('−0.024', '−1235')
    """
    return with_minus(f"{value:.{digits}g}")


def with_minus(number: str) -> str:
    """A number that was written elsewhere, with the minus sign of all figures.

    >>> with_minus("-1234567.25")
    '−1234567.25'
    """
    return number.replace("-", _MINUS)


def day(value: dt.date | str | None) -> str:
    """A day, whatever it came as: ISO 8601 in English, in Chinese no zero before month and day; a dash for none.

    >>> day("2025-12-31"), day(None)
    ('2025-12-31', '–')
    """
    if value is None:
        return DASH
    found = re.fullmatch(r"(\d{4})-(\d{2})-(\d{2})", str(value)[:10])
    return _STYLE.get().day.format(*map(int, found.groups())) if found else str(value)[:10]


def between(low: str, high: str) -> str:
    """The ends of an interval.

    >>> between("0.1", "0.3")
    '0.1 to 0.3'
    """
    return f"{low}{_STYLE.get().to}{high}"


def listed(items: Iterable[str]) -> str:
    """Single words or numbers in a line, parted by the comma of the language."""
    return _STYLE.get().comma.join(items)


def in_turn(items: Iterable[str]) -> str:
    """Longer parts in a line, parted by the semicolon of the language."""
    return _STYLE.get().semicolon.join(items)


@dataclass(frozen=True)
class Measured:
    """A figure with its interval as text; `interval` is empty where there is none, and `reason` then says why."""

    value: str
    interval: str = ""
    reason: str = ""


def measured(raw: Mapping[str, Any] | None, write: Callable[[Any], str] = decimal) -> Measured:
    """Reads {value, low, high}; `reason` is left to the caller, who knows what was too little."""
    if not raw or not is_known(raw.get("value")):
        return Measured(DASH)
    if not (is_known(raw.get("low")) and is_known(raw.get("high"))):
        return Measured(write(raw["value"]))
    return Measured(write(raw["value"]), between(write(raw["low"]), write(raw["high"])))


def sentences(*told: str) -> str:
    """Sentences, or parts of one, in a row: with a space between them where the language sets one."""
    return _STYLE.get().gap.join(text for text in told if text)
