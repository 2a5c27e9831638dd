"""Colours of light and dark pages."""

from __future__ import annotations

import re

import pytest

from wandb_carbs.figures.palette import DARK, LIGHT, style_sheet


def luminance(color: str) -> float:
    """Return the relative luminance of a colour (WCAG 2.1)."""
    parts = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("colors", [LIGHT, DARK])
def test_texts_can_be_read_on_pages_and_panels(colors: dict[str, str]) -> None:
    for text in ("text", "muted"):
        for ground in ("page", "panel"):
            light, dark = sorted((luminance(colors[text]), luminance(colors[ground])), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_both_themes_have_the_same_roles() -> None:
    assert LIGHT.keys() == DARK.keys()
    assert {role for role in LIGHT if role.endswith("-band")} <= {f"{role}-band" for role in LIGHT}


def test_style_sheet_names_every_role_in_both_themes() -> None:
    sheet = style_sheet()
    for role in LIGHT:
        assert len(re.findall(rf"--{role}: ", sheet)) == 2
    assert "prefers-color-scheme: dark" in sheet
