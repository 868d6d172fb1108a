"""The true PD: who has one, that it is the PD of the written label, and that the ledger shows what it knows."""

import datetime as dt

import numpy as np
import pytest
from scipy.stats import rankdata

from pipeline.tables.demo.book import demo_book
from pipeline.tables.demo.chances import Chances, reach
from pipeline.tables.demo.distress import onset_hazard
from pipeline.tables.demo.economy import ECONOMY
from pipeline.tables.demo.truth import _noise_paths, _pd_of_free
from pipeline.tables.demo.world import world


def gini(pd, is_bad):
    ranks, bads = rankdata(pd), is_bad.sum()
    goods = len(pd) - bads
    return 2.0 * (ranks[is_bad].sum() - bads * (bads + 1) / 2) / (bads * goods) - 1.0


def clustered_error(residuals, customers):
    """Standard error of a mean whose rows come in clusters of one customer."""
    _, cluster = np.unique(customers, return_inverse=True)
    return np.sqrt((np.bincount(cluster, weights=residuals) ** 2).sum()) / len(residuals)


@pytest.fixture(scope="session")
def default_book(books):
    return books(2000, 72, 1)


@pytest.fixture(scope="session")
def judged(default_book, oracle):
    """Mature rows of the truth: customer, as_of, true PD, and what became of them by the independent label."""
    rows = oracle.outcomes(default_book, oracle.spells_of(default_book))
    customers, days, pd, is_bad = zip(*rows, strict=True)
    return np.array(customers), np.array(days), np.array(pd), np.array(is_bad)


def test_a_distress_becomes_a_default_as_often_as_a_simple_simulation_says():
    draw = np.random.default_rng(3)
    rescued = draw.exponential(1.0 / ECONOMY.rescue_rate_per_day, 400_000)
    insolvent = draw.exponential(1.0 / ECONOMY.insolvency_rate_per_day, 400_000)
    for left, trigger in ((365.0, 70.0), (40.0, 70.0), (200.0, 2e6), (365.0, 0.0)):
        default_on = np.minimum(trigger, insolvent)
        simulated = ((default_on <= left) & (default_on < rescued)).mean()
        assert reach(np.array([left]), np.array([trigger]), ECONOMY)[0] == pytest.approx(simulated, abs=0.003)


def test_the_pd_of_a_firm_equals_a_plain_simulation_of_its_quality_month_by_month():
    made = world(60, 12, ECONOMY, 11)
    firms, month = np.array([0, 7, 21, 40]), np.full(4, made.line.count - 13)
    # One cell only: the chance depends on the month ahead alone.
    chance = np.linspace(0.8, 0.1, 12)
    table = Chances((np.zeros(0), np.zeros(0), np.zeros(0)), chance[None, :])
    found = _pd_of_free(made, (firms, month), np.array([0, 0, 4, 0]), table, _noise_paths(ECONOMY))
    draw, economy = np.random.default_rng(5), ECONOMY
    for at, firm in enumerate(firms):
        parts = [
            (made.quality.swing[firm, month[0]], economy.swing_persistence, economy.swing_sd),
            (
                made.quality.industry[made.firms.industry[firm], month[0]],
                economy.industry_persistence,
                economy.industry_sd,
            ),
            (made.quality.macro[month[0]], economy.macro_persistence, economy.macro_sd),
        ]
        states = [np.full(60_000, value) for value, _, _ in parts]
        alive, total = np.ones(60_000), np.zeros(60_000)
        for ahead in range(1, 13):
            for k, (_, phi, sd) in enumerate(parts):
                states[k] = phi * states[k] + sd * np.sqrt(1.0 - phi**2) * draw.standard_normal(60_000)
            hazard = onset_hazard(made.quality.level[firm] + sum(states), economy)
            hazard = hazard * (ahead >= [0, 0, 4, 0][at]) * (1.0 - economy.leave_rate) ** ahead
            total += alive * hazard * chance[ahead - 1]
            alive *= 1.0 - hazard
        assert found[at] == pytest.approx(total.mean(), rel=0.03)


def test_truth_is_told_only_of_customers_in_the_book_and_of_all_of_them_that_are_not_in_default(books, oracle):
    book = books(300, 36, 1)
    members = oracle.members(book)
    told = set(zip(book.truth["customer_id"].to_pylist(), book.truth["as_of"].to_pylist(), strict=True))
    assert told <= members
    spells = oracle.spells_of(book)
    free = {(c, d) for c, d in members if not any(b <= d.toordinal() < e for b, e in spells[c])}
    # The economy leaves the relative threshold and credit notes out of its own view of a default; rarely it matters.
    assert len(told ^ free) <= 0.002 * len(free)


