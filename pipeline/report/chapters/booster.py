"""The booster in pictures: what moves its forecasts, and which way."""

from __future__ import annotations

import base64
import struct
from typing import TYPE_CHECKING, Any

from pipeline.report import figures
from pipeline.report.blocks import Block, Cell, Chapter, Column, Facts, Missing, Picture, Table
from pipeline.report.chapters.effects import effects

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pipeline.report.report_input import ReportInput
    from pipeline.report.words import Words

SHOWS = ("bar", "beeswarm", "dependence")
# Pictures beyond this are left out and told, so that the page stays a file one can send.
MOST_BYTES = 3_300_000
_MOST_WEIGHTS = 15
_MOST_TRIALS = 8
_PNG = b"\x89PNG\r\n\x1a\n"


def booster(given: ReportInput, words: Words) -> Chapter:
    """SHAP pictures in a fixed order, and the features that move it most."""
    title = words("booster.title")
    told: Mapping[str, Any] = given.details.get("booster") or {}
    if not told and not given.pictures and given.effects is None:
        return Chapter("booster", title, (Missing(words("booster.none")),))
    # Drawn from the values where they are there: in the language of the report, and sharp in print.
    blocks: list[Block] = effects(given, words) or list(_pictures(given, words))
    if not blocks:
        blocks.append(Missing(words("booster.no_pictures")))
    blocks += _facts(told, words)
    blocks += _price(told, words)
    blocks += _search(told, words)
    blocks += _weights(given, words)
    return Chapter("booster", title, tuple(blocks), words("booster.lead"))


def _pictures(given: ReportInput, words: Words) -> Iterable[Block]:
    spent = 0
    for file in sorted(given.pictures, key=lambda name: (*_rank(name, given), name)):
        png, (shows, feature) = given.pictures[file], shown_in(file)
        name = given.titles.get(feature, feature) or words.or_name("booster", f"name_{shows}")
        size = png_size(png)
        if size is None:
            yield Missing(words("booster.broken", name=name))
            continue
        spent += len(png)
        if spent > MOST_BYTES:
            yield Missing(words("booster.too_large", name=name))
            continue
        leading = figures.listed(given.titles.get(f, f) for f in _heaviest(given)[:6]) or words("booster.see_table")
        alt = words(f"booster.alt_{shows}", name=name, leading=leading)
        source = "data:image/png;base64," + base64.b64encode(png).decode("ascii")
        yield Picture(words(f"booster.says_{shows}", name=name), alt, source, *size, is_small=shows == "dependence")


def _heaviest(given: ReportInput) -> list[str]:
    return sorted(given.weights, key=lambda name: (-float(given.weights[name]), name))


def shown_in(file: str) -> tuple[str, str]:
    """What a picture shows, and of which feature, by its file name.

    >>> shown_in("beeswarm.png"), shown_in("booster/dependence_age_years.png")
    (('beeswarm', ''), ('dependence', 'age_years'))
    """
    stem = file.rsplit("/", 1)[-1].removesuffix(".png")
    for shows in SHOWS:
        if stem == shows or stem.startswith(f"{shows}_"):
            return shows, stem[len(shows) + 1 :]
    return "other", stem


def _rank(file: str, given: ReportInput) -> tuple[int, float]:
    """The order of what is shown, then the features that move the model most."""
    shows, feature = shown_in(file)
    return SHOWS.index(shows) if shows in SHOWS else len(SHOWS), -float(given.weights.get(feature, 0.0))


def png_size(content: bytes) -> tuple[int, int] | None:
    """Width and height of a PNG in pixels; null when it is none."""
    if not content.startswith(_PNG) or len(content) < 24:
        return None
    width, height = struct.unpack(">II", content[16:24])
    return width, height


def _facts(told: Mapping[str, Any], words: Words) -> list[Block]:
    if not told.get("rounds"):
        return []
    folds = figures.listed(figures.count(n) for n in told.get("fold_rounds") or ())
    unused = told.get("unused") or ()
    # A fit of an earlier version tells the sum alone.
    members = told.get("member_rounds") or [told["rounds"]]
    pairs = (
        (words("booster.rounds"), figures.count(told["rounds"])),
        (words("booster.member_rounds"), figures.listed(figures.count(n) for n in members)),
        (words("booster.fold_rounds"), folds or figures.DASH),
        (words("booster.unused"), figures.count(len(unused))),
    )
    return [Facts(pairs)]


