"""Small made tables and their catalogues, and the way from a table to measured models without a project around it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import yaml

from pipeline.params import BoosterParams, CalibrationParams, ScorecardParams, SplitParams, ValidateParams
from pipeline.score.master_scale import MasterScale
from pipeline.score.model_folder import read_model, write_model
from pipeline.score.points import Scaling
from pipeline.tables.own_table import OwnTable, label_of, take_in
from pipeline.tables.own_table_catalogue import Catalogue, parse_catalogue
from pipeline.tables.own_table_reading import read_own_table
from pipeline.train.fit import Setting, train_booster, train_scorecard
from pipeline.train.label import Label
from pipeline.train.splits import Timetable, is_undated, mature_dates, timetable, undated_timetable
from pipeline.train.validation import Validation, validate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.score.model import Model

REPOSITORY = Path(__file__).resolve().parents[2]
CATALOGUE = """
name: Made table
source: made by a test
licence: none needed
key: [id]
target: {column: failed, bad: ["1"], good: ["0"], title_en: failure, title_zh: 失败, happened_en: failed}
excluded: {clerk: who typed it}
features:
  - column: late
    unit: days
    risk: rises
    title_en: Days late
    title_zh: 逾期天数
    special:
      - {code: -7, en: never billed, zh: 从未开票}
      - {code: -9, en: refused to say, zh: 拒绝提供}
  - {column: cash, risk: falls, title_en: Cash ratio, title_zh: 现金比率}
  - {column: noise}
  - {column: trade, holds: category, title_en: Trade, title_zh: 行业}
"""


def catalogue(**changes: Any) -> Catalogue:
    """The catalogue of the made table with keys replaced (None takes a key away)."""
    return parse_catalogue(catalogue_text(**changes), "catalogue.yaml")


def catalogue_text(**changes: Any) -> str:
    raw = {**yaml.safe_load(CATALOGUE), **changes}
    return yaml.safe_dump({k: v for k, v in raw.items() if v is not None}, allow_unicode=True, sort_keys=False)


def made_rows(rows: int = 3000, seed: int = 5, years: int = 0) -> pd.DataFrame:
    """A table with known risk: lateness raises it, cash lowers it, -7 is safe, -9 is the worst; one clerk a row.

    With `years` each id is seen on the 31 December of so many years, from 2010 on.
    """
    draw = np.random.default_rng(seed)
    ids = np.repeat(np.arange(rows // max(years, 1)), max(years, 1))
    late = np.round(draw.gamma(2.0, 15.0, len(ids)))
    late = np.where(draw.random(len(ids)) < 0.1, -7.0, np.where(draw.random(len(ids)) < 0.1, -9.0, late))
    cash = np.round(draw.normal(1.0, 0.4, len(ids)), 3)
    effect = np.where(late == -7, -1.5, np.where(late == -9, 2.0, late / 20.0 - 1.5))
    logit = -2.0 + effect - 1.5 * (cash - 1.0)
    made = pd.DataFrame(
        {
            "id": [f"C{i:05d}" for i in ids],
            "failed": (draw.random(len(ids)) < 1 / (1 + np.exp(-logit))).astype(int),
            "late": late.astype(int),
            "cash": cash,
            "noise": np.round(draw.normal(size=len(ids)), 3),
            "trade": draw.choice(["metal", "food", "wood"], len(ids)),
            "clerk": draw.choice(["ann", "bob"], len(ids)),
        }
    )
    return made.assign(year=np.tile(np.arange(2010, 2010 + years), rows // years)[: len(made)]) if years else made


def taken(frame: pd.DataFrame, told: Catalogue, folder: Path) -> OwnTable:
    """The frame written as CSV and taken in."""
    path = folder / "table.csv"
    frame.to_csv(path, index=False)
    return take_in(read_own_table(path, told.file), told)


@dataclass(frozen=True)
class Fitted:
    """Both models of a table, read back from their folders, and what was measured of them."""

    book: pd.DataFrame
    table: Timetable
    models: Mapping[str, Model]
    measured: Validation

    def auc(self, role: str, part: str = "test") -> tuple[float, float, float]:
        """AUC with its interval: (low, value, high)."""
        found = self.measured.report["models"][role]["roles"][part]["auc"]
        return found["low"], found["value"], found["high"]


def fitted(own: OwnTable, folder: Path, split: SplitParams | None = None) -> Fitted:
    """Both models with the defaults of params.yaml, few rounds of the bootstrap."""
    split = split or SplitParams()
    label = Label.of_json(label_of(own.catalogue))
    book = own.rows.to_pandas()
    table = undated_timetable(label, split) if is_undated(book) else timetable(mature_dates(book), label, split)
    described = [f.as_json("made") for f in own.catalogue.features]
    card = ScorecardParams()
    ground = Setting(label, Scaling(card.pdo, card.base_score, card.base_odds), CalibrationParams(), None, 0.5)
    pair = {
        "champion": train_scorecard(book, described, table, card, ground),
        "challenger": train_booster(book, described, table, BoosterParams(trials=0), ground),
    }
    models = {role: read_model(folder / write_model(folder, one.model, one.golden_rows)) for role, one in pair.items()}
    settings = ValidateParams(bootstrap_rounds=60)
    return Fitted(book, table, models, validate(models, book, table, master_scale(), settings, naive={}))


def master_scale() -> MasterScale:
    return MasterScale.load(yaml.safe_load((REPOSITORY / "policy" / "master_scale.yaml").read_text(encoding="utf-8")))
