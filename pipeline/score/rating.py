"""Who is rated how: status, PD, grade, segment, score and depth of data for every customer of the day."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pipeline.errors import ContractError
from pipeline.score.master_scale import DEFAULT_GRADE
from pipeline.score.notes import Note
from pipeline.score.position_columns import age_in_months, flag, number, text

if TYPE_CHECKING:
    import datetime as dt

    import numpy.typing as npt

    from pipeline.score.master_scale import MasterScale
    from pipeline.score.model import Model
    from pipeline.score.policy import Policy

STATUSES = ("rated", "thin_file", "in_default", "not_rated")


@dataclass(frozen=True)
class Rating:
    """One value per position row; PD and score are NaN and texts None where the status has none."""

    status: npt.NDArray[np.object_]
    pd: npt.NDArray[np.float64]
    score: npt.NDArray[np.float64]
    grade: npt.NDArray[np.object_]
    segment: npt.NDArray[np.object_]
    model: npt.NDArray[np.object_]
    data_depth: npt.NDArray[np.object_]
    notes: tuple[Note, ...]

    @cached_property
    def is_graded(self) -> npt.NDArray[np.bool_]:
        """Rated or thin file: a PD below 1 and a limit by policy."""
        graded: npt.NDArray[np.bool_] = (self.status == "rated") | (self.status == "thin_file")
        return graded


@dataclass(frozen=True)
class Answers:
    """What a model says of each position, in their order: its own PD, and the PD were the customer thin."""

    pd: npt.NDArray[np.float64]
    thin_pd: npt.NDArray[np.float64]


def rate(positions: pd.DataFrame, answers: Answers, model: Model, policy: Policy, as_of: dt.date) -> Rating:
    """Rates every position by the model's answers (see `aligned_features`).

    A customer in default is in default also when out of the book; a grade set by hand replaces the model's PD by the
    grade's representative PD, so that grade and PD never contradict.
    """
    status = _status(positions, policy)
    pd_ = np.full(len(positions), np.nan)
    made_by = np.full(len(positions), None, dtype=object)
    is_rated, is_thin = status == "rated", status == "thin_file"
    pd_[is_rated] = answers.pd[is_rated]
    made_by[is_rated] = model.kind
    pd_[is_thin] = answers.thin_pd[is_thin]
    made_by[is_thin] = "thin_file"
    expert, notes = _expert_pd(positions, policy)
    is_expert = ~np.isnan(expert) & (is_rated | is_thin)
    pd_[is_expert] = expert[is_expert]
    made_by[is_expert] = "expert"
    score = np.full(len(positions), np.nan)
    score[~np.isnan(pd_)] = model.scaling.score(pd_[~np.isnan(pd_)])
    grade = capped_grade(pd_, is_thin & ~is_expert, policy.scale, policy.thin_file.best_grade)
    in_default = status == "in_default"
    pd_[in_default], grade[in_default] = 1.0, DEFAULT_GRADE
    depth = data_depth(positions, policy, as_of)
    return Rating(status, pd_, score, grade, policy.scale.segment(grade), made_by, depth, notes)


def aligned_features(features: pd.DataFrame, positions: pd.DataFrame) -> pd.DataFrame:
    """Features in the order of the positions. Raises ContractError for a customer of the book without features."""
    if features["customer_id"].equals(positions["customer_id"]) and positions["customer_id"].is_unique:
        # Most nights: nothing has to be looked up.
        return features.drop(columns="customer_id")
    by_customer = features.set_index("customer_id")
    if not by_customer.index.is_unique:
        raise ContractError("features.customer_id: a customer has two rows; hand in the rows of one day")
    customers = positions["customer_id"]
    at = by_customer.index.get_indexer(pd.Index(customers))
    lacks = flag(positions["is_in_book"]) & (at < 0)
    if lacks.any():
        raise ContractError(
            f"features: {int(lacks.sum())} of {len(positions)} customers in the book have no row, e.g. "
            f"{customers[lacks].iloc[0]!r}; build the features for the same day"
        )
    return by_customer.reindex(customers).reset_index(drop=True)


def _status(positions: pd.DataFrame, policy: Policy) -> npt.NDArray[np.object_]:
    is_thin = policy.thin_file.thin.is_thin(
        number(positions["invoices_due_12m_count"]), number(positions["history_months"])
    )
    status = np.where(is_thin, "thin_file", "rated").astype(object)
    status[~flag(positions["is_in_book"])] = "not_rated"
    # Whoever defaulted and left must not look like somebody we know nothing of.
    status[flag(positions["is_in_default"])] = "in_default"
    return status


def _expert_pd(positions: pd.DataFrame, policy: Policy) -> tuple[npt.NDArray[np.float64], tuple[Note, ...]]:
    is_set = positions["grade_override"].notna().to_numpy()
    wanted = text(positions["grade_override"][is_set])
    midpoints = {name: pd_ for name, pd_ in policy.scale.midpoints.items() if name != DEFAULT_GRADE}
    unknown = [w for w in wanted if w not in midpoints]
    expert = np.full(len(positions), np.nan)
    expert[is_set] = [midpoints.get(w, np.nan) for w in wanted]
    if not unknown:
        return expert, ()
    told = (
        f"overrides.to_value: {{count}} grade override(s) name no grade from {policy.scale.names[0]} to "
        f"{policy.scale.names[-1]}, e.g. {{example!r}}; they were not applied"
    )
    return expert, (Note(told, len(unknown), unknown[0]),)


def capped_grade(
    pd_: npt.NDArray[np.float64], is_capped: npt.NDArray[np.bool_], scale: MasterScale, best: str
) -> npt.NDArray[np.object_]:
    """Grade by PD, at most `best` where the row is capped: the PD stays what it is."""
    grade = scale.grade(pd_)
    too_good = is_capped & (scale.position(grade) < scale.position([best])[0])
    return np.where(too_good, best, grade)


def data_depth(positions: pd.DataFrame, policy: Policy, as_of: dt.date) -> npt.NDArray[np.object_]:
    """How much is known of each customer on the day, A to D, as policy/thin_file.yaml tells it."""
    rule = policy.thin_file
    is_thin = rule.thin.is_thin(number(positions["invoices_due_12m_count"]), number(positions["history_months"]))
    age = age_in_months(positions["accounts_end_on"], as_of)
    has_accounts = age <= rule.data_depth.accounts_max_age_months
    has_outside = flag(positions["has_external_rating"])
    depth = np.select([is_thin, has_accounts & has_outside, has_accounts], ["D", "A", "B"], default="C")
    return depth.astype(object)
