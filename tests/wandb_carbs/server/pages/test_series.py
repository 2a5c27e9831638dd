"""The series of a run's charts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from stored import make_run, make_sweep, send
from wandb_carbs.server.pages.series import history, key_of_objective, keys_of_sweep, of_key, system, thinned
from wandb_carbs.server.store import run_streams

if TYPE_CHECKING:
    from wandb_carbs.server.store.database import Store


def logged(store: Store, *rows: Any, stream: str = run_streams.HISTORY) -> int:
    run = make_run(store, "r")
    send(store, stream, 0, *map(json.dumps, rows))
    return run


def test_every_number_has_a_series_and_the_rest_its_last_value(store: Store) -> None:
    picture = {"_type": "image-file", "path": "a.png"}
    run = logged(
        store,
        {"_step": 0, "_runtime": 0.5, "loss": 3, "a": {"b": True}, "word": "x", "nothing": None},
        {"_step": 2, "_runtime": 1.5, "loss": 10**400, "a": {"b": 2}, "picture": picture},
        {"loss": 1.5, "word": "y", "odd": float("nan")},
    )
    with store.reading() as db:
        found = history(db, run)
    assert found["series"]["loss"] == {"step": [0, 2], "time": [0.5, None], "value": [3, 1.5], "points": 2}
    assert found["series"]["a.b"]["value"] == [1, 2]
    assert set(found["series"]) == {"loss", "a.b"}
    assert found["other"]["word"] == {"step": None, "value": "y", "points": 2}
    assert found["other"]["picture"]["value"] == picture
    assert found["other"]["odd"]["value"] == "NaN"


def test_system_metrics_are_over_seconds(store: Store) -> None:
    run = logged(store, {"_runtime": 7.5, "_timestamp": 1, "system.cpu": 40}, stream=run_streams.EVENTS)
    with store.reading() as db:
        series = system(db, run)["series"]
    assert series == {"system.cpu": {"step": [7.5], "time": [7.5], "value": [40], "points": 1}}


@pytest.mark.parametrize("key", ["loss", "a.b", "a/loss", 'odd "é" key'])
def test_points_of_one_key_are_those_of_its_series(store: Store, key: str) -> None:
    rows = [{"_step": 3 * step, "_runtime": step, "loss": step, "a/loss": -step} for step in range(6)]
    run = logged(store, *rows, {"_step": 99, 'odd "é" key': 5.0, "a": {"b": 4.0, "loss": "no number"}})
    with store.reading() as db:
        series = history(db, run)["series"][key]
        points = of_key(db, run, key, 100)
    assert [list(column) for column in zip(*points, strict=True)] == [series["step"], series["time"], series["value"]]


@pytest.mark.parametrize("count", [1, 2, 1200, 1201, 5000])
def test_thinned_series_keep_ends_and_extremes(count: int) -> None:
    points = [(float(i), None, float(i % 7)) for i in range(count)]
    points[count // 2] = (count / 2, None, -50.0)
    points[count // 3] = (count / 3, None, 99.0)
    kept = thinned(points)
    assert len(kept) <= 1200
    assert (kept[0], kept[-1]) == (points[0], points[-1])
    assert max(kept, key=lambda p: p[2]) == max(points, key=lambda p: p[2])
    assert min(kept, key=lambda p: p[2])[2] == min(points, key=lambda p: p[2])[2]
    assert [p[0] for p in kept] == sorted(p[0] for p in kept)


def test_keys_of_a_sweep_are_those_that_have_numbers(store: Store) -> None:
    """A picture and a text cannot be drawn as lines, and of nested values each has its line."""
    sweep = make_sweep(store)
    make_run(store, "r", sweep=sweep["name"])
    rows: list[dict[str, Any]] = [{"old": "unknown"}, *({"_step": s, "_runtime": 1, "loss": s} for s in range(5))]
    rows[3] |= {"val": {"loss": 2, "word": "x"}, "a.b": True, "odd": float("nan"), "picture": {"_type": "image-file"}}
    rows[4] |= {"word": "y", "val": {"loss": None}}
    send(store, run_streams.HISTORY, 0, *map(json.dumps, rows))
    with store.reading() as db:
        assert keys_of_sweep(db, sweep["id"]) == ["a.b", "loss", "odd", "old", "val.loss"]


def test_key_of_the_objective_is_found_by_its_values(store: Store) -> None:
    sweep = make_sweep(store)
    with store.reading() as db:
        assert key_of_objective(db, sweep["id"]) is None
    for place, epoch in enumerate([3, 0, 7]):
        summary = {"carbs.objective": place, "val": {"loss": place}, "epoch": epoch, "_step": place}
        make_run(store, f"r{place}", summary=summary, sweep=sweep["name"], state="finished")
    with store.reading() as db:
        assert key_of_objective(db, sweep["id"]) == "val.loss"
