"""Both models in each part of the book: by depth of data, industry and size, and the card of the thin pool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.report import figures
from pipeline.report.blocks import Block, Cell, Chapter, Column, Facts, Missing, Table, Text
from pipeline.report.chapters.measured import model_name, models
from pipeline.report.chapters.thin_card import thin_card
from pipeline.statistics.proportions import jeffreys_of_groups
from pipeline.train.thin_file import pd_moved

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.report.report_input import ReportInput
    from pipeline.report.words import Words

THIN = "thin_file"


def parts(given: ReportInput, words: Words) -> Chapter:
    """One table a division, then how the thin pool is rated."""
    blocks: list[Block] = [Text(words("parts.how"))]
    told: Mapping[str, Any] = given.validation.get("parts") or {}
    if not told:
        blocks.append(Missing(words("parts.none")))
    blocks += [_table(division, found, given, words) for division, found in told.items()]
    blocks += _thin(given, words)
    return Chapter("parts", words("parts.title"), tuple(blocks), words("parts.lead"))


def _table(division: str, found: Mapping[str, Any], given: ReportInput, words: Words) -> Table:
    scorers = [(name, model_name(name, given, words)) for name, _ in models(given)]
    if division == "data_depth" and any(THIN in part["models"] for part in found.values()):
        scorers.append((THIN, words("parts.thin_card")))
    rows: list[tuple[Cell, ...]] = []
    groups: list[tuple[int, str]] = []
    for part, measured in found.items():
        groups.append((len(rows), _heading(division, part, measured, words)))
        for name, title in scorers:
            told = measured["models"][name]
            ratio = figures.measured(_with_ends(told["observed_over_expected"]))
            untold = "" if ratio.value == figures.DASH else words("why.no_interval")
            rows.append((Cell(title), _gini(told["gini"], words), Cell(ratio.value, note=ratio.interval or untold)))
    columns = (
        Column(words("discrimination.model")),
        Column(words("discrimination.gini"), is_number=True),
        Column(words("calibration.ratio"), is_number=True),
    )
    note = words("parts.note", level=figures.share(given.confidence, 0))
    caption = words("parts.caption", division=words(f"parts.{division}"))
    return Table(caption, columns, tuple(rows), (note,), tuple(groups))


def _with_ends(raw: Mapping[str, Any] | float | None) -> Mapping[str, Any] | None:
    """A figure with its ends; a validation of an earlier make tells the bare figure."""
    return {"value": raw} if isinstance(raw, int | float) else raw


def _heading(division: str, part: str, measured: Mapping[str, Any], words: Words) -> str:
    name = words.or_name("depth", part) if division == "data_depth" else words.or_same(division, part)
    counts = {k: figures.count(measured[k]) for k in ("rows", "customers", "bad_customers")}
    return words("parts.heading", part=name, **counts)


def _gini(raw: Mapping[str, Any] | None, words: Words) -> Cell:
    told = figures.measured(raw)
    return Cell(told.value, note=told.interval or words("parts.too_few"))


def _thin(given: ReportInput, words: Words) -> list[Block]:
    """What the thin file of the champion's kind rests on; nothing where nobody is thin."""
    for _, told in models(given):
        thin = (given.details.get(told["kind"]) or {}).get("thin_file")
        if thin:
            break
    else:
        return []
    features = figures.listed(given.titles.get(name, name) for name in thin["features"])
    pairs = (
        (words("parts.pool"), words("parts.pool_of", **{k: figures.count(v) for k, v in _counts(thin).items()})),
        (words("parts.pool_rate"), _pool_rate(thin["pool"], given, words)),
        _pool_pd(thin, words),
        (words("parts.card"), features or words("parts.no_card", why=words.told(thin["why_no_card"]))),
        (words("parts.gini_in_pool"), _pool_gini(thin["gini_in_pool"], words)),
    )
    return [Facts(pairs), *thin_card(given, thin, words)]


def _pool_rate(pool: Mapping[str, Any], given: ReportInput, words: Words) -> str:
    """Bad rows of the pool, with the Jeffreys interval for which each customer group is one witness."""
    rate, customers = pool["default_rate"], pool["customers"]
    if rate is None:
        return words("parts.pool_empty")
    low, high = jeffreys_of_groups(rate, customers, given.confidence)
    told = figures.measured({"value": rate, "low": low, "high": high}, figures.probability)
    level = figures.share(given.confidence, 0)
    return words("parts.pool_rate_of", value=told.value, interval=told.interval, level=level)


def _pool_pd(thin: Mapping[str, Any], words: Words) -> tuple[str, str]:
    """The bound that the mean PD of the pool is set to; that of all rows where nobody is thin."""
    name = words("parts.pool_pd") if thin["pool"]["rows"] else words("parts.pool_pd_of_all")
    level, value = figures.share(thin["confidence"], 0), figures.probability(thin["pd"])
    # A fit of an earlier version knew no shift.
    shift = float(thin.get("tendency_shift") or 0.0)
    if not shift:
        return name, words("parts.pool_pd_of", value=value, level=level)
    bound = figures.probability(pd_moved(thin["pd"], -shift))
    return name, words("parts.pool_pd_moved", value=value, level=level, bound=bound, shift=figures.signed(shift))


def _pool_gini(raw: Mapping[str, Any] | float | None, words: Words) -> str:
    """A fit of an earlier version tells the figure alone."""
    if raw is None or isinstance(raw, float):
        return figures.decimal(raw)
    told = figures.measured(raw)
    return words("parts.pool_gini", value=told.value, interval=told.interval)


def _counts(thin: Mapping[str, Any]) -> dict[str, Any]:
    return {name: thin["pool"][name] for name in ("rows", "customers", "bad_customers")}
