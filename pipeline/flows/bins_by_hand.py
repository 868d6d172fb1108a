"""Bins that people set by hand in policy/bins.yaml: what is wrong with the file shows before the book is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.flows.training_source import catalogue_of
from pipeline.plain_yaml import text_of
from pipeline.train.bins_file import parse_bins

if TYPE_CHECKING:
    from pipeline.flows.setting import Setting
    from pipeline.train.bins_file import Cuts


def bins_by_hand(setting: Setting) -> dict[str, Cuts]:
    """The cuts by feature; none without the file. Raises ParameterError with everything that is wrong without data."""
    path = setting.project.bins
    if not path.is_file():
        return {}
    return parse_bins(text_of(path), str(path), catalogue_of(setting))
