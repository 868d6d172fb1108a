"""What the committee is told beyond the validation: the model before, the pair on common rows, bins by year."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from pipeline.flows.compare import comparison
from pipeline.flows.evidence import read_evidence
from pipeline.flows.judged import model_named
from pipeline.report.report_input import Effects
from pipeline.score.rating import data_depth
from pipeline.score.scorecard import Scorecard
from pipeline.train.explanation import sampled
from pipeline.train.sample import samples

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from pipeline.flows.setting import Setting
    from pipeline.score.model import Model
    from pipeline.score.policy import Policy
    from pipeline.train.splits import Timetable


def pair_compared(setting: Setting, pair: Mapping[str, Model]) -> dict[str, Any] | None:
    """Champion and challenger on the rows neither has seen; null where there is no challenger."""
    if "challenger" not in pair:
        return None
    return comparison(setting, pair["champion"], pair["challenger"])


def model_before(setting: Setting, told: Model, record: Mapping[str, Any] | None) -> dict[str, Any]:
    """The champion before the one told of, with what is kept of it; empty when there was none.

    That is the champion in force where the report tells of a candidate, otherwise the one that held the role before.
    `comparison` is the old against the new on the rows neither has seen; null with `why_none` where the features of the
    old are not in the book any more or its folder is gone.
    """
    version = _version_before(told, record)
    if version is None:
        return {}
    evidence = read_evidence(setting.project, version)
    found: dict[str, Any] = {
        "model_version": version,
        "evidence": None if evidence is None else evidence.told,
        "features": None,
        "kind": None,
        "comparison": None,
        "why_none": "no_folder",
    }
    if not (setting.project.models / version / "manifest.json").is_file():
        return found
    old = model_named(setting, version)
    found |= {"features": list(old.features), "kind": old.kind}
    if not set(old.reads) <= set(_columns(setting)):
        return found | {"why_none": "features_gone"}
    return found | {"comparison": comparison(setting, old, told), "why_none": None}


def _version_before(told: Model, record: Mapping[str, Any] | None) -> str | None:
    if record is None:
        return None
    if record["model_version"] != told.version:
        return str(record["model_version"])
    before = record.get("before") or []
    return str(before[-1]) if before else None


def _columns(setting: Setting) -> list[str]:
    return list(pq.read_schema(setting.project.features).names)


def bins_by_year(book: pd.DataFrame, champion: Model) -> pd.DataFrame | None:
    """One row per characteristic, year and bin of the card: `feature`, `year`, `bin` (its position), `rows`; null for
    a model that is no card and for rows without dates."""
    card = champion.predictor
    if not isinstance(card, Scorecard) or not len(book) or book["as_of"].isna().all():
        return None
    years = pd.to_datetime(book["as_of"]).dt.year.to_numpy()
    frames = []
    for c in card.characteristics:
        found = pd.DataFrame({"year": years, "bin": c.bin_index(book)})
        counted = found.groupby(["year", "bin"], sort=True).size().rename("rows").reset_index()
        frames.append(counted.assign(feature=c.feature))
    return pd.concat(frames, ignore_index=True)


def effects_of(book: pd.DataFrame, table: Timetable, challenger: Model | None) -> Effects | None:
    """What each feature adds to the forecasts of the challenger, on a sample of held-out rows; null without one."""
    if challenger is None:
        return None
    held_out = samples(book, table)["test" if table.is_undated else "out_of_time"].rows
    if not len(held_out):
        return None
    shown = sampled(held_out)
    names = list(challenger.features)
    return Effects(challenger.contributions(shown)[names], shown[names].reset_index(drop=True))


def depths(positions: pd.DataFrame, policy: Policy) -> NDArray[np.object_]:
    """The depth of data of every position, each by its own day."""
    days = positions["as_of"].to_numpy(dtype=object)
    found = np.empty(len(positions), dtype=object)
    for day in sorted(set(days)):
        is_on = days == day
        found[is_on] = data_depth(positions[is_on], policy, day)
    return found
