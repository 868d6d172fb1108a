"""A project of its own for a test: copied, changed, run by the command a user types."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).resolve().parents[2]


# For a run whose report is looked at once at most; the main run makes every language and format.
ONE_PAGE = {"report__language": "en", "report__formats": ["html"]}


@dataclass(frozen=True)
class Ran:
    """A project folder and what the command printed when it ran there."""

    root: Path
    told: str


def copy_of_the_repository(target: Path, **changes: object) -> Path:
    """The files git would clone, with changed parameters, committed in a repository of their own."""
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    for name in names:
        if (REPOSITORY / name).is_file() and not name.startswith("tests/"):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, target / name)
    change_params(target, **changes)
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.invalid"]
    for arguments in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-qm", "A project"]):
        subprocess.run(["git", *arguments], cwd=target, check=True, capture_output=True)
    return target


def change_params(project: Path, **changes: object) -> None:
    """Sets parameters by dotted name, with __ for the dot."""
    path = project / "params.yaml"
    params = yaml.safe_load(path.read_text(encoding="utf-8"))
    for dotted, value in changes.items():
        *sections, name = dotted.split("__")
        place = params
        for section in sections:
            place = place[section]
        place[name] = value
    path.write_text(yaml.safe_dump(params, sort_keys=False), encoding="utf-8")


def creditbook(project: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the command in a project folder."""
    return subprocess.run(
        [sys.executable, "-m", "pipeline.cli", *arguments],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(project), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def hashes(folder: Path) -> dict[str, str]:
    """The sha256 of every file under a folder, by relative path."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }
