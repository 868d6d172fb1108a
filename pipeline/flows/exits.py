"""How a command ends: the message a user can act on, and the exit code other systems read."""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipeline.errors import CreditbookError, OutputError, StorageError
from pipeline.flows import log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

_CANNOT_CREATE = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR}


def exit_code(action: Callable[[], None]) -> int:
    """Runs the action; 0, or the code of what went wrong, told on standard error.

    CREDITBOOK_DEBUG=1 (the option --debug) shows the traceback too. A termination (SIGTERM) ends the work as an
    interruption does (SIGINT), by way of everything that cleans up; their codes are 143 and 130.
    """
    log.listen_to_libraries()
    ended_by = [signal.SIGINT]
    try:
        with _terminations_told(ended_by):
            action()
    except CreditbookError as error:
        return _tell(error, error)
    except MemoryError as error:
        told = StorageError("out of memory; lower engine.memory_limit or give the process more")
        return _tell(told, error)
    except OSError as error:
        return _tell(_of_operating_system(error), error)
    except KeyboardInterrupt:
        code, said = 128 + ended_by[-1], "terminated" if ended_by[-1] == signal.SIGTERM else "interrupted"
        log.fail("interrupted", f"{said}; nothing half-written was left in place; run again", exit_code=code)
        return code
    except Exception as error:
        return _tell(
            CreditbookError(
                f"internal error: {type(error).__name__}: {error}; run again with --debug for the traceback"
            ),
            error,
        )
    return 0


@contextmanager
def _terminations_told(ended_by: list[signal.Signals]) -> Iterator[None]:
    """SIGTERM raises KeyboardInterrupt and is noted; a second one ends the process at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def note(_signal: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        ended_by.append(signal.SIGTERM)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def leave(action: Callable[[], None]) -> None:
    """Runs the action and ends the process with its exit code."""
    sys.exit(exit_code(action))


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
            print(lines, end="", file=sys.stderr)
    log.fail("failed", f"error ({told.exit_code}): {told}", **facts)
    return told.exit_code
