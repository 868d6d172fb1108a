"""Tests of stability: distributions against development, migration between grades, concentration in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from pipeline.statistics.concentration import concentration, concentration_p_value
from pipeline.statistics.migration import migration_matrix, mobility, neighbours
from pipeline.statistics.power import change_shown
from pipeline.statistics.proportions import holm
from pipeline.train.committee_drift import drift_results
from pipeline.train.committee_ground import names_of
from pipeline.train.committee_result import Result, of_p_value, unless_blind

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from numpy.typing import NDArray

    from pipeline.train.committee_ground import Ground
    from pipeline.train.committee_result import Light

    Floats = NDArray[np.float64]
    Codes = NDArray[np.int64]

GROUP = "stability"


def stability_results(ground: Ground) -> Iterator[Result]:
    """PSI and CSI of each model on the newest snapshot; migration and concentration of the champion's grades."""
    for name in names_of(list(ground.models)):
        yield from drift_results(name, ground)
    if not ground.ledger.ratings:
        return
    yield from _migration(ground)
    yield concentration_result(ground)


def _migration(ground: Ground) -> Iterator[Result]:
    """Mobility of the last year against that of the year before, up and down; and whether near moves are likelier."""
    moves = _moves(ground, "year_before", "now")
    if moves is None:
        why: dict[str, Any] = {"why": "no_snapshot", "is_independent": True}
        yield from (
            Result(test, GROUP, "grey", "snapshot", "champion", **why)
            for test in ("mobility_upper", "mobility_lower", "neighbours")
        )
        return
    counts = migration_matrix(*moves, len(ground.scale.names))
    before = _moves(ground, "two_years_before", "year_before")
    for side in ("upper", "lower"):
        yield mobility_result(side, moves, before, counts, ground)
    yield neighbours_result(counts, ground)


def _moves(ground: Ground, early: str, late: str) -> tuple[Codes, Codes] | None:
    """Grades (numbers from 0) of the customers with one on both days, default left out; null without both days."""
    ratings = ground.ledger.ratings
    if early not in ratings or late not in ratings:
        return None
    both = ratings[early].merge(ratings[late], on="customer_id", suffixes=("_early", "_late"))
    both = both.sort_values("customer_id", ignore_index=True)
    first, second = (ground.scale.position(both[f"grade_{side}"]) for side in ("early", "late"))
    is_in = ~(np.isnan(first) | np.isnan(second))
    at_default = float(len(ground.scale.names))
    is_in &= (first != at_default) & (second != at_default)
    return (first[is_in].astype(np.int64), second[is_in].astype(np.int64)) if is_in.any() else None


def mobility_result(
    side: str, moves: tuple[Codes, Codes], before: tuple[Codes, Codes] | None, counts: Floats, ground: Ground
) -> Result:
    """A z-test of the change, errors by bootstrap of customers; without a year before only the value is told."""
    tests, grades = ground.settings.tests, len(ground.scale.names)
    value = float(getattr(mobility(counts), side))
    error = _mobility_error(side, moves, grades, ground)
    z = float(stats.norm.ppf(0.5 + ground.settings.confidence / 2.0))
    common: dict[str, Any] = {"value": value, "low": value - z * error, "high": value + z * error}
    common |= {"rows": int(counts.sum()), "is_independent": True, "unit": "distance"}
    matrix = [
        {"grade": name, **dict(zip(ground.scale.names, row, strict=True))}
        for name, row in zip(ground.scale.names, counts.astype(int).tolist(), strict=True)
    ]
    common["details"] = matrix if side == "upper" else ()
    if before is None:
        return Result(f"mobility_{side}", GROUP, "grey", "snapshot", "champion", why="no_year_before", **common)
    earlier = float(getattr(mobility(migration_matrix(*before, grades)), side))
    spread = float(np.hypot(error, _mobility_error(side, before, grades, ground)))
    p_value = float(2.0 * stats.norm.sf(abs(value - earlier) / spread)) if spread > 0 else None
    shown = change_shown(spread, tests.p_value.amber, tests.power)
    # As for levels: a year of twice the moves must have been seen.
    is_blind = not shown <= (tests.blind_level - 1.0) * earlier
    common |= {"against": earlier, "p_value": p_value, "threshold": tests.p_value.amber}
    if p_value is None:
        return Result(f"mobility_{side}", GROUP, "grey", "snapshot", "champion", why="no_power", **common)
    light, why = unless_blind(of_p_value(p_value, tests.p_value), is_blind)
    common |= {"shown": shown, "is_blind": is_blind, "why": why}
    return Result(f"mobility_{side}", GROUP, light, "snapshot", "champion", **common)


