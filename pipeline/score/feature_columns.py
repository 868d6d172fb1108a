"""Columns of a feature frame as arrays: doubles with NaN for null, texts with a null mask; infinity is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pipeline.errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt


def require_columns(frame: pd.DataFrame, names: Sequence[str]) -> None:
    """Raises ContractError naming every feature that the frame lacks."""
    missing = [name for name in names if name not in frame.columns]
    if missing:
        raise ContractError(
            f"features: {len(missing)} of {len(names)} columns the model reads are missing, e.g. {missing[0]!r} "
            f"({', '.join(missing)}); build the features with the catalogue of the model"
        )


def number_column(frame: pd.DataFrame, name: str) -> npt.NDArray[np.float64]:
    """A numeric feature as doubles, null as NaN. Raises ContractError on text or an infinite value."""
    try:
        values = frame[name].to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise ContractError(
            f"features.{name}: holds text where a number is needed ({error}); mend the feature"
        ) from None
    infinite = np.flatnonzero(np.isinf(values))
    if infinite.size:
        raise ContractError(
            f"features.{name}: {infinite.size} of {len(values)} values are infinite, e.g. row {infinite[0]}; "
            "divide through ratio(), which gives null where the divisor is 0"
        )
    return np.ascontiguousarray(values)


def without_codes(values: npt.NDArray[np.float64], codes: Sequence[float]) -> npt.NDArray[np.float64]:
    """The numbers with NaN where a special code stands: a code in the place of a number is none.

    >>> without_codes(np.array([3.0, 98.0]), (96.0, 98.0)).tolist()
    [3.0, nan]
    """
    return np.where(np.isin(values, list(codes)), np.nan, values) if len(codes) else values


def codes_of(entry: Mapping[str, Any]) -> tuple[float, ...]:
    """The special codes of a feature, by its entry in the catalogue."""
    return tuple(float(special["code"]) for special in entry.get("special") or ())


def category_column(frame: pd.DataFrame, name: str) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.bool_]]:
    """A text feature and its null mask. Raises ContractError on numbers."""
    values = frame[name].astype(object).to_numpy()
    is_null = pd.isna(values)
    wrong = [value for value in pd.unique(values[~is_null]) if not isinstance(value, str)]
    if wrong:
        raise ContractError(
            f"features.{name}: {len(wrong)} value(s) are no text, e.g. {wrong[0]!r}; categories are texts"
        )
    return values, is_null


def category_codes(frame: pd.DataFrame, name: str) -> tuple[npt.NDArray[np.intp], tuple[str, ...]]:
    """A text feature as positions in its distinct texts, −1 for null. Raises ContractError on numbers.

    Quicker than `category_column` where only the distinct texts are of interest.
    """
    codes, texts = pd.factorize(frame[name])
    wrong = [value for value in texts if not isinstance(value, str)]
    if wrong:
        raise ContractError(
            f"features.{name}: {len(wrong)} value(s) are no text, e.g. {wrong[0]!r}; categories are texts"
        )
    return codes, tuple(texts)


def encode(
    frame: pd.DataFrame,
    names: Sequence[str],
    categories: Mapping[str, tuple[str, ...]],
    special: Mapping[str, tuple[float, ...]] | None = None,
) -> npt.NDArray[np.float64]:
    """The matrix a booster reads: columns in the order of `names`, a category as its position, else NaN; so is a
    special code, which is no point on the scale that trees cut."""
    require_columns(frame, names)
    matrix = np.empty((len(frame), len(names)), dtype=np.float64)
    for position, name in enumerate(names):
        if name not in categories:
            matrix[:, position] = without_codes(number_column(frame, name), (special or {}).get(name, ()))
            continue
        codes, texts = category_codes(frame, name)
        at = {text: float(place) for place, text in enumerate(categories[name])}
        matrix[:, position] = np.array([*(at.get(text, np.nan) for text in texts), np.nan])[codes]
    return matrix
