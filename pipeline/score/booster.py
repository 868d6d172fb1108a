"""A gradient booster read from LightGBM's text; lightgbm is imported when the first row is scored, not before."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pipeline.errors import DamagedModelError, MissingInputError
from pipeline.score.cores import threads
from pipeline.score.feature_columns import encode
from pipeline.score.tree_shap import TreeShap

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

_ROWS_FOR_ONE_THREAD = 1000


@dataclass(frozen=True)
class Booster:
    """LightGBM's text, its features in the order it was fitted on and the texts behind its category codes.

    `special` names the codes of a feature that stand in the place of a number; the trees read them as null.
    The text must have passed its hash before: a damaged one can crash the process inside LightGBM.
    """

    text: str
    features: tuple[str, ...]
    categories: Mapping[str, tuple[str, ...]]
    special: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    @classmethod
    def from_text(
        cls,
        text: str,
        feature_names: tuple[str, ...],
        categories: Mapping[str, tuple[str, ...]],
        special: Mapping[str, tuple[float, ...]] | None = None,
    ) -> Booster:
        """Wraps a model text. Raises DamagedModelError when its own feature list is another or in another order."""
        line = next((row for row in text.splitlines() if row.startswith("feature_names=")), "feature_names=")
        own = tuple(line.removeprefix("feature_names=").split(" "))
        if own != tuple(feature_names):
            differing = [f"{a!r} for {b!r}" for a, b in zip(own, feature_names, strict=False) if a != b]
            raise DamagedModelError(
                f"booster.txt: its {len(own)} features are not the {len(feature_names)} of the manifest in order, "
                f"e.g. {(differing or ['another count'])[0]}; fit the model again"
            )
        codes = {name: tuple(float(code) for code in listed) for name, listed in (special or {}).items()}
        return cls(text, tuple(feature_names), {k: tuple(v) for k, v in categories.items()}, codes)

    def __getstate__(self) -> dict[str, Any]:
        """What travels to another process is the text: it reads the trees itself, where it needs them."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    @cached_property
    def _trees(self) -> Any:
        import pipeline.environment  # noqa: F401  (sets OMP_WAIT_POLICY before lightgbm starts its threads)

        try:
            import lightgbm
        except ImportError as error:
            raise MissingInputError(
                "the model is a booster and lightgbm is not installed; install it and libgomp1"
            ) from error
        return lightgbm.Booster(model_str=self.text)

    @cached_property
    def _shap(self) -> TreeShap | None:
        return TreeShap.of(self.text, len(self.features))

    def log_odds(self, frame: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Ln odds of good before calibration, one per row; columns are taken by name."""
        matrix = encode(frame, self.features, self.categories, self.special)
        if not len(matrix):
            return np.empty(0)
        # A row's sum over the trees is the same for any number of threads.
        cores = threads() if len(matrix) > _ROWS_FOR_ONE_THREAD else 1
        raw: npt.NDArray[np.float64] = np.asarray(self._trees.predict(matrix, raw_score=True, num_threads=cores))
        return -raw

    def contributions(self, frame: pd.DataFrame) -> pd.DataFrame:
        """SHAP values in log odds of bad per feature (positive is riskier), then `base`; rows add up to −log_odds.

        Tabulated (score/tree_shap.py); by LightGBM itself for trees that ask more than 12 features on one path.
        """
        matrix = encode(frame, self.features, self.categories, self.special)
        columns = [*self.features, "base"]
        if not len(matrix):
            return pd.DataFrame(np.empty((0, len(columns))), columns=columns, index=frame.index)
        if self._shap is None:
            values = self._trees.predict(matrix, pred_contrib=True, num_threads=threads())
        else:
            values = self._shap.values(matrix)
        return pd.DataFrame(values, columns=columns, index=frame.index, copy=False)

    def columns_json(self) -> str:
        """What booster.json holds: the feature order, the categories, and the special codes where there are any."""
        told = {"features": self.features, "categories": self.categories}
        if self.special:
            told["special"] = self.special
        return json.dumps(told, indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_files(cls, text: str, columns_json: str) -> Booster:
        """Reads booster.txt and booster.json. Raises DamagedModelError when they do not fit each other."""
        try:
            raw = json.loads(columns_json)
            names = tuple(raw["features"])
            categories = {name: tuple(values) for name, values in raw["categories"].items()}
            special = {name: tuple(map(float, codes)) for name, codes in raw.get("special", {}).items()}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DamagedModelError(f"booster.json cannot be read ({error!r}); fit the model again") from error
        return cls.from_text(text, names, categories, special)
