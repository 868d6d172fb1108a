"""The mapping of an extract to ledger tables: YAML in, frozen objects out, every breach told at once."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline.errors import ParameterError
from pipeline.plain_yaml import read_yaml
from pipeline.tables.expression_reader import Place, read_expression
from pipeline.tables.expressions import Cell, Expression, FirstOf, columns_of
from pipeline.tables.formats import Formats
from pipeline.tables.formats_reader import ALL_FORMATS, read_formats
from pipeline.tables.ledger import BY_NAME
from pipeline.tables.section import Section, nearest

if TYPE_CHECKING:
    import collections.abc


TESTS = ("equals", "differs", "is_in", "not_in", "is_null", "is_not_null")


@dataclass(frozen=True)
class Condition:
    """Which rows a part takes: `test` is one of TESTS, compared as text."""

    column: str
    test: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Part:
    """Rows of one file that become rows of one table; with `one_row_per`, the first row of each group does."""

    file: str
    columns: collections.abc.Mapping[str, Expression]
    where: tuple[Condition, ...] = ()
    one_row_per: tuple[str, ...] = ()
    may_be_known_before_event: bool = False


@dataclass(frozen=True)
class SourceFile:
    """A file of the source folder and how it writes its values."""

    path: str
    formats: Formats


@dataclass(frozen=True)
class Mapping:
    """How an extract becomes a ledger. `empty` names tables the source cannot fill, each with the reason."""

    about: str
    files: collections.abc.Mapping[str, SourceFile]
    tables: collections.abc.Mapping[str, tuple[Part, ...]]
    empty: collections.abc.Mapping[str, str] = field(default_factory=dict)
    assumptions: tuple[str, ...] = ()
    extract_date: dt.date | None = None


def parse_mapping(text: str, origin: str = "mapping") -> Mapping:
    """Reads a mapping. Raises ParameterError naming every unknown key, wrong type and missing column at once."""
    raw = read_yaml(text, origin)
    breaches: list[str] = []
    mapping = _mapping(Section(raw, "", breaches))
    if breaches:
        listed = "\n".join(f"  - {breach}" for breach in breaches)
        raise ParameterError(
            f"{origin}: {len(breaches)} breach(es):\n{listed}\nCorrect the keys named; none was ignored."
        )
    return mapping


def _mapping(top: Section) -> Mapping:
    about = top.take("about", str)
    extract_date = top.take("extract_date", dt.date, None) if top.has("extract_date") else None
    formats = _file_formats(Section(top.take("formats", dict, {}), "formats", top.breaches), Formats())
    files = _files(top.section("files"), formats)
    assumptions = top.texts("assumptions")
    tables: dict[str, tuple[Part, ...]] = {}
    empty: dict[str, str] = {}
    section = top.section("tables")
    for name in section.names():
        if name not in BY_NAME:
            near = nearest(name, BY_NAME)
            section.refuse(f"is no table of the ledger{f'; did you mean {near}?' if near else ''}", name)
            section.raw(name)
            continue
        _table(section, name, files, tables, empty)
    top.close()
    if not assumptions and _is_derived(tables):
        top.refuse("is missing: the mapping derives values, so it says in words what it assumes", "assumptions")
    return Mapping(about, files, tables, empty, assumptions, extract_date)


def _files(section: Section, formats: Formats) -> dict[str, SourceFile]:
    files = {}
    for name in section.names():
        one = section.section(name)
        path = one.take("path", str)
        if "/" in path or "\\" in path:
            one.refuse(f"expected the name of a file in the source folder, found {path!r}", "path")
        files[name] = SourceFile(path, _file_formats(one, formats))
    paths = [f.path for f in files.values()]
    for path in sorted({p for p in paths if paths.count(p) > 1}):
        section.refuse(f"{path!r} stands under two names; one is enough for any number of tables")
    return files


def _file_formats(section: Section, base: Formats) -> Formats:
    formats = read_formats(section, base, ALL_FORMATS)
    section.close()
    return formats or base


def _table(
    section: Section,
    name: str,
    files: collections.abc.Mapping[str, SourceFile],
    tables: dict[str, tuple[Part, ...]],
    empty: dict[str, str],
) -> None:
    raw = section.raw(name)
    path = section.join(name)
    if isinstance(raw, dict) and "empty" in raw:
        one = Section(raw, path, section.breaches)
        empty[name] = one.take("empty", str)
        one.close()
        return
    parts = raw if isinstance(raw, list) else [raw]
    if not parts:
        section.refuse("expected at least one part", name)
    tables[name] = tuple(
        _part(Section(part, f"{path}[{i}]" if isinstance(raw, list) else path, section.breaches), name, files)
        for i, part in enumerate(parts)
    )


def _part(section: Section, name: str, files: collections.abc.Mapping[str, SourceFile]) -> Part:
    file = section.take("from", str)
    if file and file not in files:
        section.refuse(f"{file!r} is not among files: {', '.join(files) or 'none'}", "from")
    formats = files[file].formats if file in files else Formats()
    where = tuple(
        _condition(Section(raw, f"{section.join('where')}[{i}]", section.breaches))
        for i, raw in enumerate(section.take("where", list, []))
    )
    one_row_per = section.texts("one_row_per")
    allowed = section.take("may_be_known_before_event", bool, default=False)
    columns = _columns(section.section("columns"), name, formats, one_row_per)
    section.close()
    return Part(file, columns, where, one_row_per, allowed)


def _columns(section: Section, name: str, formats: Formats, one_row_per: tuple[str, ...]) -> dict[str, Expression]:
    table = BY_NAME[name]
    contract = {column.name: column for column in table.columns}
    columns: dict[str, Expression] = {}
    for target in section.names():
        if target not in contract:
            near = nearest(target, contract)
            section.refuse(f"{name} has no such column{f'; did you mean {near}?' if near else ''}", target)
            section.raw(target)
            continue
        place = Place(section.join(target), contract[target].kind, formats, bool(one_row_per))
        read = read_expression(section.raw(target), place, section.breaches)
        if read is not None:
            columns[target] = read
    told = {target for target in contract if any(b.startswith(section.join(target)) for b in section.breaches)}
    for target, column in contract.items():
        if not table.may_be_missing(column) and target not in columns and target not in told:
            section.refuse(f"is missing; {name} needs it ({column.meaning})", target)
    return columns


def _condition(section: Section) -> Condition:
    column = section.take("column", str)
    given = [test for test in TESTS if section.has(test)]
    if len(given) != 1:
        section.refuse(f"expected one test of {', '.join(TESTS)}, found {', '.join(given) or 'none'}")
    values: tuple[str, ...] = ()
    for test in given:
        if test in {"is_in", "not_in"}:
            values = section.texts(test)
        elif test in {"equals", "differs"}:
            values = (section.take(test, str),)
        elif section.take(test, bool) is not True:
            section.refuse("expected true; use the opposite test instead of false", test)
    section.close()
    return Condition(column, given[0] if given else "is_not_null", values)


def _is_derived(tables: collections.abc.Mapping[str, tuple[Part, ...]]) -> bool:
    """Whether a column is anything but a cell as it stands."""

    def assumes(expression: Expression) -> bool:
        match expression:
            case Cell(plus_days=days, no_earlier_than=low, no_later_than=high):
                return bool(days) or low is not None or high is not None
            case FirstOf(options=options):
                return any(assumes(option) for option in options)
            case _:
                return True

    parts = [part for parts in tables.values() for part in parts]
    return any(part.where or any(assumes(e) for e in part.columns.values()) for part in parts)


def source_columns(part: Part) -> tuple[str, ...]:
    """Every source column the part reads, in order of first mention."""
    named = [name for expression in part.columns.values() for name in columns_of(expression)]
    return tuple(dict.fromkeys([*part.one_row_per, *(c.column for c in part.where), *named]))
