"""JSON, Markdown, PMML and Excel score 10,000 random rows exactly as the card does, each by a reader of its own."""

from __future__ import annotations

import importlib.util
import io
import json
import math
import re
import shutil
import time
from dataclasses import replace

import numpy as np
import openpyxl
import pytest
from pmml_reader import PmmlCard
from sheet_formulas import Sheets

from pipeline.errors import ParameterError
from pipeline.score.exports.exported_card import difference, exported_card
from pipeline.score.exports.forms import FORMS, export
from pipeline.score.exports.json_card import json_text
from pipeline.score.exports.markdown import markdown_text
from pipeline.score.exports.pmml import pmml_text
from pipeline.score.exports.workbook import POINT_COLUMNS, workbook
from pipeline.score.thin_file import ThinFileRule

FEATURES = ("days_late", "overdue share", "industry", "orders_count", "debt")


def values_of(rows):
    """Rows as dicts with None for null."""
    plain = rows.astype(object).where(rows.notna(), None)
    return plain.to_dict("records")


def points_in(bins, value):
    """Points by a list of plain bins: kind, lower, upper, categories, points."""
    by_kind = {b["kind"]: b["points"] for b in bins}
    if value is None:
        return by_kind["missing"]
    for b in bins:
        if b["kind"] == "special" and value == b["lower"]:
            return b["points"]
    for b in bins:
        if b["kind"] == "categories" and value in b["categories"]:
            return b["points"]
        if b["kind"] == "range":
            above = b["lower"] is None or value >= b["lower"]
            if above and (b["upper"] is None or value < b["upper"]):
                return b["points"]
    return by_kind["unseen"]


def pd_by_hand(points, scale, knots):
    factor = scale["pdo"] / math.log(2)
    raw = math.log(scale["base_odds"]) + (points - scale["base_score"]) / factor
    at = max((i for i, (x, _) in enumerate(knots[:-1]) if x <= raw), default=0)
    (x0, y0), (x1, y1) = knots[at], knots[at + 1]
    log_odds = min(max(y0 + (raw - x0) * ((y1 - y0) / (x1 - x0)), -36.0), 36.0)
    return 1 / (1 + math.exp(log_odds))


def scored(characteristics, start, scale, knots, rows):
    points = []
    for row in values_of(rows):
        total = start
        for feature, bins in characteristics:
            total += points_in(bins, row[feature])
        points.append(total)
    return points, [pd_by_hand(p, scale, knots) for p in points]


def test_json_scores_as_the_card_does(model, exported, rows, must_equal):
    told = json.loads(json_text(exported))
    characteristics = [(c["feature"], c["bins"]) for c in told["characteristics"]]
    points, pd_ = scored(characteristics, told["start_points"], told["scale"], told["calibration"]["knots"], rows)
    must_equal(model, rows, points, pd_)


def test_json_tells_each_bins_points_against_the_mean_and_the_reason_code(model, exported):
    told = json.loads(json_text(exported))
    assert told["basis"] == "fitted"
    for c, own in zip(told["characteristics"], model.predictor.characteristics, strict=True):
        assert c["reason_code"] == own.feature.replace(" ", "_").upper()
        assert [b["difference_from_mean"] for b in c["bins"]] == [difference(own, b) for b in own.bins]


def markdown_card(text):
    """Start, scale, knots and bins from the tables of the page."""
    facts = dict(re.findall(r"^\| ([a-z ()]+) \| ([^|]+) \|$", text, re.MULTILINE))
    knots_text = next(v for k, v in facts.items() if k.startswith("knots"))
    knots = [tuple(float(part) for part in knot.split(" → ")) for knot in knots_text.split("; ")]
    scale = {
        "pdo": float(facts["doubling"]),
        "base_score": float(facts["base score"]),
        "base_odds": float(facts["base odds"]),
    }
    characteristics = []
    for section in re.split(r"^### ", text.split("## One customer")[0], flags=re.MULTILINE)[1:]:
        bins = []
        for line in section.splitlines():
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            if len(cells) == 6 and cells[0] not in {"bin", "---"}:
                bins.append(markdown_bin(cells[1], float(cells[2])))
        characteristics.append((re.search(r"\(`(.+)`\)", section)[1], bins))
    return characteristics, float(facts["start value"]), scale, knots


def markdown_bin(holds, points):
    found = {"kind": "range", "lower": None, "upper": None, "categories": None, "points": points}
    if holds.startswith("`"):
        return {**found, "kind": "categories", "categories": json.loads(holds.strip("`"))}
    if holds.startswith("code "):
        return {**found, "kind": "special", "lower": float(holds.removeprefix("code "))}
    if holds in {"no value", "any other"}:
        return {**found, "kind": {"no value": "missing", "any other": "unseen"}[holds]}
    for word, bound in re.findall(r"(from|below) (\S+)", holds):
        found["lower" if word == "from" else "upper"] = float(bound)
    return found


