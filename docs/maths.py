# ruff: noqa: INP001 - a hook of MkDocs, which imports it by its path
"""Formulas as MathML, made while the site is built: browsers draw it without a script and without a network."""

import html
import re
from typing import Any

from latex2mathml.converter import convert

# What pymdownx.arithmatex leaves in the page (generic: true).
_FORMULA = re.compile(r'<(span|div) class="arithmatex">\\([(\[])(.+?)\\[)\]]</\1>', re.DOTALL)


def on_page_content(content: str, **_: Any) -> str:
    """Replace the formulas of a page; MkDocs calls this."""
    return _FORMULA.sub(_mathml, content)


def _mathml(found: re.Match[str]) -> str:
    tag, bracket, formula = found.groups()
    drawn = convert(html.unescape(formula), display="block" if bracket == "[" else "inline")
    return f"<{tag}>{drawn}</{tag}>"