def _price(told: Mapping[str, Any], words: Words) -> list[Block]:
    """What interactions are worth: the booster beside one whose trees look at one feature each."""
    price = told.get("interactions")
    if not price:
        return []
    columns = tuple(
        Column(words(f"booster.{name}"), is_number=name != "compared")
        for name in ("compared", "gini_with", "gini_without", "gini_gain", "loss_gain")
    )
    gain = price["gini_gain"]
    reading = "unknown" if gain["low"] is None else "pays" if gain["low"] > 0 else "open"
    row = (
        Cell(words("booster.folds_of", n=figures.count(price["rows"])), note=words(f"booster.{reading}")),
        *(_interval(price[name], 3) for name in ("gini", "gini_without", "gini_gain")),
        _interval(price["loss_gain"], 5),
    )
    return [Table(words("booster.price_caption"), columns, (row,), (words("booster.price_note"),))]


def _interval(raw: Mapping[str, Any], digits: int) -> Cell:
    told = figures.measured(raw, lambda value: figures.decimal(value, digits))
    return Cell(told.value, note=told.interval)


def _search(told: Mapping[str, Any], words: Words) -> list[Block]:
    """The trials of the search, best first; nothing where none was asked for."""
    search = told.get("search") or {}
    trials = search.get("trials") or ()
    if not trials:
        return []
    whole = [i for i, trial in enumerate(trials) if not trial["is_pruned"]]
    by_loss = sorted(whole, key=lambda i: (_loss(trials[i]), i))
    # The one chosen need not be among the least: a trial must better the settings by more than chance.
    ranked = [i for place, i in enumerate(by_loss) if place < _MOST_TRIALS or i == search["best"]]
    names = tuple(trials[0]["parameters"])
    columns = (
        Column(words("booster.trial"), is_number=True),
        Column(words("booster.loss"), is_number=True),
        *(Column(words(f"booster.{name}"), is_number=True) for name in names),
    )
    rows = tuple(
        (
            Cell(figures.count(i), note=words("booster.chosen") if i == search["best"] else ""),
            Cell(figures.decimal(_loss(trials[i]), 5), note=_gain(trials[i], trials[0], words)),
            *(Cell(f"{trials[i]['parameters'][name]:g}") for name in names),
        )
        for i in ranked
    )
    notes = [words("booster.search_note", n=len(trials) - 1, pruned=len(trials) - len(whole))]
    # A fit of an earlier version had another rule.
    if "standard_errors" in search and "error" in trials[0]:
        notes.append(words("booster.search_rule", n=f"{search['standard_errors']:g}"))
    return [Table(words("booster.search_caption", n=len(by_loss[:_MOST_TRIALS])), columns, rows, tuple(notes))]


def _gain(trial: Mapping[str, Any], first: Mapping[str, Any], words: Words) -> str:
    """Its loss less that of trial 0, and the standard error of that; nothing of trial 0 and earlier fits."""
    if trial.get("error") is None:
        return ""
    gap, error = figures.signed(_loss(trial) - _loss(first), 5), figures.decimal(trial["error"], 5)
    return words("booster.search_gap", gap=gap, error=error)


def _loss(trial: Mapping[str, Any]) -> float:
    return float(sum(trial["losses"]) / len(trial["losses"]))


def _weights(given: ReportInput, words: Words) -> list[Block]:
    weights = given.weights
    total = sum(float(weights[name]) for name in sorted(weights))
    if total <= 0:
        return []
    ranked = _heaviest(given)[:_MOST_WEIGHTS]
    largest = float(weights[ranked[0]])
    rows = tuple(
        (
            Cell(given.titles.get(name, name), note=name),
            Cell(figures.decimal(weights[name], 3), bar=float(weights[name]) / largest),
            Cell(figures.share(float(weights[name]) / total)),
        )
        for name in ranked
    )
    columns = (
        Column(words("selection.feature")),
        Column(words("booster.weight"), is_number=True),
        Column(words("booster.share"), is_number=True),
    )
    return [Table(words("booster.caption", n=len(ranked), of=len(weights)), columns, rows, (words("booster.note"),))]
