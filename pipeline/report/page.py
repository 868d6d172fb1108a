"""A document as one self-contained HTML page: the same bytes for the same document, nothing loaded from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import re
from importlib import resources
from typing import TYPE_CHECKING

from pipeline.report.directions import shown

if TYPE_CHECKING:
    from jinja2 import Environment

    from pipeline.report.document import Document


def html_page(document: Document) -> str:
    """The whole page; its one script sorts tables and is named by its hash in the page's own security policy."""
    from markupsafe import Markup

    script = _template("report.js").strip()
    page = (
        _environment()
        .get_template("page.html.j2")
        .render(
            document=document,
            words=document.words,
            css=Markup(_template("report.css")),
            script=Markup(script),
            script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii"),
        )
    )
    return shown(re.sub(r"\n\s*\n+", "\n", page).strip() + "\n")


def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("pipeline.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _template(name: str) -> str:
    return (resources.files("pipeline.report") / "templates" / name).read_text(encoding="utf-8")
