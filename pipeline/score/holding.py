"""A run that a circuit breaker stopped is kept aside, whole, until somebody accepts it or a better one comes.

`OUT/.held/<run id>/` is the run, `OUT/.held/<run id>.md` why; `OUT/accepted.jsonl` the book of who let which through.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from pipeline.durable import replace_text, told_errors
from pipeline.errors import GateError, StorageError
from pipeline.score.run_check import MANIFEST, hash_breaches

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipeline.score.breakers import Breaker

HELD = ".held"
ACCEPTED = "accepted.jsonl"


@dataclass(frozen=True)
class Acceptance:
    """Somebody published a run in spite of its breakers. `on` is the ISO day of the decision."""

    run_id: str
    as_of: str
    breakers: tuple[str, ...]
    by: str
    on: str
    reason: str


def acceptances(out: Path) -> list[Acceptance]:
    """All of them, oldest first. Raises StorageError when the book of them is damaged."""
    path = out / ACCEPTED
    if not path.is_file():
        return []
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            told = json.loads(line)
            found.append(Acceptance(**told | {"breakers": tuple(told["breakers"])}))
        except (ValueError, TypeError, KeyError) as error:
            raise StorageError(
                f"{path}, line {number}: no record of an acceptance ({error}); restore the file"
            ) from error
    return found


def record(out: Path, acceptance: Acceptance) -> None:
    """Adds one; recorded before the run is published, so that none is published unrecorded. The lock of `out` is held
    (see publish.drafting)."""
    told = [*acceptances(out), acceptance]
    replace_text(
        out / ACCEPTED, "".join(json.dumps(asdict(one), ensure_ascii=False, sort_keys=True) + "\n" for one in told)
    )


def is_held(out: Path, run_id: str) -> bool:
    """The run lies aside, whole, with its report, so that somebody can have looked at it."""
    folder = out / HELD / run_id
    has_both = (folder / MANIFEST).is_file() and folder.with_name(f"{run_id}.md").is_file()
    return has_both and not hash_breaches(folder)


def stopped(run_id: str, breakers: Sequence[Breaker], out: Path, as_of: str, remark: str = "") -> GateError:
    """The error that tells which breakers stopped the run, where it is kept, what to do, and before that a `remark`."""
    red = [one for one in breakers if one.light == "red"]
    listed = "\n".join(f"  - {told_of(one)}" for one in red)
    return GateError(
        f"score: {len(red)} circuit breaker(s) stopped the run of {as_of}; what was published before stays as it is:\n"
        f"{listed}\nThe new run is kept in {out / HELD / run_id}, its report beside it. {remark}"
        "Mend the ledger and score again, or publish it all the same: "
        f'creditbook score --as-of {as_of} --accept "REASON"'
    )


def report(run_id: str, breakers: Sequence[Breaker], as_of: str) -> str:
    """Why a run is held, as Markdown: every breaker, the red ones first."""
    order = {"red": 0, "amber": 1, "green": 2, "grey": 3}
    lines = [f"# Run {run_id} of {as_of} is held", "", "| breaker | light | value | warns above | stops above | |"]
    lines.append("|---|---|--:|--:|--:|---|")
    for one in sorted(breakers, key=lambda b: order[b.light]):
        value = "" if one.value is None else f"{one.value:.4g}"
        lines.append(f"| {one.name} | {one.light} | {value} | {one.warn:g} | {one.stop:g} | {one.says} |")
    return "\n".join(lines) + "\n"


def told_of(one: Breaker) -> str:
    """One line: name, what was found, and the threshold it passed."""
    limit = one.stop if one.light == "red" else one.warn
    return f"{one.name}: {one.says} ({0 if one.value is None else one.value:.3g}, above {limit:g})"


def release(out: Path, as_of: str) -> None:
    """Removes what is held of a day, once a run of that day is published."""
    for path in sorted((out / HELD).glob("*.md")):
        with told_errors(path):
            if path.read_text(encoding="utf-8").split("\n", 1)[0].endswith(f" of {as_of} is held"):
                shutil.rmtree(path.with_suffix(""), ignore_errors=True)
                path.unlink(missing_ok=True)
