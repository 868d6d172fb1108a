"""Every file that is read or written, by name, and how it is put in place: aside, synced, renamed."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.durable import gone_on_error, replace_text, sync_folder, told_errors
from pipeline.engine import read_parquet, write_parquet
from pipeline.errors import MissingInputError

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Project:
    """A project folder: the one that holds params.yaml and dvc.yaml."""

    root: Path

    @property
    def params(self) -> Path:
        """The parameters."""
        return self.root / "params.yaml"

    @property
    def policy(self) -> Path:
        """The dated policy files."""
        return self.root / "policy"

    @property
    def definition(self) -> Path:
        """The definition of default in force."""
        return self.policy / "default_definition.yaml"

    @property
    def thin_file(self) -> Path:
        """The rule of the thin file in force."""
        return self.policy / "thin_file.yaml"

    @property
    def expert_card(self) -> Path:
        """The card of points set by people, for a book with too few defaults."""
        return self.policy / "expert_card.yaml"

    @property
    def bins(self) -> Path:
        """The bins set by hand."""
        return self.policy / "bins.yaml"

    @property
    def master_scale(self) -> Path:
        """The master scale in force."""
        return self.policy / "master_scale.yaml"

    @property
    def limit_policy(self) -> Path:
        """How limits are suggested."""
        return self.policy / "limits.yaml"

    @property
    def statement_policy(self) -> Path:
        """What the customer's page says in the name of the house."""
        return self.policy / "statement.yaml"

    @property
    def demo(self) -> Path:
        """The demo ledger; the truth lies beside it."""
        return self.root / "data" / "demo"

    @property
    def demo_truth(self) -> Path:
        """The true PD of the demo economy, one row per (customer_id, as_of)."""
        return self.root / "data" / "demo-truth" / "true_pd.parquet"

    @property
    def ledger(self) -> Path:
        """The canonical ledger, or the modelling table that was taken in instead."""
        return self.root / "data" / "ledger"

    @property
    def snapshots(self) -> Path:
        """The labelled snapshots."""
        return self.root / "data" / "labels" / "snapshots.parquet"

    @property
    def label(self) -> Path:
        """What the labelled snapshots are labelled with, and whether they come from a ledger or a table."""
        return self.root / "data" / "labels" / "label.json"

    @property
    def studies(self) -> Path:
        """The trials of the booster's searches; no output, only time saved: it may be deleted."""
        return self.root / "data" / "studies"

    @property
    def features(self) -> Path:
        """The features of the labelled snapshots."""
        return self.root / "data" / "features" / "training.parquet"

    @property
    def catalogue(self) -> Path:
        """What the columns of `features` mean."""
        return self.root / "data" / "features" / "catalogue.json"

    @property
    def positions(self) -> Path:
        """What stood open, was billed and covered at the labelled snapshots."""
        return self.root / "data" / "features" / "positions.parquet"

    @property
    def models(self) -> Path:
        """The models in force and the candidates."""
        return self.root / "models"

    def candidate(self, kind: str) -> Path:
        """The last fitted model of a kind, not yet registered."""
        return self.models / "candidates" / kind

    @property
    def validation(self) -> Path:
        """What validation measured and drew."""
        return self.models / "validation"

    @property
    def report(self) -> Path:
        """The model report."""
        return self.models / "report" / "model_report.html"

    @property
    def receipt(self) -> Path:
        """What the score stage published last."""
        return self.root / "data" / "receipts" / "score.json"

    @property
    def night(self) -> Path:
        """The features of the day that was scored last, for monitoring."""
        return self.root / "data" / "night" / "features.parquet"

    @property
    def monitoring(self) -> Path:
        """The record of drift."""
        return self.root / "data" / "monitor"

    @property
    def warnings(self) -> Path:
        """How each alert rule has done on history."""
        return self.root / "data" / "warnings"

    @property
    def tracking(self) -> Path:
        """The embedded MLflow store."""
        return self.models / "mlflow"


def open_project(root: Path) -> Project:
    """The project in that folder. Raises MissingInputError when the folder holds no params.yaml."""
    project = Project(root)
    if not project.params.is_file():
        raise MissingInputError(
            f"{root.resolve()}: no params.yaml here; change to a project folder or name one with --project"
        )
    return project


def read_table(path: Path, made_by: str) -> pa.Table:
    """A Parquet file of an earlier stage. Raises MissingInputError naming the stage that makes it."""
    if not path.is_file():
        raise MissingInputError(f"{path}: not there; run the stage {made_by} first (creditbook stage {made_by})")
    return read_parquet(path)


def read_json(path: Path, made_by: str) -> Any:
    """A JSON file of an earlier stage. Raises MissingInputError naming the stage that makes it."""
    if not path.is_file():
        raise MissingInputError(f"{path}: not there; run the stage {made_by} first (creditbook stage {made_by})")
    return json.loads(path.read_text(encoding="utf-8"))


def write_table(rows: pa.Table, path: Path) -> None:
    """Puts a Parquet file in place; a reader sees the old one or the new one."""
    with told_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f".{path.name}.aside")
        with gone_on_error(aside):
            write_parquet(rows, aside)
            sync_folder(aside)
            aside.replace(path)
        sync_folder(path.parent)


def put_file(source: Path, path: Path) -> None:
    """Moves a file to its place; a reader sees the old one or the new one."""
    with told_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f".{path.name}.aside")
        with gone_on_error(aside):
            shutil.move(source, aside)
            sync_folder(aside)
            aside.replace(path)
        sync_folder(path.parent)


def write_text(text: str, path: Path) -> None:
    """Puts a text file in place; a reader sees the old one or the new one."""
    replace_text(path, text)


def write_json(content: object, path: Path) -> None:
    """Puts a JSON file in place, its keys sorted; NaN is refused."""
    write_text(json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n", path)


def file_hash(path: Path) -> str:
    """The sha256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def code_hash() -> str:
    """The sha256 over this package's sources: the code's version, with or without git."""
    package = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        digest.update(f"{path.relative_to(package).as_posix()} {file_hash(path)}\n".encode())
    return digest.hexdigest()
