"""The first page: what was found in plain words, five figures, what is undecided, and the limitations."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from pipeline.report import figures
from pipeline.report.blocks import Block, Bullets, Chapter, Text, Tile, Tiles
from pipeline.report.chapters.changes import change_words
from pipeline.report.chapters.label_words import event_words
from pipeline.report.chapters.measured import (
    lies,
    measures,
    model_name,
    models,
    reads,
    why_none,
)
from pipeline.report.chapters.recommendation import bears_on, recommendation
from pipeline.report.chapters.tests_figures import blind_parts, test_name
from pipeline.report.chapters.truth import truth_words
from pipeline.report.chapters.verdict_basis import COHORT, TEST, basis_of, evidence, result_of
from pipeline.report.chapters.verdict_pairs import decided_pairs, undecided_pairs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.report.report_input import ReportInput
    from pipeline.report.words import Words

# A level known only to within this factor from one end of the interval to the other is called undecided.
_WIDE = 2.0


def verdict(given: ReportInput, words: Words) -> Chapter:
    """The champion on the one-year cohort decides, then on the test rows; on the test rows alone without a cohort."""
    blocks: list[Block] = [Text(recommendation(given, words)), *_measured_on(given, words), _tiles(given, words)]
    overridden = _overridden(given, words)
    if overridden:
        blocks.append(Bullets(words("verdict.overridden"), overridden))
    blocks.append(Bullets(words("verdict.changed"), change_words(given, words)))
    decided, open_questions = (*_lights(given, words), *_decided(given, words)), _undecided(given, words)
    if decided:
        blocks.append(Bullets(words("verdict.decided"), decided))
    blocks.append(Bullets(words("verdict.undecided"), open_questions or (words("verdict.nothing_undecided"),)))
    blocks.append(Bullets(words("verdict.limitations"), limitations(given, words)))
    return Chapter("verdict", words("verdict.title"), tuple(blocks), lead_words(given, words))


def _overridden(given: ReportInput, words: Words) -> tuple[str, ...]:
    """The roles that were taken in spite of refused gates: by whom, when, why, and what the gates had said."""
    return tuple(
        _override_words(role, record, words) for role, record in given.in_force.items() if record.get("override")
    )


def _override_words(role: str, record: Mapping[str, Any], words: Words) -> str:
    """Of a version that a rollback has put in force again also by which decision it was promoted against the gates."""
    told = {
        "role": words.or_name("role_name", role),
        "version": record["model_version"],
        "day": figures.day(record.get("since") or figures.DASH),
        "by": record.get("promoted_by", figures.DASH),
        "reason": record["override"],
        "gates": _refused(record, words),
    }
    source = record.get("of_decision")
    if not source:
        return words("verdict.override", **told)
    made = {
        "number": source["number"],
        "decided_on": figures.day(source.get("day") or figures.DASH),
        "decided_by": source.get("by") or figures.DASH,
    }
    return words("verdict.override_again", **told, **made)


def _refused(record: Mapping[str, Any], words: Words) -> str:
    """The gates of a promotion that did not pass, by name."""
    refused = (gate["name"] for gate in record.get("gates", []) if gate["light"] != "green")
    return figures.listed(words.or_name("gate", name) for name in refused) or figures.DASH


def lead_words(given: ReportInput, words: Words) -> str:
    """One or two sentences: does the champion order customers, and are its forecasts right; of an expert card first
    that it is one, for outcomes that set no points test them all the same."""
    fitted = given.details.get("scorecard") or {}
    told = evidence(given, "champion")
    order = order_found(told, given.min_bad_customers)
    found = _found_words(given, told, order, words)
    if fitted.get("basis") != "expert":
        return found
    if order == "too_few":
        return figures.sentences(expert_words(fitted, words), found, words("verdict.expert_unclaimed"))
    return figures.sentences(expert_words(fitted, words), words("verdict.expert_tested"), found)


def _found_words(given: ReportInput, told: Mapping[str, Any], order: str, words: Words) -> str:
    name = words.or_name("kind_plain", given.validation["models"]["champion"]["kind"])
    level = lies(told.get("observed_over_expected"), 1.0)
    if order == "too_few":
        bads = words.counted("bad_customer", told.get("bad_customers"))
        return words(f"verdict.too_few.{basis_of(given)}", model=name, bads=bads)
    lead = figures.sentences(words(f"verdict.order_{order}", model=name), words(f"verdict.level_{level}"))
    if level == "around":
        lead = figures.sentences(lead, _level_shown(given, words))
    spread = lies(told.get("slope"), 1.0)
    return lead if spread in {"around", "unknown"} else figures.sentences(lead, words(f"verdict.spread_{spread}"))


def _level_shown(given: ReportInput, words: Words) -> str:
    """The smallest true deviation of the level that the test of the whole cohort finds; empty where it tells none."""
    shown = result_of(given, "jeffreys_total", "champion").get("shown") if basis_of(given) == COHORT else None
    if not figures.is_known(shown):
        return ""
    return words("verdict.level_shown", factor=figures.decimal(shown), power=figures.as_set(given.power))


def expert_words(fitted: Mapping[str, Any], words: Words) -> str:
    """What an expert card rests on: who set its points, why they were not fitted, and where its level comes from."""
    told = fitted["expert"]
    return words(
        "verdict.expert",
        valid_from=figures.day(told["valid_from"]),
        owner=told["owner"],
        n=figures.count(fitted["samples"]["train"]["bad_customers"]),
        rate=figures.share(told["level"]["rate"]),
        source=words.told(told["level"]["source"]),
    )


def order_found(told: Mapping[str, Any], fewest: int) -> str:
    """`shown`, `not_shown`, or `too_few` where fewer than `fewest` bad customers or no interval could say."""
    found = lies(told.get("gini"), 0.0)
    if int(told.get("bad_customers") or 0) < fewest or found == "unknown":
        return "too_few"
    return "shown" if found == "above" else "not_shown"


def _measured_on(given: ReportInput, words: Words) -> list[Block]:
    """The figures of the cohort first where there is one, then those of the test rows."""
    test = _numbers(TEST, measures(given, "champion", TEST), given, words)
    if basis_of(given) != COHORT:
        return [Text(test)]
    cohort = _numbers(COHORT, evidence(given, "champion"), given, words)
    return [Text(cohort), Text(figures.sentences(words("verdict.second"), test))]


def _numbers(basis: str, told: Mapping[str, Any], given: ReportInput, words: Words) -> str:
    """The rows, what the Gini means in words where enough turned bad, and the level."""
    gini, ratio = (_with_interval(told, name, given, words) for name in ("gini", "observed_over_expected"))
    rows = words(
        f"verdict.numbers.{basis}",
        rows=figures.count(told.get("rows")),
        customers=figures.count(told.get("customers")),
        bads=figures.count(told.get("bads")),
        bad_snapshots=words.counted("snapshot", told.get("bads")),
        bad_customers=figures.count(told.get("bad_customers")),
        dates=words(f"verdict.dates.{_dates(given)}"),
        happened=event_words(given.label, words),
    )
    kind = "too_few" if reads(told.get("gini"), 0.0) == "too_few" else "told"
    auc = figures.share((told.get("auc") or {}).get("value"), 0)
    ranks = words(f"verdict.ranks.{kind}", auc=auc, gini=gini)
    expected, bads = figures.decimal(_expected(told), 1), figures.count(told.get("bads"))
    forecast = words(f"verdict.forecast.{basis}", expected=expected, bads=bads, ratio=ratio)
    return figures.sentences(rows, ranks, forecast)


def _with_interval(told: Mapping[str, Any], name: str, given: ReportInput, words: Words) -> str:
    """A figure with its interval, or with the reason why it has none."""
    found = figures.measured(told.get(name))
    if not found.interval:
        return words("verdict.without_interval", value=found.value, why=why_none(told.get(name), told, words))
    level = figures.share(given.confidence, 0)
    return words("verdict.with_interval", value=found.value, level=level, interval=found.interval)


def _dates(given: ReportInput) -> str:
    if given.is_undated:
        return "undated"
    return "whole" if str((given.validation.get("timetable") or {}).get("purge") or "whole") == "whole" else "overlap"


def _expected(told: Mapping[str, Any]) -> float | None:
    is_told = figures.is_known(told.get("mean_pd")) and figures.is_known(told.get("rows"))
    return told["mean_pd"] * told["rows"] if is_told else None


def _tiles(given: ReportInput, words: Words) -> Tiles:
    basis, counts = basis_of(given), evidence(given, "champion")
    tiles = [
        Tile(
            words(f"verdict.tile_rows.{basis}"),
            figures.count(counts.get("customers")),
            words(f"verdict.tile_rows_note.{basis}", rows=figures.count(counts.get("rows"))),
            words(f"verdict.tile_bads.{basis}", n=figures.count(counts.get("bad_customers"))),
        )
    ]
    for name, _ in models(given):
        told = evidence(given, name)
        gini = figures.measured(told.get("gini"))
        reason = gini.interval or why_none(told.get("gini"), told, words)
        tiles.append(Tile(words("verdict.tile_gini", model=model_name(name, given, words)), gini.value, reason, ""))
    tiles += [_ratio_tile(name, given, words) for name, _ in models(given)]
    return Tiles(tuple(tiles))


def _ratio_tile(name: str, given: ReportInput, words: Words) -> Tile:
    told = evidence(given, name)
    ratio = figures.measured(told.get("observed_over_expected"))
    return Tile(
        words("verdict.tile_ratio", model=model_name(name, given, words)),
        ratio.value,
        ratio.interval or why_none(told.get("observed_over_expected"), told, words),
        words(
            "verdict.tile_ratio_note",
            bads=figures.count(told.get("bads")),
            expected=figures.decimal(_expected(told), 1),
        ),
    )


def _lights(given: ReportInput, words: Words) -> tuple[str, ...]:
    """How many of the validation tests are of which light, and every red and amber one by name: those on which the
    recommendation rests first, the red before the amber."""
    told = given.validation.get("tests") or ()
    if not told:
        return ()
    counted = Counter(one["light"] for one in told)
    counts = {light: figures.count(counted[light]) for light in ("green", "amber", "red", "grey")}
    named = [
        _named(one, given, words)
        for bears in (True, False)
        for light in ("red", "amber")
        for one in told
        if one["light"] == light and bears_on(one) == bears
    ]
    return (words("verdict.lights", n=figures.count(len(told)), **counts), *named)


def _named(one: Mapping[str, Any], given: ReportInput, words: Words) -> str:
    """A red or amber test in a sentence; of a comparison that the data cannot decide, that this is why."""
    test = test_name(one, given, words)
    if one.get("why") == "undecided":
        return words("verdict.undecided_test", test=test)
    return words(f"verdict.{one['light']}_test.{_whose(one)}", test=test)


def _whose(one: Mapping[str, Any]) -> str:
    """`own` where the recommendation rests on the test, else `challenger` or `other`."""
    if bears_on(one):
        return "own"
    return "challenger" if one["model"] == "challenger" else "other"


def _decided(given: ReportInput, words: Words) -> tuple[str, ...]:
    """The comparisons whose interval leaves zero out, and on a demo book how near the champion comes to the truth."""
    found = decided_pairs(given, words)
    found += _spreads(given, words)
    return (*found, *truth_words(given, words))


def _spreads(given: ReportInput, words: Words) -> list[str]:
    """The models whose calibration slope is shown to differ from 1; none on too few bad customers."""
    found = []
    for name, _ in models(given):
        told = evidence(given, name)
        slope = told.get("slope")
        side = lies(slope, 1.0) if reads(told.get("observed_over_expected"), 1.0) != "too_few" else "unknown"
        if side in {"above", "below"}:
            shown = figures.measured(slope)
            names = {"model": model_name(name, given, words), "slope": shown.value, "interval": shown.interval}
            found.append(words(f"verdict.slope_{side}", **names))
    return found


def _undecided(given: ReportInput, words: Words) -> tuple[str, ...]:
    found = undecided_pairs(given, words)
    for name, _ in models(given):
        told = evidence(given, name)
        ratio = told.get("observed_over_expected") or {}
        if lies(ratio, 1.0) == "around" and ratio["high"] > _WIDE * max(ratio["low"], 1e-9):
            interval = figures.measured(ratio).interval
            found.append(words("verdict.wide_level", model=model_name(name, given, words), interval=interval))
        if told.get("slope") is None:
            found.append(words("verdict.no_slope", model=model_name(name, given, words)))
    return (*found, *_thin_grades(given, words))


def _thin_grades(given: ReportInput, words: Words) -> list[str]:
    """How many filled grades hold too few bads to be judged, on the rows of `basis_of`; in the cohort also how many
    could not have shown a deviation that matters."""
    fewest = given.min_bad_customers
    by_grade = result_of(given, "jeffreys_grades", "champion") if basis_of(given) == COHORT else {}
    blind = blind_parts(by_grade, words)
    if blind:
        bads = [row["bads"] for row in by_grade["details"] if row["rows"]]
    else:
        grades = given.validation["models"]["champion"].get("grades") or {}
        bads = [row["bad_customers"] for row in grades.get(TEST) or () if row["rows"]]
    thin = sum(n < fewest for n in bads)
    key = "verdict.thin_grades_cohort" if blind else "verdict.thin_grades"
    told = {"n": figures.count(thin), "of": figures.count(len(bads)), "few": figures.count(fewest)}
    return [words(key, **told, **({"blind": blind} if blind else {}))] if thin else []


def limitations(given: ReportInput, words: Words) -> tuple[str, ...]:
    """What the figures do not say, one sentence each."""
    table = given.validation.get("timetable") or {}
    found = [words.told(text) for text in table.get("limitations") or ()]
    if given.label["kind"] == "late":
        found.append(words("verdict.late_is_not_loss"))
    absent = given.validation.get("naive_absent") or {}
    found += [words("verdict.rule_absent", rule=words.or_name("rule", name)) for name in absent]
    if given.validation.get("truth"):
        found.append(words("verdict.demo"))
    if not given.is_undated:
        found.append(words("verdict.months_overlap"))
    if basis_of(given) == COHORT:
        found.append(words("verdict.cohort_rows"))
    found.append(words("verdict.one_ledger"))
    found += [words.told(text) for text in given.limitations]
    return tuple(dict.fromkeys(found))
