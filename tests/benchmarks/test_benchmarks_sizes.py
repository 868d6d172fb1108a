"""Books of known truth keep their law, cells are counted once, and tables say what was not simulated often enough."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass, field

import numpy as np
import pytest
import yaml

from benchmarks import sizes_cells, sizes_order
from benchmarks.sizes_book import SETTINGS, TESTED, ground_of, rows_of, sample_of
from benchmarks.sizes_cells import Cell, code_of, counted
from benchmarks.sizes_counts import Counts
from benchmarks.sizes_rows import arrays_of
from benchmarks.sizes_tables import as_yaml, of_yaml, sizes_table
from benchmarks.sizes_tenures import CYCLE, HORIZON, LAST, TIED_DEFAULTS, WINDOW, Design, drawn
from pipeline.train.committee_discrimination import auc_by_customer, discrimination_results

BOOK = Design("book", 400, 0.035)


@pytest.fixture(scope="module")
def tenures():
    return drawn(BOOK, np.random.default_rng(1), 200)


@pytest.mark.parametrize("month", [0, 17, LAST])
def test_every_place_is_held_by_one_customer_a_month(tenures, month):
    standing = tenures.at(month)
    places = standing.book * BOOK.customers + standing.slot
    assert np.array_equal(np.sort(places), np.arange(200 * BOOK.customers))
    assert set(standing.number[standing.start == 0]) == {0}


@pytest.mark.parametrize("factor", [1.0, 2.0])
def test_as_many_default_in_a_window_as_the_pds_say(factor):
    found = drawn(BOOK, np.random.default_rng(2), 200, factor).at(LAST)
    expected = np.minimum(found.pd * factor, 0.999)
    # Four standard errors, a little wider for the tied ones.
    reach = 4.2 * np.sqrt((expected * (1 - expected)).sum())
    assert found.is_bad_from(LAST).sum() == pytest.approx(expected.sum(), abs=reach)


def test_customers_leave_by_their_hazard_and_the_next_one_is_numbered(tenures):
    single = tenures.where(tenures.slot % CYCLE > 1)
    later = single.where(single.number == 1)
    first = single.where(single.number == 0)
    before = dict(zip(zip(first.book, first.slot, strict=True), first.end, strict=True))
    assert len(later.start) > 1000
    assert all(before[b, s] + 1 == start for b, s, start in zip(later.book, later.slot, later.start, strict=True))
    risky = first.where(first.pd > 0.10)
    survived = (1 - risky.pd) ** (36 / WINDOW)
    reach = 4 * np.sqrt((survived * (1 - survived)).sum())
    assert (risky.end >= 36).sum() == pytest.approx(survived.sum(), abs=reach)


def test_tied_customers_default_together_three_times_in_ten_and_else_by_chance():
    found = drawn(Design("risky", 400, 0.2), np.random.default_rng(3), 400)
    first = found.where((found.slot % CYCLE == 0) & (found.number == 0))
    second = found.where((found.slot % CYCLE == 1) & (found.number == 0))
    one, two = (part.end[np.lexsort([part.slot, part.book])] for part in (first, second))
    pd = first.pd[np.lexsort([first.slot, first.book])]
    hazard = 1 - (1 - pd) ** (1 / WINDOW)
    both = TIED_DEFAULTS * hazard + (1 - TIED_DEFAULTS) * hazard**2
    # Either ends the time in which both stand; how likely they end it together is both over either.
    either = 2 * hazard - both
    begun = 1 - (1 - either) ** HORIZON
    expected = begun * both / either
    together = (one == two) & (one < HORIZON)
    reach = 4 * np.sqrt((expected * (1 - expected)).sum())
    assert together.sum() == pytest.approx(expected.sum(), abs=reach)


def test_a_book_that_is_passed_by_is_one_on_which_no_part_could_be_told(monkeypatch):
    design = Design("few", 200, 0.15)
    monkeypatch.setattr(sizes_order, "_SLOTS", 30 * design.customers)
    found = sizes_order.parts(design, 0.0, 3)
    now = drawn(design, np.random.default_rng([2, design.customers, 3]), 30)
    rows = [rows_of(now.of(book)) for book in range(30)]
    whole = Counts(30)
    for one in rows:
        whole.add_all(discrimination_results(ground_of(one, one[one["month"] == LAST])), sizes_order.PART)
    assert 0 < whole.made["auc_by_part.cohort"] < 30
    assert found.made == whole.made
    assert found.draws == 30


@pytest.mark.parametrize("months", [TESTED, (LAST,)])
def test_the_arrays_of_a_book_tell_the_same_order_and_error_as_its_rows(tenures, months):
    for book in range(5):
        sample, found = sample_of(rows_of(tenures.of(book), months)), arrays_of(tenures.of(book), months)
        told = auc_by_customer(sample.rows["pd"].to_numpy(), sample.is_bad, sample.codes)
        assert astuple(auc_by_customer(found.pd, found.is_bad, found.codes)) == pytest.approx(astuple(told))
        assert found.is_enough == (sample.bad_customers >= SETTINGS.min_bad_customers)
        assert len(found.newest().pd) == BOOK.customers


@dataclass(frozen=True)
class Coins(Cell):
    """A test made on every second book, ten books a batch."""

    asked: list[int] = field(default_factory=list, compare=False)
    code: str = "first"

    @property
    def key(self) -> str:
        return self.code

    def batch(self, number: int) -> Counts:
        self.asked.append(number)
        counts = Counts(10)
        for _ in range(5):
            counts.add("coin.run", number % 2 == 0, -1.0)
        return counts


def coins(code: str = "first") -> Coins:
    return Coins("none", "coins", ("coin.run",), BOOK, 0.0, code=code)


def test_batches_count_in_their_order_whatever_the_number_of_workers(tmp_path):
    with ThreadPoolExecutor(3) as pool:
        one, three = (counted(coins(), pool, n, made=20, cap=1000, folder=tmp_path / str(n)) for n in (1, 3))
    assert one == three
    assert (one.draws, one.made["coin.run"], one.share("coin.run"), one.mean("coin.run")) == (40, 20, 0.5, -1.0)


def test_a_cell_goes_on_where_it_stood_and_is_counted_anew_for_other_code(tmp_path):
    first, again, longer, changed = coins(), coins(), coins(), coins("second")
    with ThreadPoolExecutor(1) as pool:
        counted(first, pool, 1, made=20, cap=1000, folder=tmp_path)
        counted(again, pool, 1, made=20, cap=1000, folder=tmp_path)
        counted(longer, pool, 1, made=30, cap=1000, folder=tmp_path)
        capped = counted(changed, pool, 1, made=30, cap=50, folder=tmp_path)
    assert (first.asked, again.asked, longer.asked, changed.asked) == ([0, 1, 2, 3], [], [4, 5], [0, 1, 2, 3, 4])
    assert (capped.draws, capped.made["coin.run"]) == (50, 25)


def test_code_is_other_code_when_what_it_imports_changes_but_not_its_words(tmp_path, monkeypatch):
    monkeypatch.setattr(sizes_cells, "ROOT", tmp_path)
    (tmp_path / "pipeline").mkdir()

    def hashed(outer: str, inner: str) -> str:
        (tmp_path / "pipeline" / "outer.py").write_text(outer, encoding="utf-8")
        (tmp_path / "pipeline" / "inner.py").write_text(inner, encoding="utf-8")
        code_of.cache_clear()
        return code_of("pipeline.outer")

    outer, inner = "from pipeline.inner import f\n", 'def f():\n    """One."""\n    return 1\n'
    before = hashed(outer, inner)
    assert hashed(outer, inner.replace("One", "Another one")) == before
    assert hashed(f"# Why.\n{outer}", inner) == before
    assert hashed(outer, inner.replace("return 1", "return 2")) != before
    code_of.cache_clear()


def test_what_was_made_too_seldom_is_told_in_the_table_and_the_size_goes_to_the_report():
    often = Counts(2500, Counter({"auc.cohort": 2000}), Counter({"auc.cohort": 260}))
    seldom = Counts(200_000, Counter({"auc.cohort": 1412}), Counter({"auc.cohort": 70}))
    sizes = {"auc.cohort": {"small": seldom, "middling": often}}
    assert sizes_table(sizes, 2000).splitlines()[-1] == (
        "| auc.cohort | 5.0% | 5.0% (1,412) | 0.71%; made 1,412 of 200,000 draws | 13.0% (2,000) | 80% | no |"
    )
    kept = yaml.safe_load(as_yaml(sizes, 2000))
    assert kept["sizes"]["auc.cohort"] == {
        "nominal": 0.05,
        "small": 0.0496,
        "small_made": 1412,
        "small_draws": 200_000,
        "middling": 0.13,
        "middling_made": 2000,
        "middling_draws": 2500,
    }
    again = of_yaml(as_yaml(sizes, 2000))
    assert sizes_table(again, 2000) == sizes_table(sizes, 2000)
