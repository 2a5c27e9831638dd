"""The media that a run has logged: images, tables, plots, histograms, pages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wandb_carbs.metrics import flat
from wandb_carbs.plain import finite
from wandb_carbs.server.store import run_streams, streams
from wandb_carbs.server.store.json_objects import sdk_part

if TYPE_CHECKING:
    import sqlite3

# The last so many of each key are shown.
_LAST = 12
_KINDS = {
    "image-file": "image",
    "images/separated": "image",
    "table-file": "table",
    "html-file": "html",
    "histogram": "histogram",
    "audio-file": "audio",
    "video-file": "video",
    "plotly-file": "plotly",
}


@dataclass(frozen=True)
class Medium:
    """One logged medium.

    Attributes:
        kind: image, table, html, histogram, plotly, audio, video, or file for what only can be downloaded.
        step: The step at which it was logged.
        name: The name of its file.
        address: Where its file is, empty if it has none or the file has not arrived.
        caption: Its caption.
        data: Its own content as JSON, where it has no file.
    """

    kind: str
    step: int
    name: str
    address: str
    caption: str
    data: str


def of_run(db: sqlite3.Connection, row: sqlite3.Row, addresses: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the media of a run, by key.

    Args:
        db: The database.
        row: The run's row.
        addresses: Where each file of the run is, by name.

    Returns:
        For each key its `key`, the `count` of all that were logged, the last few `media`, and for a plot its `plot` as
        JSON.
    """
    found: dict[str, list[Medium]] = {}
    for position, line in enumerate(streams.lines(db, row["id"], run_streams.HISTORY)):
        if '"_type"' not in line:
            continue
        logged = json.loads(line)
        step = logged.get("_step")
        for key, value in flat(logged):
            if isinstance(value, dict) and isinstance(value.get("_type"), str):
                place = step if isinstance(step, int) else position
                found.setdefault(key, []).extend(_media(value, place, addresses))
    plots = _plots(row["config"])
    return [
        {"key": key, "count": len(media), "media": media[-_LAST:], "plot": plots.get(key, "")}
        for key, media in sorted(found.items())
    ]


def _media(value: Mapping[str, Any], step: int, addresses: Mapping[str, str]) -> list[Medium]:
    kind = _KINDS.get(value["_type"], "file")
    if value["_type"] == "images/separated":
        names, captions = value.get("filenames"), value.get("captions")
        if not isinstance(names, list):
            return []
        captions = captions if isinstance(captions, list) else []
        texts = [*captions, *[""] * len(names)]
        return [
            Medium(kind, step, str(name), addresses.get(str(name), ""), str(text or ""), "")
            for name, text in zip(names, texts, strict=False)
        ]
    data = json.dumps(finite(dict(value))) if kind == "histogram" else ""
    name = str(value.get("path"))
    return [Medium(kind, step, name, addresses.get(name, ""), str(value.get("caption") or ""), data)]


def _plots(config: str) -> dict[str, str]:
    """Return how each table of a `wandb.plot` is to be drawn, by the table's key, as JSON."""
    shown = sdk_part(config).get("visualize")
    plots: dict[str, str] = {}
    for key, described in (shown if isinstance(shown, dict) else {}).items():
        panel = described.get("panel_config") if isinstance(described, dict) else None
        if isinstance(panel, dict):
            fields, texts = panel.get("fieldSettings"), panel.get("stringSettings")
            plot = {"kind": str(panel.get("panelDefId", "")), "fields": fields, "texts": texts}
            plots[f"{key}_table"] = plots[key] = json.dumps(plot)
    return plots
