"""A book in which nobody ever defaults: the expert card of the policy rates it, and every stage says that it is one."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from project_copy import ONE_PAGE, copy_of_the_repository, creditbook

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("expert_card")]


def paid_on_the_day(book: Path, given: Path) -> None:
    """The ledger of a demo book with every invoice of the past paid on its due day."""
    given.mkdir()
    for name in ("customers", "fx_rates"):
        pq.write_table(pq.read_table(book / f"{name}.parquet"), given / f"{name}.parquet")
    invoices = pq.read_table(book / "invoices.parquet")
    is_due = pc.and_(pc.equal(invoices["kind"], "invoice"), pc.less(invoices["due_on"], dt.date(2025, 12, 1)))
    latest = {row["invoice_id"]: {**row, "written_off_on": None} for row in invoices.filter(is_due).to_pylist()}
    payments = [
        {
            **dict.fromkeys(pq.read_schema(book / "payments.parquet").names),
            "payment_id": f"P{row['invoice_id']}",
            "invoice_id": row["invoice_id"],
            "customer_id": row["customer_id"],
            "paid_on": row["due_on"],
            "amount": row["amount"],
            "currency": row["currency"],
            "known_on": max(row["due_on"], row["known_on"]),
        }
        for row in latest.values()
    ]
    pq.write_table(pa.Table.from_pylist(list(latest.values()), schema=invoices.schema), given / "invoices.parquet")
    pq.write_table(
        pa.Table.from_pylist(payments, schema=pq.read_schema(book / "payments.parquet")), given / "payments.parquet"
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("expert")
    made = creditbook(Path(), "demo-book", str(folder / "book"), "--customers", "150", "--months", "30", "--seed", "4")
    assert made.returncode == 0, made.stderr
    paid_on_the_day(folder / "book", folder / "given")
    project = copy_of_the_repository(
        folder / "project",
        ingest__source="../given",
        split__purge="best_effort",
        validate__bootstrap_rounds=50,
        **ONE_PAGE,
        # Only who paid on the day is left, and so the last invoices are weeks old.
        score__breakers__stale_days={},
    )
    done = creditbook(project, "run")
    assert done.returncode == 0, done.stdout + done.stderr
    return project


def test_the_expert_card_is_in_force_alone_and_its_version_says_what_it_is(project):
    told = json.loads((project / "models" / "champion.json").read_text(encoding="utf-8"))
    manifest = json.loads((project / "models" / told["model_version"] / "manifest.json").read_text(encoding="utf-8"))
    assert told["model_version"].startswith("scorecard-expert-")
    assert (manifest["kind"], manifest["basis"]) == ("scorecard", "expert")
    assert not (project / "models" / "challenger.json").exists()
    left = json.loads((project / "models" / "candidates" / "booster" / "details.json").read_text(encoding="utf-8"))
    assert "none of which defaulted" in left["unfit"]


def test_every_row_of_the_scored_book_names_the_expert_card_and_most_are_rated(project):
    book = pq.read_table(project / "data" / "scored" / "latest" / "scored_book.parquet").to_pandas()
    assert book["model_version"].str.startswith("scorecard-expert-").all()
    rated = book[book["rating_status"] == "rated"]
    assert len(rated) > 100
    assert rated["pd"].between(0.0001, 0.5).all()
    assert rated["reason_1_points"].dropna().between(-200, -1).all()


def test_the_report_makes_no_claim(project):
    page = (project / "models" / "report" / "model_report.html").read_text(encoding="utf-8")
    assert "This is an expert card: people set its points" in page
    assert "Nothing is claimed about how well it tells risky customers from safe ones" in page
    assert "0 bad of" in page
    assert "there is no booster among the models" in page


def test_a_second_run_does_nothing_and_the_card_can_be_exported(project):
    again = creditbook(project, "run")
    assert again.returncode == 0, again.stderr
    done = creditbook(project, "export-card", "--format", "md", "--out", "card.md")
    assert done.returncode == 0, done.stderr
    assert "EXPERT CARD" in (project / "card.md").read_text(encoding="utf-8")


def test_a_card_against_its_direction_is_refused_with_every_breach(project):
    path = project / "policy" / "expert_card.yaml"
    sound = path.read_text(encoding="utf-8")
    path.write_text(sound.replace("{below: 1, points: 15}", "{below: 1, points: -15}"), encoding="utf-8")
    refused = creditbook(project, "stage", "fit_scorecard")
    path.write_text(sound, encoding="utf-8")
    assert refused.returncode == 78
    assert "oldest_days_past_due: bins: risk rises with the value" in refused.stderr
