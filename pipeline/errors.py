"""Errors a user can act on: where, what, how many, one example, what to do; each with its exit code (BSD sysexits)."""

from __future__ import annotations

import re

_PASSWORDS = ((re.compile(r"://[^/\s@]+@"), "://…@"), (re.compile(r"(?i)\b(password|pwd)=[^\s&;'\"]+"), r"\1=…"))


def without_passwords(text: str) -> str:
    """The text with whatever stands before the @ of an address, or after password=, left out.

    >>> without_passwords("postgresql://clerk:word@db/creditbook?password=word")
    'postgresql://…@db/creditbook?password=…'
    """
    for pattern, instead in _PASSWORDS:
        text = pattern.sub(instead, text)
    return text


class CreditbookError(Exception):
    """Something the user can mend. `exit_code` is what the command leaves with; 70 is an internal error."""

    exit_code: int = 70


class UsageError(CreditbookError):
    """An option does not fit what is already there (2)."""

    exit_code = 2


class ContractError(CreditbookError):
    """The ledger breaks its contract (65)."""

    exit_code = 65


class DamagedModelError(CreditbookError):
    """A model file is not what its manifest says (65)."""

    exit_code = 65


class DamagedRunError(CreditbookError):
    """A published run is not what its manifest says (65): no try again mends it."""

    exit_code = 65


class UnfitForTrainingError(CreditbookError):
    """The book cannot carry a model: no default, one customer only, no mature snapshot (65)."""

    exit_code = 65


class MissingInputError(CreditbookError):
    """A file, a table or a model that is needed is not there (66)."""

    exit_code = 66


class TargetUnreachableError(CreditbookError):
    """A database, a tracking server or another target does not answer (69)."""

    exit_code = 69


class OutputError(CreditbookError):
    """The output cannot be created (73)."""

    exit_code = 73


class StorageError(CreditbookError):
    """Input or output failed, or the disk or the memory is full (74)."""

    exit_code = 74


class LockedError(CreditbookError):
    """Another run holds the lock (75)."""

    exit_code = 75


class OvertakenError(CreditbookError):
    """Another run published, while this one was reckoned, what this one should have rested on (75)."""

    exit_code = 75


class PartlyDoneError(CreditbookError):
    """A target took only a part of what was due (76)."""

    exit_code = 76


class ParameterError(CreditbookError):
    """params.yaml or a policy file is wrong; every breach is told at once (78)."""

    exit_code = 78


class GateError(CreditbookError):
    """A gate refused (80)."""

    exit_code = 80
