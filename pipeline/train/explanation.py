"""Draws what moves a model: SHAP bar, beeswarm and dependence plots, labelled from the catalogue, in stable bytes."""

from __future__ import annotations

import io
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.score.feature_columns import category_column, codes_of, number_column, without_codes
from pipeline.train.splits import hashed_share

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from pipeline.score.model import Model

MOST_ROWS = 2000
_SHOWN = 12
_DEPENDENCE = 4
_AXIS = "Contribution to the log odds of default"


def explanation_plots(model: Model, rows: pd.DataFrame) -> dict[str, bytes]:
    """PNG files by name: `bar.png`, `beeswarm.png` and `dependence_<feature>.png` of the features that weigh most.

    `rows` needs customer_id, as_of and the model's features; at most 2,000 are drawn, by a hash of customer and day.
    A booster's contributions are its SHAP values, a scorecard's the points against the development mean, which are the
    SHAP values of an additive model with independent features.
    """
    shap = _quietly_imported()
    shown = sampled(rows)
    values = model.contributions(shown)
    names = list(model.features)
    explained = shap.Explanation(
        values=values[names].to_numpy(dtype=float),
        base_values=values["base"].to_numpy(dtype=float),
        data=np.column_stack([_drawable(shown, model.catalogue_by_name[name]) for name in names]),
        feature_names=[str(model.catalogue_by_name[name].get("title_en", name)) for name in names],
    )
    weight = np.abs(explained.values).mean(axis=0)
    strongest = sorted(range(len(names)), key=lambda i: (-weight[i], names[i]))[:_DEPENDENCE]
    with _drawing():
        files = {
            "bar.png": _drawn(_summary, shap.plots.bar, explained),
            "beeswarm.png": _drawn(_summary, shap.plots.beeswarm, explained),
        }
        for i in strongest:
            levels = _levels(shown, names[i])
            files[f"dependence_{names[i]}.png"] = _drawn(_dependence, shap.plots.scatter, explained[:, i], levels)
    return files


def sampled(rows: pd.DataFrame) -> pd.DataFrame:
    """At most 2,000 rows in a stable order, drawn by a hash of customer_id and as_of."""
    keys = [f"explain:{c}|{d}" for c, d in zip(rows["customer_id"], rows["as_of"], strict=True)]
    drawn = np.array([hashed_share(0, key) for key in keys])
    return rows.iloc[np.argsort(drawn, kind="stable")[:MOST_ROWS]].reset_index(drop=True)


def mean_weights(model: Model, rows: pd.DataFrame) -> dict[str, float]:
    """Mean absolute contribution of each feature over the sampled rows, in log odds, heaviest first."""
    values = model.contributions(sampled(rows))
    weights = {name: float(np.abs(values[name].to_numpy(dtype=float)).mean()) for name in model.features}
    return dict(sorted(weights.items(), key=lambda item: (-item[1], item[0])))


def _levels(rows: pd.DataFrame, name: str) -> list[str]:
    """The texts of a category in alphabetical order; none for a number."""
    if not rows[name].map(lambda value: isinstance(value, str)).any():
        return []
    texts, is_null = category_column(rows, name)
    return sorted(set(texts[~is_null].tolist()))


def _drawable(rows: pd.DataFrame, entry: Mapping[str, Any]) -> NDArray[np.float64]:
    """A feature as numbers for the axes: a category as its position in the alphabet, a special code not at all."""
    name = str(entry["name"])
    levels = _levels(rows, name)
    if not levels:
        return without_codes(number_column(rows, name), codes_of(entry))
    texts, is_null = category_column(rows, name)
    position = {text: float(i) for i, text in enumerate(levels)}
    return np.array([np.nan if null else position[text] for text, null in zip(texts, is_null, strict=True)])


def _summary(plot: Any, explained: Any) -> None:
    import matplotlib.pyplot as plt

    plot(explained, max_display=_SHOWN, show=False)
    plt.gcf().axes[0].set_xlabel(_AXIS)


def _dependence(plot: Any, explained: Any, levels: list[str]) -> None:
    import matplotlib.pyplot as plt

    plot(explained, show=False)
    axes = plt.gcf().axes[0]
    axes.set_ylabel(_AXIS)
    if levels:
        axes.set_xticks(range(len(levels)), levels)


def _drawn(draw: Any, *inputs: Any) -> bytes:
    import matplotlib.pyplot as plt

    np.random.seed(0)
    plt.figure(figsize=(8, 5))
    draw(*inputs)
    held = io.BytesIO()
    # No software version and no time in the file: equal pictures have equal bytes.
    plt.gcf().savefig(held, format="png", dpi=110, bbox_inches="tight", metadata={"Software": None})
    plt.close("all")
    return held.getvalue()


def _quietly_imported() -> Any:
    """shap, whose import calls what matplotlib is about to retire."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import shap
    return shap


@contextmanager
def _drawing() -> Iterator[None]:
    """No window, a fixed state of NumPy's global generator (shap shuffles its dots with it), quiet libraries."""
    import matplotlib as mpl
    import matplotlib.pyplot as plt

    state = np.random.get_state()
    plt.switch_backend("Agg")
    try:
        with mpl.rc_context({"svg.hashsalt": "creditbook", "font.family": "DejaVu Sans"}), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            np.random.seed(0)
            yield
    finally:
        np.random.set_state(state)
        plt.close("all")
