"""A PostgreSQL server of the test's own: in a temporary folder, on a socket only, as a user that is not root."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

OWNER = "postgres"


def programs() -> Path | None:
    """The folder of initdb and pg_ctl, which Debian keeps off the PATH; the newest version there is."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


def why_not() -> str | None:
    """What is missing for a server, if anything."""
    if programs() is None:
        return "PostgreSQL is not installed: scripts/system-packages.sh test"
    if os.geteuid() == 0:
        try:
            pwd.getpwnam(OWNER)
        except KeyError:
            return f"the test runs as root and there is no user {OWNER} to run the server as"
    return None


@contextlib.contextmanager
def server():
    """The socket's folder of a running server; it is stopped and removed at the end."""
    # Not below tmp_path: a socket may have 107 bytes, and the folders above are closed to another user.
    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
    data = folder / "data"
    if os.geteuid() == 0:
        shutil.chown(folder, OWNER)
    try:
        _run("initdb", "-D", data, "-U", "judge", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off"
        _run("pg_ctl", "-D", data, "-l", folder / "log", "-w", "-o", options, "start")
        try:
            yield folder
        finally:
            _run("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(program: str, *arguments: object) -> None:
    command = [str(programs() / program), *map(str, arguments)]
    if os.geteuid() == 0:
        command = ["runuser", "-u", OWNER, "--", *command]
    # pg_ctl's server inherits a pipe and would keep it open: output goes to a file.
    with tempfile.TemporaryFile() as told:
        done = subprocess.run(command, cwd="/", stdout=told, stderr=told, check=False)
        told.seek(0)
        assert done.returncode == 0, f"{' '.join(command)}: {told.read().decode(errors='replace')}"
