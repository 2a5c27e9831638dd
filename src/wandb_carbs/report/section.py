"""A section of the report, as a value."""

from __future__ import annotations

from dataclasses import dataclass, field

from wandb_carbs.figures import drawing
from wandb_carbs.report import tables


@dataclass(frozen=True)
class Captioned:
    """A figure.

    Attributes:
        name: Tells it from the others of its section.
        caption: The words above it; plain text, or markup.
        figure: What plotly draws.
    """

    name: str
    caption: str
    figure: drawing.Figure


@dataclass(frozen=True)
class Section:
    """A part of the page; its texts are plain text, or markup.

    Attributes:
        key: Its anchor.
        title: Its heading.
        text: The words below the heading.
        figures: The figures.
        notes: What deserves attention.
        table: A table below the figures.
        listing: Text to copy.
    """

    key: str
    title: str
    text: str = ""
    figures: list[Captioned] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    table: tables.Table | None = None
    listing: str = ""
