"""The portfolio report: same bytes, both languages, hostile names as text, what is missing told plainly, a browser."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.report.portfolio_report import CHAPTERS, PortfolioReport, render
from pipeline.report.words import words_in

sys.path.insert(0, str(Path(__file__).parent))

from told import figures_of

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
HOSTILE = "<script>alert(1)</script> \"quoted\" & 'single' شركة 🦊"


@pytest.fixture(scope="module")
def told(ledger, days, provisions, collections):
    return figures_of(ledger, days, (provisions, collections))


@pytest.fixture(scope="module")
def pages(told):
    return {language: render(PortfolioReport(told, language)) for language in ("en", "zh")}


def text_of(page):
    body = re.sub(r"<(script|style|svg).*?</\1>", " ", page[page.index("<body") :], flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


def test_the_figures_are_plain_json(told):
    assert json.loads(json.dumps(told, allow_nan=False)) == told


def test_the_same_figures_give_the_same_page(told, pages):
    assert render(PortfolioReport(json.loads(json.dumps(told)), "en")) == pages["en"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_chapter_is_there_and_says_something(pages, language):
    anchors = re.findall(r'<section id="(\w+)"', pages[language])
    assert len(anchors) == len(set(anchors)) == len(CHAPTERS) + 1
    assert len(pages[language].encode()) < 1_000_000
    assert "None" not in text_of(pages[language])
    assert "nan" not in text_of(pages[language])


def test_the_chinese_page_has_no_english_sentence(pages):
    sentences = re.findall(r"(?:\b[a-z]+ ){4,}", text_of(pages["zh"]))
    assert sentences == []


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_twelve_month_loss_is_called_managements_figure(pages, language):
    told = {"en": "management's figure, PD × LGD × EAD", "zh": "管理口径"}[language]
    assert told in text_of(pages[language]).replace("&#39;", "'")


def test_names_appear_only_where_they_were_asked_for_and_as_text(told):
    names = dict.fromkeys([row["customer_id"] for row in told["worklist"]["rows"]], HOSTILE)
    with_names, without = (render(PortfolioReport(told, "en", given)) for given in (names, {}))
    assert "alert(1)" not in without
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &#34;quoted&#34; &amp; &#39;single&#39; شركة 🦊" in with_names
    assert "<script>alert" not in with_names
    assert "--names" in with_names
    assert "--names" not in without


@pytest.mark.parametrize(
    ("missing", "keys"),
    [
        ("before", ("grades.none", "limits.no_before")),
        ("history", ("rolls.none", "first.no_month_before", "monitoring.none")),
        ("level", ("loss.no_level",)),
        ("label", ("allowance.no_lifetime",)),
    ],
)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_cannot_be_told_is_said_plainly(ledger, days, provisions, collections, language, missing, keys):  # noqa: PLR0917
    found = figures_of(ledger, days, (provisions, collections), without=(missing,))
    page = text_of(render(PortfolioReport(found, language)))
    for key in keys:
        assert words_in(language)(f"portfolio.{key}") in page


def test_every_table_says_its_currency_or_counts(pages):
    captions = re.findall(r"<caption>(.*?)</caption>", pages["en"])
    assert len(captions) > 15
    assert sum("(EUR)" in caption for caption in captions) >= 12


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="chromium is absent: the report is not looked at in a browser")
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_opens_in_a_browser_without_a_word_on_the_console(pages, tmp_path, language):
    page = tmp_path / "page.html"
    page.write_text(pages[language], encoding="utf-8")
    flags = (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--enable-logging=stderr",
    )
    picture = tmp_path / "page.png"
    command = [CHROMIUM, *flags, f"--user-data-dir={tmp_path / 'profile'}", f"--screenshot={picture}",
               "--window-size=1280,2000", page.as_uri()]  # fmt: skip
    done = subprocess.run(command, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0
    assert [line for line in done.stderr.decode(errors="replace").splitlines() if "CONSOLE" in line] == []
    assert picture.stat().st_size > 60_000
