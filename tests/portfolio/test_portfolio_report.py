"""The portfolio report: same bytes, both languages, hostile names as text, what is missing told plainly, a browser."""

import json
import re
import sys
from decimal import Decimal
from html import unescape
from pathlib import Path

import pytest

from pipeline.report.drawing import WIDE
from pipeline.report.portfolio.drawings import places, ratios
from pipeline.report.portfolio_report import CHAPTERS, PortfolioReport, render
from pipeline.report.words import words_in

sys.path.insert(0, str(Path(__file__).parent))

from told import figures_of

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


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_negative_figure_of_every_table_has_a_real_minus_sign(pages, language):
    cells = re.findall(r"<t[dh]\b[^>]*>(.*?)</t[dh]>", pages[language], flags=re.DOTALL)
    texts = [unescape(re.sub(r"<[^>]+>", " ", cell)).strip() for cell in cells]
    # A hyphen with a figure behind it and neither a letter nor a figure before it: no name, no day.
    assert [text for text in texts if re.search(r"(?<![\w.)])-\s?[\d.]", text)] == []
    assert any("\u2212" in text for text in texts)


def test_the_chinese_page_has_no_english_sentence(pages):
    sentences = re.findall(r"(?:\b[a-z]+ ){4,}", text_of(pages["zh"]))
    assert sentences == []


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_twelve_month_loss_is_called_managements_figure(pages, language):
    told = {"en": "management's figure, PD × LGD × EAD", "zh": "管理口径"}[language]
    assert told in text_of(pages[language]).replace("&#39;", "'")


def test_segment_and_strategy_stand_beside_each_grade_with_what_they_concern(told, pages):
    lines = {row["grade"]: row for row in told["strategies"]}
    assert list(lines) == [f"G{number:02d}" for number in range(1, 11)] + ["D"]
    assert {g: (lines[g]["segment"], lines[g]["strategy"]["en"]) for g in ("G01", "G06", "G08", "D")} == {
        "G01": ("low", "Open account"),
        "G06": ("medium", "Open account under watch"),
        "G08": ("high", "Covered deliveries"),
        "D": ("default", "Collection"),
    }
    graded = told["exposure"]["rated"] + told["exposure"]["in_default"]
    assert sum(row["customers"] for row in lines.values()) == graded
    assert lines["D"]["customers"] == told["exposure"]["in_default"] > 0
    assert sum(Decimal(row["ead"]) for row in lines.values()) == Decimal(told["exposure"]["ead"])
    for language, page in pages.items():
        assert f"{lines['G08']['strategy'][language]} " in text_of(page)
        assert lines["D"]["action"][language] in text_of(page)


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
        ("policy", ("strategy.gone",)),
    ],
)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_cannot_be_told_is_said_plainly(ledger, days, provisions, collections, language, missing, keys):  # noqa: PLR0917
    found = figures_of(ledger, days, (provisions, collections), without=(missing,))
    page = text_of(render(PortfolioReport(found, language)))
    hint = words_in(language)("portfolio.back_fill.month_end", day=days[-1])
    assert hint.startswith("creditbook score --from ")
    assert hint.endswith(" --to 2024-04-30")
    for key in keys:
        assert words_in(language)(f"portfolio.{key}", back_fill=hint) in page


@pytest.mark.parametrize(("low", "is_asked"), [(1_200_000, True), (1_100_000, False)])
def test_allowances_whose_intervals_do_not_meet_are_asked_about_with_both_intervals(told, low, is_asked):
    """0.97 m (0.88 to 1.11) by the matrix, 1.63 m by the model; most of it on what is not yet due."""
    parts = told["provisions"]
    buckets = [row | {"loss": row["provision"]["value"] or "0.00"} for row in parts["matrix"]["buckets"]]
    buckets = [{"bucket": row["bucket"], "loss": row["loss"], "items": 1} for row in buckets]
    buckets[0]["loss"] = str(Decimal(buckets[0]["loss"]) + 660_000)
    matrix = parts["matrix"] | {"total": {"value": "970000.00", "low": "880000.00", "high": "1110000.00"}}
    total = {"value": "1630000.00", "low": f"{low}.00", "high": "1960000.00"}
    lifetime = parts["lifetime"] | {"total": total, "buckets": buckets}
    page = text_of(render(PortfolioReport(
        told | {"provisions": parts | {"matrix": matrix, "lifetime": lifetime}}, "en"
    ))).replace("\u00a0", " ").replace("&#34;", '"')  # fmt: skip
    assert ('furthest apart in the age "Not yet due", by EUR 0.66 m' in page) is is_asked
    assert f"beside it, from the model: 1.63 m ({low / 1e6:.2f} m to 1.96 m)" in page


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("compared_on", [None, "2023-12-31"])
def test_a_run_back_filled_before_this_one_is_told_where_alerts_are_called_new(told, language, compared_on):
    before = {"compared_on": compared_on, "lies_on": "2024-03-31", "is_overtaken": True}
    page = text_of(render(PortfolioReport({**told, "run": {**told["run"], "before": before}}, language)))
    assert page.count("creditbook score --as-of 2024-04-30") == 2  # the first page, and the alerts
    assert ("with the run of 2023-12-31" in page or "与2023年12月31日的批次比较" in page) is bool(compared_on)
    n = sum(row["new"] + row["open"] for row in told["alerts"]["day"])
    all_new = words_in(language)("portfolio.alerts.lead_first", n=n)
    assert (all_new in page) is (compared_on is None)


