"""Test of the PDs that customers with a thin file are served: those of the card of the thin pool, not of the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.statistics.power import jeffreys_critical, level_shown
from pipeline.statistics.proportions import jeffreys_interval, jeffreys_p_value
from pipeline.train.committee_ground import counts_of
from pipeline.train.committee_result import Result, of_p_value, unless_blind
from pipeline.train.thin_file import NOBODY, thin_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.train.committee_ground import Ground
    from pipeline.train.committee_result import Light

GROUP = "calibration"
CHAMPION = "champion"


def thin_file_results(ground: Ground) -> Iterator[Result]:
    """Jeffreys on the thin customers of the newest cohort, by the card that serves them; nothing where the rule of the
    champion's thin pool calls nobody thin.

    Two-sided; only a PD too low is amber or red, for the card stands at an upper bound of its pool on purpose. A PD too
    high is green and says so (`prudent`). Rate and interval are told also where the bads that came and those forecast
    are too few for a light.
    """
    model, newest = ground.models[CHAMPION], ground.newest.sample
    thin = model.thin_file
    if thin.rule == NOBODY or not len(newest.is_bad):
        return
    sample = newest.part(thin_rows(newest.rows, thin.rule))
    common: dict[str, Any] = {**counts_of(sample), "is_independent": True}
    n, bads = len(sample.is_bad), int(sample.is_bad.sum())
    if not n:
        yield Result("thin_file", GROUP, "grey", "cohort", CHAMPION, why="too_few", **common)
        return
    mean = float(thin.pd_of(sample.rows).mean())
    low, high = jeffreys_interval(bads, n, ground.settings.confidence)
    common |= {"value": bads / n, "low": low, "high": high, "against": mean}
    # As many bads forecast as elsewhere must have come: that few came is then what was found.
    if not ground.enough(sample) and mean * n < ground.settings.min_bad_customers:
        yield Result("thin_file", GROUP, "grey", "cohort", CHAMPION, why="too_few", **common)
        return
    tests = ground.settings.tests
    too_low = jeffreys_p_value(mean, bads, n)
    p_value = min(1.0, 2.0 * min(too_low, 1.0 - too_low))
    shown = level_shown(mean, n, jeffreys_critical(mean, n, tests.p_value.amber / 2), tests.power)
    is_blind = shown > tests.blind_level
    light, why = _light(of_p_value(p_value, tests.p_value), too_low > 0.5, is_blind)
    common |= {"p_value": p_value, "threshold": tests.p_value.amber, "shown": shown, "unit": "factor"}
    yield Result("thin_file", GROUP, light, "cohort", CHAMPION, is_blind=is_blind, why=why, **common)


def _light(found: Light, is_above: bool, is_blind: bool) -> tuple[Light, str]:  # noqa: FBT001 - facts of the test
    """`is_above`: the PD lies above the rate."""
    if is_above and found != "green":
        return "green", "prudent"
    return unless_blind(found, is_blind)
