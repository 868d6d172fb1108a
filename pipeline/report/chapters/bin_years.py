"""How the book spreads over the bins of the card, year by year."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pipeline.report import figures
from pipeline.report.drawing import chart
from pipeline.report.year_charts import Years, by_year
from pipeline.score.scorecard import Scorecard

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.report.blocks import Block
    from pipeline.report.report_input import ReportInput
    from pipeline.report.words import Words
    from pipeline.score.scorecard import Characteristic

_MOST = 6


def bin_years(given: ReportInput, words: Words) -> list[Block]:
    """One panel a characteristic, the strongest six by IV; nothing for rows without dates."""
    told = given.bin_years
    if told is None or not len(told) or given.scorecard is None:
        return []
    card = Scorecard.from_json(json.dumps(given.scorecard))
    strongest = sorted(card.characteristics, key=lambda c: (-c.iv, c.feature))[:_MOST]
    panels = [_panel(c, told[told["feature"] == c.feature], given) for c in strongest]
    panels = [panel for panel in panels if panel.years]
    if not panels:
        return []
    text = figures.in_turn(_in_words(panel, words) for panel in panels)
    years = panels[0].years
    described = words("bins.years_described", n=len(panels), first=years[0], last=years[-1], text=text)
    return [chart("bin-years", words("bins.years_title"), words("bins.years_caption"), described, by_year(panels))]


def _panel(c: Characteristic, rows: pd.DataFrame, given: ReportInput) -> Years:
    """The shares of a characteristic, its bins from the riskiest to the safest, the one without a value last."""
    years = sorted({int(year) for year in rows["year"]})
    order = sorted(range(len(c.bins)), key=lambda i: (c.bins[i].kind in {"missing", "unseen"}, c.bins[i].woe, i))
    counts = rows.set_index(["year", "bin"])["rows"].to_dict()
    totals = {year: sum(counts.get((year, i), 0) for i in order) for year in years}
    shares = tuple(tuple(counts.get((year, i), 0) / totals[year] for year in years) for i in order)
    kept = [
        (share, c.bins[i].kind in {"missing", "unseen"}) for share, i in zip(shares, order, strict=True) if any(share)
    ]
    name = given.titles.get(c.feature, c.feature)
    return Years(name, tuple(years), tuple(s for s, _ in kept), tuple(is_blank for _, is_blank in kept))


def _in_words(panel: Years, words: Words) -> str:
    first = panel.shares[0]
    return words("bins.years_of", name=panel.name, early=figures.share(first[0], 0), late=figures.share(first[-1], 0))
