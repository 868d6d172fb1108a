"""A matplotlib figure as SVG that can stand in a page: the same bytes every time, ids of its own, text as text."""

from __future__ import annotations

import io
import re
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from pipeline.report.blocks import Chart

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Dark, middle and light differ in grey too; form and label tell the rest.
INK = "#1c2733"
FIRST = "#12355b"
SECOND = "#cf6f1f"
QUIET = "#7d8790"
GRID = "#dfe3e6"
BAND = "#f0f2f4"

_WIDE_LETTER = re.compile("[\u2e80-\u9fff\uf900-\ufaff\uff00-\uff60]")

_STYLE: dict[str, Any] = {
    "font.family": ["DejaVu Sans"],
    "font.size": 8.5,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 8.5,
    "axes.edgecolor": "#9aa3ab",
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "lines.solid_capstyle": "round",
    "svg.fonttype": "none",
    "figure.dpi": 72,
}


@dataclass(frozen=True)
class Sheet:
    """The paper of a drawing, in inches; 7.5 fills the page of a desk or a print, 3.6 that of a telephone."""

    width: float
    is_narrow: bool
    suffix: str

    def height(self, wide: float, narrow: float) -> float:
        """The height for this width."""
        return narrow if self.is_narrow else wide


WIDE = Sheet(7.5, is_narrow=False, suffix="w")
NARROW = Sheet(3.6, is_narrow=True, suffix="n")


def chart(name: str, title: str, caption: str, description: str, draw: Callable[[Any, Sheet], None]) -> Chart:
    """Draws on a wide and on a narrow sheet. `draw(figure, sheet)` fills a matplotlib figure and sets its height.

    `caption` stands under the drawing; `description` says in words what it shows, for who does not see it.
    """
    wide, narrow = (
        _named(_svg(f"{name}-{sheet.suffix}", draw, sheet), f"{name}-{sheet.suffix}", title, description)
        for sheet in (WIDE, NARROW)
    )
    return Chart(name, title, caption, wide, narrow)


def _named(svg: str, name: str, title: str, description: str) -> str:
    """Puts title and description, escaped, where a screen reader looks for them."""
    told = f'<title id="{name}-title">{escape(title)}</title><desc id="{name}-desc">{escape(description)}</desc>'
    start = svg.index(">") + 1
    return svg[:start] + told + svg[start:]


def _svg(name: str, draw: Callable[[Any, Sheet], None], sheet: Sheet) -> str:
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    # The bundled default style, so that a matplotlibrc of this machine changes nothing.
    with mpl.rc_context(), warnings.catch_warnings(), _wide_letters_measured():
        mpl.rcdefaults()
        mpl.rcParams.update({**_STYLE, "svg.hashsalt": name})
        # A label in a script that DejaVu lacks is drawn by the reader's own font: text stays text.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure = Figure(figsize=(sheet.width, 3.0), layout="constrained")
        FigureCanvasSVG(figure)
        draw(figure, sheet)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Type": None, "Format": None})
    return _inlined(out.getvalue(), name)


@contextmanager
def _wide_letters_measured() -> Iterator[None]:
    """Chinese characters take a whole square each. DejaVu has none, so that they would be measured as its narrow empty
    box; its em dash is as wide as they are and stands in for them while widths are taken, on every machine alike."""
    from matplotlib.backends.backend_svg import RendererSVG

    measure = RendererSVG.get_text_width_height_descent

    def measured(renderer: Any, text: str, *rest: Any) -> Any:
        return measure(renderer, _WIDE_LETTER.sub("\u2014", text), *rest)

    RendererSVG.get_text_width_height_descent = measured
    try:
        yield
    finally:
        RendererSVG.get_text_width_height_descent = measure


def _inlined(svg: str, name: str) -> str:
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<style[^>]*>.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", svg)
    svg = svg.replace("xlink:href", "href")
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", svg)
    svg = re.sub(r'href="#([^"]+)"', rf'href="#{name}-\1"', svg)
    svg = svg.replace(
        "'DejaVu Sans'",
        "'DejaVu Sans', Verdana, Arial, 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', sans-serif",
    )
    svg = re.sub(r" transform=\"rotate\(-0 [^)]*\)\"", "", svg)
    svg = re.sub(r"\d+\.\d{3,}", lambda number: f"{float(number.group()):.2f}".rstrip("0").rstrip("."), svg)
    wanted = set(re.findall(r"(?:url\(|href=\")#([^)\"]+)", svg))
    svg = re.sub(r' id="([^"]+)"', lambda found: found.group() if found.group(1) in wanted else "", svg)
    box = re.search(r'viewBox="([^"]+)"', svg)
    viewed = box.group(1) if box else "0 0 540 216"
    opened = f'<svg viewBox="{viewed}" role="img" aria-labelledby="{name}-title {name}-desc" focusable="false">'
    svg = re.sub(r"<svg\b[^>]*>", opened, svg, count=1)
    return re.sub(r"\s*\n\s*", " ", svg).strip()
