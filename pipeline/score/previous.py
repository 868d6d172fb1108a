"""The previous run as it was published: its book, alerts, policy and, when still there, its model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt

    import pandas as pd

    from pipeline.score.model import Model
    from pipeline.score.policy import Policy


@dataclass(frozen=True)
class PreviousRun:
    """The newest published run of an earlier day; `manifest_sha256` is what names it in the next manifest.

    `model` is null when its folder is gone or damaged, `policy` when the manifest's text can no longer be read.
    """

    as_of: dt.date
    run_id: str
    manifest_sha256: str
    model_version: str
    policy_version: str
    book: pd.DataFrame
    alerts: pd.DataFrame
    policy: Policy | None = None
    model: Model | None = None
