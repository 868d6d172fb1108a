"""One cell of the tables of sizes and power: some tests on one kind of book, counted in batches until each was made
often enough.

A cell is a file in build/test_sizes. It is kept after every batch, so that a run that was broken off goes on where it
stood, and it is counted anew when the code that it rests on has changed.
"""

from __future__ import annotations

import ast
import hashlib
import json
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.sizes_book import SETTINGS
from benchmarks.sizes_counts import Counts
from pipeline.durable import replace_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Executor

    from benchmarks.sizes_tenures import Design

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "build" / "test_sizes"
# Parameters are read by their values instead (SETTINGS): the module holds those of every stage. Errors have no figures.
_LEFT_OUT = {"pipeline.params", "pipeline.errors"}


@dataclass(frozen=True)
class Cell:
    """`module`.`function` counts one batch of books of a design; `deviation` is what is wrong with them."""

    module: str
    function: str
    tests: tuple[str, ...]
    design: Design
    deviation: float

    @property
    def name(self) -> str:
        """Of the file."""
        return f"{self.function}-{self.design.name}-{self.deviation:g}"

    @property
    def key(self) -> str:
        """What the figures rest on: code, settings, kind of book."""
        told = [code_of(self.module), repr(SETTINGS), repr(self)]
        return hashlib.sha256("\n".join(told).encode()).hexdigest()

    def batch(self, number: int) -> Counts:
        """The counts of one batch, the same for the same number."""
        found = getattr(import_module(self.module), self.function)(self.design, self.deviation, number)
        if not isinstance(found, Counts):
            raise TypeError(f"{self.module}.{self.function} gives no counts")
        return found


def counted(cell: Cell, pool: Executor, workers: int, *, made: int, cap: int, folder: Path = FOLDER) -> Counts:
    """The counts of a cell once each of its tests was made `made` times, or `cap` books were drawn.

    Batches count in the order of their numbers, so that any number of workers gives the same counts.
    """
    path = folder / f"{cell.name}.json"
    done, counts = _kept(path, cell.key)
    for first in count(done, workers):
        if _is_enough(cell, counts, made, cap):
            return counts
        for number, found in enumerate(pool.map(cell.batch, range(first, first + workers)), first):
            counts = counts.joined(found)
            _keep(path, cell.key, number + 1, counts)
            if _is_enough(cell, counts, made, cap):
                return counts
    raise AssertionError("counting has no end")


def _is_enough(cell: Cell, counts: Counts, made: int, cap: int) -> bool:
    return counts.fewest(cell.tests) >= made or counts.draws >= cap


def _kept(path: Path, key: str) -> tuple[int, Counts]:
    """Batches that are done and their counts; none where the file is of other code."""
    if not path.exists():
        return 0, Counts()
    told = json.loads(path.read_text(encoding="utf-8"))
    return (told["batches"], Counts.of_json(told["counts"])) if told["key"] == key else (0, Counts())


def _keep(path: Path, key: str, batches: int, counts: Counts) -> None:
    told = {"key": key, "batches": batches, "counts": counts.as_json()}
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_text(path, json.dumps(told, sort_keys=True))


@cache
def code_of(module: str) -> str:
    """Hash of a module and of all of ours that it imports when it runs, without comments and docstrings."""
    seen: dict[str, str] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        path = ROOT / f"{name.replace('.', '/')}.py"
        if name in seen or name in _LEFT_OUT or not path.exists():
            continue
        tree = _Bare().visit(ast.parse(path.read_text(encoding="utf-8")))
        seen[name] = ast.dump(tree)
        waiting += _imported(tree)
    return hashlib.sha256(json.dumps(sorted(seen.items())).encode()).hexdigest()


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in {"benchmarks", "pipeline"}:
            yield node.module


class _Bare(ast.NodeTransformer):
    """Without docstrings and without what only a type checker reads."""

    def visit_If(self, node: ast.If) -> ast.AST | None:
        is_typing = isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        return None if is_typing else self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        is_text = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if is_text else self.generic_visit(node)