def test_truth_has_one_row_per_customer_and_month_end_and_probabilities(books):
    truth = books(300, 36, 1).truth
    assert truth.group_by(["customer_id", "as_of"]).aggregate([]).num_rows == truth.num_rows
    assert truth["true_pd"].to_numpy().min() > 0.0
    assert truth["true_pd"].to_numpy().max() < 1.0
    assert len(set(truth["as_of"].to_pylist())) == 36
    assert all((day + dt.timedelta(days=1)).day == 1 for day in set(truth["as_of"].to_pylist()))
    order = list(zip(truth["as_of"].to_pylist(), truth["customer_id"].to_pylist(), strict=True))
    assert order == sorted(order)


def test_outside_distress_no_invoice_is_ever_90_undisputed_days_past_due(books, oracle):
    book = books(300, 36, 1)
    truth = book.truth
    rows = zip(truth["customer_id"].to_pylist(), truth["is_in_distress"].to_pylist(), strict=True)
    ever = {customer for customer, is_in_distress in rows if is_in_distress}
    # Who had a default by the label is not left out: that would hide the very breach. Only what fell due before the
    # first months of the truth is, for a distress of the burn-in is not told.
    calm = {c: found for c, found in oracle.customers_of(book).items() if c not in ever}
    told = dt.date(2023, 7, 1).toordinal()
    worst = 0
    for found in calm.values():
        for item, (_, due, _, _) in found.items.items():
            if due < told:
                continue
            closed = max((day for day, _ in found.payments[item]), default=due)
            worst = max(worst, closed - due - found.disputed_days(item, closed))
    assert len(calm) > 150
    assert 60 < worst < 90


def test_nobody_defaults_who_never_fell_into_distress(books, oracle):
    book = books(300, 36, 1)
    truth = book.truth
    ever = {c for c, d in zip(truth["customer_id"].to_pylist(), truth["is_in_distress"].to_pylist(), strict=True) if d}
    inside = dt.date(2023, 3, 1).toordinal()
    began = {c for c, spells in oracle.spells_of(book).items() if any(inside <= b <= oracle.EXTRACT for b, _ in spells)}
    # Someone in distress may default before a month end sees the distress; rare.
    assert len(began - ever) <= 0.1 * len(began) + 1


@pytest.fixture(scope="session")
def eight_worlds(oracle):
    """Mature rows of eight books of one economy: world and customer, true PD, what became of them."""
    rows = []
    for seed in range(101, 109):
        book = demo_book(1000, 48, seed)
        found = oracle.outcomes(book, oracle.spells_of(book))
        rows += [(seed, f"{seed}/{customer}", pd, is_bad) for customer, _, pd, is_bad in found]
    return tuple(np.array(column) for column in zip(*rows, strict=True))


@pytest.mark.slow
def test_the_true_pd_is_calibrated_to_the_label_over_all(eight_worlds):
    """Firms of one world share its shocks, so the error is taken between worlds."""
    worlds, _, pd, is_bad = eight_worlds
    gaps = np.array([(is_bad - pd)[worlds == world].mean() for world in np.unique(worlds)])
    assert abs(gaps.mean()) < 3.0 * gaps.std(ddof=1) / np.sqrt(len(gaps))
    assert is_bad.mean() / pd.mean() == pytest.approx(1.0, abs=0.07)


@pytest.mark.slow
def test_the_true_pd_is_calibrated_to_the_label_in_every_decile(eight_worlds):
    _, customers, pd, is_bad = eight_worlds
    residuals = is_bad - pd
    for decile in np.array_split(np.argsort(pd, kind="stable"), 10):
        error = clustered_error(residuals[decile], customers[decile])
        # Shocks in common make worlds differ by half as much again as their customers alone would.
        assert abs(residuals[decile].mean()) < 3.0 * 1.5 * error
    slope = np.polyfit(np.log(pd / (1 - pd)), residuals, 1)[0]
    assert abs(slope) < 0.003


@pytest.mark.slow
def test_the_true_pd_of_the_default_book_is_near_what_happened_in_it(judged):
    _, _, pd, is_bad = judged
    assert 0.85 < is_bad.mean() / pd.mean() < 1.15


