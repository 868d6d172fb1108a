"""The PDF: the same bytes, texts as text, pages numbered, heads repeated, and never empty boxes for Chinese."""

from __future__ import annotations

import dataclasses
import io
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import typst
from pypdf import PdfReader

import pipeline.report.paper
from pipeline.errors import MissingInputError
from pipeline.report.blocks import Cell, Chapter, Chart, Column, Table, Text
from pipeline.report.document import Document
from pipeline.report.model_report import model_report
from pipeline.report.page import html_page
from pipeline.report.paper import chinese_font, pdf, widths
from pipeline.report.words import words_in

MARKUP = ('#panic("no")', "*bold*", "$x_1$", "= heading", "@label", "<b>", "\\u{41}", "`raw`", "// gone", "[#read]")
needs_chinese = pytest.mark.skipif(chinese_font() is None, reason="no Chinese font here: the PDF is refused, see below")


def read(content: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(content))


def text_of(reader: PdfReader) -> str:
    return "\n".join(page.extract_text() for page in reader.pages)


def is_numbered(reader: PdfReader) -> bool:
    total = len(reader.pages)
    return all(f"{number} / {total}" in page.extract_text() for number, page in enumerate(reader.pages, 1))


def fonts_of(reader: PdfReader) -> list[str]:
    return [str(font["/BaseFont"]) for page in reader.pages for font in page["/Resources"]["/Font"].values()]


def document(*chapters: Chapter, language: str = "en") -> Document:
    return Document("Kind", "A title", "A subtitle", chapters, words_in(language))


@pytest.fixture(scope="module")
def english(given) -> bytes:
    return pdf(model_report(given))


def test_equal_input_gives_equal_bytes(given, english):
    assert pdf(model_report(given)) == english
    assert len(english) < 5_000_000


def test_where_floating_charts_keep_the_pages_moving_they_stand_where_they_are_told(monkeypatch):
    """Typst gives up after five passes, warns, and numbers pages as they were on the way."""
    real, asked = typst.compile_with_warnings, []

    def restless(source, **more):
        paper, warnings = real(source, **more)
        asked.append(json.loads((Path(source).parent / "report.json").read_text(encoding="utf-8"))["charts-float"])
        moving = [SimpleNamespace(message="document did not converge within five attempts")] if asked[-1] else []
        return paper, [*warnings, *moving]

    monkeypatch.setattr(typst, "compile_with_warnings", restless)
    assert is_numbered(read(pdf(document(Chapter("one", "One", (Text("told"),))))))
    assert asked == [True, False]


def test_every_chapter_and_page_number_is_there(given, english):
    reader = read(english)
    text = text_of(reader)
    for chapter in model_report(given).chapters:
        assert chapter.title in text
    assert is_numbered(reader)
    assert "Model report: default within 12 months" in reader.pages[-1].extract_text()
    assert reader.metadata["/Title"] == "Model report: default within 12 months"
    assert "/CreationDate" not in reader.metadata or "1970" in reader.metadata["/CreationDate"]


@pytest.mark.parametrize("language", ["en", pytest.param("zh", marks=needs_chinese)])
@pytest.mark.parametrize("lines", [2, 24, 30, 34, 38, 60])
def test_pages_are_numbered_one_by_one_however_full_the_first_is(language, lines):
    first = Chapter("first", "First", tuple(Text("A line.") for _ in range(lines)))
    others = [Chapter(f"c{n}", f"Chapter {n}", (Text("One."),)) for n in range(9)]
    reader = read(pdf(document(first, *others, language=language)))
    assert is_numbered(reader)
    assert "A line." in reader.pages[0].extract_text()
    assert "One." not in reader.pages[0].extract_text()


def test_what_follows_a_tall_chart_fills_the_page_that_it_does_not_fit_on():
    svg = '<svg viewBox="0 0 540 380"><title>t</title><desc>d</desc><rect width="540" height="380"/></svg>'
    drawn = Chart("drawn", "The drawing", "Its caption", svg, svg)
    table = Table("The table", (Column("a"), Column("b", is_number=True)), ((Cell("x"), Cell("1")),))
    before = Chapter("before", "Before", tuple(Text(f"Line {n}.") for n in range(30)))
    reader = read(
        pdf(document(Chapter("first", "First", (Text("One."),)), before, Chapter("c", "Last", (drawn, table))))
    )
    pages = [page.extract_text() for page in reader.pages]
    assert "Line 29." in pages[1]
    for told in ("Last", "The table"):
        assert told in pages[1]
    assert "The drawing" in pages[2]
    assert len(pages) == 3


@pytest.mark.parametrize("lines", [8, 20, 26, 30, 33, 36])
def test_a_tall_chart_stands_in_its_own_chapter(lines):
    svg = '<svg viewBox="0 0 540 380"><title>t</title><desc>d</desc><rect width="540" height="380"/></svg>'
    drawn = Chart("drawn", "The drawing", "Its caption", svg, svg)
    table = Table("The table", (Column("a"), Column("b", is_number=True)), ((Cell("x"), Cell("1")),))
    before = Chapter("before", "Before", tuple(Text(f"Line {n}.") for n in range(lines)))
    after = Chapter("after", "Behind", (Text("Two."),))
    own = Chapter("c", "Drawn", (drawn, table))
    found = places(read(pdf(document(Chapter("first", "First", (Text("One."),)), before, own, after))))
    assert found["Drawn"] < found["The drawing"] < found["Behind"]


