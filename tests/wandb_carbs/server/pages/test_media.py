"""The media that a run's page shows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from stored import make_run, run_row, send
from wandb_carbs.server.pages import media
from wandb_carbs.server.store import run_streams, runs

if TYPE_CHECKING:
    from wandb_carbs.server.store.database import Store


def shown(store: Store, *values: Any, config: dict[str, Any] | None = None) -> Any:
    """Return the media of a run that logs these values one after another as `m`."""
    make_run(store, "r")
    if config is not None:
        runs.upsert(store, {"modelName": "p", "name": "r", "config": json.dumps(config)})
    rows = [json.dumps({"_step": step, "m": value, "loss": 1}) for step, value in enumerate(values)]
    send(store, run_streams.HISTORY, 0, *rows)
    with store.reading() as db:
        return media.of_run(db, run_row(store), {"a.png": "/here/a.png"})


@pytest.mark.parametrize(
    ("kind", "shown_as"),
    [
        ("image-file", "image"),
        ("table-file", "table"),
        ("html-file", "html"),
        ("audio-file", "audio"),
        ("video-file", "video"),
        ("plotly-file", "plotly"),
        ("molecule-file", "file"),
    ],
)
def test_kinds(store: Store, kind: str, shown_as: str) -> None:
    (item,) = shown(store, {"_type": kind, "path": "a.png", "caption": "c"})
    (medium,) = item["media"]
    assert (item["key"], item["count"]) == ("m", 1)
    assert (medium.kind, medium.step, medium.name, medium.caption) == (shown_as, 0, "a.png", "c")
    assert medium.address == "/here/a.png"


def test_a_file_that_has_not_arrived_has_no_address(store: Store) -> None:
    (item,) = shown(store, {"_type": "image-file", "path": "late.png"})
    assert item["media"][0].address == ""


def test_several_images_at_once(store: Store) -> None:
    value = {"_type": "images/separated", "filenames": ["a.png", "b.png"], "captions": ["one"]}
    (item,) = shown(store, value)
    assert [(medium.name, medium.caption) for medium in item["media"]] == [("a.png", "one"), ("b.png", "")]


def test_a_histogram_holds_its_own_data(store: Store) -> None:
    (item,) = shown(store, {"_type": "histogram", "bins": [0, 1], "values": [float("nan")]})
    assert json.loads(item["media"][0].data)["values"] == ["NaN"]


def test_only_the_last_of_many_are_shown(store: Store) -> None:
    (item,) = shown(store, *({"_type": "image-file", "path": f"{place}.png"} for place in range(30)))
    assert item["count"] == 30
    assert [medium.step for medium in item["media"]] == list(range(18, 30))


@pytest.mark.parametrize("value", [{"_type": 3}, {"_type": "images/separated"}, "word", {"_type": "histogram"}])
def test_damaged_media_break_nothing(store: Store, value: Any) -> None:
    json.dumps([item["key"] for item in shown(store, value)])


def test_how_a_table_is_plotted_comes_from_the_configuration(store: Store) -> None:
    panel = {"panelDefId": "wandb/line/v0", "fieldSettings": {"x": "a"}, "stringSettings": {"title": "t"}}
    visualize = {"m": {"panel_config": panel}, "odd": 3}
    (item,) = shown(store, {"_type": "table-file", "path": "t"}, config={"_wandb": {"value": {"visualize": visualize}}})
    assert json.loads(item["plot"]) == {"kind": "wandb/line/v0", "fields": {"x": "a"}, "texts": {"title": "t"}}
