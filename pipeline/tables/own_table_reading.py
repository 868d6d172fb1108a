"""Reads a modelling table as text: CSV, Parquet or ARFF, plain, gzipped or alone in a zip archive."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from typing import TYPE_CHECKING

import numpy as np

from pipeline.errors import ContractError, MissingInputError
from pipeline.tables.reading import Extract, csv_extract, parquet_rows, unzipped, utf8

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.tables.own_table_catalogue import FileSection

_ATTRIBUTE = re.compile(rb"@attribute\s+('[^']*'|\"[^\"]*\"|\S+)\s", re.IGNORECASE)


def read_own_table(path: Path, file: FileSection) -> Extract:
    """The file as text, by its name: `.parquet`, `.arff`, else delimited text; before it `.gz` or `.zip` is opened.

    Raises MissingInputError without the file, ContractError when it is empty, damaged, in another encoding, or when its
    header and the declared one do not fit.
    """
    try:
        packed = path.read_bytes()
    except FileNotFoundError:
        raise MissingInputError(f"ingest.table: {path}: no such file; name a .csv, .parquet or .arff file") from None
    except OSError as error:
        raise ContractError(f"{path} cannot be read: {error.strerror}; check the file and its rights") from error
    sha256 = hashlib.sha256(packed).hexdigest()
    content, name = _opened(packed, path.name)
    if not content.strip():
        raise ContractError(f"{path.name} is empty; export it again")
    if name.endswith(".parquet"):
        rows = parquet_rows(content, path.name)
        return Extract(path.name, sha256, rows, np.arange(1, rows.num_rows + 1, dtype=np.int64))
    text = utf8(content, path.name, file.encoding)
    if name.endswith(".arff"):
        text = _csv_of_arff(text, path.name)
    elif file.header is not None:
        text = (_header(file) + "\n").encode() + text
    return csv_extract(text, path.name, sha256, file.delimiter)


def _opened(packed: bytes, name: str) -> tuple[bytes, str]:
    """The content and the name without the packing's suffix."""
    if name.endswith(".gz"):
        return unzipped(packed, name), name.removesuffix(".gz")
    if not name.endswith(".zip"):
        return packed, name
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            members = [member for member in archive.namelist() if not member.endswith("/")]
            if len(members) != 1:
                raise ContractError(f"{name} holds {len(members)} files; unpack it and name the table's own file")
            return archive.read(members[0]), members[0]
    except (OSError, zipfile.BadZipFile, RuntimeError) as error:
        raise ContractError(f"{name} is truncated or no zip archive ({error}); export or copy it again") from error


def _header(file: FileSection) -> str:
    quoted = ['"' + name.replace('"', '""') + '"' for name in file.header or ()]
    return file.delimiter.join(quoted)


def _csv_of_arff(text: bytes, name: str) -> bytes:
    """The data of an ARFF file under a header line of its attributes. A sparse file is refused; `%` opens a comment."""
    head, found, data = _parted(text)
    names = [match[1].decode().strip("'\"") for match in _ATTRIBUTE.finditer(head)]
    if not found or not names:
        raise ContractError(f"{name} is no ARFF file: it lacks @attribute lines or @data; hand in the data as CSV")
    lines = [line for line in data.splitlines() if line.strip() and not line.lstrip().startswith(b"%")]
    if lines and lines[0].lstrip().startswith(b"{"):
        raise ContractError(f"{name} is a sparse ARFF file; hand in the data as CSV")
    header = ",".join('"' + column.replace('"', '""') + '"' for column in names).encode()
    return b"\n".join([header, *lines]) + b"\n"


def _parted(text: bytes) -> tuple[bytes, bytes, bytes]:
    """What stands before the line @data, that line, and what follows."""
    match = re.search(rb"^@data\s*$", text, re.IGNORECASE | re.MULTILINE)
    if not match:
        return text, b"", b""
    return text[: match.start()], match[0], text[match.end() :]
