"""Indicators: the economy and the industries as statistics tell them, weeks later, and revised once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.tables.demo.arrays import as_table, choice_of, dates
from pipeline.tables.demo.economy import INDUSTRIES
from pipeline.tables.ledger import INDICATORS

if TYPE_CHECKING:
    import pyarrow as pa

    from pipeline.tables.demo.arrays import Floats, Ints
    from pipeline.tables.demo.timeline import Timeline
    from pipeline.tables.demo.world import World

_REVISED_SHARE = 0.15


def indicator_table(world: World) -> pa.Table:
    """Monthly values of macro:pmi (50 is standstill) and of an index (100 is normal) per industry."""
    draw, line, quality, economy = world.draw("indicators"), world.line, world.quality, world.economy
    names = ["macro:pmi", *(f"industry:{i.code}" for i in INDUSTRIES)]
    pmi = 50.0 + 3.0 * quality.macro / economy.macro_sd
    index = 100.0 + 6.0 * quality.industry / economy.industry_sd
    values = np.vstack([pmi, index])[:, max(line.burn_in - 14, 0) :]
    values = values + 0.8 * draw.standard_normal(values.shape)
    ends = line.ends[max(line.burn_in - 14, 0) :]
    series, month = np.divmod(np.arange(values.size), len(ends))
    lag = np.where(series == 0, 3, 38)
    first = (series, ends[month], values.ravel(), ends[month] + lag)
    again = np.flatnonzero(draw.random(values.size) < _REVISED_SHARE)
    better = values.ravel()[again] + 0.4 * draw.standard_normal(len(again))
    second = (series[again], ends[month][again], better, ends[month][again] + lag[again] + 31)
    return _table(names, tuple(np.concatenate(p) for p in zip(first, second, strict=True)), line)


def _table(names: list[str], parts: tuple[Ints | Floats, ...], line: Timeline) -> pa.Table:
    series, period, value, known_on = (part[parts[3] <= line.last_day] for part in parts)
    columns = {
        "series": choice_of(names, series.astype(np.int64)),
        "period_on": dates(period.astype(np.int64)),
        "value": np.round(value, 1),
        "known_on": dates(known_on.astype(np.int64)),
    }
    return as_table(INDICATORS, columns, ("series", "period_on", "known_on"))
