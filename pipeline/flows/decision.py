"""Who decides and on which day, for whatever a person takes on themselves."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from typing import TYPE_CHECKING

from pipeline.errors import MissingInputError

if TYPE_CHECKING:
    from pipeline.flows.setting import Setting


def day_of(setting: Setting, on: dt.date | None) -> dt.date:
    """The day told, or today where the business is."""
    return on or dt.datetime.now(zoneinfo.ZoneInfo(setting.params.promotion.time_zone)).date()


def user_of(by: str | None) -> str:
    """Who decides. Raises MissingInputError when neither the command nor the machine names anybody."""
    import getpass

    try:
        return by or getpass.getuser()
    except (KeyError, OSError) as error:
        raise MissingInputError("the machine names no user; say who decides with --by NAME") from error
