"""Headless Chromium for the tests: opens a page from a file, and asks a page what it looks like."""

from __future__ import annotations

import re
import shutil
import subprocess

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run", "--hide-scrollbars", "--no-pdf-header-footer", "--enable-logging=stderr",
)  # fmt: skip

# Measures what a test asks, in a frame as wide as the test wants (a window is never narrower than 500), and tells the
# outer page, which writes it down for --dump-dom.
LOOKS = """<script>addEventListener('load', () => {
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


def browse(page, folder, *flags: str) -> subprocess.CompletedProcess:
    """Opens a file with a profile of its own; fails when Chromium does."""
    command = [PROGRAM, *FLAGS, f"--user-data-dir={folder / 'profile'}", *flags, page.as_uri()]
    done = subprocess.run(command, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")[-2000:]
    return done


def complaints(done: subprocess.CompletedProcess) -> list[str]:
    """What the page wrote to the console."""
    return [line for line in done.stderr.decode(errors="replace").splitlines() if "CONSOLE" in line]


def probe(text: str, script: str, folder, width: int, height: int):
    """The page in a frame of that size with a script of the test in it, and what the script told."""
    policy = re.search(r"<meta http-equiv[^>]*>", text)
    probed = folder / "probed.html"
    probed.write_text(text.replace(policy.group(), "").replace("</head>", script + "</head>"), encoding="utf-8")
    frame = folder / "frame.html"
    frame.write_text(FRAME.format(width=width, height=height), encoding="utf-8")
    done = browse(frame, folder, "--dump-dom", "--window-size=1400,1100", "--virtual-time-budget=10000")
    return dict(re.findall(r'data-(\w+)="(-?\d+)"', done.stdout.decode()[:2000])), done
