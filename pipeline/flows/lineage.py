"""What a model was made from: data, code, parameters, catalogue, policy and libraries, each as a hash."""

from __future__ import annotations

import hashlib
import json
import subprocess
from typing import TYPE_CHECKING

from pipeline.datasets import code_hash, file_hash, read_json
from pipeline.flows.training_source import catalogue_of, hash_of
from pipeline.params import as_dict
from pipeline.plain_yaml import read_yaml, text_of

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.flows.setting import Setting


def lineage(setting: Setting) -> dict[str, str]:
    """Data, code and catalogue: what the figures of the validation rest on; the same in every copy of a project."""
    ledger = read_json(setting.project.ledger / "manifest.json", made_by="ingest")
    return {
        "data_version": str(ledger["data_version"]),
        "extract_date": str(ledger["extract_date"] or "no date told"),
        "code_version": code_hash(),
        "catalogue_hash": hash_of(catalogue_of(setting)),
    }


def registered_lineage(setting: Setting) -> dict[str, str]:
    """`lineage`, and what stood around it: git commit, parameters, policy files and the lock of the libraries.

    `policy_<file>` hashes the meaning of a policy file, so that comments and layout do not count; `params_hash` that of
    params.yaml with its defaults. `git_commit` ends in `+changes` where files differ from the commit.
    """
    root = setting.project.root
    policies = {f"policy_{path.stem}": _meaning(path) for path in sorted((root / "policy").glob("*.yaml"))}
    lock = root / "requirements" / "lock.txt"
    return {
        **lineage(setting),
        "git_commit": _git_commit(root),
        "params_hash": _hash(as_dict(setting.params)),
        "lock_hash": file_hash(lock) if lock.is_file() else "no lock file",
        **policies,
    }


def _meaning(path: Path) -> str:
    return _hash(read_yaml(text_of(path), str(path)))


def _hash(told: object) -> str:
    text = json.dumps(told, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _git_commit(root: Path) -> str:
    commit = _git(root, "rev-parse", "HEAD")
    if commit is None:
        return "no git repository"
    return f"{commit}+changes" if _git(root, "status", "--porcelain", "--untracked-files=no") else commit


def _git(root: Path, *arguments: str) -> str | None:
    """What git answers; None where the folder is no repository, has no commit yet, or git is not installed."""
    try:
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
