"""How a command ends: the message a user can act on, and the exit code other systems read."""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipeline.errors import CreditbookError, OutputError, StorageError, without_passwords
from pipeline.flows import log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

_CANNOT_CREATE = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR}


def exit_code(action: Callable[[], None]) -> int:
    """Runs the action; 0, or the code of what went wrong, told on standard error.

    CREDITBOOK_DEBUG=1 (the option --debug) shows the traceback too. An interruption (SIGINT, 130) and a termination
    (SIGTERM, 143) end the work by way of everything that cleans up; a second one ends it at once.
    """
    log.listen_to_libraries()
    received: list[signal.Signals] = []
    try:
        with _signals_noted(received):
            action()
    except KeyboardInterrupt:
        return _interrupted(received)
    except Exception as error:
        # A library may have made an error of its own of the interruption.
        return _interrupted(received) if received else _tell(_as_told(error), error)
    return 0


@contextmanager
def _signals_noted(received: list[signal.Signals]) -> Iterator[None]:
    """SIGINT and SIGTERM raise KeyboardInterrupt and are noted; what is ignored stays ignored."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def note(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        received.append(signal.Signals(number))
        raise KeyboardInterrupt

    listened = [one for one in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(one) is not signal.SIG_IGN]
    before = {one: signal.signal(one, note) for one in listened}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _interrupted(received: list[signal.Signals]) -> int:
    said = "terminated" if signal.SIGTERM in received else "interrupted"
    code = 128 + (signal.SIGTERM if signal.SIGTERM in received else signal.SIGINT)
    log.fail("interrupted", f"{said}; nothing half-written was left in place; run again", exit_code=code)
    return code


def _as_told(error: Exception) -> CreditbookError:
    """The error that a user can act on."""
    if isinstance(error, CreditbookError):
        return error
    if isinstance(error, MemoryError):
        return StorageError("out of memory; lower engine.memory_limit or give the process more")
    if isinstance(error, OSError):
        return _of_operating_system(error)
    if _is_out_of_space(error):
        says = str(error).splitlines()[0]
        return StorageError(
            f"{says}; raise engine.memory_limit, lower engine.threads, or free the disk of data/scratch"
        )
    told = f"internal error: {type(error).__name__}: {error}; run again with --debug for the traceback"
    return CreditbookError(told)


def leave(action: Callable[[], None]) -> None:
    """Runs the action and ends the process with its exit code."""
    sys.exit(exit_code(action))


def _is_out_of_space(error: Exception) -> bool:
    """DuckDB has no memory left, or no disk to spill to; its errors are none of the operating system's."""
    duckdb = sys.modules.get("duckdb")
    return duckdb is not None and isinstance(error, (duckdb.OutOfMemoryException, duckdb.IOException))


def _of_operating_system(error: OSError) -> CreditbookError:
    if error.errno in _CANNOT_CREATE:
        return OutputError(f"{error.filename or 'output'}: {error.strerror}; check the folder's owner and rights")
    return StorageError(f"{error.filename or 'input/output'}: {error.strerror or error}; check the disk and its space")


def _tell(told: CreditbookError, cause: BaseException) -> int:
    facts = {"exit_code": told.exit_code, "error": type(told).__name__}
    if os.environ.get("CREDITBOOK_DEBUG") == "1":
        import traceback

        lines = "".join(traceback.format_exception(cause))
        if log.is_json():
            facts["traceback"] = lines
        else:
            print(without_passwords(lines), end="", file=sys.stderr)
    log.fail("failed", f"error ({told.exit_code}): {told}", **facts)
    return told.exit_code
