"""The benchmark of the models' speed on small books: every figure is told, and what must be equal is."""

import pytest

from benchmarks import models_speed


@pytest.fixture
def small(monkeypatch):
    for name, size in {
        "BINNED_FEATURES": 6, "BINNED_ROWS": 4_000, "SCORED_ROWS": 3_000, "CARD_FEATURES": 4, "BOOSTER_FEATURES": 6,
        "ROUNDS": 20, "LEAVES": 7, "DEPTH": 3, "SHAP_ROWS": 50, "REASONED_ROWS": 500, "TURNS": 1,
    }.items():  # fmt: skip
        monkeypatch.setattr(models_speed, name, size)


@pytest.mark.filterwarnings("ignore")
def test_every_goal_has_a_figure_and_ours_equals_the_peers(small, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    told = {figure.name: figure for figure in models_speed.figures()}
    goals = [figure.held_against for figure in told.values() if figure.held_against]
    assert goals == ["at least 2 ×", "all", "at least 2 ×", "at most 1 ×", "at most 1.2 ×", "at least 10 ×", "1e-5"]
    assert told["features without a null whose cuts are equal in every digit"].measured == "5 of 5"
    assert float(told["largest difference of a value"].measured) < 1e-8
    assert all(figure.measured for figure in told.values())


def test_the_book_has_the_kinds_of_columns_it_promises():
    rows, is_bad = models_speed.book(5_000, 10, 1)
    assert rows["f004"].isna().mean() == pytest.approx(0.15, abs=0.02)
    assert (rows["f003"] == 0).mean() > 0.3
    assert (rows["f001"] == rows["f001"].round()).all()
    assert 0.03 < is_bad.mean() < 0.09
