"""How a command ends: the message a user can act on, and the exit code other systems read."""

from __future__ import annotations

import errno
import os
import sys
from typing import TYPE_CHECKING

from pipeline.errors import CreditbookError, OutputError, StorageError
from pipeline.flows import log

if TYPE_CHECKING:
    from collections.abc import Callable

_CANNOT_CREATE = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR}


def exit_code(action: Callable[[], None]) -> int:
    """Runs the action; 0, or the code of what went wrong, told on standard error.

    CREDITBOOK_DEBUG=1 (the option --debug) shows the traceback too.
    """
    try:
        action()
    except CreditbookError as error:
        return _tell(error, error)
    except MemoryError as error:
        told = StorageError("out of memory; lower engine.memory_limit or give the process more")
        return _tell(told, error)
    except OSError as error:
        return _tell(_of_operating_system(error), error)
    except KeyboardInterrupt:
        log.fail("interrupted", "interrupted; nothing half-written was left in place", exit_code=130)
        return 130
    except Exception as error:
        return _tell(
            CreditbookError(
                f"internal error: {type(error).__name__}: {error}; run again with --debug for the traceback"
            ),
            error,
        )
    return 0


def leave(action: Callable[[], None]) -> None:
    """Runs the action and ends the process with its exit code."""
    sys.exit(exit_code(action))


def _of_operating_system(error: OSError) -> CreditbookError:
    if error.errno in _CANNOT_CREATE:
        return OutputError(f"{error.filename or 'output'}: {error.strerror}; check the folder's owner and rights")
    return StorageError(f"{error.filename or 'input/output'}: {error.strerror or error}; check the disk and its space")


def _tell(told: CreditbookError, cause: BaseException) -> int:
    if os.environ.get("CREDITBOOK_DEBUG") == "1":
        import traceback

        traceback.print_exception(cause)
    log.fail("failed", f"error ({told.exit_code}): {told}", exit_code=told.exit_code, error=type(told).__name__)
    return told.exit_code