def test_every_table_says_its_currency_or_counts(pages):
    captions = re.findall(r"<caption>(.*?)</caption>", pages["en"])
    assert len(captions) > 15
    assert sum("(EUR)" in caption for caption in captions) >= 12


@pytest.fixture(scope="module", params=["en", "zh"])
def page(pages, tmp_path_factory, request):
    path = tmp_path_factory.mktemp(f"portfolio_{request.param}") / "page.html"
    path.write_text(pages[request.param], encoding="utf-8")
    return path


@pytest.mark.slow
@pytest.mark.parametrize(("width", "height"), [(1280, 1000), (390, 844)])
def test_the_page_keeps_within_its_width_and_every_chart_has_drawn(chromium, page, tmp_path, width, height):
    text = page.read_text(encoding="utf-8")
    found, done = chromium.probe(text, chromium.LOOKS, tmp_path, width, height)
    charts = len(re.findall(r'<figure[^>]*class="chart', text))
    assert charts > 3
    assert found == {
        "overflow": "0", "width": str(width), "charts": str(charts), "flat": "0", "broken": "0", "loaded": "0",
        "scripts": "0",
    }  # fmt: skip
    assert chromium.complaints(done) == []


@pytest.mark.slow
def test_the_page_opens_and_prints_without_a_word_on_the_console(chromium, page, tmp_path):
    picture, paper = tmp_path / "page.png", tmp_path / "page.pdf"
    seen = chromium.browse(page, tmp_path, f"--screenshot={picture}", "--window-size=1280,2000")
    printed = chromium.browse(page, tmp_path, f"--print-to-pdf={paper}")
    assert chromium.complaints(seen) == chromium.complaints(printed) == []
    assert picture.stat().st_size > 60_000
    assert 4 <= len(re.findall(rb"/Type\s*/Page\b", paper.read_bytes())) <= 30


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "at validation 0.590, p of a fall 0.412"), ("zh", "验证时为0.590，下降的p值为0.412")],
)
def test_the_gate_of_the_order_shows_what_it_compares_with(told, language, said):
    assert said in text_of(render(PortfolioReport(told, language)))


@pytest.mark.parametrize(("language", "said"), [("en", "chance reaches 0.040"), ("zh", "偶然可达0.040")])
def test_the_psi_of_a_gate_stands_beside_what_chance_reaches(told, language, said):
    assert said in text_of(render(PortfolioReport(told, language)))


def test_what_the_pds_expect_of_the_order_is_told_with_its_range(told):
    assert "Gini of 0.65 (0.51 to 0.79)" in text_of(render(PortfolioReport(told, "en")))


@pytest.mark.parametrize(
    ("days", "named"),
    [
        (["2023-05-31", "2023-06-30", "2024-08-31"], ["2024-08", "2023-06"]),
        (["2024-01-15", "2024-02-15", "2024-03-15"], ["2024-03", "2024-02", "2024-01"]),
    ],
)
def test_runs_stand_as_far_apart_as_they_were_and_the_axis_goes_beyond_the_highest_whisker(days, named):
    from matplotlib.figure import Figure

    figure = Figure()
    ratios(days, [(1.0, 0.8, 1.4)] * 3)(figure, WIDE)
    (axes,) = figure.axes
    points = axes.lines[1].get_xdata()
    assert list(points) == pytest.approx(places(days))
    assert [label.get_text() for label in axes.get_xticklabels()] == named
    assert axes.get_ylim()[1] > 1.4
