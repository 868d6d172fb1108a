"""Models applied to batches of feature rows, here or on an engine's workers; what travels is checked text."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow as pa

from pipeline.errors import DamagedModelError
from pipeline.score.calibration import Calibration
from pipeline.score.feature_columns import require_columns
from pipeline.score.model import Formula
from pipeline.score.model_folder import predictor_of, predictor_texts
from pipeline.score.points import Scaling
from pipeline.score.thin_file import ThinFile

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    import pandas as pd

    from pipeline.score.model import Model

LOG_ODDS, PD, THIN_PD = "model_log_odds", "model_pd", "thin_file_pd"
PREVIOUS_PD, PREVIOUS_THIN_PD = "previous_model_pd", "previous_thin_file_pd"
_POINTS_LOST = "points_lost_"


@dataclass(frozen=True)
class FormulaText:
    """A model's formula as the texts of its files, with their hash: no handle of a library, nothing to unpickle."""

    version: str
    kind: Literal["scorecard", "booster"]
    texts: tuple[tuple[str, str], ...]
    sha256: str

    @classmethod
    def of(cls, model: Model) -> FormulaText:
        """The formula of a model as it stands in memory; its numbers keep every digit."""
        texts = {
            **predictor_texts(model.predictor),
            "calibration.json": model.calibration.to_json(),
            "scaling.json": json.dumps(asdict(model.scaling)),
            "thin_file.json": model.thin_file.to_json(),
        }
        pairs = tuple(sorted(texts.items()))
        return cls(model.version, model.kind, pairs, _hash(pairs))

    def formula(self) -> Formula:
        """Built once in a process. Raises DamagedModelError when the texts are not those that were sent."""
        return _built(self)[0]

    def thin_file(self) -> ThinFile:
        """The thin-file model, as `formula`."""
        return _built(self)[1]


@dataclass(frozen=True)
class Application:
    """A pure function of a batch of feature rows: the same columns, then the answers of the models, row by row.

    The answers of `model`: model_log_odds (raw ln odds of good), model_pd (calibrated), thin_file_pd (the PD were the
    customer thin) and points_lost_<feature>; of `previous`, the model of the run before where it was another:
    previous_model_pd and previous_thin_file_pd. Batches may have any size, order
    and number; the answers do not depend on it. `schema` is what comes out.
    """

    model: FormulaText
    previous: FormulaText | None
    schema: pa.Schema

    def __call__(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """The batch with the answers. Raises ContractError on a value no model can read, such as an infinite one."""
        formula = self.model.formula()
        names = formula.predictor.features
        frame = _frame(rows, names)
        log_odds = formula.log_odds(frame)
        points = formula.points_lost(frame, log_odds)
        thin = self.model.thin_file()
        answers = {LOG_ODDS: log_odds, PD: formula.pd(log_odds), THIN_PD: thin.pd_of(_frame(rows, thin.features))}
        answers |= {_POINTS_LOST + name: points[:, at] for at, name in enumerate(names)}
        if self.previous is not None:
            previous = self.previous.formula()
            answers[PREVIOUS_PD] = previous.pd(previous.log_odds(_frame(rows, previous.predictor.features)))
            thin = self.previous.thin_file()
            answers[PREVIOUS_THIN_PD] = thin.pd_of(_frame(rows, thin.features))
        columns = [
            pa.array(answers[field.name], field.type) if field.name in answers else rows[field.name].cast(field.type)
            for field in self.schema
        ]
        return pa.RecordBatch.from_arrays(columns, schema=self.schema)


def application(model: Model, previous: Model | None, rows: pa.Schema) -> Application:
    """What applies `model` to rows of that schema, and the model of the run before where it is another.

    A previous model that reads columns which are no longer there is left out. Raises ContractError naming the features
    that `model` reads and the rows lack.
    """
    require_columns(rows.empty_table().to_pandas(), model.reads)
    answers = [LOG_ODDS, PD, THIN_PD, *points_columns(model)]
    before = None
    if previous is not None and previous.version != model.version and set(previous.reads) <= set(rows.names):
        before = FormulaText.of(previous)
        answers += [PREVIOUS_PD, PREVIOUS_THIN_PD]
    schema = pa.schema([*rows, *(pa.field(name, pa.float64()) for name in answers)])
    return Application(FormulaText.of(model), before, schema)


def points_columns(model: Model) -> list[str]:
    """Where the points of applied rows stand, in the order of the model's features."""
    return [_POINTS_LOST + name for name in model.features]


def points_lost(rows: pd.DataFrame, model: Model) -> npt.NDArray[np.float64]:
    """The points of applied rows, one column per feature of the model in its order."""
    points: npt.NDArray[np.float64] = rows[points_columns(model)].to_numpy(dtype=np.float64)
    return points


# A booster's text takes a moment to read: a worker does it for its first batch, not for each. Two models of a night.
@lru_cache(maxsize=4)
def _built(text: FormulaText) -> tuple[Formula, ThinFile]:
    if _hash(text.texts) != text.sha256:
        raise DamagedModelError(
            f"model {text.version}: its text is not what was sent to the engine's worker; run the day again"
        )
    texts = dict(text.texts)
    formula = Formula(
        predictor_of(text.kind, texts),
        Calibration.from_json(texts["calibration.json"]),
        Scaling(**json.loads(texts["scaling.json"])),
    )
    return formula, ThinFile.from_json(texts["thin_file.json"])


def _frame(rows: pa.RecordBatch, names: Sequence[str]) -> pd.DataFrame:
    """The columns named; without one, as many rows without columns."""
    frame: pd.DataFrame = rows.select(list(names)).to_pandas()
    return frame if names else frame.reindex(range(rows.num_rows))


def _hash(texts: tuple[tuple[str, str], ...]) -> str:
    return hashlib.sha256(json.dumps(texts, ensure_ascii=False).encode()).hexdigest()
