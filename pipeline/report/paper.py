"""A document as a PDF, laid out by Typst from plain data: same document and fonts, same bytes.

Charts are the SVG of the page, texts are handed over as JSON strings and never read as markup. English is set in fonts
that come with the Python packages; Chinese, also of a name in an English report, needs a font of the machine.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
import tempfile
from html import unescape
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import MissingInputError
from pipeline.report.blocks import Chart, Picture, Table, Tiles
from pipeline.report.directions import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.report.blocks import Block, Chapter
    from pipeline.report.document import Document

# Simplified Chinese, the best first; the names are those of Debian, Windows and macOS.
CHINESE_FONTS = (
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "Microsoft YaHei",
    "PingFang SC",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Noto Serif CJK SC",
    "SimHei",
    "SimSun",
)
# Libertinus comes with Typst, DejaVu (the letters it lacks, and the charts) with matplotlib.
_SERIF, _LATIN = "Libertinus Serif", "DejaVu Sans"
_DEJAVU = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSansMono.ttf")
_SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
_WIDEST = 46
# Height over width, where the width is that of the text: about a third of a page.
_TALL = 0.48
_CHINESE = re.compile("[\u3400-\u9fff]")


def pdf(document: Document) -> bytes:
    """The document as a tagged PDF. Raises MissingInputError when it is Chinese and no font here has the characters."""
    import typst

    with tempfile.TemporaryDirectory(prefix="creditbook-report-") as name:
        folder = Path(name)
        furniture = _furniture(document)
        told = {**furniture, "chapters": [_chapter(c, folder, furniture["fonts"]) for c in document.chapters]}
        behind = _behind(document.language, json.dumps(told["chapters"], ensure_ascii=False))
        told["fonts"] = [*told["fonts"], *behind]
        layout = resources.files("pipeline.report") / "templates" / "report.typ"
        (folder / "report.typ").write_text(layout.read_text(encoding="utf-8"), encoding="utf-8")
        needs_system = document.language == "zh" or bool(behind)
        fonts = typst.Fonts(include_system_fonts=needs_system, font_paths=[_own_fonts(folder)])
        return _set(told, folder, fonts)


def _set(told: Mapping[str, Any], folder: Path, fonts: Any) -> bytes:
    """The PDF of the plain data; charts stand where they are told if letting them float keeps the pages from coming to
    rest, for then the numbers of pages would be wrong (Typst gives up after five passes and only warns)."""
    import typst

    for floats in (True, False):
        data = json.dumps({**told, "charts-float": floats}, ensure_ascii=False)
        (folder / "report.json").write_text(shown(data), encoding="utf-8")
        paper, warnings = typst.compile_with_warnings(
            folder / "report.typ", root=folder, font_paths=fonts, timestamp=0, format="pdf"
        )
        if not any("did not converge" in warning.message for warning in warnings):
            break
    assert isinstance(paper, bytes)
    return paper


def chinese_font() -> str | None:
    """The font a Chinese PDF is set in; null when this machine has none that is known."""
    import typst

    there = set(typst.Fonts(include_system_fonts=True).families())
    return next((name for name in CHINESE_FONTS if name in there), None)


def _behind(language: str, text: str) -> list[str]:
    """The Chinese font of this machine, if any, behind the Latin ones of a report in which Chinese names stand."""
    font = chinese_font() if language != "zh" and _CHINESE.search(text) else None
    return [font] if font else []


def _own_fonts(folder: Path) -> Path:
    """A folder with DejaVu, as matplotlib brings it, and nothing else: no font of last resort with its boxes."""
    import matplotlib as mpl

    target = folder / "fonts"
    target.mkdir()
    for name in _DEJAVU:
        shutil.copyfile(Path(mpl.get_data_path()) / "fonts" / "ttf" / name, target / name)
    return target


def _fonts(language: str) -> list[str]:
    if language != "zh":
        return [_SERIF, _LATIN]
    chinese = chinese_font()
    if chinese is None:
        raise MissingInputError(
            "report: a Chinese PDF needs a font with Chinese characters and this machine has none, e.g. "
            f"{CHINESE_FONTS[0]} is not there; run scripts/system-packages.sh run (Debian: fonts-noto-cjk), or set "
            "report.formats: [html]"
        )
    return [chinese, _LATIN]


def _furniture(document: Document) -> dict[str, Any]:
    return {
        "language": document.language,
        "region": "cn" if document.language == "zh" else None,
        "fonts": _fonts(document.language),
        "size": (9.2 if document.language == "zh" else 9.9) - (0.9 if len(document.chapters) == 1 else 0.0),
        "kind": document.kind,
        "title": document.title,
        "subtitle": document.subtitle,
        "contents": document.words("page.contents"),
        "footer": document.words("page.footer"),
    }


def _chapter(chapter: Chapter, folder: Path, fonts: list[str]) -> dict[str, Any]:
    blocks = [_block(block, folder / f"{chapter.anchor}-{i}", fonts) for i, block in enumerate(chapter.blocks)]
    return {
        "title": chapter.title,
        "lead": chapter.lead,
        "blocks": blocks,
        "starts_page": any(b["kind"] == "signatures" for b in blocks),
    }


def _block(block: Block, stem: Path, fonts: list[str]) -> dict[str, Any]:
    """A block as plain values; a chart or a picture becomes a file beside them."""
    told: dict[str, Any] = {"kind": block.kind}
    if isinstance(block, Table):
        return told | _table(block)
    if isinstance(block, Chart):
        return told | _chart(block, stem.with_suffix(".svg"), fonts)
    if isinstance(block, Picture):
        return told | _picture(block, stem.with_suffix(".png"))
    if isinstance(block, Tiles):
        return told | {"tiles": [vars(tile) for tile in block.tiles]}
    return told | vars(block)


def _chart(block: Chart, path: Path, fonts: list[str]) -> dict[str, Any]:
    path.write_text(shown(_standing_svg(block.wide, fonts)), encoding="utf-8")
    told = {"title": block.title, "caption": block.caption, "alt": _described(block.wide), "file": path.name}
    return {**told, "is_tall": is_tall(block.wide)}


def is_tall(svg: str) -> bool:
    """A drawing that takes a third of a page or more.

    >>> is_tall('<svg viewBox="0 0 540 350">'), is_tall('<svg viewBox="0 0 540 230">')
    (True, False)
    """
    _, _, width, height = (float(part) for part in re.findall(r'viewBox="([^"]+)"', svg)[0].split())
    return height > _TALL * width


def _picture(block: Picture, path: Path) -> dict[str, Any]:
    path.write_bytes(base64.b64decode(block.source.partition(",")[2]))
    return {"title": block.title, "alt": block.alt, "is_small": block.is_small, "file": path.name}


def _table(table: Table) -> dict[str, Any]:
    return {
        "caption": table.caption,
        "columns": [vars(column) for column in table.columns],
        "rows": [[vars(cell) for cell in row] for row in table.rows],
        "headings": [table.group_at(i) for i in range(len(table.rows))],
        "notes": list(table.notes),
        "widths": widths(table),
    }


def widths(table: Table) -> list[float]:
    """The share of the width each column asks for: that of its longest text, within reason, so that none is crushed."""
    found = []
    for at, column in enumerate(table.columns):
        texts = [(cell.text, cell.note) for row in table.rows for cell in row[at : at + 1]]
        longest = max((max(_em(text), 0.85 * _em(note)) for text, note in texts), default=0.0)
        head = max((_em(word) for word in re.split(r"[\s/]+", column.title)), default=0.0)
        is_barred = any(cell.bar is not None for row in table.rows for cell in row[at : at + 1])
        found.append(min(max(longest, head, 7.0 if is_barred else 3.5), _WIDEST) ** 0.8 + 0.8)
    return found


def _em(text: str) -> float:
    """The width of a text in half squares: a Chinese character is twice a Latin one."""
    return float(sum(2 if ord(letter) > 0x2E7F else 1 for letter in text))


def _standing_svg(svg: str, fonts: list[str]) -> str:
    """The SVG of a page as a file of its own; in a Chinese one the Chinese font comes first, or a sister of it with
    Japanese forms would be taken."""
    named = svg.replace("<svg", _SVG, 1)
    if fonts[0] in CHINESE_FONTS:
        named = named.replace(f"'{_LATIN}'", f"'{fonts[0]}', '{_LATIN}'")
    return named.replace(' href="', ' xlink:href="')


def _described(svg: str) -> str:
    found = re.search(r"<desc[^>]*>(.*?)</desc>", svg, flags=re.DOTALL)
    return unescape(found.group(1)) if found else ""
