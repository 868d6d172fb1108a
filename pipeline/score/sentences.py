"""Sentences of many values: each text that comes out is put together once."""

from __future__ import annotations

import re
import string
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pipeline.tables.plural import plural

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

_ROUNDED = re.compile(r"\+?,?\.(\d)([f%])")
_OTHER_THAN_NOUGHT = re.compile(r"[1-9a-z]")
# So near to half a digit, or so large, the last binary digit decides how a number is rounded: it is formatted itself.
_HAIR, _LARGE = 1e-6, 1e9


class _Words(string.Formatter):
    """Formats as text does, but for a number of which only noughts are left: it has no minus."""

    def format_field(self, value: Any, format_spec: str) -> str:
        told = str(super().format_field(value, format_spec))
        is_nought = isinstance(value, float) and told.startswith("-") and not _OTHER_THAN_NOUGHT.search(told)
        return str(super().format_field(0.0, format_spec)) if is_nought else told


_WORDS = _Words()


def sentences(entry: Mapping[str, Any], values: pd.Series, language: str) -> npt.NDArray[np.object_]:
    """The sentence of a feature for each of its values, by its entry in the catalogue; a null tells what it means, and
    so does a special code in the place of a number."""
    template = str(entry[language])
    codes, distinct = pd.factorize(_as_told(values, template, entry))
    found = np.empty(len(distinct) + 1, dtype=object)
    found[:-1] = _each(entry, distinct.tolist(), language)
    null_means = entry["null_means"] if language == "en" else entry.get("null_means_zh", "无数据")
    found[-1] = f"{_title(entry, language)}{null_means}"
    told: npt.NDArray[np.object_] = found[codes]
    return told


def decimals_told(template: str) -> int | None:
    """Decimals of the value to which every place of the template rounds it; null where they differ or do not round.

    >>> decimals_told("{value:.0%} of {months} months"), decimals_told("{value:,.1f} days"), decimals_told("{value}")
    (2, 1, None)
    """
    formats = {spec for _, name, spec, _ in string.Formatter().parse(template) if name == "value"}
    if len(formats) != 1:
        return None
    matched = _ROUNDED.fullmatch(formats.pop() or "")
    return None if matched is None else int(matched[1]) + (2 if matched[2] == "%" else 0)


def _as_told(values: pd.Series, template: str, entry: Mapping[str, Any]) -> pd.Series | npt.NDArray[np.float64]:
    """The values with one in the place of all that are told by the same digits; null stays null."""
    if values.dtype.kind != "f":
        return values
    # Minus nought is nought: else which of the two is told would hang on the other rows.
    numbers = values.to_numpy() + 0.0
    decimals = decimals_told(template)
    if decimals is None:
        return numbers
    step = 10.0**decimals
    scaled = numbers * step
    whole = np.rint(scaled)
    is_plain = (np.abs(scaled - whole) < 0.5 - _HAIR) & (np.abs(scaled) < _LARGE)
    codes = [float(special["code"]) for special in entry.get("special") or ()]
    if codes:
        is_plain &= ~np.isin(numbers, codes)
    # One that is rounded to minus nought is told as nought.
    return np.where(is_plain, (whole + 0.0) / step, numbers)


def _each(entry: Mapping[str, Any], values: list[Any], language: str) -> list[str]:
    template, months, title = str(entry[language]), entry["months"], _title(entry, language)
    of_code = {float(special["code"]): f"{title}{special[language]}" for special in entry.get("special") or ()}
    return [of_code.get(value) or _told(template, value, months) for value in values]


def _told(template: str, value: Any, months: Any) -> str:
    # Only what lies between 0 and −1 can be told as minus nought; all others are told as text does, which is quicker.
    ending = plural(template, value)
    if isinstance(value, float) and -1.0 < value <= 0.0:
        return _WORDS.format(template, value=value, months=months, s=ending)
    return template.format(value=value, months=months, s=ending)


def _title(entry: Mapping[str, Any], language: str) -> str:
    return f"{entry['title_en']}: " if language == "en" else f"{entry['title_zh']}："


def sentence(entry: Mapping[str, Any], value: Any, language: str) -> str:
    """The sentence of one value; of a null, what the null means."""
    return str(sentences(entry, pd.Series([value]), language)[0])
