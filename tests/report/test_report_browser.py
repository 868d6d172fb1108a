"""The page in headless Chromium: quiet, within its width on a desk and on a telephone, and printable."""

from __future__ import annotations

import dataclasses
import re
import shutil
import struct
import subprocess

import pytest

from pipeline.report.model_report import render

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run", "--hide-scrollbars", "--no-pdf-header-footer", "--enable-logging=stderr",
)  # fmt: skip

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is absent: the report is not looked at in a browser"),
    pytest.mark.slow,
]
# Measures what a test asks, in a frame as wide as the test wants (a window is never narrower than 500), and tells the
# outer page, which writes it down for --dump-dom.
PROBE = """<script>addEventListener('load', () => {
  const root = document.documentElement;
  const seen = [...document.querySelectorAll('.chart svg')].filter(s => s.getClientRects().length);
  parent.postMessage({
    overflow: root.scrollWidth - root.clientWidth,
    width: innerWidth,
    charts: seen.length,
    flat: seen.filter(s => s.getBoundingClientRect().height < 60 || !s.querySelector('path')).length,
    broken: [...document.images].filter(i => !i.complete || !i.naturalWidth).length,
    loaded: performance.getEntriesByType('resource').filter(r => !r.name.startsWith('data:')).length,
    scripts: document.querySelectorAll('main script').length,
  }, '*');
});</script>"""
FRAME = """<!DOCTYPE html><title>frame</title><script>
addEventListener('message', event => Object.assign(document.documentElement.dataset, event.data));
</script><iframe src="probed.html" style="border:0;width:{width}px;height:{height}px"></iframe>"""


@pytest.fixture(scope="module", params=["en", "zh"])
def report(given, tmp_path_factory, request):
    path = tmp_path_factory.mktemp(f"report_{request.param}") / "model_report.html"
    path.write_text(render(dataclasses.replace(given, language=request.param)), encoding="utf-8")
    return path


def browse(page, folder, *flags: str) -> subprocess.CompletedProcess:
    command = [CHROMIUM, *FLAGS, f"--user-data-dir={folder / 'profile'}", *flags, page.as_uri()]
    done = subprocess.run(command, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")[-2000:]
    return done


def complaints(done: subprocess.CompletedProcess) -> list[str]:
    return [line for line in done.stderr.decode(errors="replace").splitlines() if "CONSOLE" in line]


def test_the_page_opens_from_a_file_without_a_word_on_the_console(report, tmp_path):
    done = browse(report, tmp_path, "--dump-dom")
    assert complaints(done) == []
    assert b"</html>" in done.stdout


@pytest.mark.parametrize(("width", "height"), [(1280, 1000), (390, 844)])
def test_the_page_keeps_within_its_width_and_every_chart_has_drawn(report, tmp_path, width, height):
    text = report.read_text(encoding="utf-8")
    found, done = probe(text, PROBE, tmp_path, width, height)
    assert found == {
        "overflow": "0", "width": str(width), "charts": "9", "flat": "0", "broken": "0", "loaded": "0", "scripts": "0",
    }  # fmt: skip
    assert complaints(done) == []


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


def probe(text: str, script: str, folder, width: int, height: int):
    """The page in a frame of that size with a script of the test in it, and what the script told."""
    policy = re.search(r"<meta http-equiv[^>]*>", text)
    probed = folder / "probed.html"
    probed.write_text(text.replace(policy.group(), "").replace("</head>", script + "</head>"), encoding="utf-8")
    frame = folder / "frame.html"
    frame.write_text(FRAME.format(width=width, height=height), encoding="utf-8")
    done = browse(frame, folder, "--dump-dom", "--window-size=1400,1100", "--virtual-time-budget=10000")
    return dict(re.findall(r'data-(\w+)="(-?\d+)"', done.stdout.decode()[:2000])), done


def test_a_table_sorts_up_and_down_and_back_and_says_so(report, tmp_path):
    found, done = probe(report.read_text(encoding="utf-8"), PRESS, tmp_path, 1280, 1000)
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
    assert complaints(done) == []


def test_a_hostile_name_is_text_in_the_browser_too(report, tmp_path, hostile):
    done = browse(report, tmp_path, "--dump-dom")
    page = done.stdout.decode()
    assert "&lt;script&gt;alert('x')&lt;/script&gt;" in page
    assert page.count("<script") == 1
    assert hostile[2] in page


def test_the_page_can_be_photographed_and_is_not_blank(report, tmp_path):
    picture = tmp_path / "page.png"
    browse(report, tmp_path, f"--screenshot={picture}", "--window-size=1280,1600")
    content = picture.read_bytes()
    assert struct.unpack(">II", content[16:24]) == (1280, 1600)
    assert len(content) > 60_000


def test_the_page_prints_to_a_pdf_of_several_pages(report, tmp_path):
    paper = tmp_path / "report.pdf"
    done = browse(report, tmp_path, f"--print-to-pdf={paper}")
    content = paper.read_bytes()
    assert content.startswith(b"%PDF")
    assert 5 <= len(re.findall(rb"/Type\s*/Page\b", content)) <= 40
    assert complaints(done) == []
