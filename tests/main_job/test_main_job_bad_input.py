"""What a user may do wrongly, seen from the shell: exit code, message, and no output changed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from project_copy import change_params, copy_of_the_repository, creditbook, hashes

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("bad_input")]

KEPT = ("data/ledger", "data/labels", "data/features", "models/candidates")
NEEDED = ("customers", "invoices", "payments")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project with a ledger of its own taken in: the last good state that no error may touch."""
    folder = tmp_path_factory.mktemp("bad")
    made = creditbook(Path(), "demo-book", str(folder / "book"), "--customers", "150", "--months", "30", "--seed", "4")
    assert made.returncode == 0, made.stderr
    project = copy_of_the_repository(folder / "project", ingest__source="../given")
    _hand_in(folder / "book", folder / "given")
    for stage in ("ingest", "label", "build_features"):
        done = creditbook(project, "stage", stage)
        assert done.returncode == 0, done.stderr
    return project


@pytest.fixture
def given(project):
    """The folder handed in, put right again after the test."""
    _hand_in(project.parent / "book", project.parent / "given")
    return project.parent / "given"


def _hand_in(book: Path, given: Path) -> None:
    shutil.rmtree(given, ignore_errors=True)
    given.mkdir()
    for name in ("customers", "invoices", "payments", "fx_rates"):
        pyarrow.csv.write_csv(pq.read_table(book / f"{name}.parquet"), given / f"{name}.csv")


def _replace(path: Path, old: str, new: str, count: int = -1) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, count), encoding="utf-8")


def _texts(path: Path) -> pa.Table:
    """A CSV with every column as text, as it stands in the file."""
    names = path.read_text(encoding="utf-8").splitlines()[0].replace('"', "").split(",")
    options = pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True)
    return pyarrow.csv.read_csv(path, convert_options=options)


def _cell(path: Path, column: str, change) -> None:
    """Changes one column of every row of a CSV."""
    table = _texts(path)
    changed = pa.array([None if text is None else change(text) for text in table[column].to_pylist()], pa.string())
    pyarrow.csv.write_csv(table.set_column(table.schema.get_field_index(column), column, changed), path)


def _one_customer(given: Path) -> None:
    first = _texts(given / "invoices.csv")["customer_id"][0]
    for name in NEEDED:
        table = _texts(given / f"{name}.csv")
        pyarrow.csv.write_csv(table.filter(pc.equal(table["customer_id"], first)), given / f"{name}.csv")


