"""Up to four reasons per customer: what speaks against it most, in score points and in sentences of both languages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.score.applied import points_lost
from pipeline.score.position_columns import number

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt
    import pandas as pd

    from pipeline.score.model import Model
    from pipeline.score.policy import Policy
    from pipeline.score.policy_sections import CodedWording
    from pipeline.score.rating import Rating

SLOTS = 4


@dataclass(frozen=True)
class Reasons:
    """Arrays of shape (customers, 4), strongest first; None and NaN where there is no further reason.

    Points are whole score points lost against the development mean, always below 0; NaN for a reason of policy (thin
    file, grade set by hand) that costs none.
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
    """Reasons of everyone rated (the model's) or thin (what is too thin); none for others."""
    found = Reasons.none(len(positions))
    is_rated = rating.status == "rated"
    if is_rated.any():
        _put(found, np.flatnonzero(is_rated), model_reasons(model, features[is_rated]))
    lost = _points_against_book(rating, model)
    _put_thin(found, positions, rating, policy, lost)
    _put_expert(found, rating, policy, lost)
    return found


def model_reasons(model: Model, features: pd.DataFrame) -> Reasons:
    """The model's reasons for applied feature rows (score/applied.py).

    Windows of one idea are merged to the one that speaks most against the customer, and an idea whose windows together
    speak for the customer is none. A loss that rounds to 0 points is none either. Ties go by the order of features.
    """
    lost = points_lost(features, model)
    catalogue = model.catalogue_by_name
    windows: dict[str, list[int]] = {}
    for position, name in enumerate(model.features):
        windows.setdefault(str(catalogue[name]["idea"]), []).append(position)
    strongest = np.column_stack([lost[:, at].min(axis=1) for at in windows.values()])
    feature = np.column_stack([np.array(at)[lost[:, at].argmin(axis=1)] for at in windows.values()])
    together = np.column_stack([sum(lost[:, i] for i in at) for at in windows.values()])
    points = np.where(together < 0, np.floor(strongest + 0.5), 0.0)
    ranked = np.where(points < 0, strongest, 0.0)
    order = ranked.argsort(axis=1, kind="stable")[:, :SLOTS]
    reasons = Reasons.none(len(features))
    rows = np.arange(len(features))
    for slot in range(order.shape[1]):
        idea = order[:, slot]
        at = np.flatnonzero(points[rows, idea] < 0)
        reasons.points[at, slot] = points[at, idea[at]]
        _render(reasons, (slot, at), feature[at, idea[at]], (features, model))
    return reasons


def _render(
    reasons: Reasons,
    place: tuple[int, npt.NDArray[np.intp]],
    feature: npt.NDArray[np.intp],
    told: tuple[pd.DataFrame, Model],
) -> None:
    slot, rows = place
    features, model = told
    for position in np.unique(feature):
        name = model.features[position]
        entry = model.catalogue_by_name[name]
        at = rows[feature == position]
        values = features[name].iloc[at].tolist()
        reasons.code[at, slot] = str(entry["idea"]).upper()
        for language, column in (("en", reasons.en), ("zh", reasons.zh)):
            column[at, slot] = _sentences(entry, values, language)


def _sentences(entry: Mapping[str, Any], values: list[Any], language: str) -> npt.NDArray[np.object_]:
    template, months = str(entry[language]), entry["months"]
    if language == "en":
        title, null_means = f"{entry['title_en']}: ", entry["null_means"]
    else:
        title, null_means = f"{entry['title_zh']}：", entry.get("null_means_zh", "无数据")
    # A code in the place of a number tells its meaning, not its digits.
    of_code = {float(special["code"]): f"{title}{special[language]}" for special in entry.get("special") or ()}
    sentences = np.empty(len(values), dtype=object)
    for i, value in enumerate(values):
        if value is None or value != value:  # noqa: PLR0124 - NaN is a null from pandas
            sentences[i] = f"{title}{null_means}"
        else:
            sentences[i] = of_code.get(value) or template.format(value=value, months=months)
    return sentences


def _points_against_book(rating: Rating, model: Model) -> npt.NDArray[np.float64]:
    """Score minus the score of the development default rate, where it is below; else NaN."""
    rate = float(model.development["default_rate"])
    lost = rating.score - float(model.scaling.score(np.array([rate]))[0])
    return np.where(lost < 0, lost, np.nan)


def _put(reasons: Reasons, rows: npt.NDArray[np.intp], found: Reasons) -> None:
    reasons.code[rows], reasons.points[rows] = found.code, found.points
    reasons.en[rows], reasons.zh[rows] = found.en, found.zh


def _put_thin(
    reasons: Reasons,
    positions: pd.DataFrame,
    rating: Rating,
    policy: Policy,
    lost: npt.NDArray[np.float64],
) -> None:
    """What is too thin; the first of the two reasons carries the points that the pool's PD costs."""
    rule, wording = policy.thin_file.thin, policy.thin_file.texts
    for column, needed, words in (
        ("invoices_due_12m_count", rule.min_invoices_due_12m, wording.invoices),
        ("history_months", rule.min_history_months, wording.history),
    ):
        values = np.nan_to_num(number(positions[column]))
        for row in np.flatnonzero((rating.status == "thin_file") & (values < needed)):
            slot = 0 if reasons.code[row, 0] is None else 1
            _say(reasons, (row, slot), words, int(values[row]), needed)
            reasons.points[row, slot] = lost[row] if slot == 0 else np.nan


def _put_expert(reasons: Reasons, rating: Rating, policy: Policy, lost: npt.NDArray[np.float64]) -> None:
    """A grade set by hand is told first, the model's own reasons move back by one."""
    for row in np.flatnonzero(rating.model == "expert"):
        for column in (reasons.code, reasons.points, reasons.en, reasons.zh):
            column[row, 1:] = column[row, :-1].copy()
        _say(reasons, (row, 0), policy.thin_file.texts.expert, rating.grade[row], None)
        reasons.points[row, 0] = lost[row]


def _say(reasons: Reasons, place: tuple[np.intp, int], words: CodedWording, value: object, needed: object) -> None:
    row, slot = place
    reasons.code[row, slot] = words.code
    reasons.en[row, slot] = words.en.format(value=value, needed=needed)
    reasons.zh[row, slot] = words.zh.format(value=value, needed=needed)
