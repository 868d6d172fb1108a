"""`creditbook backtest`: policies replayed over the past, with what was known then, as pages and figures."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.durable import write_folder
from pipeline.errors import ParameterError
from pipeline.flows import log
from pipeline.flows.backtest_facts import facts_of
from pipeline.flows.backtest_told import Replayed, told_of
from pipeline.flows.candidate_policies import read_candidates
from pipeline.flows.no_ledger import refuse_own_table
from pipeline.flows.policy_file import section_in
from pipeline.flows.setting import open_setting
from pipeline.flows.walk_forward import walk_forward
from pipeline.report.backtest_report import BacktestReport, render
from pipeline.score.backtest.backtest import Replay, Windows
from pipeline.score.backtest.limit_path import Seen
from pipeline.score.backtest.sections import RefusalSection, contradictions
from pipeline.score.policy import read_policy
from pipeline.tables.unchanged import unchanged

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from pipeline.flows.setting import Setting


def backtest(root: Path, candidates: Sequence[Path], first: dt.date, last: dt.date, out: Path | None) -> Path:
    """Writes backtest.json and one page per language into OUT/ID; gives back that folder, whose name is the hash of
    everything that went in.

    Every file named is read and checked before anything is computed. Raises ParameterError (78), MissingInputError (66)
    without a ledger, the stages up to build_features or a champion where one is needed.
    """
    setting = open_setting(root)
    refuse_own_table(setting.project.ledger)
    current = read_policy(setting.project.policy)
    refusal = _refusal(setting)
    replaced = read_candidates(candidates, current, setting.project.policy)
    # From the first model to the last month one ledger, however often it is opened.
    with unchanged(setting.project.ledger):
        walk = walk_forward(setting, first, last)
        replayed = Replayed(setting, walk, facts_of(setting, walk.days), current, replaced, refusal)
        told = told_of(replayed, *_figures(replayed))
    folder: Path = (out or setting.project.root / setting.params.backtest.out) / told["run"]["id"]
    write_folder(folder, _files(told, setting.params.report.language, refusal), last="backtest.json")
    said = f"policies replayed from {walk.days[0]} to {walk.days[-1]}: {folder} (backtest.json and a page per language)"
    log.say("backtest_written", said, folder=str(folder))
    for one in told["differences"]:
        log.say("backtest", _line(one, told["run"]["base_currency"]), **{name: one[name] for name in _LOGGED})
    return folder


_LOGGED = ("first", "second", "verdict")


def _files(told: Mapping[str, Any], languages: Sequence[str], refusal: RefusalSection) -> dict[str, bytes]:
    files = {"backtest.json": _json(told)}
    for language in languages:
        sources = [(one.title, one.zh if language == "zh" else one.en) for one in refusal.sources]
        files[f"backtest.{language}.html"] = render(BacktestReport(told, language, sources)).encode()
    return files


def _refusal(setting: Setting) -> RefusalSection:
    path = setting.project.policy / "backtest.yaml"
    section = section_in(path, RefusalSection)
    breaches = contradictions(section)
    if breaches:
        raise ParameterError(f"{path}: {len(breaches)} breach(es): {'; '.join(breaches)}; correct the keys named")
    return section


def _figures(replayed: Replayed) -> tuple[dict[str, Any], Windows]:
    walk, facts = replayed.walk, replayed.facts
    settings = replayed.setting.params.backtest
    replay = Replay(facts.items, facts.groups, replayed.policies, settings, len(walk.days))
    hypothetical = []
    for month in walk.months():
        replay.step(Seen(month.as_of, month.positions, month.answers, month.known.model))
        hypothetical.append(month.is_hypothetical)
    seen: NDArray[np.bool_] = np.array(hypothetical, dtype=bool)
    windows = Windows(facts.window_ends, facts.is_mature, seen)
    return replay.figures(facts.defaults, windows, replayed.refusal.cost_share), windows


def _line(one: Mapping[str, Any], currency: str) -> str:
    """A pair of policies in one line."""
    net = one["net"]
    interval = "" if net["low"] is None else f" ({net['low']} to {net['high']})"
    return f"{one['second']} against {one['first']}: {one['verdict']}, net {currency} {net['value']}{interval}"


def _json(told: Mapping[str, Any]) -> bytes:
    return (json.dumps(told, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n").encode()
