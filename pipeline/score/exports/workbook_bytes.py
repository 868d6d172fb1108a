"""A workbook as bytes: the same for the same content, and every number with all its digits.

openpyxl writes 16 digits, where a double needs 17, and stamps the clock into the file; both are mended here.
"""

from __future__ import annotations

import io
import re
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

# The first moment a zip file can tell.
_FIXED = (1980, 1, 1, 0, 0, 0)
_STAMP = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*(</dcterms:)")
_NUMBER = re.compile(rb'(?P<before><c r="(?P<cell>[A-Z]+[0-9]+)"[^>]*><v>)[^<]*</v>')


def workbook_bytes(book: Workbook) -> bytes:
    """The file's content; its parts in their order, each with the same stamp."""
    plain = io.BytesIO()
    book.save(plain)
    told = io.BytesIO()
    sheets = {f"xl/worksheets/sheet{i}.xml": sheet for i, sheet in enumerate(book.worksheets, 1)}
    with zipfile.ZipFile(plain) as read, zipfile.ZipFile(told, "w") as written:
        for name in read.namelist():
            content = _STAMP.sub(rb"\g<1>1980-01-01T00:00:00Z\g<3>", read.read(name))
            if name in sheets:
                content = _exact(content, sheets[name])
            part = zipfile.ZipInfo(name, _FIXED)
            part.compress_type = zipfile.ZIP_DEFLATED
            written.writestr(part, content)
    return told.getvalue()


def _exact(content: bytes, sheet: Worksheet) -> bytes:
    """The sheet with every double spelled so that it reads back to the same bits."""

    def spelled(found: re.Match[bytes]) -> bytes:
        value = sheet[found["cell"].decode()].value
        return found[0] if not isinstance(value, float) else found["before"] + repr(float(value)).encode() + b"</v>"

    return _NUMBER.sub(spelled, content)
