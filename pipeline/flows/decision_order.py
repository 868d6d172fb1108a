"""Decisions on roles lie in the register in the order of their days."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.errors import UsageError
from pipeline.flows.decision import day_of
from pipeline.flows.register_lines import last_day
from pipeline.flows.role_history import REGISTER, decisions

if TYPE_CHECKING:
    import datetime as dt

    from pipeline.flows.setting import Setting


def day_in_order(setting: Setting, on: dt.date | None) -> dt.date:
    """The day of a decision on a role: none before the last one in the register, for its lines are in order, and none
    to come, which would bar every decision until then.

    Where the last one lies in the future, as the first pair of an extract may, its own day is the one that fits. Raises
    UsageError.
    """
    day, today = day_of(setting, on), day_of(setting, None)
    last = last_day(decisions(setting.project.models))
    if last is not None and day < last:
        raise UsageError(
            f"--on: {day} lies before the last decision, of {last} ({setting.project.models / REGISTER}); decisions "
            f"are recorded in order, so give {last} or a later day. Nothing was changed"
        )
    if day > max(today, last or today):
        raise UsageError(f"--on: {day} is still to come, today is {today}; give no day to come. Nothing was changed")
    return day
