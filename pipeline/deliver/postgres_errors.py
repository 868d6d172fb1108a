"""What PostgreSQL and its client say, in words that hold no part of the connection string and no value of a row."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipeline.errors import (
    ContractError,
    CreditbookError,
    LockedError,
    OutputError,
    StorageError,
    TargetUnreachableError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

# A failed connection has no code; the client's English words are looked for, and never repeated.
_REASONS = (
    ("password authentication failed", "it refuses the user or the password"),
    ("no password supplied", "it wants a password"),
    ("no pg_hba.conf entry", "it does not let this machine, user or database in (pg_hba.conf)"),
    ("Peer authentication failed", "it does not take this user of the machine (peer)"),
    ("does not exist", "there is no such database or user"),
    ("permission denied for database", "the user may not connect to the database"),
    ("starting up", "it is starting up"),
    ("shutting down", "it is shutting down"),
    ("too many clients", "it has no free connection"),
    ("remaining connection slots", "it has no free connection"),
    ("Connection refused", "nothing listens there"),
    ("No such file or directory", "nothing listens there"),
    ("could not translate host name", "the host is not known"),
    ("failed to resolve host", "the host is not known"),
    ("timeout", "no answer in {wait_seconds} s"),
    ("SSL", "no encrypted connection could be made"),
    ("certificate", "no encrypted connection could be made"),
)
_LINE = re.compile(r"COPY (\w+), line (\d+)")


@contextmanager
def connecting(variable: str, wait_seconds: int) -> Iterator[None]:
    """Turns a failed connection into TargetUnreachableError (69)."""
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        text = str(error)
        reason = next((told for sign, told in _REASONS if sign in text), "no connection could be made")
        raise TargetUnreachableError(
            f"postgres: the server named in {variable} cannot be reached: {reason.format(wait_seconds=wait_seconds)}; "
            "bring it up, then run creditbook deliver"
        ) from None


@contextmanager
def told_errors(wait_seconds: int) -> Iterator[None]:
    """Turns an error of a transaction, which the server has undone, into the one a user can act on."""
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        raise _told(error, wait_seconds) from None


def _told(error: psycopg.Error, wait_seconds: int) -> CreditbookError:
    state = error.sqlstate or ""
    called = f"{type(error).__name__}{f' {state}' if state else ''}"
    unchanged = "nothing was changed there"
    if not state or state[:2] in {"08", "57"}:
        return TargetUnreachableError(
            f"postgres: the connection was lost ({called}); {unchanged}; bring the server up and run creditbook deliver"
        )
    if state == "55P03":
        return LockedError(
            f"postgres: another delivery, or a lock on the tables, was there for {wait_seconds} s; {unchanged}; wait "
            "for it to end, then run creditbook deliver"
        )
    if state in {"22021", "22P05"}:
        place = _LINE.search(error.diag.context or "")
        where = f"row {int(place[2]):,} of {place[1]}" if place else "a text"
        return ContractError(
            f"postgres: {where} holds a sign that the database cannot store (NUL, or one outside its encoding); "
            f"{unchanged}; correct the extract, or use a database in UTF8"
        )
    if state[:2] == "53":
        return StorageError(f"postgres: the server is out of disk, memory or connections ({called}); {unchanged}")
    if state[:2] in {"25", "42"}:
        # Of the statement, not of its values.
        return OutputError(f"postgres: {error.diag.message_primary} ({called}); {unchanged}; mend the user's rights")
    return StorageError(f"postgres: the server refused the run ({called}); {unchanged}; its log says why")