FAULTS = {
    "missing table": (lambda g: (g / "payments.csv").unlink(), 66, ("payments",)),
    "renamed column": (lambda g: _replace(g / "invoices.csv", "due_on", "dueon"), 65, ("invoices.due_on", "rename")),
    "text in an amount": (
        lambda g: _cell(g / "invoices.csv", "amount", lambda _: "a lot"),
        65,
        ("invoices.amount", "a lot"),
    ),
    "decimal commas": (
        lambda g: _cell(g / "invoices.csv", "amount", lambda t: t.replace(".", ",")),
        65,
        ("invoices.amount", "decimal"),
    ),
    "dates in another format": (
        lambda g: _cell(g / "payments.csv", "paid_on", lambda t: t.replace("-", "/")),
        65,
        ("payments.paid_on",),
    ),
    "the same file twice": (
        lambda g: (g / "payments.csv").write_text(
            (g / "payments.csv").read_text(encoding="utf-8")
            + "".join((g / "payments.csv").read_text(encoding="utf-8").splitlines(keepends=True)[1:]),
            encoding="utf-8",
        ),
        65,
        ("payments",),
    ),
    "payments for unknown invoices": (
        lambda g: _cell(g / "payments.csv", "invoice_id", lambda t: f"X{t}"),
        65,
        ("payments.invoice_id", "invoices"),
    ),
    "an empty file": (lambda g: (g / "invoices.csv").write_bytes(b""), 65, ("invoices",)),
    "another encoding": (
        lambda g: (g / "customers.csv").write_bytes(
            (g / "customers.csv").read_text(encoding="utf-8").replace('"name"', '"name"').encode("utf-16")
        ),
        65,
        ("customers",),
    ),
    "a currency without a rate": (
        lambda g: _cell(g / "invoices.csv", "currency", lambda _: "XAU"),
        65,
        ("invoices.currency", "XAU", "fx_rates"),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_bad_ledger_is_refused_and_the_last_good_one_stays(fault, project, given):
    spoil, code, parts = FAULTS[fault]
    before = {folder: hashes(project / folder) for folder in KEPT}
    spoil(given)
    refused = creditbook(project, "stage", "ingest")
    assert refused.returncode == code, refused.stdout + refused.stderr
    assert refused.stderr.startswith(f"error ({code})")
    assert "Traceback" not in refused.stderr
    for part in parts:
        assert part in refused.stderr
    assert {folder: hashes(project / folder) for folder in KEPT} == before


def test_check_tells_the_same_and_writes_nothing(project, given):
    _cell(given / "invoices.csv", "amount", lambda _: "a lot")
    before = hashes(project.parent)
    told = creditbook(project, "check", str(given))
    assert told.returncode == 65
    assert "invoices.amount" in told.stdout
    assert hashes(project.parent) == before


def test_all_rows_of_one_customer_cannot_carry_a_model(project, given):
    _one_customer(given)
    try:
        for stage in ("ingest", "label", "build_features"):
            assert creditbook(project, "stage", stage).returncode == 0
        before = hashes(project / "models")
        refused = creditbook(project, "stage", "fit_scorecard")
        assert refused.returncode == 65
        assert "hand in" in refused.stderr
        assert hashes(project / "models") == before
    finally:
        _hand_in(project.parent / "book", given)
        for stage in ("ingest", "label", "build_features"):
            creditbook(project, "stage", stage)


def test_wrong_parameters_are_told_all_at_once(project, given):
    text = (project / "params.yaml").read_text(encoding="utf-8")
    try:
        (project / "params.yaml").write_text(text + "surprise: 1\nengine: {threads: many}\n", encoding="utf-8")
        twice = creditbook(project, "stage", "ingest")
        assert twice.returncode == 78
        assert "'engine' stands twice" in twice.stderr
        change_params_text = text.replace("threads: 2", "threads: many").replace("kind: duckdb", "kind: duck")
        (project / "params.yaml").write_text(change_params_text + "surprise: 1\n", encoding="utf-8")
        refused = creditbook(project, "stage", "ingest")
        assert refused.returncode == 78
        for part in ("engine.threads", "engine.kind", "surprise: unknown key"):
            assert part in refused.stderr
    finally:
        (project / "params.yaml").write_text(text, encoding="utf-8")


def test_scoring_without_a_model_is_a_missing_input(project, given, tmp_path):
    refused = creditbook(project, "score", "--as-of", "2025-06-30", "--out", str(tmp_path / "out"))
    assert refused.returncode == 66
    assert "champion.json" in refused.stderr
    assert not (tmp_path / "out").exists()


def test_a_wrong_day_is_a_usage_error_and_a_missing_project_a_missing_input(project, tmp_path):
    assert creditbook(project, "score", "--as-of", "30.06.2025").returncode == 2
    lost = creditbook(project, "score", "--as-of", "2025-06-30", "--project", str(tmp_path))
    assert lost.returncode == 66
    assert "no params.yaml here" in lost.stderr


def test_no_default_in_the_training_window_is_told_where_no_expert_card_is_wanted(project, given):
    """Every invoice of the past paid on its due day: nobody ever defaults."""
    invoices = _texts(given / "invoices.csv")
    is_due = pc.and_(pc.equal(invoices["kind"], "invoice"), pc.less(invoices["due_on"], "2025-12-01"))
    latest = {row["invoice_id"]: {**row, "written_off_on": None} for row in invoices.filter(is_due).to_pylist()}
    payments = [
        {
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
    pyarrow.csv.write_csv(pa.Table.from_pylist(list(latest.values()), schema=invoices.schema), given / "invoices.csv")
    pyarrow.csv.write_csv(pa.Table.from_pylist(payments), given / "payments.csv")
    change_params(project, split__purge="best_effort", fit_scorecard__expert__below_bad_customers=0)
    for stage in ("ingest", "label", "build_features"):
        done = creditbook(project, "stage", stage)
        assert done.returncode == 0, done.stderr
    refused = creditbook(project, "stage", "fit_scorecard")
    assert refused.returncode == 65
    assert "none of which defaulted" in refused.stderr
