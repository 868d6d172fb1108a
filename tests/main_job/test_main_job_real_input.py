"""The main job on real input, by parameters alone: an open-item extract, and a ledger of the three needed tables."""

from __future__ import annotations

import json
import re
import shutil

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from project_copy import ONE_PAGE, copy_of_the_repository, creditbook

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("real_input")]

LATENESS = {
    "label__kind": "late",
    "label__days": 30,
    "label__window_months": None,
    "label__window_days": 90,
    "label__observation_months": 1,
    "split__purge": "best_effort",
    "split__train_share": 0.4,
    "split__calibration_share": 0.2,
    "split__test_share": 0.4,
}


def metrics_of(project):
    return json.loads((project / "models" / "validation" / "metrics.json").read_text(encoding="utf-8"))


def test_the_real_open_items_run_to_a_scored_book_and_a_report(real_data, tmp_path):
    project = copy_of_the_repository(
        tmp_path / "project",
        ingest__source=str(real_data / "highradius"),
        ingest__mapping="data/mappings/highradius_open_items_20190831.yaml",
        ingest__base_currency="USD",
        **LATENESS,
        **ONE_PAGE,
    )
    done = creditbook(project, "run")
    assert done.returncode == 0, done.stdout + done.stderr
    assert creditbook(project, "verify", "data/scored/latest").returncode == 0
    report = (project / "models" / "report" / "model_report.html").read_text(encoding="utf-8")
    assert "30" in report
    metrics = metrics_of(project)
    naive, low, high = (metrics[f"largest_lateness_6m.test.auc{end}"] for end in ("", "_low", "_high"))
    bads = metrics["champion.test.bad_customers"]
    print(f"naive rule: AUC {naive:.3f} ({low:.3f} to {high:.3f}); {bads:.0f} bad customers")
    for role in ("champion", "challenger"):
        low, auc, high = (metrics[f"{role}.test.auc{end}"] for end in ("_low", "", "_high"))
        print(f"{role}: AUC {auc:.3f} ({low:.3f} to {high:.3f})")
        assert 0.5 < auc <= high <= 1.0
    assert re.search(r"limitation: ", done.stdout)


def test_a_ledger_with_only_the_needed_tables_runs_to_a_scored_book(tmp_path):
    project = copy_of_the_repository(tmp_path / "project", ingest__source="../ledger", **ONE_PAGE)
    made = creditbook(project, "demo-book", "../full", "--customers", "500", "--months", "60", "--seed", "5")
    assert made.returncode == 0, made.stderr
    (tmp_path / "ledger").mkdir()
    _only_the_needed(tmp_path / "full", tmp_path / "ledger")
    done = creditbook(project, "run")
    assert done.returncode == 0, done.stdout + done.stderr
    assert creditbook(project, "verify", "data/scored/latest").returncode == 0
    present = json.loads((project / "data" / "ledger" / "manifest.json").read_text(encoding="utf-8"))["present"]
    assert set(present) == {"customers", "invoices", "payments"}


def _only_the_needed(full, target):
    """Customers, and the documents in base currency with their payments: without rates there can be no others."""
    shutil.copy(full / "customers.parquet", target)
    invoices = pq.read_table(full / "invoices.parquet")
    invoices = invoices.filter(pc.equal(invoices["currency"], "EUR"))
    payments = pq.read_table(full / "payments.parquet")
    payments = payments.filter(pc.is_in(payments["invoice_id"], invoices["invoice_id"].combine_chunks()))
    pq.write_table(invoices, target / "invoices.parquet")
    pq.write_table(payments, target / "payments.parquet")
