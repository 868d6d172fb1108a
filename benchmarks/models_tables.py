"""The tables of the model benchmark in Markdown: one line per public table, ranks and verdicts below."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.models_figures import best_of, gap, mean_of, mean_ranks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.models_figures import Gap, Measured

TITLES = {
    "our_scorecard": "ours",
    "our_booster": "ours",
    "optbinning": "optbinning",
    "optbinning_directed": "optbinning, directed",
    "lightgbm": "LightGBM",
    "xgboost": "XGBoost",
    "catboost": "CatBoost",
    "ebm": "EBM",
}
SCORECARD_MARGIN, BOOSTER_MARGIN = 0.01, 0.005
NOT_MEASURED = "not measured"


def scorecards_table(found: Sequence[Measured], names: Sequence[str]) -> str:
    """AUC of each scorecard, the gap of ours to the best peer, mean ranks."""
    return _auc_table(found, names, SCORECARD_MARGIN)


def boosters_table(found: Sequence[Measured], names: Sequence[str]) -> str:
    """AUC of each booster under the same directions, the gap of ours to the best peer, mean ranks."""
    return _auc_table(found, names, BOOSTER_MARGIN)


def _auc_table(found: Sequence[Measured], names: Sequence[str], margin: float) -> str:
    ours, others = names[0], list(names[1:])
    lines = [_head(["table", *(TITLES.get(name, name) for name in names), "ours less the best peer"])]
    gaps = []
    for each in found:
        best = best_of({name: each.auc(name) for name in others})
        apart = each.auc_gap(ours, best)
        gaps.append((apart, each))
        lines.append(_line([_title(each), *(_number(each.auc(name)) for name in names), apart.told()]))
    ranked = [name for name in names if all(each.errors.get(name) != NOT_MEASURED for each in found)]
    ranks = mean_ranks([{name: each.auc(name) for name in ranked} for each in found])
    told = (f"**{ranks[name]:.2f}**" if name in ranked else "not ranked" for name in names)
    lines.append(_line(["**mean rank**", *told, ""]))
    worst, at = min(gaps, key=lambda pair: pair[0].value)
    next_best = min(ranks[name] for name in ranked if name != ours)
    verdict = (
        f"Goal: mean rank first ({'reached' if ranks[ours] < next_best else 'missed'}: {ranks[ours]:.2f} against "
        f"{next_best:.2f}); nowhere worse than the best by more than {margin:g} "
        f"({'reached' if worst.value >= -margin else 'missed'}: largest shortfall {worst.told()}, {at.title})."
    )
    return "\n".join([*lines, "", verdict, *_failures(found, names)])


def losses_table(found: Sequence[Measured], scorecards: Sequence[str], boosters: Sequence[str]) -> str:
    """Calibrated log loss of ours beside the best peer's, per kind of model."""
    lines = [_head(["table", "scorecard", "best peer", "gap", "booster", "best peer", "gap"])]
    gaps = []
    for each in found:
        cells = [_title(each)]
        for names in (scorecards, boosters):
            own = each.losses(names[0], is_peer=False)
            theirs = {name: each.losses(name, is_peer=True) for name in names[1:] if each.is_whole(name)}
            best = best_of({name: mean_of(held) for name, held in theirs.items()}, is_loss=True)
            apart = gap(own, theirs[best], each.codes)
            gaps.append(apart)
            cells += [f"{mean_of(own):.4f}", f"{mean_of(theirs[best]):.4f} ({TITLES.get(best, best)})", apart.told(4)]
        lines.append(_line(cells))
    above, shown = sum(each.value > 0 for each in gaps), sum(each.low > 0 for each in gaps)
    found_out = "missed" if shown else "undecided" if above else "reached"
    verdict = (
        f"Goal: no worse than the best peer's ({found_out}: above 0 in {above} of {len(gaps)} comparisons, shown to be "
        f"(the whole interval above 0) in {shown})."
    )
    return "\n".join([*lines, "", verdict])


def monotony_table(found: Sequence[Measured]) -> str:
    """AUC of our models with the catalogue's directions and with none, on the folds of the first division."""
    lines = [_head(["table", "features, directed", "scorecard", "without", "price", "booster", "without", "price"])]
    for each in found:
        cells = [each.title, str(each.directed)]
        for name in ("our_scorecard", "our_booster"):
            cells += _priced(each.beside(name, f"{name}_undirected"))
        lines.append(_line(cells))
    return "\n".join(lines)


def _priced(beside: tuple[float, float, Gap] | None) -> list[str]:
    return [_number(beside[0]), _number(beside[1]), beside[2].turned.told()] if beside else ["–", "–", NOT_MEASURED]


def _failures(found: Sequence[Measured], names: Sequence[str]) -> list[str]:
    told = [
        f"{TITLES.get(n, n)} on {each.title}: {each.errors[n]}" for each in found for n in names if n in each.errors
    ]
    return ["", f"Without a result (a library's error ranks last): {'; '.join(told)}."] if told else []


def _title(each: Measured) -> str:
    return f"{each.title} ({each.rows:,} rows, {each.bads:,} bad; {each.division})"


def _head(cells: Sequence[str]) -> str:
    return "\n".join([_line(cells), "|" + "---|" * len(cells)])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _number(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.4f}"
