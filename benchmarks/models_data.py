"""The public tables of the model benchmark: taken in by our catalogues, cut into folds, handed out as Parquet.

One folder per table: `rows.parquet` (the rows as taken in, and one column `role_k` per fold: train, calibration or
test) and `features.json` (the catalogue's entries, directions included). Codes that stand in the place of a number are
left in the columns as the source wrote them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.one_build import ROOT
from pipeline.tables.own_table import take_in
from pipeline.tables.own_table_catalogue import parse_catalogue
from pipeline.tables.own_table_reading import read_own_table

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

TABLES = ROOT.parent / "shared" / "data"
CALIBRATION_SHARE = 0.2
# Of some 100 bad rows a fold, one division's luck moves a difference of two models as much as the goals are wide.
DIVISIONS_OF_FEW_BADS = 3
_SEED = 1


@dataclass(frozen=True)
class DataSet:
    """A table and its catalogue. `folds`: stratified, of the rows; null where the last years are the test.

    `divisions`: how often the rows are divided into folds, each time anew. `first_test_year`: rows from this 31
    December on are the test, all before are training and calibration.
    """

    name: str
    title: str
    table: str
    catalogue: str
    folds: int | None = 5
    divisions: int = DIVISIONS_OF_FEW_BADS
    first_test_year: int | None = None

    @property
    def told(self) -> str:
        """How its rows are divided, in words."""
        if not self.folds:
            return f"test from {self.first_test_year} on"
        return f"{self.folds} folds" if self.divisions == 1 else f"{self.divisions} × {self.folds} folds"

    def roles(self, rows: pa.Table) -> list[NDArray[np.object_]]:
        """Per fold the role of each row, one division after the other."""
        if not self.folds:
            return [_by_time(rows, self.first_test_year or 0)]
        is_bad = rows["is_bad"].to_numpy().astype(int)
        return [role for i in range(self.divisions) for role in _by_fold(is_bad, self.folds, _SEED + i)]


DATA_SETS = (
    DataSet("polish_3", "Polish, third year", "polish_bankruptcy/3year.csv.gz", "polish_bankruptcy_3year"),
    # The columns are those of the third year; only the window, which nothing here reads, is another one.
    DataSet("polish_5", "Polish, fifth year", "polish_bankruptcy/5year.arff.gz", "polish_bankruptcy_3year"),
    DataSet(
        "american",
        "American 1999-2013",
        "american_bankruptcy/firm_years_1999_2014.csv.gz",
        "american_bankruptcy",
        folds=None,
        divisions=1,
        first_test_year=2012,
    ),
    DataSet("uci", "UCI credit card", "uci_credit_card/UCI_Credit_Card.csv.gz", "uci_credit_card", 3, 1),
    DataSet("gmsc", "Give Me Some Credit", "give_me_some_credit/cs-training.csv.zip", "give_me_some_credit", 2, 1),
    DataSet("sba", "SBA case", "sba_case/SBAcase.csv.gz", "sba_case"),
    DataSet("german", "German credit", "german_credit/german.data.gz", "german_credit"),
)


@dataclass(frozen=True)
class Exchange:
    """A table laid out for both sides: its folder, its rows and bad rows with an outcome, its catalogue's entries."""

    data: DataSet
    folder: Path
    rows: int
    bads: int
    features: tuple[dict[str, Any], ...]

    @property
    def directed(self) -> int:
        """Features with a direction."""
        return sum(1 for feature in self.features if feature["risk"] != "either")


def lay_out(data: DataSet, folder: Path, tables: Path = TABLES) -> Exchange:
    """Writes the folder of one table. Raises MissingInputError without its file."""
    text = (ROOT / "data" / "catalogues" / f"{data.catalogue}.yaml").read_text(encoding="utf-8")
    catalogue = parse_catalogue(text, data.catalogue)
    rows = take_in(read_own_table(tables / data.table, catalogue.file), catalogue).rows
    rows = rows.filter(rows["is_bad"].is_valid())
    folder.mkdir(parents=True, exist_ok=True)
    bads = int(rows["is_bad"].to_numpy().sum())
    for k, role in enumerate(data.roles(rows)):
        rows = rows.append_column(f"role_{k}", pa.array(role.tolist(), pa.string()))
    pq.write_table(rows, folder / "rows.parquet")
    features = [feature.as_json(catalogue.name) for feature in catalogue.features]
    (folder / "features.json").write_text(json.dumps(features, ensure_ascii=False), encoding="utf-8")
    return Exchange(data, folder, rows.num_rows, bads, tuple(features))


def without_directions(features: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The entries with every direction left to the data."""
    return [{**feature, "risk": "either"} for feature in features]


def _by_fold(is_bad: NDArray[np.int_], folds: int, seed: int) -> list[NDArray[np.object_]]:
    """Per fold the role of each row: the fold is the test; of the rest a fifth calibrates. Stratified by outcome."""
    draw = np.random.default_rng(seed)
    fold, turn = np.empty(len(is_bad), dtype=int), np.empty(len(is_bad), dtype=int)
    for outcome in (0, 1):
        rows = draw.permutation(np.flatnonzero(is_bad == outcome))
        fold[rows], turn[rows] = np.arange(len(rows)) % folds, np.arange(len(rows)) // folds
    every = round(1 / CALIBRATION_SHARE)
    calibrates = turn % every == 0
    return [
        np.where(fold == k, "test", np.where(calibrates, "calibration", "train")).astype(object) for k in range(folds)
    ]


def _by_time(rows: pa.Table, first_test_year: int) -> NDArray[np.object_]:
    """Test: every firm from that year on. Before it whole firms calibrate, the others train."""
    years = np.array([day.year for day in rows["as_of"].to_pylist()])
    firms, code = np.unique(np.array(rows["group_key"].to_pylist(), dtype=str), return_inverse=True)
    calibrates = np.random.default_rng(_SEED).random(len(firms)) < CALIBRATION_SHARE
    early = np.where(calibrates[code], "calibration", "train")
    return np.where(years >= first_test_year, "test", early).astype(object)
