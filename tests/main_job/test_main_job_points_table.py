"""The points table of the fitted card, recomputed from nothing but what the page prints."""

from __future__ import annotations

import math
import re
from html import unescape

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("main_job")]

TABLE = re.compile(
    r"<caption>Points of every bin</caption>(.*?)</table></div>\s*<p class=\"notes\">(.*?)</p>", re.DOTALL
)
ROW = re.compile(r"<tr(?: class=\"(group)\")?>(.*?)</tr>", re.DOTALL)
CELL = re.compile(r"<bdi>(.*?)</bdi>", re.DOTALL)
# The weight of evidence is printed to four digits, and so is the half bad customer.
NEAR = 0.0002


def number(text: str) -> float:
    return float(text.replace(",", "").replace("−", "-"))


def printed(page: str) -> tuple[float, float, list[tuple[float, list[list[str]]]]]:
    """The half bad customer, the points that double the odds, and of each characteristic its coefficient and bins."""
    table, note = (unescape(part) for part in TABLE.search(page).groups())
    prior = re.search(r"bad customer groups = ([\d.,]+)\.", note)
    doubling = re.search(r"([\d.]+) points more double the odds", unescape(page))
    groups: list[tuple[float, list[list[str]]]] = []
    for group, row in ROW.findall(table.partition("<tbody>")[2]):
        cells = CELL.findall(row)
        if group:
            groups.append((number(cells[0].rpartition("coefficient ")[2]), []))
        else:
            groups[-1][1].append(cells)
    return number(prior[1]), float(doubling[1]), groups


def test_every_weight_of_evidence_and_every_point_follows_from_the_printed_counts(ran):
    page = (ran.root / "models" / "report" / "model_report.html").read_text(encoding="utf-8")
    prior, doubling, groups = printed(page)
    assert groups
    checked = 0
    for coefficient, bins in groups:
        counts = [(number(cells[1]), number(cells[3])) for cells in bins]
        all_bads = sum(bad for _, bad in counts)
        odds = sum(n - bad for n, bad in counts) / all_bads
        for (n, bad), cells in zip(counts, bins, strict=True):
            woe, points = number(cells[5]), number(cells[6])
            assert points == pytest.approx(doubling / math.log(2) * coefficient * woe, abs=0.002), cells
            # A bin of missing, special or rare values with too few bads or goods is neutral.
            if woe or n > 0.05 * sum(count for count, _ in counts):
                by_hand = math.log((n - bad + prior * odds) / (bad + prior) / odds)
                assert woe == pytest.approx(by_hand, abs=NEAR), cells
                checked += 1
    assert checked > 2 * len(groups)
