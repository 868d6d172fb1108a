"""The customer's page: what it tells each customer, and what it keeps from everybody."""

from __future__ import annotations

import datetime as dt
import io
import re
from dataclasses import replace

import pytest
from pypdf import PdfReader

from pipeline.features import catalog
from pipeline.features.step import CLEAR_OVERDUE, PAY_ON_TIME
from pipeline.flows.policy_file import section_in
from pipeline.flows.statement import file_name
from pipeline.report.blocks import Text
from pipeline.report.page import html_page
from pipeline.report.paper import chinese_font, pdf
from pipeline.report.statement.document import statement_document
from pipeline.report.statement.sections import StatementSection, gaps
from pipeline.report.statement.told import CustomerStatement, Grading, LimitTold, Who, shown
from pipeline.score.policy_sections import Wording
from pipeline.score.statement.prospects import Move, Outcome, Prospect, Prospects
from pipeline.score.statement.what_counts import Counted
from pipeline.score.thin_file import ThinFileRule

DAY = dt.date(2025, 12, 31)
LABEL = {"kind": "default", "window_months": 12, "window_days": None}
NEEDS = ThinFileRule(min_invoices_due_12m=3, min_history_months=4)
NOW = Outcome(0.09, 569, "G08", 4000.0)
LATE = catalog.by_name("range_of_days_late_24m")
OVERDUE = catalog.by_name("overdue_to_limit")
PROMPT = Prospect((PAY_ON_TIME,), (Move(LATE, 47.4, 13.7),), 24, Outcome(0.05, 592, "G07", 9000.0))
PAID = Prospect((CLEAR_OVERDUE,), (Move(OVERDUE, 0.2, 0.0),), 0, Outcome(0.08, 575, "G08", 4000.0))
BOTH = Prospect((PAY_ON_TIME, CLEAR_OVERDUE), (*PROMPT.moves, *PAID.moves), 24, Outcome(0.03, 598, "G06", 90_000.0))
COVERED = Wording("We deliver on account as far as a guarantee reaches.", "在保证范围内赊销发货。")
NASTY = '<script>alert(1)</script> & "Müller" شركة النور'


@pytest.fixture(scope="module")
def house(repository):
    return section_in(repository / "policy" / "statement.yaml", StatementSection)


@pytest.fixture
def told(house):
    return CustomerStatement(
        who=Who("C-17", "Example Ltd", is_person=False),
        as_of=DAY,
        grading=Grading("rated", "G08", 8, 10, 569, LABEL, 12, 40, NEEDS, None),
        limit=LimitTold("EUR", 5000.0, 4800.0, 0.0, 4000.0, "need", is_held=False, up_to=25_000.0, strategy=COVERED),
        against=(Counted("range_of_days_late", -27, "47 days lie between", "相差47天"),),
        in_favour=(),
        prospects=Prospects(NOW, (PROMPT, PAID), BOTH, None),
        width="size",
        lacks_accounts=False,
        sources=("customers", "invoices", "payments"),
        house=house,
        reference="run-1",
    )


def as_text(told, language="en"):
    page = html_page(statement_document(told, language, 0.25))
    body = re.sub(r"<(script|style)\b.*?</\1>", "", page, flags=re.DOTALL)
    return page, " ".join(re.sub(r"<[^>]+>", " ", body).split())


def test_the_customer_reads_how_customers_of_its_grade_are_delivered_to(told):
    _, text = as_text(told)
    assert "What our rules say for customers of grade G08: We deliver on account as far as a guarantee reaches." in text
    assert "我们的规则对G08级客户的规定：在保证范围内赊销发货。" in as_text(told, "zh")[1]
    without = replace(told, limit=replace(told.limit, strategy=None))
    assert "What our rules say" not in as_text(without)[1]