@pytest.mark.slow
def test_the_book_is_as_large_and_fails_as_often_as_it_should(default_book, judged):
    _, days, pd, is_bad = judged
    assert 0.68 < gini(pd, is_bad) < 0.80
    yearly = [is_bad[days == dt.date(year, 12, 31)].mean() for year in range(2020, 2025)]
    assert 0.05 < np.mean(yearly) < 0.07
    assert max(yearly) < 1.25 * np.mean(yearly)
    assert min(yearly) > 0.75 * np.mean(yearly)
    in_book = np.unique(np.array(default_book.truth["as_of"]), return_counts=True)[1]
    assert in_book.min() > 1400
    assert in_book.max() < 1800
    assert 150_000 < default_book.tables["invoices"].num_rows < 300_000


@pytest.mark.slow
def test_habitual_late_payers_are_no_likelier_to_default(default_book, judged):
    customers, _days, _, is_bad = judged
    truth = default_book.truth
    late_payers = {
        c for c, late in zip(truth["customer_id"].to_pylist(), truth["has_late_habit"].to_pylist(), strict=True) if late
    }
    late = np.isin(customers, list(late_payers))
    gap = is_bad[late].mean() - is_bad[~late].mean()
    error = np.hypot(
        clustered_error(is_bad[late] - is_bad[late].mean(), customers[late]),
        clustered_error(is_bad[~late] - is_bad[~late].mean(), customers[~late]),
    )
    assert 0.1 < late.mean() < 0.3
    assert gap < 3.0 * error


@pytest.fixture(scope="session")
def before_default(default_book, oracle):
    return first_defaults(default_book, oracle)


def first_defaults(book, oracle):
    """Customers of two years and more, with the day of their first default."""
    known = book.tables["customers"]
    since = dict(zip(known["customer_id"].to_pylist(), known["customer_since"].to_pylist(), strict=True))
    spells = oracle.spells_of(book)
    begins = {c: s[0][0] for c, s in spells.items() if s and s[0][0] <= oracle.EXTRACT}
    first = dt.date(2021, 11, 1).toordinal()
    return {c: b for c, b in begins.items() if b > first and since[c].toordinal() < b - 730}


def half_year(begin, day):
    """1 for the half year that ends 120 days before the default, 0 for the same half year a year earlier."""
    before = begin - day
    if 120 < before <= 300:
        return 1
    return 0 if 485 < before <= 665 else None


@pytest.mark.slow
def test_before_a_default_orders_fall(default_book, before_default, oracle):
    amounts = dict.fromkeys((0, 1), 0.0)
    values = default_book.tables["orders"]["amount"].to_pylist()
    rows = zip(*oracle.columns(default_book, "orders", "customer_id", "ordered_on"), values, strict=True)
    others = dict.fromkeys((0, 1), 0.0)
    typical = int(np.median(list(before_default.values())))
    for customer, day, amount in rows:
        window = half_year(before_default.get(customer, typical), day)
        if window is not None:
            (amounts if customer in before_default else others)[window] += float(amount)
    assert len(before_default) > 200
    assert amounts[1] < 0.85 * amounts[0]
    assert others[1] > 0.92 * others[0]


def stretches(book, oracle):
    """By customer, how many days later the middle payment came in the half year before a default than before."""
    found = oracle.customers_of(book)
    changes = []
    for customer, begin in first_defaults(book, oracle).items():
        late = {0: [], 1: []}
        for item, (_, due, _, _) in found[customer].items.items():
            window = half_year(begin, due)
            # A written-off invoice is no longer open either, but nobody may have paid a cent of it.
            is_paid = found[customer].payments[item] and found[customer].open_on(item, oracle.EXTRACT) < 0.01
            if window is not None and is_paid:
                late[window].append(max(day for day, _ in found[customer].payments[item]) - due)
        if late[0] and late[1]:
            changes.append(np.median(late[1]) - np.median(late[0]))
    return changes


@pytest.mark.slow
def test_before_a_default_payments_stretch(oracle):
    """Modest in one book, beyond doubt in four: the sign, which late recoveries cannot sway, by 4 standard errors."""
    changes = np.array([days for seed in (61, 62, 63, 64) for days in stretches(demo_book(2000, 72, seed), oracle)])
    assert len(changes) > 800
    assert np.median(changes) > 1.0
    assert np.mean(changes > 0) > 0.5 + 4.0 * 0.5 / np.sqrt(len(changes))


@pytest.mark.slow
def test_the_default_size_is_quick_and_the_time_grows_no_faster_than_the_book():
    import time

    began = time.process_time()
    demo_book(500, 72, 3)
    small = time.process_time() - began
    began = time.process_time()
    demo_book(2000, 72, 3)
    large = time.process_time() - began
    assert large < 30.0
    assert large < 8.0 * small