def _mobility_error(side: str, moves: tuple[Codes, Codes], grades: int, ground: Ground) -> float:
    first, second = moves
    cells = np.bincount(first * grades + second, minlength=grades**2)
    generator = np.random.Generator(np.random.PCG64(ground.settings.seed))
    drawn = generator.multinomial(len(first), cells / len(first), size=ground.settings.bootstrap_rounds)
    rows, columns = np.divmod(np.arange(grades**2), grades)
    is_side = columns > rows if side == "upper" else columns < rows
    # As `mobility`, for all rounds at once.
    moved = np.sum(drawn * np.where(is_side, np.abs(rows - columns), 0), axis=1)
    farthest = np.sum(drawn * np.where(is_side, np.maximum(grades - 1 - rows, rows), 0), axis=1)
    values = np.divide(moved, farthest, out=np.full(len(drawn), np.nan), where=farthest > 0)
    finite = values[np.isfinite(values)]
    return float(np.std(finite, ddof=1)) if len(finite) > 1 else float("nan")


def neighbours_result(counts: Floats, ground: Ground) -> Result:
    """Is a far move likelier than the one next to it; `counts` are customers by grade before and after."""
    tests, names = ground.settings.tests, ground.scale.names
    found = neighbours(counts)
    common: dict[str, Any] = {"rows": int(counts.sum()), "is_independent": True, "threshold": tests.p_value.amber}
    if not found:
        return Result("neighbours", GROUP, "grey", "snapshot", "champion", why="no_move", **common)
    raised = holm([one.p_value for one in found])
    at = int(np.argmin(raised))
    worst = found[at]
    part = f"{names[worst.cell[0]]} > {names[worst.cell[1]]}"
    light, why = _without_power(of_p_value(raised[at], tests.p_value))
    broken = sum(1 for one in found if one.z > 0)
    details = [{"tested": len(found), "out_of_order": broken}]
    common |= {"value": worst.z, "p_value": raised[at], "details": details, "why": why}
    return Result("neighbours", GROUP, light, "snapshot", "champion", part, **common)


def concentration_result(ground: Ground) -> Result:
    """Coefficient of variation of the grades' shares now against that at development."""
    ratings, tests = ground.ledger.ratings, ground.settings.tests
    if "now" not in ratings or "development" not in ratings:
        return Result("concentration", GROUP, "grey", "snapshot", "champion", why="no_snapshot")
    before, now = (_grade_counts(ratings[name], ground) for name in ("development", "now"))
    if not (before.sum() and now.sum()):
        return Result("concentration", GROUP, "grey", "snapshot", "champion", why="too_few")
    initial, current = concentration(before), concentration(now)
    p_value = concentration_p_value(initial, current)
    details = [
        {"grade": name, "development": int(a), "now": int(b)}
        for name, a, b in zip(ground.scale.names, before, now, strict=True)
    ]
    light, why = _without_power(of_p_value(p_value, tests.p_value))
    return Result(
        "concentration",
        GROUP,
        light,
        "snapshot",
        "champion",
        value=current.index,
        against=initial.index,
        p_value=p_value,
        threshold=tests.p_value.amber,
        rows=int(now.sum()),
        why=why,
        details=details,
    )


def _without_power(light: Light) -> tuple[Light, str]:
    """Of a test whose power is not known: what it found stands; that it found nothing says nothing."""
    return ("grey", "no_power") if light == "green" else (light, "")


def _grade_counts(ratings: pd.DataFrame, ground: Ground) -> Floats:
    counted = ratings["grade"].value_counts()
    return np.array([float(counted.get(name, 0)) for name in ground.scale.names])
