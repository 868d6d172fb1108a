"""Up to four reasons per customer: what speaks against it most, in score points and in sentences of both languages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pipeline.score.applied import points_lost
from pipeline.score.position_columns import number
from pipeline.score.sentences import sentences
from pipeline.tables.plural import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from pipeline.score.model import Model
    from pipeline.score.policy import Policy
    from pipeline.score.policy_sections import CodedWording
    from pipeline.score.rating import Rating

    Floats = npt.NDArray[np.float64]
    Mask = npt.NDArray[np.bool_]

SLOTS = 4


@dataclass(frozen=True)
class Reasons:
    """Arrays of shape (customers, 4), strongest first; None and NaN where there is no further reason.

    Points are whole score points lost against the development mean, always below 0; NaN for a reason of policy that
    costs none: a grade set by hand that is no worse than the book, nothing against, and a thin file always.
    """

    code: npt.NDArray[np.object_]
    points: npt.NDArray[np.float64]
    en: npt.NDArray[np.object_]
    zh: npt.NDArray[np.object_]

    @classmethod
    def none(cls, rows: int) -> Reasons:
        """No reason for anyone."""
        empty = np.full((rows, SLOTS), None, dtype=object)
        return cls(empty, np.full((rows, SLOTS), np.nan), empty.copy(), empty.copy())


def reasons_of(
    positions: pd.DataFrame, features: pd.DataFrame, rating: Rating, model: Model, policy: Policy
) -> Reasons:
    """Reasons of everyone rated (the model's) or thin (what is too thin, then its card's), one at least; none for
    others.

    Who is rated and has none is told that nothing speaks against it.
    """
    found = Reasons.none(len(positions))
    is_rated = rating.status == "rated"
    if is_rated.any():
        _put(found, np.flatnonzero(is_rated), model_reasons(model, features[is_rated]))
    thin = np.flatnonzero(rating.status == "thin_file")
    if len(thin):
        _put(found, thin, thin_reasons(model, features.iloc[thin]))
        _put_thin(found, positions, thin, policy)
    _put_expert(found, rating, policy, _points_against_book(rating, model))
    at, nothing = is_rated & pd.isna(found.code[:, 0]), policy.thin_file.texts.nothing
    found.code[at, 0], found.en[at, 0], found.zh[at, 0] = nothing.code, nothing.en, nothing.zh
    return found


def model_reasons(model: Model, features: pd.DataFrame) -> Reasons:
    """The model's reasons for applied feature rows (score/applied.py).

    A window costs its idea points only where the value is adverse (`Model.is_adverse`): where the development sample
    speaks against it, not where the customer is merely less good than the mean. Windows of one idea are one reason: its
    points are the sum of what adverse windows cost and of what any window brings, rounded once; it is told by the
    adverse window that costs most. What a window costs without being adverse stays in the rest of the score, so that
    reasons and the rest add up. An idea whose points are less than half a point below 0 is none. Ties go by the order
    of features.
    """
    lost = points_lost(features, model)
    return _strongest(lost, model.is_adverse(features, lost), model.features, features, model)


def thin_reasons(model: Model, features: pd.DataFrame) -> Reasons:
    """The reasons of the card of thin files, as `model_reasons` tells the model's; none for anyone without a card.

    `features` holds what the card reads. Points are measured from a customer with mean points on the card.
    """
    thin = model.thin_file
    lost = thin.points_lost(features, model.scaling)
    return _strongest(lost, thin.is_adverse(lost, model.scaling), thin.features, features, model)


def points_told(lost: Floats, is_adverse: Mask | None) -> Floats:
    """Points of the same shape, 0 in the place of those lost by values that are not adverse; as they are where it is
    not known which are (null).

    >>> points_told(np.array([[-3.0, -4.0, 5.0]]), np.array([[True, False, False]])).tolist()
    [[-3.0, 0.0, 5.0]]
    """
    return lost if is_adverse is None else np.where(is_adverse | (lost > 0), lost, 0.0)


def _strongest(
    lost: Floats, is_adverse: Mask | None, names: tuple[str, ...], features: pd.DataFrame, model: Model
) -> Reasons:
    """Reasons from the points of each row and feature, one column per name."""
    found = Reasons.none(len(features))
    if not lost.size:
        return found
    told = [points_told(lost[:, at], None if is_adverse is None else is_adverse[:, at]) for at in range(len(names))]
    together, worst = _by_idea(told, _windows(names, model))
    points = np.floor(together + 0.5)
    left = np.where(points < 0, together, 0.0)
    feature = np.full((len(features), SLOTS), -1)
    rows = np.arange(len(features))
    for slot in range(min(SLOTS, left.shape[1])):
        idea = left.argmin(axis=1)
        at = np.flatnonzero(left[rows, idea] < 0)
        idea = idea[at]
        found.points[at, slot] = points[at, idea]
        feature[at, slot] = worst[at, idea]
        left[at, idea] = 0.0
    _render(found, feature, features, names, model)
    return found


def _windows(names: tuple[str, ...], model: Model) -> list[list[int]]:
    """The positions of the features of each idea, in the order of features."""
    catalogue, windows = model.catalogue_by_name, dict[str, list[int]]()
    for position, name in enumerate(names):
        windows.setdefault(str(catalogue[name]["idea"]), []).append(position)
    return list(windows.values())


def _by_idea(told: Sequence[Floats], windows: list[list[int]]) -> tuple[Floats, npt.NDArray[np.int16]]:
    """Points of each row and idea, and the position of the feature that costs most of them; `told` has the points of
    each feature."""
    together = np.empty((len(told[0]), len(windows)))
    worst = np.empty(together.shape, dtype=np.int16)
    for idea, at in enumerate(windows):
        least = told[at[0]]
        together[:, idea] = least
        worst[:, idea] = at[0]
        for position in at[1:]:
            together[:, idea] += told[position]
            worst[told[position] < least, idea] = position
            least = np.minimum(least, told[position])
    return together, worst


def _render(
    reasons: Reasons, feature: npt.NDArray[np.int_], features: pd.DataFrame, names: tuple[str, ...], model: Model
) -> None:
    """Fills in codes and sentences: `feature` is the position among `names` of the feature told in each slot, −1 for
    none."""
    # Feature by feature: a sentence is put together once for each text that comes out.
    catalogue = model.catalogue_by_name
    order = np.argsort(feature.ravel().astype(np.int16), kind="stable")
    starts = np.searchsorted(feature.ravel()[order], np.arange(len(names) + 1))
    for position, name in enumerate(names):
        at = order[starts[position] : starts[position + 1]]
        if not len(at):
            continue
        entry = catalogue[name]
        values = features[name].iloc[at // SLOTS]
        reasons.code.reshape(-1)[at] = str(entry["idea"]).upper()
        for language, column in (("en", reasons.en), ("zh", reasons.zh)):
            column.reshape(-1)[at] = sentences(entry, values, language)


def _points_against_book(rating: Rating, model: Model) -> npt.NDArray[np.float64]:
    """Score minus the score of the development default rate, where it is below; else NaN."""
    rate = float(model.development["default_rate"])
    lost = rating.score - float(model.scaling.score(np.array([rate]))[0])
    return np.where(lost < 0, lost, np.nan)


def _put(reasons: Reasons, rows: npt.NDArray[np.intp], found: Reasons) -> None:
    reasons.code[rows], reasons.points[rows] = found.code, found.points
    reasons.en[rows], reasons.zh[rows] = found.en, found.zh


def _put_thin(reasons: Reasons, positions: pd.DataFrame, thin: npt.NDArray[np.intp], policy: Policy) -> None:
    """What is too thin is told first, the card's reasons move back by one; a second thing that is too thin follows them
    where there is room. Neither has points: what the pool is rated at is no doing of the customer's."""
    _move_back(reasons, thin)
    rule, wording = policy.thin_file.thin, policy.thin_file.texts
    for column, needed, words in (
        ("invoices_due_12m_count", rule.min_invoices_due_12m, wording.invoices),
        ("history_months", rule.min_history_months, wording.history),
    ):
        values = np.nan_to_num(number(positions[column]))
        for row in thin[values[thin] < needed]:
            free = np.flatnonzero(pd.isna(reasons.code[row]))
            if len(free):
                _say(reasons, (row, free[0]), words, int(values[row]), needed)


def _put_expert(reasons: Reasons, rating: Rating, policy: Policy, lost: npt.NDArray[np.float64]) -> None:
    """A grade set by hand is told first, the model's own reasons move back by one."""
    by_hand = np.flatnonzero(rating.model == "expert")
    _move_back(reasons, by_hand)
    for row in by_hand:
        _say(reasons, (row, 0), policy.thin_file.texts.expert, rating.grade[row], None)
        reasons.points[row, 0] = lost[row]


def _move_back(reasons: Reasons, rows: npt.NDArray[np.intp]) -> None:
    """Leaves the first place of the rows empty; the last reason of four goes."""
    for column in (reasons.code, reasons.points, reasons.en, reasons.zh):
        column[rows, 1:] = column[rows, :-1]
        column[rows, 0] = np.nan if column is reasons.points else None


def _say(reasons: Reasons, place: tuple[np.intp, int], words: CodedWording, value: object, needed: object) -> None:
    row, slot = place
    reasons.code[row, slot] = words.code
    reasons.en[row, slot] = words.en.format(value=value, needed=needed, s=plural(words.en, value))
    reasons.zh[row, slot] = words.zh.format(value=value, needed=needed)
