"""Reports onto the disk: the formats asked for, each file whole or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.datasets import write_text
from pipeline.durable import replace_bytes
from pipeline.errors import MissingInputError
from pipeline.flows import log
from pipeline.report.page import html_page
from pipeline.report.paper import pdf

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from pipeline.report.document import Document


def publish_document(document: Document, stem: Path, formats: Sequence[str]) -> list[Path]:
    """Writes `stem` with .html and .pdf as asked for; gives back what is there.

    A Chinese PDF without a Chinese font on the machine is left out and told: empty boxes help nobody.
    """
    written = []
    if "html" in formats:
        page, path = html_page(document), stem.with_name(f"{stem.name}.html")
        write_text(page, path)
        written.append(_told(path, len(page.encode())))
    if "pdf" in formats:
        path = stem.with_name(f"{stem.name}.pdf")
        try:
            content = pdf(document)
        except MissingInputError as error:
            log.warn("report_left_out", f"warning: {path.name} is not written: {error}", path=path)
            return written
        replace_bytes(path, content)
        written.append(_told(path, len(content)))
    return written


def remove_others(folder: Path, written: Iterable[Path]) -> None:
    """Takes reports of an earlier run away that this one did not write: another language, another format."""
    kept = {path.name for path in written}
    for path in sorted(folder.glob("model_*")):
        if path.name not in kept:
            path.unlink()


def _told(path: Path, size: int) -> Path:
    log.say("report_written", f"report: {path} ({size / 1e6:.1f} MB)", path=path, bytes=size)
    return path
