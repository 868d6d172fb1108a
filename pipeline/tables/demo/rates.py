"""Exchange rates: a calm random walk for every currency but the base, known on the day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.tables.demo.arrays import Floats, Ints, as_table, choice_of, dates, stream
from pipeline.tables.demo.economy import BASE_CURRENCY
from pipeline.tables.ledger import FX_RATES

if TYPE_CHECKING:
    import pyarrow as pa

    from pipeline.tables.demo.timeline import Timeline

_STARTS = {"USD": 0.90, "CNY": 0.13}
_DAYS_BEFORE = 1600  # accounts are older than the ledger
_DAILY_SD = 0.003
_PULL = 0.004


@dataclass(frozen=True)
class Rates:
    """Base currency for one unit, per currency and day from `first_day` on; the base currency comes first, at 1."""

    codes: tuple[str, ...]
    first_day: int
    values: Floats

    def of(self, currency: Ints, days: Ints) -> Floats:
        """The rate of each currency on each day; a day beyond the series takes its nearest end."""
        return self.values[currency, np.clip(days - self.first_day, 0, self.values.shape[1] - 1)]


def rates(line: Timeline, seed: int) -> Rates:
    """Draws the rates of all days, to six decimals."""
    draw = stream(seed, "rates")
    first = int(line.starts[0]) - _DAYS_BEFORE
    days = line.last_day - first + 1
    logs = np.zeros((len(_STARTS), days))
    shocks = _DAILY_SD * draw.standard_normal(logs.shape)
    for day in range(1, days):
        logs[:, day] = (1.0 - _PULL) * logs[:, day - 1] + shocks[:, day]
    starts = np.array(list(_STARTS.values()))[:, None]
    values = np.vstack([np.ones(days), np.round(starts * np.exp(logs), 6)])
    return Rates((BASE_CURRENCY, *_STARTS), first, values)


def fx_rates(found: Rates, line: Timeline) -> pa.Table:
    """The table of rates: every day, known on the day."""
    count, days = found.values.shape
    foreign = np.repeat(np.arange(1, count), days)
    day = np.tile(np.arange(days), count - 1) + found.first_day
    columns = {
        "currency": choice_of(found.codes, foreign),
        "rate_on": dates(day),
        "rate": found.values[1:].ravel(),
        "known_on": dates(np.minimum(day, line.last_day)),
    }
    return as_table(FX_RATES, columns, ("currency", "rate_on"))
