"""The page in headless Chromium: quiet, within its width on a desk and on a telephone, and printable."""

from __future__ import annotations

import dataclasses
import re
import struct

import pytest
from pypdf import PdfReader

from pipeline.report.blocks import Cell, Chapter, Column, Table
from pipeline.report.document import Document
from pipeline.report.model_report import render
from pipeline.report.page import html_page
from pipeline.report.words import words_in

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=["en", "zh"])
def report(given, tmp_path_factory, request):
    path = tmp_path_factory.mktemp(f"report_{request.param}") / "model_report.html"
    path.write_text(render(dataclasses.replace(given, language=request.param)), encoding="utf-8")
    return path


def test_the_page_opens_from_a_file_without_a_word_on_the_console(chromium, report, tmp_path):
    done = chromium.browse(report, tmp_path, "--dump-dom")
    assert chromium.complaints(done) == []
    assert b"</html>" in done.stdout


@pytest.mark.parametrize(("width", "height"), [(1280, 1000), (390, 844)])
def test_the_page_keeps_within_its_width_and_every_chart_has_drawn(chromium, report, tmp_path, width, height):
    text = report.read_text(encoding="utf-8")
    found, done = chromium.probe(text, chromium.LOOKS, tmp_path, width, height)
    assert found == {
        "overflow": "0", "width": str(width), "charts": "10", "flat": "0", "broken": "0", "loaded": "0", "scripts": "0",
    }  # fmt: skip
    assert chromium.complaints(done) == []


# Nine columns of 7.4 rem and a name do not go into the 57.5 rem of the text, but into a screen of 80.
CELLS = '<td class="num">0.5 <span class="note">0.4–0.6</span></td>' * 9
WIDE = f"""<div class="scroll" id="wide"><table class="many"><tbody><tr><th>A</th>{CELLS}</tr></tbody></table></div>"""
CUT = """<script>addEventListener('load', () => {
  const wide = document.getElementById('wide'), box = wide.getBoundingClientRect();
  parent.postMessage({cut: wide.scrollWidth - wide.clientWidth,
    off: Number(box.left < 0 || box.right > innerWidth),
    skew: Math.round(Math.abs(box.left + box.right - document.documentElement.clientWidth))}, '*');
});</script>"""


@pytest.mark.parametrize(("width", "is_cut"), [(1280, False), (900, True)])
def test_a_table_of_many_columns_takes_the_margins_before_it_is_cut(chromium, report, tmp_path, width, is_cut):
    text = report.read_text(encoding="utf-8").replace("</main>", f"{WIDE}</main>")
    found, _ = chromium.probe(text, CUT, tmp_path, width, 900)
    assert (int(found["cut"]) > 0) is is_cut
    assert (found["off"], found["skew"]) == ("0", "0")


# Presses the first head of the first table that sorts, by the keyboard's way, three times; tells what a listener hears.
PRESS = """<script>addEventListener('load', () => {
  const table = document.querySelector('table[data-sorts]'), heads = [...table.tHead.rows[0].cells];
  const at = heads.findIndex(head => head.className === 'num'), button = heads[at].querySelector('button');
  const column = () => [...table.tBodies[0].rows].map(row => parseFloat(row.cells[at].textContent.replace(/,/g, '')));
  const told = {buttons: document.querySelectorAll('thead button').length, first: column().join()};
  button.focus();
  told.focused = Number(document.activeElement === button);
  ['up', 'down', 'back'].forEach(name => {
    button.click();
    told[name] = Number(name === 'back' ? column().join() === told.first
      : column().every((x, i, all) => !i || (name === 'up' ? all[i - 1] <= x : all[i - 1] >= x)));
    told[name + 'heard'] = ['none', 'ascending', 'descending'].indexOf(heads[at].getAttribute('aria-sort'));
  });
  delete told.first;
  parent.postMessage(told, '*');
});</script>"""


