"""Parallel coordinates: each run is one line across all axes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from wandb_carbs.figures.frontier import Point
from wandb_carbs.figures.parallel import axis_of_values, best_of, choice_axis, figure, numeric_axis, short


def draw(points: list[Point], *, maximize: bool = True) -> Any:
    width = numeric_axis("width", [point.config.get("width") for point in points])
    kind = choice_axis("<kind>", [point.config.get("kind") for point in points], ["a", "b", "c"])
    made = figure(points, [width, kind], maximize=maximize, cost="seconds", objective="accuracy")
    json.dumps(made, allow_nan=False)
    return made


@pytest.mark.parametrize("number", [1, 2, 30])
def test_each_run_is_one_line(number: int) -> None:
    points = [
        Point(f"run{i}", 10.0**i, float(i), {"width": i % 11, "kind": "abc"[i % 3]}, key=f"k{i}") for i in range(number)
    ]
    picture = draw(points)
    assert picture["layout"]["xaxis"]["ticktext"] == ["seconds", "width", "&lt;kind&gt;", "accuracy"]
    names = []
    for trace in picture["data"]:
        lines = [trace["customdata"][start : start + 5] for start in range(0, len(trace["customdata"]), 5)]
        assert all(len(set(line)) == 1 for line in lines)
        names += [line[0] for line in lines]
        assert all(value is None for value in trace["y"][4::5])
        assert all(0 <= value <= 1 for place, value in enumerate(trace["y"]) if place % 5 != 4)
    assert sorted(names) == sorted(point.key for point in points)


@pytest.mark.parametrize("maximize", [False, True])
def test_the_best_are_set_off(maximize: bool) -> None:
    sign = 1 if maximize else -1
    points = [Point(f"run{i}", 1.0 + i, -sign * float(i), {"width": 1, "kind": "a"}, key=f"k{i}") for i in range(20)]
    best = draw(points, maximize=maximize)["data"][-1]
    assert best["name"] == "best tenth"
    assert set(best["customdata"]) == {"k0", "k1"}


def test_a_label_says_the_value_at_its_axis() -> None:
    text = draw([Point("<run>", 1.0, 2.0, {"width": 7, "kind": "<b>"})])["data"][-1]["text"]
    assert text[1].startswith("<b>&lt;run&gt;</b>")
    assert text[1].endswith("<br>width: 7")
    assert text[3].endswith("cost 1")


def test_far_worse_objectives_are_at_the_end_of_the_axis() -> None:
    points = [Point(f"run{i}", 1.0, value, {}) for i, value in enumerate([1.0, 1.1, 1.2, 1e9])]
    made = draw(points, maximize=False)
    places = {text: y for trace in made["data"] for text, y in zip(trace["text"], trace["y"], strict=True) if text}
    assert made["layout"]["annotations"][-1]["text"] != "1e+09"
    assert max(value for value in places.values() if value is not None) == 1.0


@pytest.mark.parametrize(
    ("values", "places"),
    [
        ([1e-4, 1e-2, 1.0], [0, 0.5, 1]),
        ([1.0, 2.0, 3.0, None], [0, 0.5, 1, None]),
        (["b", "a", None, "c"], [0.5, 0, None, 1]),
        ([True, False], [1, 0]),
        ([1, "x"], [0, 1]),
        ([-1e300, 1e300, 10**400], [0, 1, None]),
    ],
)
def test_axis_of_values_of_any_kind(values: list[Any], places: list[Any]) -> None:
    axis = axis_of_values("x", values)
    assert axis is not None
    assert list(axis.places) == [None if place is None else pytest.approx(place) for place in places]


def test_numbers_of_a_logit_space_are_spread_by_their_nines() -> None:
    axis = axis_of_values("momentum", [1 / 11, 10 / 11, 100 / 101, None], is_logit=True)
    assert axis is not None
    assert list(axis.places) == [0.0, pytest.approx(2 / 3), 1.0, None]
    assert (axis.low, axis.high) == ("0.0909", "0.9901")
    outside = axis_of_values("momentum", [0.5, 1.0, 2.0], is_logit=True)
    assert outside is not None
    assert list(outside.places) == [0.0, pytest.approx(1 / 3), 1.0]


@pytest.mark.parametrize("values", [[], [None], [1, 1], ["a", "a", None]])
def test_values_that_do_not_vary_have_no_axis(values: list[Any]) -> None:
    assert axis_of_values("x", values) is None


def test_of_very_many_runs_the_best_are_shown() -> None:
    points = [Point(f"run{i}", 1.0, float(i)) for i in range(700)]
    assert {point.objective for point in best_of(points, maximize=True)} == set(map(float, range(200, 700)))
    assert {point.objective for point in best_of(points, maximize=False)} == set(map(float, range(500)))
    assert best_of(points[:3], maximize=True) == points[:3]
    assert "note" not in figure(points[:3], [], maximize=True, cost="c", objective="o")


@pytest.mark.parametrize(
    ("value", "text"),
    [(4096.0, "4096"), (231.4, "231"), (0.000166, "0.00017"), (1.5e-05, "1.5e-05"), (0.25, "0.25"), (1e300, "1e+300")],
)
def test_ends_of_axes_are_short(value: float, text: str) -> None:
    assert short(value) == text
