"""Parallel coordinates: each run is one line across all axes."""

from __future__ import annotations

import json

import pytest

from carbs import CategoricalSpace, LinearSpace, LogSpace
from wandb_carbs.figures.frontier import Point
from wandb_carbs.report import parallel

SPACES = {
    "lr": LogSpace(min=1e-4, max=1.0),
    "width": LinearSpace(min=0, max=10),
    "kind": CategoricalSpace(("a", "b", "c")),
}


@pytest.mark.parametrize("number", [2, 30])
def test_each_run_is_one_line(number: int) -> None:
    points = [
        Point(f"run{i}", 10.0**i, float(i), {"lr": 10.0 ** -(i % 5), "width": i % 11, "kind": "abc"[i % 3]})
        for i in range(number)
    ]
    picture = parallel.figure(points, dict(SPACES), maximize=True, cost="seconds", objective="accuracy")
    json.dumps(picture, allow_nan=False)
    assert picture["layout"]["xaxis"]["ticktext"] == ["seconds", "lr", "width", "kind", "accuracy"]
    names = []
    for trace in picture["data"]:
        lines = [trace["text"][start : start + 6] for start in range(0, len(trace["text"]), 6)]
        assert all(len(set(line[:5])) == 1 and line[5] == "" for line in lines)
        names += [line[0].split("</b>")[0].removeprefix("<b>") for line in lines]
        assert all(value is None or 0 <= value <= 1 for value in trace["y"])
    assert sorted(names) == sorted(point.name for point in points)


def test_the_best_are_set_off() -> None:
    points = [Point(f"run{i}", 1.0 + i, -float(i), {"lr": 0.1, "width": 1, "kind": "a"}) for i in range(20)]
    picture = parallel.figure(points, dict(SPACES), maximize=True, cost="cost", objective="objective")
    best = next(trace for trace in picture["data"] if trace["name"] == "best tenth")
    assert {text.split("</b>")[0] for text in best["text"] if text} == {"<b>run0", "<b>run1"}
