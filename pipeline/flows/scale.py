"""The master scale in force."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from pipeline.flows.policy_file import section_in
from pipeline.score.master_scale import MasterScale
from pipeline.score.policy_sections import MasterScaleSection

if TYPE_CHECKING:
    from pipeline.flows.setting import Setting


def master_scale(setting: Setting) -> MasterScale:
    """Grades and segments by PD. Raises MissingInputError or ParameterError."""
    return MasterScale.load(asdict(section_in(setting.project.master_scale, MasterScaleSection)))
