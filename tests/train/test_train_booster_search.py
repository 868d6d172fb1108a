"""The search of the booster's parameters: by trials alone, taken up where it stood, and what interactions are worth."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from pipeline.flows.study_file import StudyFile, study_file
from pipeline.params import BoosterParams
from pipeline.train.booster import fit_booster
from pipeline.train.booster_grower import FoldResult
from pipeline.train.booster_search import InMemory, Trial, search
from pipeline.train.sample import samples
from pipeline.train.splits import mature_dates, timetable

SETTINGS = BoosterParams(max_rounds=40, early_stopping_rounds=8, min_rows_per_leaf=50, trials=9)


def _apart(folds):
    """Pairs of masks (grow, check): each fold checks two rows of its own."""
    fold = np.repeat(np.arange(folds), 2)
    return tuple((fold != k, fold == k) for k in range(folds))


def _result(losses):
    return FoldResult(10, float(np.mean(losses)), np.asarray(losses, dtype=float), np.full(len(losses), 0.1))


class _Stand:
    """Stands for the grower: nothing is grown ahead, but what was asked for is noted."""

    def prepare(self, wanted):
        self.ahead = [*getattr(self, "ahead", []), [k for k, _ in wanted]]


class Bowl(_Stand):
    """A loss with its least value at 8 leaves and an l2 of 5, and folds that differ in level."""

    folds, codes = _apart(3), np.arange(6)

    def __init__(self, breaks_after=None):
        self.runs = []
        self.breaks_after = breaks_after

    def fold(self, k, settings):
        if self.breaks_after is not None and len(self.runs) >= self.breaks_after:
            raise KeyboardInterrupt
        self.runs.append((k, settings.max_leaves))
        bent = (np.log(settings.max_leaves / 8)) ** 2 + (np.log(settings.l2 / 5)) ** 2
        return _result(np.full(2, 0.1 + 0.01 * k + 0.02 * bent))


def test_search_finds_better_than_it_was_given_and_tells_every_trial():
    found = search(Bowl(), dataclasses.replace(SETTINGS, trials=40), InMemory())
    first, best = found.trials[0], found.trials[found.best]
    assert first.parameters["max_leaves"] == SETTINGS.max_leaves
    assert best.loss < 0.5 * (first.loss + 0.11)
    assert len(found.trials) == 41
    assert found.settings.l2 == best.parameters["l2"]
    assert json.loads(json.dumps(found.as_json()))["best"] == found.best


class Uneven(_Stand):
    """Every trial but the settings themselves gains as much on each row as it is told to.

    Six rows in three folds; `codes` say whose they are.
    """

    folds = _apart(3)

    def __init__(self, *gains, codes=(0, 1, 2, 3, 4, 5)):
        self.gains, self.codes = np.array(gains), np.array(codes)

    def fold(self, k, settings):
        moved = 0.0 if settings.learning_rate == SETTINGS.learning_rate else self.gains[self.folds[k][1]]
        return _result(np.full(2, 0.3) - moved)


def test_settings_give_way_only_to_what_is_better_by_more_than_so_many_standard_errors():
    # Mean gain 0.01 each time; every row lies 0.04 from the mean of its fold, then 0.004.
    wide, narrow = (np.full(6, 0.01) + apart * np.tile([1, -1], 3) for apart in (0.04, 0.004))
    assert search(Uneven(*wide), SETTINGS, InMemory()).best == 0
    assert search(Uneven(*narrow), SETTINGS, InMemory()).best > 0
    strict, lax = (dataclasses.replace(SETTINGS, standard_errors=n) for n in (6.0, 0.3))
    assert search(Uneven(*narrow), strict, InMemory()).best == 0
    assert search(Uneven(*wide), lax, InMemory()).best > 0
    assert search(Uneven(*np.zeros(6)), lax, InMemory()).as_json()["standard_errors"] == 0.3


def test_the_standard_error_of_a_trial_is_that_of_customers_drawn_whole():
    gains = 0.01 + 0.004 * np.array([1, -1, 1, -1, 1, -1])
    alone, together = (
        search(Uneven(*gains, codes=codes), SETTINGS, InMemory()).trials for codes in (range(6), (0, 1, 0, 1, 0, 1))
    )
    # Six rows of weight 1/6, each 0.004 from its fold's mean: sqrt(6 (0.004/6)² × 6/5). Two customers of three rows
    # each, whose rows all lie on one side: sqrt(2 (3 × 0.004/6)² × 2).
    whole = [(a, b) for a, b in zip(alone, together, strict=True) if a.error is not None]
    assert whole
    for a, b in whole:
        assert a.error == pytest.approx(np.sqrt(6 * (0.004 / 6) ** 2 * 6 / 5))
        assert b.error == pytest.approx(np.sqrt(2 * (3 * 0.004 / 6) ** 2 * 2))
    assert alone[0].error is None
    assert all((trial.error is None) == trial.is_pruned for trial in alone[1:])


def test_hopeless_trials_are_broken_off_after_a_fold_and_never_win():
    bowl = Bowl()
    found = search(bowl, dataclasses.replace(SETTINGS, trials=30), InMemory())
    pruned = [trial for trial in found.trials if trial.is_pruned]
    assert pruned
    assert all(len(trial.losses) < 3 for trial in pruned)
    # A trial that ran whole is compared with the settings as they were, whose folds a grower keeps.
    whole = sum(not trial.is_pruned for trial in found.trials[1:])
    assert len(bowl.runs) == sum(len(trial.losses) for trial in found.trials) + 3 * whole
    assert not found.trials[found.best].is_pruned


def test_folds_are_grown_ahead_but_not_beside_a_first_fold_that_may_end_a_trial():
    bowl = Bowl()
    found = search(bowl, dataclasses.replace(SETTINGS, trials=30), InMemory())
    at_random, later = found.trials[:6], found.trials[6:]
    assert bowl.ahead.count([0, 1, 2]) == len(at_random)
    outlived = sum(len(trial.losses) > 1 for trial in later)
    assert 0 < outlived < len(later)
    assert bowl.ahead.count([1, 2]) == len(at_random) + outlived


@pytest.mark.parametrize("after", [1, 4, 17, 22])
def test_a_search_that_was_broken_off_goes_on_as_if_it_had_not_been(after, tmp_path):
    whole = search(Bowl(), SETTINGS, InMemory())
    diary = StudyFile(tmp_path / "study.jsonl")
    with pytest.raises(KeyboardInterrupt):
        search(Bowl(breaks_after=after), SETTINGS, diary)
    again = search(Bowl(), SETTINGS, diary)
    assert again == whole


def test_a_finished_search_is_not_run_again_and_a_larger_budget_goes_on_from_it(tmp_path, capsys):
    diary = StudyFile(tmp_path / "study.jsonl")
    first = search(Bowl(), SETTINGS, diary)
    idle = Bowl()
    assert search(idle, SETTINGS, diary) == first
    assert not idle.runs
    assert "10 trial(s) of this very search are there" in capsys.readouterr().out
    larger = search(Bowl(), dataclasses.replace(SETTINGS, trials=14), diary)
    assert larger.trials[:10] == first.trials
    assert larger == search(Bowl(), dataclasses.replace(SETTINGS, trials=14), InMemory())


def test_no_trials_leave_the_settings_as_they_are():
    bowl = Bowl()
    found = search(bowl, dataclasses.replace(SETTINGS, trials=0), InMemory())
    assert (found.settings, found.trials, bowl.runs) == (dataclasses.replace(SETTINGS, trials=0), (), [])


def test_settings_outside_the_space_widen_it():
    wide = dataclasses.replace(SETTINGS, max_leaves=100, learning_rate=0.5)
    found = search(Bowl(), wide, InMemory())
    assert found.trials[0].parameters["max_leaves"] == 100


def test_a_damaged_study_starts_anew_and_says_so(tmp_path, capsys):
    path = tmp_path / "study.jsonl"
    path.write_text('{"parameters": {}, "losses"')
    found = search(Bowl(), SETTINGS, StudyFile(path))
    assert found == search(Bowl(), SETTINGS, InMemory())
    assert "not a list of trials; the search starts anew" in capsys.readouterr().out
    assert len(path.read_text().splitlines()) == 10


@pytest.fixture(scope="module")
def ground(small_economy):
    book = small_economy.book.assign(invoices_due_12m_count=5, history_months=20)
    from pipeline.params import LabelParams, SplitParams

    return book, small_economy.catalogue, timetable(mature_dates(book), LabelParams(), SplitParams(0.5, 0.25, 0.25))


def test_another_book_catalogue_or_setting_is_another_study_and_threads_are_not(ground, tmp_path):
    book, catalogue, table = ground

    def name(book=book, catalogue=catalogue, settings=SETTINGS):
        return study_file(tmp_path, book, catalogue, table, settings).path.name

    assert name() == name(settings=dataclasses.replace(SETTINGS, threads=7, trials=99, standard_errors=1.0, members=()))
    others = {
        name(settings=dataclasses.replace(SETTINGS, folds=4)),
        name(catalogue=catalogue[1:]),
        name(book=book.assign(overdue_share=book["overdue_share"].add(1e-9))),
        name(book=book.iloc[1:]),
    }
    assert len(others | {name()}) == 5


@pytest.fixture(scope="module")
def searched(ground):
    book, catalogue, table = ground
    train = samples(book, table)["train"]
    return train, fit_booster(train, catalogue, dataclasses.replace(SETTINGS, trials=3))


def test_a_fit_takes_the_best_sure_trial_and_is_the_same_twice(searched, ground):
    train, fit = searched
    again = fit_booster(train, ground[1], dataclasses.replace(SETTINGS, trials=3))
    assert again.booster.text == fit.booster.text
    assert again.as_json() == fit.as_json()
    told = fit.as_json()["search"]
    start, *whole = [t for t in told["trials"] if not t["is_pruned"]]
    gains = [np.mean(start["losses"]) - np.mean(t["losses"]) for t in whole]
    better = [gain for gain, t in zip(gains, whole, strict=True) if gain > 2 * t["error"] > 0]
    won = np.mean(start["losses"]) - np.mean(told["trials"][told["best"]]["losses"])
    assert max([0.0, *better]) == pytest.approx(won, abs=1e-12)


def test_the_price_of_interactions_is_that_of_both_on_the_same_rows(searched):
    price = searched[1].interactions
    assert price.gini_gain.value == pytest.approx(price.gini.value - price.gini_without.value)
    assert price.gini_gain.low < price.gini_gain.value < price.gini_gain.high
    assert price.loss_gain.low < price.loss_gain.high


@pytest.mark.parametrize("kind", ["none", "within_subject"])
def test_no_tree_joins_what_may_not_meet(kind, ground):
    book, catalogue, table = ground
    subjects = {str(f["name"]): ("first" if i % 2 else "second") for i, f in enumerate(catalogue)}
    told = [{**f, "subject": subjects[str(f["name"])]} for f in catalogue]
    settings = dataclasses.replace(SETTINGS, trials=0, interactions=kind)
    fit = fit_booster(samples(book, table)["train"], told, settings)
    trees = [line for line in fit.booster.text.splitlines() if line.startswith("split_feature=")]
    names = fit.booster.features
    seen = [{names[int(i)] for i in line.removeprefix("split_feature=").split()} for line in trees]
    if kind == "none":
        assert all(len(used) <= 1 for used in seen)
        assert fit.interactions is None
    else:
        assert all(len({subjects[name] for name in used}) <= 1 for used in seen)
        assert any(len(used) > 1 for used in seen)


def test_trials_are_plain_values():
    assert Trial({"l2": 1.0}, (0.5, 0.25), is_pruned=True).loss == 0.375
