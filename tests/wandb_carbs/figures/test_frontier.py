"""The picture of a sweep shows every run, or says how many it leaves out."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbs import pareto
from wandb_carbs.figures import palette
from wandb_carbs.figures.drawing import themed
from wandb_carbs.figures.frontier import Point, figure, members, shown_progress, window

VALUES = st.floats(-1e6, 1e6).map(lambda value: round(value, 1))
COSTS = st.floats(1e-3, 1e6).map(lambda value: round(value, 3) or 1.0)


@given(st.lists(st.tuples(COSTS, VALUES), min_size=1, max_size=30), st.booleans())
def test_members_are_the_pareto_frontier_of_the_optimizer(runs: list[tuple[float, float]], maximize: bool) -> None:
    points = [Point(str(index), cost, objective) for index, (cost, objective) in enumerate(runs)]
    costs, objectives = np.array(runs).T
    expected = pareto.frontier(objectives if maximize else -objectives, costs)
    assert [point.name for point in members(points, maximize=maximize)] == [str(index) for index in expected]


def test_every_run_is_drawn_once_and_the_stairs_go_on_to_the_most_expensive() -> None:
    points = [Point("a", 1.0, 0.5), Point("b", 10.0, 0.9), Point("c", 100.0, 0.7)]
    data = figure(points, maximize=True)["data"]
    drawn = [text.split("</b>")[0] for trace in data for text in trace.get("text", [])]
    assert sorted(drawn) == ["<b>a", "<b>b", "<b>c"]
    line = next(trace for trace in data if trace["mode"] == "lines")
    assert line["x"] == [1.0, 10.0, 100.0]
    assert line["y"] == [0.5, 0.9, 0.9]
    assert line["line"]["shape"] == "hv"


def test_runs_off_the_picture_are_counted() -> None:
    """Diverged runs would squeeze the frontier into a line."""
    points = [Point("a", 1.0, 0.5), Point("b", 10.0, 0.9), Point("bad", 5.0, -1e300), Point("worse", 6.0, -1e9)]
    layout = figure(points, maximize=True)["layout"]
    low, high = layout["yaxis"]["range"]
    assert -0.5 < low < 0.5
    assert 0.9 < high < 1.0
    assert "2 of 4 runs" in layout["annotations"][0]["text"]
    json.dumps(figure(points, maximize=False), allow_nan=False)


def test_all_in_the_picture_needs_no_note() -> None:
    points = [Point("a", 1.0, 0.5), Point("b", 10.0, 0.9)]
    assert "annotations" not in figure(points, maximize=True)["layout"]


def test_one_run_has_a_window_around_it() -> None:
    (low, high), hidden = window([0.0], [0.0], maximize=False)
    assert low < 0 < high
    assert hidden == 0


def test_texts_of_users_are_escaped() -> None:
    point = Point("<b>", 1.0, 2.0, {"<i>": "</script>"})
    assert "<i>" not in point.text
    assert "</script>" not in point.text
    assert "&lt;b&gt;" in point.text


def test_every_role_has_a_colour_in_both_themes() -> None:
    assert palette.LIGHT.keys() == palette.DARK.keys()
    shown: Any = figure([Point("a", 1.0, 0.5, is_marked=True), Point("b", 10.0, 0.9)], maximize=True)
    for colors in (palette.LIGHT, palette.DARK):
        assert '"@' not in json.dumps(themed(shown, colors))


def test_print_is_light() -> None:
    """Dark colours are for screens only."""
    assert "@media screen and (prefers-color-scheme: dark)" in palette.style_sheet()


def test_objectives_over_a_decade_are_shown_by_their_logarithm() -> None:
    points = [Point(str(i), 10.0**i, 2.0 / 5**i) for i in range(4)]
    axis = figure(points, maximize=False)["layout"]["yaxis"]
    assert axis["type"] == "log"
    assert axis["range"][0] < math.log10(points[-1].objective)
    assert axis["range"][1] > math.log10(points[0].objective)
    below = [*points, Point("below", 1.0, -1.0)]
    assert figure(below, maximize=False)["layout"]["yaxis"].get("type") != "log"


@pytest.mark.parametrize("sign", [1, -1])
def test_frontier_of_one_run_leaves_room_for_the_others(sign: int) -> None:
    """Three runs that differ by a little are not squeezed to a line."""
    objectives = [sign * value for value in (0.75, 0.73, 0.65)]
    (low, high), outside = window(objectives, [sign * 0.75], maximize=sign > 0)
    assert low < sign * 0.75 < high
    assert high - low < 0.2
    assert outside == 0


@pytest.mark.parametrize("sign", [1, -1])
def test_a_cheap_run_that_diverged_is_off_the_picture_although_it_is_on_the_frontier(sign: int) -> None:
    """Nor does it make the axis logarithmic; runs that are worse by far, but no more than learning explains, stay."""
    good = [Point(str(i), 1.0 + i, 0.5 - sign * 0.1 / (1 + i)) for i in range(6)]
    layout = figure([*good, Point("bad", 0.1, 0.5 - sign * 1e6)], maximize=sign > 0)["layout"]
    low, high = layout["yaxis"]["range"]
    assert "type" not in layout["yaxis"]
    assert 0.1 < low < high < 0.9
    assert "1 of 7 runs is far worse" in layout["annotations"][0]["text"]
    assert "annotations" not in figure([*good, Point("poor", 0.1, 0.5 - sign)], maximize=sign > 0)["layout"]


def test_ticks_are_those_of_what_is_shown() -> None:
    """A run of 1e80 off the picture must not take them away."""
    points = [Point(str(i), 10.0**i, 2.0 / 5**i) for i in range(4)]
    axis = figure([*points, Point("bad", 1e4, 1e80)], maximize=False)["layout"]["yaxis"]
    assert (axis["type"], axis["dtick"]) == ("log", 1)


@pytest.mark.parametrize("sign", [1, -1])
def test_progress_begins_where_runs_do_not_diverge(sign: int) -> None:
    best = [sign * value for value in (-1e9, -1e9, 0.2, 0.3, 0.4, 0.41)]
    shown = shown_progress(best, is_log=False)
    assert shown is not None
    assert all(shown[0] < value < shown[1] for value in best[2:])
    assert shown[1] - shown[0] < 1
    assert shown_progress(best[2:], is_log=False) is None
    assert shown_progress([], is_log=False) is None
