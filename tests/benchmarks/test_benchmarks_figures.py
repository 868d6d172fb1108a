"""What turns measurements into published figures: tables between markers, the yardstick, the model of cost."""

import json
import re

import duckdb
import pyarrow.parquet as pq
import pytest

from benchmarks.cost_model import fitted
from benchmarks.main_job import stage_times
from benchmarks.plain_duckdb import columns_read, read_and_sum, scans, statement
from benchmarks.readme_tables import Figure, publish, ratio_of, seconds, told

PAGE = "# A\n<!-- one -->\nold\n<!-- end of one -->\ntext\n<!-- two -->\nkept\n<!-- end of two -->\n"


def test_a_table_replaces_what_stands_between_its_own_markers_and_nothing_else(tmp_path):
    page = tmp_path / "README.md"
    page.write_text(PAGE, encoding="utf-8")
    publish("one", "new", page)
    assert page.read_text(encoding="utf-8") == PAGE.replace("old", "new")
    with pytest.raises(SystemExit, match="<!-- three -->"):
        publish("three", "new", page)


def test_the_page_has_the_markers_of_every_benchmark(repository):
    text = (repository / "benchmarks" / "README.md").read_text(encoding="utf-8")
    published = {
        name
        for path in (repository / "benchmarks").glob("*.py")
        for name in re.findall(r'publish\("(\w+)"', path.read_text(encoding="utf-8"))
    }
    assert len(published) >= 7
    assert {name for name in published if text.count(f"<!-- {name} -->\n") != 1} == set()


def test_a_figure_is_told_with_median_spread_and_goal():
    assert seconds([4.0, 1.0, 2.0]) == "2.0 s (1.0 to 4.0)"
    assert ratio_of([8.0, 10.0, 90.0], [2.0]) == 5.0
    assert told([Figure("a", "2.0 s", "3 s")], "Once.").splitlines()[-1] == "| a | 2.0 s | 3 s |"


def test_stage_times_are_the_seconds_to_the_next_stage():
    printed = "    1.0 [1/2] ingest\n    3.5 12 rows\n    4.0 [2/2] label"
    assert stage_times(printed, 10.0) == [("ingest", 3.0), ("label", 6.0)]


def test_the_columns_a_plan_scans_are_those_it_projects_and_filters():
    connection = duckdb.connect()
    connection.execute("CREATE TABLE t AS SELECT range a, range b, range c, range d FROM range(10)")
    (_, plan), *_ = connection.execute("EXPLAIN (FORMAT json) SELECT sum(a) FROM t WHERE b > 3 GROUP BY c").fetchall()
    (table, columns), *_ = scans(json.loads(plan))
    assert table == "t"
    assert columns >= {"a", "b", "c"}
    assert "d" not in columns


@pytest.mark.slow
def test_the_yardstick_reads_what_the_catalogue_reads(demo):
    columns = columns_read(demo)
    assert {"customer_id", "invoice_id", "paid_on", "amount", "known_on", "superseded_on"} <= set(columns["payments"])
    assert "currency" not in columns["payments"]
    assert {"fx_rates", "overrides"}.isdisjoint(columns)
    assert set(read_and_sum(demo, columns)) == set(columns)


def test_the_yardstick_sums_one_amount_per_customer_and_decodes_the_rest(demo):
    rows = pq.read_table(demo / "payments.parquet").to_pandas()
    sql = statement("payments", ["customer_id", "paid_on", "amount"], demo / "payments.parquet")
    found = {row[0]: row[1] for row in duckdb.connect().execute(sql).fetchall()}
    assert found == rows.groupby("customer_id")["amount"].sum().to_dict()
    assert "hash(paid_on)" in sql


def test_the_model_of_cost_finds_the_coefficients_of_exact_measurements():
    sizes = [(payments, snapshots) for payments in (2e5, 1e6, 4e6) for snapshots in (2e3, 5e4, 3e5)]
    model = fitted(sizes, [2 + 3e-6 * payments + 4e-5 * snapshots for payments, snapshots in sizes])
    assert (model.fixed, model.per_payment, model.per_snapshot) == pytest.approx((2, 3e-6, 4e-5), rel=1e-6)
    assert model.worst < 1e-6
    assert model.at(1e6, 1e4) == pytest.approx(2 + 3 + 0.4)


def test_what_featuretools_runs_on_is_pinned_with_hashes_and_names_no_registry(repository):
    text = (repository / "requirements" / "featuretools.txt").read_text(encoding="utf-8")
    pins = re.findall(r"^[a-z0-9-]+==.*(?:\n    .*)*", text, flags=re.MULTILINE)
    assert len(pins) > 15
    assert [pin.splitlines()[0] for pin in pins if "--hash=sha256:" not in pin] == []
    assert "://" not in text