def places(reader) -> dict[str, tuple[int, float]]:
    """Of each text the page that it stands on last, and how far down."""
    found: dict[str, tuple[int, float]] = {}
    for number, page in enumerate(reader.pages):

        def see(text, matrix, transformed, *_, at=number):
            found[text.strip()] = (at, -(matrix[3] * transformed[5] + matrix[5]))

        page.extract_text(visitor_text=see)
    return found


@needs_chinese
def test_a_chinese_name_in_an_english_report_is_set_in_a_chinese_font_and_no_other_report_has_one():
    named, plain = (pdf(document(Chapter("one", "One", (Text(text),)))) for text in ("Region 广东", "Region Hessen"))
    assert "Region 广东" in text_of(read(named))
    assert any("CJK" in name or chinese_font().replace(" ", "") in name for name in fonts_of(read(named)))
    assert [name.partition("+")[2] for name in fonts_of(read(plain)) if "Libertinus" not in name] == []


def test_the_last_page_is_signed(english):
    text = read(english).pages[-1].extract_text()
    assert "Sign-off" in text
    assert text.count("Signature") == 5


@pytest.mark.parametrize("told", MARKUP)
def test_markup_is_shown_as_text(told):
    table = Table(told, (Column(told),), ((Cell(told, note=told),),), (told,), ((0, told),))
    text = text_of(read(pdf(document(Chapter("a", told, (Text(told), table), told)))))
    assert text.replace("\n", "").count(told) >= 7


def test_the_head_of_a_long_table_stands_on_every_page():
    rows = tuple((Cell(f"row {i}"),) for i in range(200))
    long = Chapter("b", "Long", (Table("T", (Column("The head"),), rows),))
    reader = read(pdf(document(Chapter("a", "First", ()), long)))
    pages = [page.extract_text() for page in reader.pages]
    holding = [text for text in pages if "row 1" in text]
    assert len(holding) > 2
    assert all("The head" in text for text in holding)


def table_of(name: str, rows: int, groups: tuple = ()) -> Table:
    told = tuple((Cell(f"{name} row {i:02d}"), Cell("1")) for i in range(rows))
    return Table(f"Table {name}", (Column("a"), Column("b", is_number=True)), told, (), groups)


def test_small_tables_stay_whole_and_no_row_of_a_long_one_stands_alone():
    """Twenty-four tables behind texts of every length break at every row there is."""
    sizes = {f"{letter}{n}": n for n in (2, 5, 12, 20) for letter in "ABCDEF"}
    blocks = []
    for number, (name, rows) in enumerate(sizes.items()):
        blocks += [*(Text("A line.") for _ in range(3 * number % 7)), table_of(name, rows)]
    grouped = table_of("G", 30, ((0, "first"), (10, "second"), (11, "third"), (20, "last")))
    own = Chapter("c", "Tables", (*blocks, grouped))
    pages = [page.extract_text() for page in read(pdf(document(Chapter("first", "First", ()), own))).pages]
    for name, rows in {**sizes, "G": 30}.items():
        holding = [text.count(f"{name} row ") for text in pages if f"{name} row " in text]
        assert sum(holding) == rows
        assert min(holding) > 1, name
        assert len(holding) == 1 or rows > 12, name
    assert len(pages) > 4


def test_a_character_that_turns_the_reading_is_shown_and_not_obeyed_on_page_and_paper():
    told = "ACME \u202ednarb\u2066 غ"
    table = Table(told, (Column("a"),), ((Cell(told),),))
    one = document(Chapter("a", "First", (Text(told), table)))
    assert html_page(one).count("ACME [U+202E]dnarb[U+2066] غ") == 4
    text = text_of(read(pdf(one)))
    assert text.count("ACME [U+202E]dnarb[U+2066]") == 3
    assert not set(text) & {"\u202e", "\u2066"}


def test_a_wide_column_does_not_crush_the_others():
    table = Table("T", (Column("a"), Column("b")), ((Cell("x" * 400), Cell("12.5")),))
    first, second = widths(table)
    assert 1 < first / second < 8
    chinese, latin = (Table("T", (Column("a"),), ((Cell(text),),)) for text in ("中文", "abcd"))
    assert widths(chinese) == widths(latin)


@needs_chinese
def test_chinese_is_set_in_a_font_that_has_it(given):
    chinese = model_report(dataclasses.replace(given, language="zh"))
    content = pdf(chinese)
    text = text_of(read(content))
    for chapter in chinese.chapters:
        assert chapter.title in text.replace("\n", "")
    names = {
        str(font.get_object()["/BaseFont"])
        for page in read(content).pages
        for font in page["/Resources"]["/Font"].values()
    }
    # Simplified forms everywhere, in the charts too: no Japanese sister of the font, no font of last resort.
    assert not [name for name in names if "CJKjp" in name or "LastResort" in name]


def test_without_a_chinese_font_a_chinese_pdf_is_refused_in_plain_words(monkeypatch):
    monkeypatch.setattr(pipeline.report.paper, "chinese_font", lambda: None)
    with pytest.raises(MissingInputError, match="fonts-noto-cjk"):
        pdf(document(Chapter("a", "标题", ()), language="zh"))
