"""Finds the files of a source folder and reads every table; what goes wrong is collected, not thrown."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa

from pipeline.errors import ContractError, CreditbookError, MissingInputError
from pipeline.tables.formats import Formats
from pipeline.tables.ledger import BY_NAME, TABLES
from pipeline.tables.reading import SUFFIXES, Extract, read_extract
from pipeline.tables.received import Received, plain_part, receive
from pipeline.tables.section import nearest
from pipeline.tables.unchanged import unchanged

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from collections.abc import Mapping as AbstractMapping
    from pathlib import Path

    from pipeline.tables.contract import Table
    from pipeline.tables.mapping import Mapping, Part

Found = TypeVar("Found")

# Files that look like data but are no table are told; a README or a mapping beside them is not.
_DATA_ENDINGS = (".parquet", ".csv", ".gz", ".xlsx", ".xls", ".tsv", ".zip", ".feather", ".arrow")


@dataclass(frozen=True)
class Gathered:
    """What a folder holds. `faults` are what kept a table from being read; `sha256` is by file name;
    `empty` names tables the mapping declares empty, with the reason."""

    received: AbstractMapping[str, Received]
    extracts: AbstractMapping[str, Extract]
    faults: tuple[CreditbookError, ...]
    empty: AbstractMapping[str, str]


def gather(source: Path, mapping: Mapping | None) -> Gathered:
    """Reads the folder's tables, by the mapping where it speaks and by the contract's own names elsewhere.

    Raises StorageError when a file changes while they are read: one would be of today and another of yesterday.
    """
    if not source.is_dir():
        fault = MissingInputError(f"the source {source} is no folder; hand in a folder with one file per table")
        return Gathered({}, {}, (fault,), {})
    faults: list[CreditbookError] = []
    mapped = frozenset() if mapping is None else frozenset({*mapping.tables, *mapping.empty})
    plain = _plain_files(source, mapped, mapping, faults)
    with unchanged(source, [*plain.values(), *(() if mapping is None else (f.path for f in mapping.files.values()))]):
        extracts = _read_all(source, plain, mapping, faults)
    given = {table: _inputs(table, extracts, plain, mapping) for table in TABLES}
    asked = [(table, inputs) for table, inputs in given.items() if inputs]
    received: dict[str, Received] = {}
    for (table, _), found in zip(asked, _at_once(receive, asked), strict=True):
        if isinstance(found, CreditbookError):
            faults.append(found)
        else:
            received[table.name] = found
    _tell_missing(source, {*mapped, *plain}, faults)
    return Gathered(received, extracts, tuple(faults), {} if mapping is None else mapping.empty)


def _inputs(
    table: Table, extracts: AbstractMapping[str, Extract], plain: AbstractMapping[str, str], mapping: Mapping | None
) -> list[tuple[Part, Extract, Formats]]:
    """The parts a table is made of, each with its extract; none where one of them could not be read."""
    if mapping is not None and table.name in mapping.tables:
        parts = mapping.tables[table.name]
        if not all(part.file in extracts for part in parts):
            return []
        return [(part, extracts[part.file], mapping.files[part.file].formats) for part in parts]
    extract = extracts.get(f"table {table.name}") if table.name in plain else None
    return [] if extract is None else [(plain_part(table, extract), extract, Formats())]


def _at_once(work: Callable[..., Found], asked: Sequence[tuple[Any, ...]]) -> list[Found | CreditbookError]:
    """What `work` makes of each, in their order, as many at a time as there are cores: Arrow works without the lock."""

    def attempt(arguments: tuple[Any, ...]) -> Found | CreditbookError:
        try:
            return work(*arguments)
        except CreditbookError as error:
            return error

    with ThreadPoolExecutor(pa.cpu_count()) as pool:
        return list(pool.map(attempt, asked))


def _plain_files(
    source: Path, mapped: frozenset[str], mapping: Mapping | None, faults: list[CreditbookError]
) -> dict[str, str]:
    """Table name to file name, for files that are called like a table. Strangers and doubles are told."""
    named = set() if mapping is None else {file.path for file in mapping.files.values()}
    found: dict[str, str] = {}
    for path in sorted(p for p in source.iterdir() if p.is_file() and not p.name.startswith(".")):
        if path.name in named:
            continue
        stem = _stem(path.name)
        if stem in BY_NAME and stem not in mapped:
            if stem in found:
                faults.append(
                    ContractError(f"{stem}: the table is there twice, as {found[stem]} and {path.name}; remove one")
                )
            found.setdefault(stem, path.name)
        elif mapping is None and path.name.lower().endswith(_DATA_ENDINGS):
            near = nearest(stem or path.name.split(".")[0], BY_NAME)
            hint = f"rename it to {near}.csv or {near}.parquet" if near else "remove it, or map it to a table"
            faults.append(ContractError(f"{path.name} is no table of the ledger; {hint}"))
    return found


def _stem(name: str) -> str | None:
    for suffix in sorted(SUFFIXES, key=len, reverse=True):
        if name.endswith(suffix):
            return name.removesuffix(suffix)
    return None


def _read_all(
    source: Path, plain: AbstractMapping[str, str], mapping: Mapping | None, faults: list[CreditbookError]
) -> dict[str, Extract]:
    wanted = {f"table {table}": (file, Formats()) for table, file in plain.items()}
    if mapping is not None:
        wanted.update({name: (file.path, file.formats) for name, file in mapping.files.items()})
    extracts: dict[str, Extract] = {}
    read = _at_once(_read_one, [(source, file, formats) for file, formats in wanted.values()])
    for name, found in zip(wanted, read, strict=True):
        if isinstance(found, CreditbookError):
            faults.append(found)
        else:
            extracts[name] = found
    _tell_twins(extracts, faults)
    return extracts


def _read_one(source: Path, file: str, formats: Formats) -> Extract:
    if not (source / file).is_file():
        raise MissingInputError(f"{file} is not in {source}, but the mapping reads it; add the file")
    return read_extract(source / file, formats)


def _tell_twins(extracts: AbstractMapping[str, Extract], faults: list[CreditbookError]) -> None:
    by_content: dict[str, list[str]] = {}
    for extract in extracts.values():
        by_content.setdefault(extract.sha256, []).append(extract.file)
    faults.extend(
        ContractError(f"the same file was handed in {len(files)} times: {', '.join(files)}; remove the copies")
        for files in by_content.values()
        if len(files) > 1
    )


def _tell_missing(source: Path, tables: set[str], faults: list[CreditbookError]) -> None:
    missing = [table.name for table in TABLES if table.is_needed and table.name not in tables]
    if missing:
        faults.append(
            MissingInputError(
                f"{source}: {len(missing)} needed table(s) missing: {', '.join(missing)}; "
                f"add {missing[0]}.csv, {missing[0]}.csv.gz or {missing[0]}.parquet, or map an extract to it"
            )
        )