def test_markdown_scores_as_the_card_does(model, exported, rows, must_equal):
    must_equal(model, rows, *scored(*markdown_card(markdown_text(exported)), rows))


def test_the_customer_worked_on_the_page_adds_up(model, exported):
    text = markdown_text(exported).split("## One customer")[1]
    points = [float(p) for p in re.findall(r"^\|.*\| ([-\d.e]+) \|$", text, re.MULTILINE)]
    *parts, total = points
    summed = 0.0
    for part in parts:
        summed += part
    assert summed == total
    assert float(re.search(r"PD = (\S+)\.\n", text)[1]) in model.golden.pd


def test_pmml_scores_as_the_card_does_by_the_letter_of_the_standard(model, exported, rows, must_equal):
    card = PmmlCard.read(pmml_text(exported))
    told = [card.score(row) for row in values_of(rows)]
    must_equal(
        model, rows, [t["card_points"] for t in told], [t["card_pd"] for t in told], [t["card_score"] for t in told]
    )


def test_the_reasons_of_pmml_are_those_with_the_most_points_below_the_mean(model, exported, rows):
    card, few = PmmlCard.read(pmml_text(exported)), rows.head(300)
    points = model.predictor.points_by_characteristic(few)
    against = np.column_stack([points[c.feature] - c.mean_points for c in model.predictor.characteristics])
    codes = np.array([exported.reason_code(name) for name in model.features])
    for row, worst in zip(values_of(few), against.argsort(axis=1, kind="stable"), strict=True):
        told = card.score(row)
        assert [told[f"card_reason_{i}"] for i in range(1, 5)] == codes[worst[:4]].tolist()


@pytest.mark.slow
@pytest.mark.xdist_group("spark")
@pytest.mark.skipif(shutil.which("java") is None, reason="no java on the PATH: scripts/system-packages.sh test")
@pytest.mark.skipif(importlib.util.find_spec("pypmml") is None, reason="pypmml is not installed: pip install -e .[dev]")
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_pmml_scores_as_the_card_does_in_pmml4s(model, exported, rows):
    import pypmml

    evaluator = pypmml.Model.fromString(pmml_text(exported))
    plain = values_of(rows)
    data = [[row[name] for name in FEATURES] for row in plain]
    answer = json.loads(evaluator.predict(json.dumps({"columns": list(FEATURES), "data": data})))
    told = dict(zip(answer["columns"], zip(*answer["data"], strict=True), strict=True))
    # PMML4S adds the start value last, which moves the last digit; the letter of the standard is tested above.
    mine = model.predictor.total_points(rows)
    points = np.array(told["card_points"])
    if model.predictor.rounding == "whole":
        assert np.array_equal(points, mine)
    assert np.abs(points - mine).max() < 1e-12 * np.abs(mine).max()
    assert np.abs(np.array(told["card_pd"]) - model.pd(rows)).max() < 1e-12
    assert [int(score) for score in told["card_score"]] == model.score(rows).tolist()
    card = PmmlCard.read(pmml_text(exported))
    for row, first in zip(plain[:300], told["card_reason_1"], strict=False):
        # PMML4S names no reason where no characteristic lies below its mean.
        assert first in {card.score(row)["card_reason_1"], None}
    assert sum(first is not None for first in told["card_reason_1"]) > 9000


def opened(content):
    return openpyxl.load_workbook(io.BytesIO(content))


def test_the_tables_of_the_workbook_score_as_the_card_does(model, exported, rows, must_equal):
    book = opened(workbook(exported))
    table = [
        dict(zip(POINT_COLUMNS, row, strict=True)) for row in book["Points"].iter_rows(min_row=2, values_only=True)
    ]
    by_feature = {}
    for row in table:
        named = {"kind": row["kind"], "lower": row["from"], "upper": row["below"], "points": row["points"]}
        by_feature.setdefault(row["feature"], []).append({**named, "categories": [row["category"]]})
    facts = {row[0]: row[1] for row in book["Calibration"].iter_rows(max_col=2, values_only=True)}
    scale = {"pdo": facts["pdo"], "base_score": facts["base score"], "base_odds": facts["base odds"]}
    segments = [
        row
        for row in book["Calibration"].iter_rows(min_row=3, min_col=5, max_col=7, values_only=True)
        if row[0] is not None
    ]
    knots = [(x, y) for x, y, _ in segments]
    x, y, slope = segments[-1]
    start = book["Customer"]["D4"].value
    must_equal(model, rows, *scored(by_feature.items(), start, scale, [*knots, (x + 1, y + slope)], rows))


