"""A project on a small made table, with models in force and a better candidate, made without DVC in one process."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import mlflow
import yaml
from own_tables import catalogue_text, made_rows

from pipeline.flows.promote_version import Asked

DAY = dt.date(2026, 1, 5)
REPOSITORY = Path(__file__).resolve().parents[2]
YEARLY = {"key": None, "entity": "id", "date": {"column": "year", "format": "year"}, "window": {"months": 12}}
# The stages one after another; a name with = sets a parameter first.
SCRIPT = """
import sys, warnings
from importlib import import_module
from pathlib import Path
import yaml
from pipeline.flows.setting import open_setting
warnings.simplefilter("ignore")
for word in sys.argv[1:]:
    if "=" in word:
        (section, name), value = word.split("=")[0].split("."), word.split("=")[1]
        params = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
        params[section][name] = yaml.safe_load(value)
        Path("params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    else:
        getattr(import_module(f"pipeline.flows.{word}"), word)(open_setting(Path()))
"""


@dataclass(frozen=True)
class Promotable:
    """A project: `weak` is the champion of the first pair, `strong` a scorecard registered after it."""

    root: Path
    weak: str
    strong: str
    booster: str

    def copy(self, folder: Path) -> Promotable:
        """The same project in another folder, to be changed; the artifacts of MLflow stay where they are."""
        shutil.copytree(self.root, folder)
        return Promotable(folder, self.weak, self.strong, self.booster)

    def role(self, role: str = "champion") -> dict:
        return json.loads((self.root / "models" / f"{role}.json").read_text(encoding="utf-8"))

    @property
    def register(self) -> str:
        return (self.root / "models" / "REGISTER.md").read_text(encoding="utf-8")


def made_project(folder: Path) -> Promotable:
    """First a scorecard of one variable and a booster, which promote themselves; then a scorecard of all variables."""
    root = folder / "project"
    root.mkdir()
    shutil.copytree(REPOSITORY / "policy", root / "policy")
    made_rows(16000, years=10).to_csv(folder / "table.csv", index=False)
    (folder / "catalogue.yaml").write_text(catalogue_text(**YEARLY), encoding="utf-8")
    params = {
        "ingest": {"table": "../table.csv", "catalogue": "../catalogue.yaml"},
        "validate": {"bootstrap_rounds": 60},
        "promotion": {"rounds": 200},
        "leaks": {"accept": {"late": "made by a test, which knows when it is filled"}},
        "fit_scorecard": {"max_variables": 1},
        "fit_booster": {"trials": 0, "max_rounds": 60},
    }
    (root / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    run_stages(root, "ingest", "label", "build_features", "fit_scorecard", "fit_booster", "validate")
    weak, booster = versions(root, "scorecard"), versions(root, "booster")
    run_stages(root, "fit_scorecard.max_variables=12", "fit_scorecard", "validate")
    (strong,) = versions(root, "scorecard") - weak
    return Promotable(root, *weak, strong, *booster)


def versions(root: Path, kind: str) -> set[str]:
    """The stored models of a kind."""
    return {path.parent.name for path in (root / "models").glob(f"{kind}-*/manifest.json")}


def run_stages(root: Path, *words: str, **environment: str) -> str:
    """Runs stages in a project in one process; what they print.

    MLflow writes the store it uses into the environment, so that of an earlier test would be inherited.
    """
    inherited = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *words],
        cwd=root,
        env={**inherited, "PYTHONPATH": str(REPOSITORY), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def asked(**told) -> Asked:
    return Asked(**{"role": "champion", "by": "Ann", "on": DAY, **told})


def lines_of(register: str) -> list[list[str]]:
    rows = [line for line in register.splitlines() if re.match(r"\| \d", line)]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]


def client_of(project) -> mlflow.MlflowClient:
    return mlflow.MlflowClient(f"sqlite:///{project.root / 'models' / 'mlflow' / 'mlflow.db'}")


def alias_of(project, role="champion") -> str:
    return client_of(project).get_model_version_by_alias("creditbook-pd", role).tags["model_version"]