def test_a_rated_customer_reads_its_grade_what_counts_and_what_each_step_brings(told):
    _, text = as_text(told)
    assert "Your grade is G08: number 8 on a scale of 10, on which 1 is the best." in text
    assert "47 days lie between −27" in text
    assert "Pay every invoice by its due date and in full, month after month" in text
    assert "Range of days late, 24 months: from 47 days to 14 days by 2027-12-31 592 +23 G07" in text
    assert "Overdue over the limit: from 20 % to 0 % once it is booked 575 +6 G08, as now" in text
    assert "limit by our rules: 9,000 EUR" in text
    # 90,000 needs somebody's approval: no amount is promised.
    assert "598 +29 G06 a limit above the one in force would be possible; a person decides on it" in text
    assert "a person will look at your case again" in text.lower()


def test_the_page_speaks_chinese_throughout(told):
    _, text = as_text(told, "zh")
    assert "您的等级为G08" in text
    assert "2027年12月31日之前" in text
    assert "近24个月付款逾期天数的差距：由47天变为14天" in text
    left = set(re.findall(r"[A-Za-z]{3,}", text)) - {"Example", "Ltd", "EUR", "run"}
    assert left == set()


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(
    ("standing", "grade", "says"),
    [
        ("thin_file", "G05", {"en": "We do not know you well yet", "zh": "对您的了解尚少"}),
        ("expert", "G05", {"en": "A person in our house set it", "zh": "由本公司人员设定"}),
        ("in_default", "D", {"en": "After that comes a time of good conduct", "zh": "履约良好的观察期"}),
        ("not_rated", None, {"en": "We have not rated you", "zh": "尚未对您评级"}),
    ],
)
def test_every_standing_has_its_own_honest_page(told, standing, grade, says, language):
    grading = Grading(
        standing, grade, 5 if grade == "G05" else None, 10, None, LABEL, 1, 2, NEEDS, DAY if grade == "D" else None
    )
    page, text = as_text(replace(told, grading=grading, prospects=None, width=None), language)
    assert says[language] in text
    assert "None" not in text
    assert "nan" not in text
    assert "C-17" in page


FEW_DUE = ("invoices that fell due in twelve months, 1 of the 3 needed", "近12个月到期的发票，需3张，现有1张")
SHORT = ("full months since our first invoice to you, 2 of the 4 needed", "自首张发票起的整月数，需4个，现有2个")


@pytest.mark.parametrize(
    ("invoices", "months", "en", "zh"),
    [(1, 65, *FEW_DUE), (9, 2, *SHORT), (1, 2, f"{FEW_DUE[0]}; {SHORT[0]}", f"{FEW_DUE[1]}；{SHORT[1]}")],
)
def test_a_thin_file_reads_what_is_missing_and_nothing_of_what_is_there(told, invoices, months, en, zh):
    grading = replace(told.grading, standing="thin_file", invoices_due=invoices, history_months=months)
    thin = replace(told, grading=grading, prospects=Prospects(NOW, (), None, None))
    _, text = as_text(thin)
    assert f"needs more to go by than there is: {en}. Until then" in text
    assert "What is missing for a rating of your own is named above." in text
    assert "What remains is time" not in text
    assert f"所需的记录尚不足：{zh}。在此之前" in as_text(thin, "zh")[1]


def test_when_nothing_improves_the_grade_the_page_says_so(told):
    small = replace(PAID, outcome=replace(PAID.outcome, score=570))
    _, text = as_text(replace(told, prospects=Prospects(NOW, (small,), None, None)))
    assert "None of this, nor all of it together, would move the grade by itself." in text
    _, text = as_text(replace(told, prospects=Prospects(NOW, (), None, None)))
    assert "found none that would bring a point" in text
    _, text = as_text(replace(told, prospects=None, width=None))
    assert "too few customers comparable" in text


def test_a_natural_person_and_who_may_be_one_read_their_rights_and_a_firm_does_not(told):
    for is_person, has_rights in ((True, True), (None, True), (False, False)):
        _, text = as_text(replace(told, who=Who("C", "N", is_person=is_person)))
        assert ("GDPR, Articles 16 and 22" in text) is has_rights
        assert ("PIPL, Articles 24 and 48" in text) is has_rights


