"""The night needs no training library to start."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = """
import sys
for name in ("sklearn", "optbinning", "shap", "mlflow", "matplotlib", "duckdb", "ibis"{more}):
    sys.modules[name] = None
import importlib, pkgutil, pathlib
import pipeline.score
for module in sorted(m.name for m in pkgutil.iter_modules(pipeline.score.__path__)):
    importlib.import_module(f"pipeline.score.{{module}}")
sys.path.insert(0, {tests!r})
from conftest import AS_OF, book_of, scored_book, small_model
from pipeline.score.policy import read_policy
book = book_of({{}}, {{"is_in_default": True}})
run = scored_book(book.positions, book.features, small_model(), read_policy(pathlib.Path("policy")), None, AS_OF)
print(run.book.num_rows)
"""


def run_without(more: str) -> str:
    script = SCRIPT.format(more=more, tests=str(Path(__file__).parent))
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_scorecard_book_is_scored_without_training_libraries_engine_or_lightgbm():
    assert run_without(', "lightgbm"').strip() == "2"
