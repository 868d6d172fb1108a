"""The smallest project whose night is a whole one: a ledger of 60 customers, a card of two characteristics."""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import yaml

from pipeline.features import catalog
from pipeline.flows.ingest import ingest
from pipeline.flows.setting import open_setting
from pipeline.score.calibration import Calibration
from pipeline.score.model import Model
from pipeline.score.model_folder import write_model, write_role
from pipeline.score.points import Scaling
from pipeline.score.scorecard import Bin, Characteristic, Scorecard
from pipeline.score.thin_file import ThinFile, ThinFileRule

if TYPE_CHECKING:
    from collections.abc import Mapping

REPOSITORY = Path(__file__).resolve().parents[2]
COMMAND = str(Path(sys.executable).with_name("creditbook"))
JUNE, SEPTEMBER = dt.date(2025, 6, 30), dt.date(2025, 9, 30)
OCTOBER, NOVEMBER = dt.date(2025, 10, 31), dt.date(2025, 11, 30)
_SPLITS: dict[str, list[float]] = {"worst_days_late_12m": [1.0, 20.0], "open_amount": [100.0, 20_000.0]}
# The card here is made up: what it was "developed" on says nothing of the book.
_LOOSE = ("drift", "nulls", "mean_pd", "segments", "moved_two_grades")


def make_project(root: Path, demo: Mapping[str, int], **changes: Any) -> Path:
    """A project folder with policy, parameters and a card in force; `changes` are parameters, dots written as __."""
    root.mkdir(parents=True)
    shutil.copytree(REPOSITORY / "policy", root / "policy")
    params = yaml.safe_load((REPOSITORY / "params.yaml").read_text(encoding="utf-8"))
    params["ingest"]["demo"] = dict(demo)
    params["score"]["wait_seconds"] = 0
    params["score"]["breakers"] |= {name: {"warn": 99.0, "stop": 99.0} for name in _LOOSE}
    for dotted, value in changes.items():
        *sections, name = dotted.split("__")
        place = params
        for section in sections:
            place = place[section]
        place[name] = value
    (root / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False), encoding="utf-8")
    put_in_force(root, small_card(_SPLITS))
    return root


def take_in(root: Path) -> Path:
    """Takes in the source of the project."""
    ingest(open_setting(root))
    return root


def put_in_force(root: Path, model: Model) -> Path:
    """The model's folder, after it was made the champion."""
    texts = {entry["name"] for entry in model.catalogue if entry["holds"] == "category"}
    rows = pd.DataFrame({n: ["C"] * 10 if n in texts else np.linspace(-1.0, 40.0, 10) for n in model.features})
    version = write_model(root / "models", model, rows)
    write_role(root / "models", "champion", {"model_version": version, "since": "2025-01-01"})
    return root / "models" / version


def small_card(splits: Mapping[str, list[float]], categories: tuple[str, ...] = ()) -> Model:
    """A scorecard over the features named, cut at the values given; more is worse, nothing known is middling.

    Of the features in `categories` it has seen the value C alone.
    """
    parts = [*(_characteristic(name, at) for name, at in splits.items()), *map(_named, categories)]
    card = Scorecard(tuple(parts), 560.0, 20.0, 600.0, 30.0)
    told = {name: {"splits": at, "counts": [5] * (len(at) + 1), "missing": 3} for name, at in splits.items()}
    return Model(
        kind="scorecard",
        label={"kind": "default", "days": 90, "window_months": 12, "window_days": None},
        features=card.features,
        catalogue=[catalog.by_name(name).as_json() for name in card.features],
        predictor=card,
        calibration=Calibration.line("platt", 0.25, 0.85),
        scaling=Scaling(20.0, 600.0, 30.0),
        thin_file=ThinFile(0.06, 30, 500, 0.5, ThinFileRule(3, 3)),
        development={
            "default_rate": 0.03, "rows": 1000, "bads": 30,
            "score": {"splits": [2.0, 3.0], "counts": [9, 9, 9], "missing": 0}, "features": told,
        },
        version="unsaved",
    )  # fmt: skip


def _characteristic(name: str, splits: list[float]) -> Characteristic:
    bounds = [None, *splits, None]
    plain = Bin(label="", kind="range", woe=0.0, points=0.0, count=100, bads=3)
    bins = [
        replace(plain, label=f"[{low}, {high})", lower=low, upper=high, woe=0.9 - n, points=20 * (0.9 - n))
        for n, (low, high) in enumerate(itertools.pairwise(bounds))
    ]
    bins.append(Bin(label="missing", kind="missing", woe=-0.2, points=-4.0, count=10, bads=1))
    mean = sum(one.points * one.count for one in bins) / sum(one.count for one in bins)
    return Characteristic(name, 0.7, tuple(bins), "rises", 0.3, mean)


def _named(name: str) -> Characteristic:
    seen = Bin(label="C", kind="categories", woe=-0.8, points=-16.0, categories=("C",), count=50, bads=3)
    others = [Bin(label=kind, kind=kind, woe=0.0, points=0.0, count=0) for kind in ("missing", "unseen")]
    return Characteristic(name, 0.7, (seen, *others), "either", 0.05, -16.0)


def command(root: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The installed command, as a user types it, in the project folder."""
    return subprocess.run(
        [COMMAND, *arguments],
        cwd=root,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def tree(folder: Path) -> dict[str, str]:
    """Every entry of a folder by relative path: the hash of a file, the target of a link, "" of a folder."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = f"-> {path.readlink()}"
        else:
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
    return found
