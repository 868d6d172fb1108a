"""The true PD: by simulation from the latent state on the day, the probability of a default within twelve months.

For a firm not in distress the paths of its quality over the next months are simulated (64 quasi-random paths of the
sum of all shocks, the same for every firm: common random numbers); on each path the product of survival replaces the
draw of the onset, and the chance that an onset in month h becomes a default before the window closes replaces the draw
of what follows it (Rao-Blackwell). That chance is the closed form of `reach` averaged over the days of trigger that the
firm's own invoices give, weighted by the hazard of each month. For a firm already in distress it is the closed form
with the day of trigger of its open items.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from scipy.stats import norm, qmc

from pipeline.tables.demo.arrays import Bools, Floats, Ints, dates
from pipeline.tables.demo.distress import onset_hazard
from pipeline.tables.demo.invoices import customer_ids
from pipeline.tables.demo.timeline import NEVER

if TYPE_CHECKING:
    from pipeline.tables.demo.distress import Episodes
    from pipeline.tables.demo.economy import Economy
    from pipeline.tables.demo.firms import Firms
    from pipeline.tables.demo.quality import Quality
    from pipeline.tables.demo.timeline import Timeline

_MONTH_DAYS = 365.25 / 12.0
_PRIOR_MONTHS = 6.0
_CHUNK = 4096


@dataclass(frozen=True)
class Onsets:
    """Firms × months: the day distress would begin in that month, and the day on which it would be a default."""

    day: Ints
    trigger: Ints


def reach(days_left: Floats, days_to_trigger: Floats, economy: Economy) -> Floats:
    """Probability that a distress is a default within `days_left`, when its items need `days_to_trigger`.

    Insolvency (rate i) and rescue (rate r) compete until the trigger: i/(i+r)·(1 − e^{−(i+r)·min(left, trigger)}), plus
    e^{−(i+r)·trigger} when the trigger lies within the days left.
    """
    both = economy.rescue_rate_per_day + economy.insolvency_rate_per_day
    left = np.maximum(days_left, 0.0)
    insolvent = economy.insolvency_rate_per_day / both * (1.0 - np.exp(-both * np.minimum(left, days_to_trigger)))
    triggered = np.where(days_to_trigger <= left, np.exp(-both * days_to_trigger), 0.0)
    return insolvent + triggered


def true_pd(
    firms: Firms, quality: Quality, onsets: Onsets, episodes: Episodes, line: Timeline, economy: Economy
) -> tuple[Floats, Bools, Bools]:
    """Firms × months: the PD at the month's end, whether the firm is in distress then, whether it is in default."""
    shape = quality.total.shape
    distressed, defaulted, free_from, pd_distressed = _states(shape, episodes, line, economy)
    chances = _chances(firms, quality, onsets, line, economy)
    noise = _noise_paths(economy)
    firm, month = np.nonzero(~distressed & ~defaulted & firms.is_trading(line.count))
    firm, month = firm[month >= line.burn_in], month[month >= line.burn_in]
    found = pd_distressed
    for start in range(0, len(firm), _CHUNK):
        f, m = firm[start : start + _CHUNK], month[start : start + _CHUNK]
        found[f, m] = _pd_of_free(quality, firms, f, m, free_from[f, m] - m, chances[f], noise, economy)
    return found, distressed, defaulted


def _states(
    shape: tuple[int, ...], episodes: Episodes, line: Timeline, economy: Economy
) -> tuple[Bools, Bools, Ints, Floats]:
    """At each month end: in distress, in default (probation included), first month with a hazard, PD if distressed."""
    distressed, defaulted = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
    free_from, found = np.zeros(shape, dtype=np.int64), np.zeros(shape)
    ends = line.ends
    for at in range(len(episodes.firm)):
        firm, end = episodes.firm[at], episodes.ends_on[at]
        default = episodes.default_on[at]
        over = min(end, default)
        is_distressed = (ends >= episodes.onset_on[at]) & (ends < over)
        distressed[firm] |= is_distressed
        back = end + economy.probation_days if end < NEVER else NEVER
        if default < NEVER:
            defaulted[firm] |= (ends >= default) & (ends < back)
        if end < line.last_day:
            after = int(line.month_of(np.array([end]))[0]) + 1 + economy.breathing_space_months
            free_from[firm, ends >= end] = after
        days_left = np.full(int(is_distressed.sum()), economy.truth_months * _MONTH_DAYS)
        wait = episodes.trigger_on[at] - ends[is_distressed]
        found[firm, is_distressed] = reach(days_left, wait.astype(np.float64), economy)
    return distressed, defaulted, free_from, found


