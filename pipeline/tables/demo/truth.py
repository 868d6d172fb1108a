"""The true PD: by simulation from the latent state on the day, the probability of a default within twelve months.

For a firm not in distress the paths of its quality over the next months are simulated (quasi-random paths of the sum of
all shocks, the same for every firm: common random numbers); on each path the product of survival replaces the draw of
the onset, and the chance that an onset in month h becomes a default before the window closes replaces the draw of what
follows it (Rao-Blackwell): see chances.py. For a firm already in distress it is the closed form with the day of trigger
of its open items.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from scipy.stats import norm, qmc

from pipeline.tables.demo.arrays import Bools, Floats, Ints, dates
from pipeline.tables.demo.chances import MONTH_DAYS, chances, reach
from pipeline.tables.demo.distress import onset_hazard
from pipeline.tables.demo.invoices import customer_ids
from pipeline.tables.demo.timeline import NEVER

if TYPE_CHECKING:
    from pipeline.tables.demo.chances import Chances, Onsets
    from pipeline.tables.demo.distress import Episodes
    from pipeline.tables.demo.economy import Economy
    from pipeline.tables.demo.world import World

_CHUNK = 2048
_SOBOL_SEED = 20251231
_FLOOR = 1e-6  # a firm that has left cannot default, but a logit must exist


@dataclass(frozen=True)
class Standing:
    """Firms × months, at the month's end: the true PD, in distress, in default (probation included)."""

    pd: Floats
    is_in_distress: Bools
    is_in_default: Bools


def standing(world: World, onsets: Onsets, episodes: Episodes) -> Standing:
    """Where every firm stands at every month end of the ledger; the PD of a firm in default has no meaning."""
    at, free_from = _from_episodes(world, episodes)
    table, noise = chances(world, onsets), _noise_paths(world.economy)
    firm, month = np.nonzero(~at.is_in_distress & ~at.is_in_default & world.is_trading())
    is_in = month >= world.line.burn_in
    firm, month = firm[is_in], month[is_in]
    found = at.pd.copy()
    for start in range(0, len(firm), _CHUNK):
        f, m = firm[start : start + _CHUNK], month[start : start + _CHUNK]
        found[f, m] = _pd_of_free(world, (f, m), free_from[f, m] - m, table, noise)
    return Standing(np.maximum(found, _FLOOR), at.is_in_distress, at.is_in_default)


def _from_episodes(world: World, episodes: Episodes) -> tuple[Standing, Ints]:
    """What the distresses say: who is in one and with which PD, who is in default, from which month on a firm that has
    come through one may fall again."""
    economy, ends = world.economy, world.line.ends
    shape = world.quality.total.shape
    distressed, defaulted = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
    free_from, pd = np.zeros(shape, dtype=np.int64), np.zeros(shape)
    last_on = np.where(episodes.ends_on < NEVER, episodes.ends_on + economy.probation_days, NEVER)
    back_in = world.line.month_of(episodes.ends_on) + 1 + economy.breathing_space_months
    window: Floats = np.array([economy.truth_months * MONTH_DAYS])
    for k, firm in enumerate(episodes.firm):
        end, default = episodes.ends_on[k], episodes.default_on[k]
        is_distressed = (ends >= episodes.onset_on[k]) & (ends < min(end, default))
        distressed[firm] |= is_distressed
        defaulted[firm] |= (ends >= default) & (ends < last_on[k])
        free_from[firm, ends >= end] = back_in[k]
        to_trigger = (episodes.trigger_on[k] - ends[is_distressed]).astype(np.float64)
        pd[firm, is_distressed] = reach(window, to_trigger, economy)
    return Standing(pd, distressed, defaulted), free_from


def _noise_paths(economy: Economy) -> Floats:
    """Paths × months ahead: the sum of all shocks to a quality, as scrambled Sobol points through its covariance."""
    months = np.arange(1, economy.truth_months + 1)
    apart = np.abs(months[:, None] - months[None, :])
    shorter = np.minimum(months[:, None], months[None, :])
    parts = (
        (economy.swing_sd, economy.swing_persistence),
        (economy.industry_sd, economy.industry_persistence),
        (economy.macro_sd, economy.macro_persistence),
    )
    covariance = sum(sd**2 * phi**apart * (1.0 - phi ** (2 * shorter)) for sd, phi in parts)
    values, vectors = np.linalg.eigh(np.asarray(covariance))
    # Largest component first: the first coordinates of a Sobol sequence are the most even.
    root = vectors[:, ::-1] * np.sqrt(np.maximum(values[::-1], 0.0))
    points = qmc.Sobol(len(months), scramble=True, seed=_SOBOL_SEED).random(economy.truth_paths)
    paths: Floats = norm.ppf(np.clip(points, 1e-9, 1.0 - 1e-9)) @ root.T
    return paths


def _pd_of_free(world: World, at: tuple[Ints, Ints], locked: Ints, table: Chances, noise: Floats) -> Floats:
    """PD of firms and months `at`, which trade and are in no distress: survival along the common paths of quality.

    `locked` is the first month ahead that has a hazard.
    """
    (firm, month), economy, quality = at, world.economy, world.quality
    surviving, found = np.ones((len(firm), len(noise))), np.zeros((len(firm), len(noise)))
    swing, macro = quality.swing[firm, month], quality.macro[month]
    industry = quality.industry[world.firms.industry[firm], month]
    for ahead in range(1, economy.truth_months + 1):
        mean = quality.level[firm] + economy.swing_persistence**ahead * swing
        mean = mean + economy.industry_persistence**ahead * industry + economy.macro_persistence**ahead * macro
        hazard = onset_hazard(mean[:, None] + noise[None, :, ahead - 1], economy)
        hazard = np.where((ahead >= locked)[:, None], hazard, 0.0) * (1.0 - economy.leave_rate) ** ahead
        # Who falls has had worse shocks than the mean: an exponential hazard shifts a normal by slope × variance.
        shift = economy.hazard_slope * noise[:, ahead - 1].var() * (1.0 - onset_hazard(mean, economy))
        found += surviving * hazard * table.at(world, firm, mean - shift, ahead)[:, None]
        surviving *= 1.0 - hazard
    mean_of_paths: Floats = found.mean(axis=1)
    return mean_of_paths


def truth_table(world: World, at: Standing, is_rated: Bools) -> pa.Table:
    """One row per month end and customer in the book and not in default: the PD, and beside it the latent state."""
    month, firm = np.nonzero(is_rated.T)
    quality, firms = world.quality, world.firms
    return pa.table(
        {
            "customer_id": customer_ids(firm),
            "as_of": dates(world.line.ends[month]),
            "true_pd": at.pd[firm, month],
            "quality": quality.total[firm, month],
            "level": quality.level[firm],
            "swing": quality.swing[firm, month],
            "industry_factor": quality.industry[firms.industry[firm], month],
            "macro_factor": quality.macro[month],
            "habit_days": firms.habit[firm],
            "has_late_habit": firms.has_late_habit[firm],
            "is_in_distress": at.is_in_distress[firm, month],
            "is_trading": world.is_trading()[firm, month],
        }
    )