def test_the_live_formulas_of_the_workbook_score_as_the_card_does(model, exported, rows, must_equal):
    sheets, few = Sheets(opened(workbook(exported))), rows.head(1000)
    told = []
    for row in values_of(few):
        for place, name in enumerate(FEATURES, 5):
            sheets.cells["Customer", f"C{place}"] = row[name]
        told.append([sheets.value("Customer", f"D{i}") for i in (10, 14, 15)])
    points, pd_, score = zip(*told, strict=True)
    must_equal(model, few, points, pd_, score)


def test_the_workbook_opens_with_a_customer_of_the_development_book(model, exported):
    sheets = Sheets(opened(workbook(exported)))
    first = model.predictor.characteristics[0]
    assert np.abs(np.array(model.golden.pd) - sheets.value("Customer", "D14")).min() < 1e-12
    assert sheets.value("Customer", "E5") == sheets.value("Customer", "D5") - first.mean_points


def test_text_in_the_place_of_a_number_gives_no_points(exported):
    sheets = Sheets(opened(workbook(exported)))
    formula = sheets.cells["Customer", "D5"]
    assert formula.endswith("NA()))")


def test_a_category_that_begins_with_an_equals_sign_is_a_text_and_no_formula(exported):
    book = opened(workbook(exported))
    held = [cell for row in book["Points"] for cell in row if cell.value == "=1+1"]
    assert [cell.data_type for cell in held] == ["s"]


@pytest.mark.parametrize("form", FORMS)
def test_the_same_card_gives_the_same_bytes_at_any_time(model, form, monkeypatch):
    first = export(model, form)
    later = time.time() + 90_000
    monkeypatch.setattr(time, "time", lambda: later)
    assert export(model, form) == first


def test_a_control_character_in_a_category_is_told_where_the_form_cannot_carry_it(model):
    card = model.predictor
    third = card.characteristics[2]
    odd = replace(third, bins=(replace(third.bins[0], categories=("F\x01",)), *third.bins[1:]))
    exported = replace(exported_card(model), card=replace(card, characteristics=(*card.characteristics[:2], odd)))
    for make in (pmml_text, workbook):
        with pytest.raises(ParameterError, match=r"1 text\(s\) of the card hold control characters.*'F\\x01'"):
            make(exported)
    assert "\\u0001" in json_text(exported)


def test_every_form_says_whom_the_card_must_not_rate(model):
    rule = "fewer than 3 invoice(s) due in 12 months (invoices_due_12m_count) or fewer than 3 full month(s) of history"
    for form in ("json", "sql", "pmml", "md"):
        assert rule in export(model, form).decode()
    book = opened(export(model, "xlsx"))
    assert rule in book["Customer"]["A2"].value
    assert rule in {row[0].value: row[1].value for row in book["Calibration"].rows}["whom it rates"]


@pytest.mark.parametrize(
    ("kind", "rule", "says"),
    [
        ("default", (5, 0), "must not rate a customer with fewer than 5 invoice(s) due in 12 months"),
        ("default", (0, 6), "must not rate a customer with fewer than 6 full month(s) of history"),
        ("default", (0, 0), "The card must not rate a customer in default."),
        ("target", (0, 0), "only the owner of the table it was fitted on can tell"),
    ],
)
def test_whom_the_card_must_not_rate_follows_the_rule_of_the_thin_file(kind, rule, says, model):
    told = replace(exported_card(model), thin_rule=ThinFileRule(*rule), label={"kind": kind})
    assert says in told.scope_text
    assert "fewer than 0" not in told.scope_text


def test_an_expert_card_says_so_in_every_form(model):
    expert = replace(model, basis="expert")
    for form in ("json", "sql", "pmml", "md"):
        assert b"EXPERT CARD" in export(expert, form)
    assert opened(export(expert, "xlsx"))["Customer"]["A2"].value.startswith("EXPERT CARD")


def test_an_expert_card_claims_no_bads_and_no_information_value(model):
    """No outcome entered: neither 0 bads nor an information value of 0, but nothing."""
    for basis, is_told in (("fitted", True), ("expert", False)):
        card = replace(model, basis=basis)
        told = json.loads(export(card, "json"))
        assert {b["bads"] is not None for c in told["characteristics"] for b in c["bins"]} == {is_told}
        assert {c["iv"] is not None for c in told["characteristics"]} == {is_told}
        page = export(card, "md").decode()
        assert ("information value" in page) is is_told
        assert ("| – |" in page) is not is_told
        sheet = opened(export(card, "xlsx"))["Points"]
        column = POINT_COLUMNS.index("bads") + 1
        assert {sheet.cell(row, column).value is not None for row in range(2, sheet.max_row + 1)} == {is_told}
