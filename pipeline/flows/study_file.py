"""The trials of a booster's search, kept in a file of their own so that a search that was broken off goes on."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from pipeline.durable import replace_text, told_errors
from pipeline.flows import log
from pipeline.train.booster_search import Trial

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pipeline.params import BoosterParams
    from pipeline.train.splits import Timetable

# Settings under which the very same trials are drawn and measured.
_NOT_OF_THE_TRIALS = frozenset({"trials", "threads", "standard_errors", "members", "members_below_bads"})


@dataclass(frozen=True)
class StudyFile:
    """One JSON line a trial. Each line is added by writing the file anew and replacing it, so that none is half."""

    path: Path

    def trials(self) -> Sequence[Trial]:
        """The trials kept so far; none when there is no file yet, or one that cannot be read, which is told."""
        found = self._read()
        if found:
            text = f"{self.path}: {len(found)} trial(s) of this very search are there; it goes on from them"
            log.say("search_resumed", text, trials=len(found))
        elif self.path.is_file():
            log.say("search_begun", f"{self.path}: not a list of trials; the search starts anew")
        return found

    def _read(self) -> tuple[Trial, ...]:
        if not self.path.is_file():
            return ()
        try:
            told = [json.loads(line) for line in self.path.read_text(encoding="utf-8").splitlines()]
            return tuple(Trial(t["parameters"], tuple(t["losses"]), bool(t["is_pruned"]), t["error"]) for t in told)
        except (ValueError, KeyError, TypeError):
            # A file of another make or damaged: the trials are drawn again, which costs time and changes nothing.
            return ()

    def keep(self, trial: Trial) -> None:
        """Adds one."""
        with told_errors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            before = self._read()
            lines = [json.dumps(each.as_json()) for each in (*before, trial)]
            replace_text(self.path, "".join(f"{line}\n" for line in lines))


def study_file(
    folder: Path,
    book: pd.DataFrame,
    catalogue: Sequence[Mapping[str, Any]],
    table: Timetable,
    settings: BoosterParams,
) -> StudyFile:
    """The file of this very search: named by book, catalogue, timetable, settings and the versions that grow trees.

    The budget in trials is not part of the name: a larger one goes on from a smaller. Nor are the rule by which a trial
    wins and the members of the model, which draw no other trials.
    """
    return StudyFile(folder / f"booster-{_key(book, catalogue, table, settings)}.jsonl")


def _key(book: pd.DataFrame, catalogue: Sequence[Mapping[str, Any]], table: Timetable, settings: BoosterParams) -> str:
    from importlib.metadata import version

    own = {name: value for name, value in asdict(settings).items() if name not in _NOT_OF_THE_TRIALS}
    told = {
        "catalogue": list(catalogue),
        "timetable": table.as_json(),
        "settings": own,
        "versions": {name: version(name) for name in ("lightgbm", "optuna")},
    }
    digest = hashlib.sha256(json.dumps(told, sort_keys=True, ensure_ascii=False).encode())
    digest.update(json.dumps(sorted(book.columns)).encode())
    plain = book[sorted(book.columns)].astype({name: "str" for name in book.columns if book[name].dtype == object})
    digest.update(pd.util.hash_pandas_object(plain, index=False).to_numpy().tobytes())
    return digest.hexdigest()[:16]
