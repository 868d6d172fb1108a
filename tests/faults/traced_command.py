"""A command under strace: which system calls it makes on a folder, and what becomes of it when one of them fails."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# Everything that can change a folder, by the names this processor's kernel may know.
CALLS = (
    "openat,creat,write,pwrite64,writev,ftruncate,fallocate,fsync,fdatasync,rename,renameat,renameat2,link,linkat,"
    "symlink,symlinkat,unlink,unlinkat,mkdir,mkdirat,rmdir"
)
_STOPPED = re.compile(r"^(\d+) +--- SIGSTOP \{", re.MULTILINE)
_LINE = re.compile(r"^(?P<process>\d+) +(?P<name>\w+)\((?P<rest>.*)$")


@dataclass(frozen=True)
class Call:
    """The `nth` call of this name on the path `on`, the first it names; `nth` counts in the thread that makes it."""

    name: str
    nth: int
    on: str
    arguments: str

    @property
    def changes(self) -> bool:
        """It is no mere opening for reading."""
        return self.name != "openat" or "O_CREAT" in self.arguments

    def __str__(self) -> str:
        return f"{self.name} {self.nth} ({Path(self.on).name})"


@dataclass(frozen=True)
class Traced:
    """The calls on a folder in order, and every path below it that they named."""

    calls: tuple[Call, ...]
    paths: tuple[str, ...]


def why_not(scratch: Path) -> str | None:
    """Why no command can be traced here, null where it can."""
    if shutil.which("strace") is None:
        return "strace is absent: no system call is made to fail"
    tried = _strace(["-e", "trace=openat", "-e", "inject=openat:error=ENOSPC:when=1000"], ["true"], scratch / "try")
    return None if tried.returncode == 0 else f"strace may not trace here: {tried.stderr.strip()[:200]}"


def trace(command: Sequence[str], folder: Path, log: Path) -> Traced:
    """Runs the command undisturbed. On one processor the same thread makes the same calls every time."""
    done = _strace(["-y", "-s", "4096", "-e", f"trace={CALLS}"], command, log)
    assert done.returncode == 0, done.stderr
    path_in = re.compile(rf'["<]({re.escape(str(folder))}[^">]*)[">]')
    found = []
    for line in map(_LINE.match, log.read_text(encoding="utf-8", errors="replace").splitlines()):
        # What is written may name the folder, and is no path.
        told = "" if line is None else line["rest"].split(">", 1)[0] + ">" if "write" in line["name"] else line["rest"]
        if line and path_in.search(told):
            found.append((line["process"], line["name"], line["rest"], path_in.findall(told)))
    counts: Counter[tuple[str, str, str]] = Counter()
    calls = []
    for process, name, rest, paths in found:
        counts.update((process, name, path) for path in set(paths))
        calls.append(Call(name, counts[process, name, paths[0]], paths[0], rest))
    return Traced(tuple(calls), tuple(sorted({path for *_, paths in found for path in paths})))


def kill_at(call: Call, command: Sequence[str], log: Path) -> subprocess.CompletedProcess[str]:
    """The command is killed (SIGKILL) when it makes the call, which is not carried out."""
    return _disturbed(f"{call.name}:signal=KILL:when={call.nth}", call, command, log)


def signalled_at(call: Call, name: str, command: Sequence[str], log: Path) -> subprocess.CompletedProcess[str]:
    """The command gets the signal when it makes the call, which is carried out."""
    return _disturbed(f"{call.name}:signal={name}:when={call.nth}", call, command, log)


def stop_after_each(traced: Traced, command: Sequence[str], log: Path, look: Callable[[int], None]) -> int:
    """The command is stopped after every call on the folder, `look` is called, and it goes on; gives the exit code.

    A process that stands still after a call leaves the folder as one that is killed there does.
    """
    names = ",".join(sorted({call.name for call in traced.calls}))
    only = [option for path in traced.paths for option in ("-P", path)]
    traces = ["-e", f"trace={names}", "-e", f"inject={names}:signal=STOP"]
    log.unlink(missing_ok=True)
    tracer = subprocess.Popen(
        ["strace", "-f", "-qq", "-o", str(log), *only, *traces, *command],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    stops = 0
    while tracer.poll() is None:
        told = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
        stopped = [int(process) for process in _STOPPED.findall(told)]
        if len(stopped) == stops:
            time.sleep(0.01)
            continue
        stops += 1
        look(stops)
        os.kill(stopped[stops - 1], signal.SIGCONT)
    return tracer.wait()


def fail_from(call: Call, error: str, command: Sequence[str], log: Path) -> subprocess.CompletedProcess[str]:
    """The call and every later one of its name on the folder fail with the error."""
    return _disturbed(f"{call.name}:error={error}:when={call.nth}+", call, command, log)


def fail_once(call: Call, error: str, command: Sequence[str], log: Path) -> subprocess.CompletedProcess[str]:
    """The call fails with the error, later ones do not."""
    return _disturbed(f"{call.name}:error={error}:when={call.nth}", call, command, log)


def _disturbed(fault: str, call: Call, command: Sequence[str], log: Path) -> subprocess.CompletedProcess[str]:
    done = _strace(
        ["-y", "-s", "4096", "-P", call.on, "-e", f"trace={call.name}", "-e", f"inject={fault}"], command, log
    )
    told = log.read_text(encoding="utf-8", errors="replace")
    lines = told.splitlines()
    # A call that failed is marked, one in which the process died has no result, before a signal stands its call.
    marks = ("INJECTED", "= ?", "<unfinished ...>")
    hit = [one for one, after in pairwise([*lines, ""]) if "--- SIG" in after or any(mark in one for mark in marks)]
    assert any(call.on in line for line in hit), f"{call} was not reached:\n{told[-2000:]}"
    return done


def _strace(options: Sequence[str], command: Sequence[str], log: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        # Not by seccomp: strace 6.1 then sends no signal.
        ["strace", "-f", "-qq", "-o", str(log), *options, *command],
        capture_output=True,
        text=True,
        check=False,
    )
