"""Colours by their roles, for light and dark pages.

The palette is Okabe and Ito's, so that colour-blind readers can distinguish all roles; `carbs.plotting` draws in the
same colours.
"""

from __future__ import annotations

LIGHT = {
    "page": "#ffffff",
    "panel": "#f6f7f9",
    "text": "#1d2330",
    "muted": "#5d6675",
    "grid": "#e1e4ea",
    "run": "#8c8c8c",
    "run-band": "rgba(140, 140, 140, 0.22)",
    "frontier": "#0072b2",
    "frontier-band": "rgba(0, 114, 178, 0.16)",
    "law": "#009e73",
    "law-band": "rgba(0, 158, 115, 0.18)",
    "failed": "#d55e00",
    "low": "#7c3aed",
    "low-band": "rgba(124, 58, 237, 0.08)",
    "middle": "#0072b2",
    "middle-band": "rgba(0, 114, 178, 0.08)",
    "high": "#b45309",
    "high-band": "rgba(180, 83, 9, 0.08)",
}
DARK = {
    "page": "#12151c",
    "panel": "#1b2029",
    "text": "#e4e8ef",
    "muted": "#9aa4b5",
    "grid": "#2c3340",
    "run": "#7d8797",
    "run-band": "rgba(125, 135, 151, 0.25)",
    "frontier": "#5cb3ff",
    "frontier-band": "rgba(92, 179, 255, 0.2)",
    "law": "#3fd0a4",
    "law-band": "rgba(63, 208, 164, 0.2)",
    "failed": "#ff8a5c",
    "low": "#b79bff",
    "low-band": "rgba(183, 155, 255, 0.1)",
    "middle": "#5cb3ff",
    "middle-band": "rgba(92, 179, 255, 0.1)",
    "high": "#f2b261",
    "high-band": "rgba(242, 178, 97, 0.1)",
}


def style_sheet() -> str:
    """Return CSS that defines every role as a variable: `var(--frontier)`; paper is always light."""
    light, dark = ("".join(f"--{role}: {color}; " for role, color in colors.items()) for colors in (LIGHT, DARK))
    return (
        f":root {{ color-scheme: light dark; {light}}}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {dark}}} }}\n"
    )
