"""How near the models come to the true PD, which is known of a demo book only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.report import figures
from pipeline.report.blocks import Block, Cell, Column, Missing, Table
from pipeline.report.chapters.measured import HELD_OUT, figure_cell, model_name, models, reads, why_none
from pipeline.report.chapters.verdict_basis import TEST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.report.report_input import ReportInput
    from pipeline.report.words import Words

_PAIR = "challenger - champion"


def truth_gini(given: ReportInput, role: str) -> Mapping[str, Any] | None:
    """The Gini of the true PD in a role, with its interval where the validation kept one; null where not known."""
    told = (given.validation.get("truth") or {}).get(role)
    return _with_ends(told, "gini") if told else None


def truth_table(given: ReportInput, words: Words) -> list[Block]:
    """Both models beside the truth, and whether the nearer one is shown to order better."""
    truth: Mapping[str, Any] | None = given.validation.get("truth")
    if not truth:
        return [Missing(words("discrimination.no_truth"))]
    rows = [row for role in HELD_OUT for row in _rows(role, truth.get(role), given, words)]
    columns = (
        Column(words("discrimination.on")),
        Column(words("discrimination.model")),
        *(
            Column(words(f"discrimination.{name}"), is_number=True)
            for name in ("truth_gini", "truth_share", "truth_rank", "truth_level")
        ),
    )
    notes = (words("discrimination.truth_note"), *_interval_note(truth, given, words), *_nearer(given, words))
    return [Table(words("discrimination.truth_caption"), columns, tuple(rows), notes)]


def _interval_note(truth: Mapping[str, Any], given: ReportInput, words: Words) -> list[str]:
    """Whose intervals stand there; nothing where none does, as of an earlier validation."""
    roles = [told for role in HELD_OUT if (told := truth.get(role))]
    raw = [_with_ends(told, "gini") for told in roles]
    raw += [_with_ends(near, "gini_share") for told in roles for near in told["models"].values()]
    if not any(figures.measured(one).interval for one in raw):
        return []
    return [words("discrimination.truth_interval_note", level=figures.share(given.confidence, 0))]


def _rows(role: str, told: Mapping[str, Any] | None, given: ReportInput, words: Words) -> list[tuple[Cell, ...]]:
    if not told:
        return [(Cell(words(f"role.{role}"), note=words("why.one_class")), *(Cell(figures.DASH),) * 5)]
    counts = given.validation["samples"].get(role) or {}
    found: list[tuple[Cell, ...]] = []
    for name, _ in models(given):
        near = told["models"].get(name) or {}
        found.append(
            (
                Cell(words(f"role.{role}")),
                Cell(model_name(name, given, words)),
                figure_cell(_with_ends(told, "gini"), counts, words),
                figure_cell(_with_ends(near, "gini_share"), counts, words, _share),
                Cell(figures.decimal(near.get("rank_correlation"))),
                Cell(figures.decimal(near.get("mean_pd_ratio"))),
            )
        )
    return found


def _nearer(given: ReportInput, words: Words) -> list[str]:
    """Two shares of the same Gini differ as the models do: the paired difference decides which comes nearer."""
    names = {
        side: model_name(name, given, words)
        for side, (name, _) in zip(("second", "first"), models(given), strict=False)
    }
    pair = (given.validation.get("differences") or {}).get(_PAIR)
    if pair is None or len(names) < len(_PAIR.split(" - ")):
        return []
    found = (
        words(
            "discrimination.truth_reads",
            role=words(f"role.{role}"),
            reading=words(f"difference.{reads(pair.get(role), 0.0)}", **names),
        )
        for role in HELD_OUT
    )
    return [words("discrimination.truth_nearer", **names, reads=figures.in_turn(found))]


def truth_words(given: ReportInput, words: Words) -> list[str]:
    """The sentence of the first page: how near the champion comes on the test rows; nothing where it is not known."""
    truth = (given.validation.get("truth") or {}).get(TEST) or {}
    near = (truth.get("models") or {}).get("champion") or {}
    if not figures.is_known(near.get("gini_share")):
        return []
    shown = [
        _in_brackets(figures.measured(raw, write), raw, given, words)
        for raw, write in ((_with_ends(near, "gini_share"), _share), (_with_ends(truth, "gini"), figures.decimal))
    ]
    return [words("verdict.truth", share=shown[0], gini=shown[1])]


def _in_brackets(told: figures.Measured, raw: Mapping[str, Any], given: ReportInput, words: Words) -> str:
    """A figure with its interval, or with the reason why it has none."""
    if told.interval:
        level = figures.share(given.confidence, 0)
        return words("verdict.with_interval", value=told.value, level=level, interval=told.interval)
    why = why_none(raw, given.validation["samples"].get(TEST) or {}, words)
    return words("verdict.without_interval", value=told.value, why=why)


def _with_ends(told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The interval of a figure, or of an earlier validation the bare figure."""
    return told.get(f"{name}_interval") or {"value": told.get(name)}


def _share(value: Any) -> str:
    return figures.share(value, 0)
