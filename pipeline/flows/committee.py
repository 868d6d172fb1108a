"""From what was measured to what the committee reads: the ground of the validation tests, gathered from the project."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pipeline.datasets import read_json
from pipeline.flows.future_poison import future_poison
from pipeline.flows.policy_file import section_in
from pipeline.flows.training_book import KEY, positions_of
from pipeline.flows.training_source import catalogue_of, label_of
from pipeline.score.feature_columns import number_column
from pipeline.score.policy import read_policy
from pipeline.train.committee import committee_tests
from pipeline.train.committee_ground import Ground, Ledger, cohorts_of, development_sample
from pipeline.train.committee_ratings import is_new, moments, rated
from pipeline.train.expert_card import ExpertCardSection, expert_scorecard
from pipeline.train.sample import samples
from pipeline.train.splits import as_days, customer_groups

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from pipeline.flows.candidates import Candidate
    from pipeline.flows.setting import Setting
    from pipeline.score.master_scale import MasterScale
    from pipeline.score.model import Model
    from pipeline.train.committee_monitored import Monitored
    from pipeline.train.sample import Sample
    from pipeline.train.splits import Timetable

    Floats = NDArray[np.float64]
    Texts = NDArray[np.object_]

# A feature whose larger value is the worse rating of others; told beside the champion where it is known.
_EXTERNAL_RATING = "external_rating"


def told_to_committee(
    setting: Setting,
    pair: Mapping[str, Candidate],
    book: pd.DataFrame,
    table: Timetable,
    scale: MasterScale,
    *,
    report: Mapping[str, Any],
    groups: Mapping[str, Texts],
    monitored: Monitored | None,
) -> list[dict[str, Any]]:
    """Every validation test of both models as plain values, in a fixed order; `report` is what `validate` measured."""
    parts = samples(book, table)
    label = label_of(setting)
    models = {role: candidate.model for role, candidate in pair.items()}
    panel = parts["out_of_time"]
    ledger, (now, now_clusters) = Ledger(monitored=monitored), _newest(book, parts, table)
    more: dict[str, Texts] = {}
    if not label.is_of_table and len(panel.is_bad):
        days = np.array(as_days(book["as_of"]), dtype=object)
        at = moments(sorted(set(days)), max(table.train))
        is_asked = np.isin(days.astype("datetime64[D]"), np.array(list(at.values()), dtype="datetime64[D]"))
        asked = [book[is_asked][KEY], panel.rows[KEY]]
        stood = positions_of(setting, pd.concat(asked).drop_duplicates(KEY))
        snapshots = {moment: (day, book[days == day]) for moment, day in at.items()}
        ledger = replace(
            _ledger(setting, book, snapshots, models["champion"], stood),
            poison=future_poison(setting, models, panel),
            monitored=monitored,
        )
        rated_now = ledger.ratings["now"]
        is_kept = now["customer_id"].isin(rated_now.loc[rated_now["status"] == "rated", "customer_id"]).to_numpy()
        now, now_clusters = now[is_kept], now_clusters[is_kept]
        more = _more_groups(setting, stood, panel, models["champion"], scale)
    ground = Ground(
        models=models,
        parts=parts,
        table=table,
        label=label,
        scale=scale,
        settings=setting.params.validate,
        report=report,
        cohorts=cohorts_of(parts["all"], table, label),
        development=development_sample(parts["all"], table),
        now=now,
        now_clusters=now_clusters,
        groups={**groups, **more},
        rivals=_rivals(setting, models["champion"], panel) if len(panel.is_bad) else {},
        ledger=ledger,
        leaks={role: candidate.details["leaks"] for role, candidate in pair.items() if "leaks" in candidate.details},
    )
    return committee_tests(ground)


def _newest(book: pd.DataFrame, parts: Mapping[str, Sample], table: Timetable) -> tuple[pd.DataFrame, Texts]:
    """The rows of the last snapshot, with or without an outcome, and the customer group of each; the test customers of
    rows without dates."""
    if table.is_undated:
        return parts["test"].rows, parts["test"].clusters
    days = np.array(as_days(book["as_of"]), dtype="datetime64[D]")
    is_newest = days == days.max()
    groups = customer_groups(book).to_numpy(dtype=object)[is_newest]
    newest = book[is_newest]
    order = np.argsort(newest["customer_id"].to_numpy(dtype=str), kind="stable")
    return newest.iloc[order].reset_index(drop=True), groups[order]


def _ledger(
    setting: Setting,
    book: pd.DataFrame,
    snapshots: Mapping[str, tuple[dt.date, pd.DataFrame]],
    champion: Model,
    stood: pd.DataFrame,
) -> Ledger:
    policy, ratings = read_policy(setting.project.policy), {}
    for moment, (day, of_day) in snapshots.items():
        rows = of_day.sort_values("customer_id", ignore_index=True)
        ratings[moment] = rated(rows, _placed(stood, rows), champion, policy, day)
    intake = read_json(setting.project.ledger / "intake.json", made_by="ingest")["tables"]
    outcomes = {str(name): int(n) for name, n in book["outcome"].value_counts().sort_index().items()}
    return Ledger(ratings, intake, outcomes)


def _placed(stood: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """The positions of the rows, in their order."""
    placed: pd.DataFrame = rows[KEY].merge(stood, on=KEY, how="left", validate="one_to_one")
    return placed


def _more_groups(
    setting: Setting, stood: pd.DataFrame, panel: Sample, champion: Model, scale: MasterScale
) -> dict[str, Texts]:
    """Region, new and old customers, natural persons, and the segment that the champion's grade stands in."""
    positions = _placed(stood, panel.rows)
    region = positions["region"].to_numpy(dtype=object)
    person = positions["is_natural_person"]
    is_person = np.array([None if pd.isna(one) else "person" if one else "firm" for one in person], dtype=object)
    return {
        "region": np.array([one if isinstance(one, str) and one else None for one in region], dtype=object),
        "age": is_new(positions, setting.params.validate.tests.new_below_months),
        "person": is_person,
        "segment": scale.segment(scale.grade(champion.pd(panel.rows))),
    }


def _rivals(setting: Setting, champion: Model, panel: Sample) -> dict[str, Floats]:
    """Risk scores of others on the panel: the expert card where it reads this book, and an external rating if any."""
    rivals: dict[str, Floats] = {}
    path, rows = setting.project.expert_card, panel.rows
    if path.is_file() and champion.basis != "expert" and not label_of(setting).is_of_table:
        section = section_in(path, ExpertCardSection)
        if {one.feature for one in section.characteristics} <= set(rows.columns):
            card = expert_scorecard(section, rows, catalogue_of(setting), setting.params.fit_scorecard)
            rivals["expert_card"] = -card.log_odds(rows)
    if _EXTERNAL_RATING in rows.columns and rows[_EXTERNAL_RATING].notna().any():
        rivals[_EXTERNAL_RATING] = number_column(rows, _EXTERNAL_RATING)
    return rivals