def _chances(firms: Firms, quality: Quality, onsets: Onsets, line: Timeline, economy: Economy) -> Floats:
    """Firms × months ahead: the chance that an onset in that month ahead is a default before the window closes."""
    weight = onset_hazard(quality.total, economy) * firms.is_trading(line.count)
    wait = (onsets.trigger - onsets.day).astype(np.float64)
    ahead = np.empty((len(firms.size), economy.truth_months))
    into_month = onsets.day - line.starts
    for h in range(economy.truth_months):
        left = economy.truth_months * _MONTH_DAYS - h * _MONTH_DAYS - into_month
        hit = reach(left, wait, economy) * weight
        mean = hit.sum() / weight.sum()
        scale = weight.sum() / max(int((weight > 0).sum()), 1) * _PRIOR_MONTHS
        ahead[:, h] = (hit.sum(axis=1) + scale * mean) / (weight.sum(axis=1) + scale)
    return ahead


def _noise_paths(economy: Economy) -> Floats:
    """Paths × months ahead: the sum of all shocks to a quality, as scrambled Sobol points through its covariance."""
    months = np.arange(1, economy.truth_months + 1)
    cov = np.zeros((len(months), len(months)))
    parts = (
        (economy.swing_sd, economy.swing_persistence),
        (economy.industry_sd, economy.industry_persistence),
        (economy.macro_sd, economy.macro_persistence),
    )
    for sd, phi in parts:
        lag = np.abs(months[:, None] - months[None, :])
        shorter = np.minimum(months[:, None], months[None, :])
        cov += sd**2 * phi**lag * (1.0 - phi ** (2 * shorter))
    values, vectors = np.linalg.eigh(cov)
    order = np.argsort(values)[::-1]
    root = vectors[:, order] * np.sqrt(np.maximum(values[order], 0.0))
    points = qmc.Sobol(len(months), scramble=True, seed=20251231).random(economy.truth_paths)
    paths: Floats = norm.ppf(np.clip(points, 1e-9, 1.0 - 1e-9)) @ root.T
    return paths


def _pd_of_free(
    quality: Quality,
    firms: Firms,
    firm: Ints,
    month: Ints,
    locked: Ints,
    chances: Floats,
    noise: Floats,
    economy: Economy,
) -> Floats:
    """PD of firms that trade and are in no distress: survival and onset along the common paths of quality."""
    surviving = np.ones((len(firm), len(noise)))
    found = np.zeros((len(firm), len(noise)))
    level = quality.level[firm]
    swing, macro = quality.swing[firm, month], quality.macro[month]
    industry = quality.industry[firms.industry[firm], month]
    for ahead in range(1, economy.truth_months + 1):
        mean = (
            level
            + economy.swing_persistence**ahead * swing
            + economy.industry_persistence**ahead * industry
            + economy.macro_persistence**ahead * macro
        )
        hazard = onset_hazard(mean[:, None] + noise[None, :, ahead - 1], economy)
        hazard = np.where((ahead >= locked)[:, None], hazard, 0.0) * (1.0 - economy.leave_rate) ** ahead
        found += surviving * hazard * chances[:, ahead - 1 : ahead]
        surviving *= 1.0 - hazard
    return found.mean(axis=1)


def truth_table(
    found: Floats,
    distressed: Bools,
    is_rated: Bools,
    firms: Firms,
    quality: Quality,
    line: Timeline,
) -> pa.Table:
    """One row per customer and month end, in the book and not in default; beside the PD the latent state."""
    month, firm = np.nonzero(is_rated.T)
    return pa.table(
        {
            "customer_id": customer_ids(firm),
            "as_of": dates(line.ends[month]),
            "true_pd": found[firm, month],
            "quality": quality.total[firm, month],
            "level": quality.level[firm],
            "swing": quality.swing[firm, month],
            "industry_factor": quality.industry[firms.industry[firm], month],
            "macro_factor": quality.macro[month],
            "habit_days": firms.habit[firm],
            "has_late_habit": firms.has_late_habit[firm],
            "is_in_distress": distressed[firm, month],
            "is_trading": firms.is_trading(line.count)[firm, month],
        }
    )
