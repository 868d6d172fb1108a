"""Candidate policies from files: each read whole before anything is computed, every breach told at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.errors import MissingInputError, ParameterError
from pipeline.score.backtest.candidate import Replaced, candidate_of
from pipeline.score.policy import SECTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from pipeline.score.policy import Policy

RESERVED = ("stood", "current")
"""Names of the limits that stood and of the policy in force."""


def read_candidates(paths: Sequence[Path], current: Policy, policy: Path) -> list[Replaced]:
    """One candidate per path: a YAML file, or a folder with several. Each goes by the name of its file or folder.

    A folder may be a copy of `policy`, the folder in force: a file there that no replay reads may lie in it unchanged.

    Raises MissingInputError when a path is not there, ParameterError with the breaches of all candidates.
    """
    missing = [str(path) for path in paths if not path.exists()]
    if missing:
        raise MissingInputError(f"{len(missing)} candidate policy file(s) not there: {', '.join(missing)}")
    found: list[Replaced] = []
    breaches: list[str] = []
    for path in paths:
        name = _free_name(path, {*RESERVED, *(one.name for one in found)})
        try:
            found.append(candidate_of(name, current, _texts(path, policy)))
        except ParameterError as error:
            breaches.append(str(error))
    if breaches:
        raise ParameterError("\n".join(breaches))
    return found


def _texts(path: Path, policy: Path) -> dict[str, str]:
    if not path.is_dir():
        return {path.name: _text(path)}
    files = sorted(file for file in path.iterdir() if file.suffix in {".yaml", ".yml"})
    return {file.name: _text(file) for file in files if file.stem in SECTIONS or not _is_same(file, policy / file.name)}


def _is_same(file: Path, other: Path) -> bool:
    return other.is_file() and file.read_bytes() == other.read_bytes()


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ParameterError(f"{path.name}: no text in UTF-8 ({error}); save it as such") from error


def _free_name(path: Path, taken: Iterable[str]) -> str:
    """The name of the file without its suffix; a number is added where it is taken."""
    stem, number, used = path.resolve().stem, 2, set(taken)
    name = stem
    while name in used:
        name, number = f"{stem}-{number}", number + 1
    return name