def test_a_table_sorts_up_and_down_and_back_and_says_so(chromium, report, tmp_path):
    found, done = chromium.probe(report.read_text(encoding="utf-8"), PRESS, tmp_path, 1280, 1000)
    buttons = int(found.pop("buttons"))
    assert found == {
        "focused": "1",
        "up": "1",
        "upheard": "1",
        "down": "1",
        "downheard": "2",
        "back": "1",
        "backheard": "0",
    }
    assert buttons > 20
    assert chromium.complaints(done) == []


def test_a_hostile_name_is_text_in_the_browser_too(chromium, report, tmp_path, hostile):
    done = chromium.browse(report, tmp_path, "--dump-dom")
    page = done.stdout.decode()
    assert "&lt;script&gt;alert('x')&lt;/script&gt;" in page
    assert page.count("<script") == 1
    assert hostile[2] in page


def test_the_page_can_be_photographed_and_is_not_blank(chromium, report, tmp_path):
    picture = tmp_path / "page.png"
    chromium.browse(report, tmp_path, f"--screenshot={picture}", "--window-size=1280,1600")
    content = picture.read_bytes()
    assert struct.unpack(">II", content[16:24]) == (1280, 1600)
    assert len(content) > 60_000


def test_the_page_prints_to_a_pdf_of_several_pages(chromium, report, tmp_path):
    paper = tmp_path / "report.pdf"
    done = chromium.browse(report, tmp_path, f"--print-to-pdf={paper}")
    content = paper.read_bytes()
    assert content.startswith(b"%PDF")
    assert 5 <= len(re.findall(rb"/Type\s*/Page\b", content)) <= 40
    assert chromium.complaints(done) == []


def page_of(*chapters: Chapter) -> str:
    return html_page(Document("Kind", "A title", "A subtitle", chapters, words_in("en")))


def test_on_paper_the_head_of_a_table_that_sorts_stands_on_every_page(chromium, tmp_path):
    rows = tuple((Cell(f"row {i}"), Cell(f"{i}")) for i in range(150))
    table = Table("T", (Column("The head"), Column("A number", is_number=True)), rows)
    page, paper = tmp_path / "page.html", tmp_path / "page.pdf"
    page.write_text(page_of(Chapter("a", "Long", (table,))), encoding="utf-8")
    chromium.browse(page, tmp_path, f"--print-to-pdf={paper}")
    texts = ["".join(one.extract_text().split()) for one in PdfReader(paper).pages]
    holding = [text for text in texts if "row1" in text]
    assert len(holding) > 2
    assert all("Thehead" in text and "Anumber" in text for text in holding)


# How many columns of figures the screen shows of a table, and by how much its caption runs out of the screen.
SEEN = """<script>addEventListener('load', () => {
  const heads = [...document.querySelectorAll('thead th')].slice(1), range = document.createRange();
  range.selectNodeContents(document.querySelector('caption'));
  parent.postMessage({
    seen: heads.filter(head => head.getBoundingClientRect().right <= innerWidth).length,
    out: Math.max(0, Math.round(range.getBoundingClientRect().right - innerWidth)),
  }, '*');
});</script>"""


def test_on_a_telephone_a_long_name_leaves_room_for_figures_and_the_caption_is_whole(chromium, tmp_path):
    name, columns = "Vereinigte_Maschinenfabriken_und_Handelsgesellschaft " * 3, 6
    heads = (Column("Customer"), *(Column(f"F{n}", is_number=True) for n in range(columns)))
    rows = ((Cell(name), *(Cell("1,234,567") for _ in range(columns))),)
    table = Table("A caption that is longer than a telephone is wide and goes on and on to the end", heads, rows)
    found, _ = chromium.probe(page_of(Chapter("a", "Wide", (table,))), SEEN, tmp_path, 390, 844)
    assert int(found["seen"]) >= 2
    assert found["out"] == "0"
