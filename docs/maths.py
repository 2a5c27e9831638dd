# ruff: noqa: INP001 - a hook of MkDocs, which imports it by its path
"""Formulas as MathML, made while the site is built: browsers draw it without a script and without a network."""

import html
import re
from typing import Any

from latex2mathml.converter import convert

# What pymdownx.arithmatex leaves in the page (generic: true).
_FORMULA = re.compile(r'<(span|div) class="arithmatex">\\([(\[])(.+?)\\[)\]]</\1>', re.DOTALL)
# A list's next item after an indented paragraph, which Python-Markdown, unlike GitHub, takes for that paragraph's text.
_ITEM = re.compile(r"^( {4}\S.*\n)(?=[*-] )", re.MULTILINE)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Begin list items as GitHub does; MkDocs calls this."""
    return _ITEM.sub(r"\1\n", markdown)


def on_page_content(content: str, **_: Any) -> str:
    """Replace the formulas of a page; MkDocs calls this."""
    return _FORMULA.sub(_mathml, content)


def _mathml(found: re.Match[str]) -> str:
    tag, bracket, formula = found.groups()
    drawn = convert(html.unescape(formula), display="block" if bracket == "[" else "inline")
    return f"<{tag}>{drawn}</{tag}>"