@pytest.mark.parametrize(
    ("open_", "overdue", "en", "zh"),
    [
        (5000.0, 900.0, "", ""),
        (
            5500.4, 900.0,
            "Your open invoices, credit notes not deducted, come to 5,501 EUR: 501 EUR above it. "
            "Once the 900 EUR of it that is overdue has been paid, you are within the limit again.",
            "您未付清的发票（未扣除贷项通知单）合计5,501 EUR，超出该额度501 EUR。"
            "付清其中已逾期的900 EUR，即可回到额度之内。",
        ),
        (
            6500.0, 900.0,
            "Your open invoices, credit notes not deducted, come to 6,500 EUR: 1,500 EUR above it. "
            "Once 1,500 EUR of it has been paid, you are within the limit again.",
            "您未付清的发票（未扣除贷项通知单）合计6,500 EUR，超出该额度1,500 EUR。"
            "付清其中的1,500 EUR，即可回到额度之内。",
        ),
    ],
)  # fmt: skip
def test_who_owes_more_than_the_limit_reads_it_and_what_brings_it_back_within(told, open_, overdue, en, zh):
    over = replace(told, limit=replace(told.limit, open_amount=open_, overdue_amount=overdue))
    assert f"In force: 5,000 EUR. {en} What our rules say".replace("  ", " ") in as_text(over)[1]
    assert f"现行额度：5,000 EUR。{zh} 我们的规则" in as_text(over, "zh")[1]
    without = replace(over, limit=replace(over.limit, current=None))
    defaulted = replace(over, grading=replace(over.grading, standing="in_default", grade="D", place=None))
    for one in (without, defaulted):
        assert "within the limit again" not in as_text(one)[1]


def test_an_amount_that_others_must_approve_is_not_told(told):
    limit = replace(told.limit, reckoned=None, cap="floor_step_down")
    _, text = as_text(replace(told, limit=limit))
    assert "4,000" not in text
    assert "A person decides on your limit" in text
    assert "9,000" not in text
    # That the limit comes down step by step would tell the cut before anybody approved it.
    assert "What bounds it" not in text
    assert "comes down" not in text
    assert "下调" not in as_text(replace(told, limit=limit), "zh")[1]


@pytest.mark.parametrize(
    ("current", "reckoned", "after", "says"),
    [
        # What the rules give now (4,000) is kept back: only the limit in force is one to compare with.
        (30_500.0, None, 10_000.0, ""),
        (30_500.0, None, 30_500.0, ""),
        (30_500.0, None, 31_000.0, "higher"),
        (None, None, 10_000.0, ""),
        (30_500.0, 4_000.0, 30_000.0, ""),  # above 25,000 somebody must approve
        (30_500.0, 4_000.0, 40_000.0, "higher"),
        (30_500.0, 4_000.0, 10_000.0, "limit by our rules: 10,000 EUR"),
        (30_500.0, 4_000.0, 4_000.0, ""),
    ],
)
def test_a_step_is_said_to_lift_the_limit_only_above_the_one_in_force(told, current, reckoned, after, says):
    step = replace(PROMPT, outcome=replace(PROMPT.outcome, limit=after))
    limit = replace(told.limit, current=current, reckoned=reckoned)
    _, text = as_text(replace(told, limit=limit, prospects=Prospects(NOW, (step,), None, None)))
    row = text.split("592 +23 G07")[1].split("Nothing here is promised")[0].strip()
    assert row == says.replace("higher", "a limit above the one in force would be possible; a person decides on it")


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        (0.05, 0.003, "from 5.0 % to 0.3 %"),
        (0.2, 0.0, "from 20 % to 0 %"),
        (0.0004, 0.0, "from 0.04 % to 0.00 %"),
        (0.204, 0.201, "from 20.4 % to 20.1 %"),
        (0.00004, 0.00003, "from 0.004 % to 0.003 %"),
    ],
)
def test_a_goal_that_is_not_nothing_never_reads_nothing(told, before, after, says):
    step = replace(PAID, moves=(Move(OVERDUE, before, after),))
    _, text = as_text(replace(told, prospects=Prospects(NOW, (step,), None, None)))
    assert f"Overdue over the limit: {says}" in text.replace("\u202f", " ")


