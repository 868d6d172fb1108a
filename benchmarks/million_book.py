"""A book of any number of customers with features at hand: the demo book's day, repeated and jittered, on disk."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.engine import read_parquet
from pipeline.engine.parquet_files import write_batches
from pipeline.features.build import features
from pipeline.features.catalog import KINDS
from pipeline.flows.definition import default_definition
from pipeline.flows.setting import Setting, ledger_in
from pipeline.history.point_in_time import customers_known
from pipeline.history.position import positions
from pipeline.history.snapshots import months_before, snapshots_on, spine
from pipeline.score.booster import Booster
from pipeline.score.feature_columns import encode
from pipeline.score.model_folder import read_role
from pipeline.score.policy import read_policy
from pipeline.tables.canonical import read_manifest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipeline.engine import Engine
    from pipeline.score.model import Model
    from pipeline.tables.canonical import Ledger

BOOSTER_FEATURES, TREES, LEAVES, DEPTH = 30, 300, 31, 5
JITTER = 0.05
"""Standard deviation of the factor by which every measurement is multiplied."""
_TIES = ("customer_id", "group_id")


@dataclass(frozen=True)
class Rows:
    """The files of one day, each in the order of customer_id."""

    as_of: dt.date
    positions: Path
    positions_before: Path
    features: Path
    features_before: Path


@dataclass(frozen=True)
class MillionBook:
    """Two days of a book, and the models that it is scored with."""

    customers: int
    before: Rows
    today: Rows
    card: Model
    booster: Model


def million_book(setting: Setting, copies: int, folder: Path) -> MillionBook:
    """`copies` of the demo book's customers, made in `folder` unless they are there. The project must have been run."""
    card, booster = models_of(setting)
    as_of = dt.date.fromisoformat(read_manifest(setting.project.ledger)["extract_date"])
    days = [months_before(as_of, 1), as_of]
    if not (folder / "made.json").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        _make(setting, (card, booster), days, copies, folder)
        (folder / "made.json").write_text(json.dumps({"copies": copies}), encoding="utf-8")
    before, today = (_rows(folder, day) for day in days)
    return MillionBook(pq.read_metadata(today.positions).num_rows, before, today, card, booster)


def models_of(setting: Setting) -> tuple[Model, Model]:
    """The scorecard in force, and a booster of 300 trees of depth 5 that reads its features and some more."""
    card = read_role(setting.project.models, "champion")
    grown = read_role(setting.project.models, "challenger")
    names = [*card.features, *(name for name in grown.features if name not in card.features)][:BOOSTER_FEATURES]
    rows = read_parquet(setting.project.features).to_pandas()
    held = grown.predictor
    categories = {name: texts for name, texts in held.categories.items() if name in names}
    matrix = encode(rows, names, categories, held.special)
    is_bad = np.random.default_rng(1).random(len(rows)) < card.pd(rows)
    text = trees(matrix, is_bad, names, DEPTH)
    predictor = Booster.from_text(text, tuple(names), categories, held.special)
    development = {**grown.development, "features": {n: grown.development["features"][n] for n in names}}
    made = replace(grown, predictor=predictor, features=predictor.features, development=development, golden=None,
                   version="booster-of-benchmark")  # fmt: skip
    return card, made


def trees(matrix: np.ndarray, is_bad: np.ndarray, names: list[str], depth: int) -> str:
    """300 trees of 31 leaves at most, as LightGBM's text; a depth of -1 has no bound."""
    import lightgbm

    import pipeline.environment  # noqa: F401  (sets OMP_WAIT_POLICY before lightgbm starts its threads)

    settings = {
        "objective": "binary", "num_leaves": LEAVES, "max_depth": depth, "min_data_in_leaf": 50, "verbose": -1,
        "learning_rate": 0.05, "num_threads": 2, "deterministic": True, "force_row_wise": True, "seed": 1,
    }  # fmt: skip
    data = lightgbm.Dataset(matrix, is_bad.astype(float), feature_name=names)
    text: str = lightgbm.train(settings, data, TREES).model_to_string()
    return text


def _rows(folder: Path, day: dt.date) -> Rows:
    names = ("positions", "positions_before", "features", "features_before")
    return Rows(day, *(folder / f"{name}_{day}.parquet" for name in names))


def _make(setting: Setting, models: tuple[Model, Model], days: list[dt.date], copies: int, folder: Path) -> None:
    alerts = read_policy(setting.project.policy, KINDS).alerts
    wanted = {name for model in models for name in model.reads} | set(alerts.features)
    with setting.engine() as engine:
        ledger = ledger_in(engine, setting.project.ledger)
        known = customers_known(ledger, days[-1])
        for seed, day in enumerate(days):
            both = [months_before(day, 1), day]
            views = engine.collect(snapshots_on(known, both).select("customer_id", "as_of"), ["as_of", "customer_id"])
            stood = positions(ledger, engine.register("days", spine(views)), default_definition(setting), engine.keep)
            placed = engine.collect(stood, ["as_of", "customer_id"])
            made = _rows(folder, day)
            for path, rows in (
                (made.positions, _of(placed, day)),
                (made.positions_before, _of(placed, both[0])),
                (made.features, _built(engine, ledger, _of(views, day), sorted(wanted))),
                (made.features_before, _built(engine, ledger, _of(views, both[0]), sorted(alerts.features_before))),
            ):
                write_batches(_copies(rows, copies, seed), rows.schema, path)


def _built(engine: Engine, ledger: Ledger, views: pa.Table, names: list[str]) -> pa.Table:
    days = engine.register("day", spine(views))
    built = engine.collect(features(ledger, days, engine.keep, names=names), ["customer_id"])
    return built.select(["customer_id", "as_of", *names])


def _of(rows: pa.Table, day: dt.date) -> pa.Table:
    return rows.filter(pc.equal(rows["as_of"], pa.scalar(day)))


def _copies(rows: pa.Table, copies: int, seed: int) -> Iterator[pa.RecordBatch]:
    """The rows again and again, the number of the copy before the names, so that their order is kept."""
    width = len(str(copies - 1))
    for copy in range(copies):
        rng = np.random.default_rng([seed, copy])
        columns = [_column(field, rows[field.name], f"{copy:0{width}d}.", rng) for field in rows.schema]
        yield from pa.table(columns, schema=rows.schema).combine_chunks().to_batches()


def _column(field: pa.Field, column: pa.ChunkedArray, number: str, rng: np.random.Generator) -> Any:
    if field.name in _TIES:
        return pc.binary_join_element_wise(number, column, "")
    factor = 1.0 + JITTER * rng.standard_normal(len(column))
    if pa.types.is_floating(field.type):
        return pc.multiply(column, factor)
    if pa.types.is_decimal(field.type):
        return pc.round(pc.multiply(column.cast(pa.float64()), factor), 2).cast(field.type, safe=False)
    return column
