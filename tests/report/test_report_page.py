"""The page as a document: complete, self-contained, escaped, accessible, and the same every time."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import itertools
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from pipeline.report.model_report import CHAPTERS, render

# rates, timetable, Gini, ROC, calibration, bins by year, beeswarm, dependence, grades
CHARTS = 10
VOID = {"image", "meta", "link", "br", "img", "hr", "input", "path", "use", "rect"}


class Page(HTMLParser):
    """Everything a test asks of a page: elements in order with their attributes, and texts by element."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict]] = []
        self.texts: list[tuple[str, str]] = []
        self._open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        assert self._open, f"</{tag}> closes nothing"
        assert self._open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data):
        if data.strip():
            self.texts.append((self._open[-1] if self._open else "", data.strip()))

    def all(self, *tags: str) -> list[dict]:
        return [attributes for tag, attributes in self.elements if tag in tags]

    def heard(self) -> str:
        return "\n".join(text for tag, text in self.texts if tag != "style")


@pytest.fixture(scope="session")
def html(given) -> str:
    return render(given)


@pytest.fixture(scope="session")
def page(html) -> Page:
    return Page(html)


def test_every_chapter_has_its_heading_and_its_line_in_the_contents(page, html):
    sections = page.all("section")
    assert len(sections) == len(CHAPTERS) >= 19
    headings = [text for tag, text in page.texts if tag == "h2"]
    assert headings[0] == "The verdict"
    assert {"Who is in the book", "What the models predict", "Default rates over time"} <= set(headings)
    assert {"Are the forecasts right", "The scorecard", "What moves the booster"} <= set(headings)
    assert {"Grades", "Segments and limits", "Reproduction"} <= set(headings)
    anchors = {section["id"] for section in sections}
    links = {a["href"][1:] for a in page.all("a")}
    assert links <= anchors | {"main"}
    assert len(links) == len(CHAPTERS)


def test_heading_levels_never_skip_one(page):
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in itertools.pairwise(levels))


def test_nothing_is_loaded_from_elsewhere(page, html):
    assert "http:" not in html
    assert "https:" not in html
    script = re.findall(r"<script>(.*?)</script>", html, flags=re.DOTALL)
    assert len(script) == 1
    digest = base64.b64encode(hashlib.sha256(script[0].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in html
    assert "@import" not in html
    assert not re.search(r"url\((?!#)", html)
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    for _, attributes in page.elements:
        for name in ("src", "href"):
            assert attributes.get(name, "#").startswith(("#", "data:"))
    assert any(m.get("http-equiv") == "Content-Security-Policy" for m in page.all("meta"))


def test_ids_are_unique_and_every_reference_finds_one(page, html):
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    references = set(re.findall(r"url\(#([^)]+)\)", html)) | set(re.findall(r'href="#([^"]+)"', html))
    references |= {part for _, a in page.elements for part in a.get("aria-labelledby", "").split()}
    assert references <= set(ids)


def test_tables_charts_and_pictures_can_be_heard(page):
    assert page.elements[0][0] == "html"
    assert page.all("html")[0]["lang"] == "en"
    assert all(th.get("scope") in {"row", "col", "rowgroup"} for th in page.all("th"))
    assert len(page.all("caption")) == len(page.all("table")) > 10
    assert all(img["alt"] and img["width"] and img["height"] for img in page.all("img"))
    assert len(page.all("svg")) == len(page.all("desc")) == 2 * CHARTS
    assert all(svg["role"] == "img" and svg["aria-labelledby"] for svg in page.all("svg"))
    assert page.all("a")[0] == {"class": "skip", "href": "#main"}


def test_hostile_names_are_shown_as_text(page, html, hostile):
    heard = page.heard()
    for name in hostile:
        assert name in heard
    assert "<script>alert" not in html
    assert "49" not in [text for _, text in page.texts]
    assert "<bdi>" in html


def test_equal_input_gives_equal_bytes(given, html):
    assert render(given) == html


def test_no_trace_of_the_machine_or_the_clock(html):
    assert str(Path(__file__).parents[2]) not in html
    assert "/home" not in html
    assert "matplotlib" not in html
    assert not re.search(r"\d\d:\d\d:\d\d", html)


def test_the_file_stays_far_below_five_megabytes(given, html):
    noise = bytes(range(256)) * 8_000
    picture = given.pictures["bar.png"] + noise
    large = dataclasses.replace(
        given, effects=None, pictures={"bar.png": picture, "beeswarm.png": picture, "dependence_x.png": picture}
    )
    text = render(large)
    assert len(text.encode()) < 5_000_000
    assert text.count("the report would grow beyond 5 MB") == 2
    assert len(html.encode()) < 1_000_000


def test_a_language_without_words_is_told(given):
    from pipeline.errors import ParameterError

    with pytest.raises(ParameterError, match=r"no words in 'xx'.*templates/words/xx"):
        render(dataclasses.replace(given, language="xx"))