def test_what_bounds_a_limit_is_told_where_nobody_decides_first(told):
    assert "What bounds it: what you buy from us and the terms agreed." in as_text(told)[1]
    grouped = replace(told, limit=replace(told.limit, cap="group"))
    assert "What bounds it: a rule of our house." in as_text(grouped)[1]
    defaulted = replace(
        told, grading=replace(told.grading, standing="in_default", grade="D", place=None, default_on=DAY),
        limit=replace(told.limit, reckoned=None, cap="in_default"),
    )  # fmt: skip
    assert "What bounds it: the default." in as_text(defaulted)[1]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_name_is_text_whatever_it_holds(told, language):
    page, _ = as_text(replace(told, who=Who("C<1>", NASTY, is_person=True)), language)
    assert "<script>alert" not in page
    assert page.count("<script>") == 1
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &#34;Müller&#34; شركة النور" in page
    assert "<bdi>&lt;script" in page
    assert "http" not in re.sub(r"http-equiv", "", page)


def test_marks_that_turn_text_round_control_characters_and_pictographs_are_left_out():
    assert shown("A\u202eB\u200f\x00C\nD \U0001f984") == "ABC D"
    assert len(shown("x" * 500)) == 120


def test_two_numbers_never_share_a_folder_and_none_leads_out_of_it():
    ids = ["a", "A/b", "A%2Fb", "../etc", "..", ".", "", "%", "客户1", "x" * 300, "x" * 301]
    names = [file_name(one) for one in ids]
    assert len(set(names)) == len(ids)
    for name in names:
        assert "/" not in name
        assert name.strip(".")
        assert len(name.encode()) <= 120


def test_a_page_without_contact_or_rights_is_not_made(house):
    empty = replace(house, contact=Wording("", " "), rights=())
    assert gaps(house) == []
    assert gaps(empty) == [
        "statement.contact.en: say it in words",
        "statement.contact.zh: say it in words",
        "statement.rights: a natural person has rights; name them",
    ]


def test_the_pdf_is_one_tagged_page_the_same_twice(told):
    document = statement_document(told, "en", 0.25)
    first = pdf(document)
    assert first == pdf(document)
    reader = PdfReader(io.BytesIO(first))
    assert len(reader.pages) == 1
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert "Your grade is G08" in reader.pages[0].extract_text()


@pytest.mark.parametrize(("sentences", "pages"), [(0, 1), (6, 1), (12, 1), (60, 2)])
def test_a_page_that_is_a_little_too_long_is_set_smaller_as_a_whole(told, sentences, pages):
    document = statement_document(told, "en", 0.25)
    chapter = document.chapters[0]
    more = tuple(
        Text(f"One more sentence that takes a line of its own on the page, number {n}.") for n in range(sentences)
    )
    reader = PdfReader(io.BytesIO(pdf(replace(document, chapters=(replace(chapter, blocks=chapter.blocks + more),)))))
    assert len(reader.pages) == pages
    text = "".join(page.extract_text() for page in reader.pages)
    assert all(f"number {n}." in text for n in range(sentences))
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]


def test_a_chinese_name_stands_in_the_english_pdf_where_there_is_a_font(told):
    if chinese_font() is None:
        pytest.skip("no Chinese font on this machine")
    content = pdf(statement_document(replace(told, who=Who("C", "华为技术有限公司", is_person=False)), "en", 0.25))
    assert "华为技术有限公司" in PdfReader(io.BytesIO(content)).pages[0].extract_text()


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_keeps_within_a_telephone_and_is_quiet(chromium, told, tmp_path, language):
    page = html_page(statement_document(replace(told, who=Who("C<1>", NASTY, is_person=True)), language, 0.25))
    found, done = chromium.probe(page, chromium.LOOKS, tmp_path, 390, 844)
    assert (found["overflow"], found["loaded"], found["scripts"]) == ("0", "0", "0")
    assert chromium.complaints(done) == []
