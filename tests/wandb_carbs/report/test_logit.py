"""Hyperparameters that are searched by their logit are drawn by it, with ticks and labels that show their values."""

from __future__ import annotations

import json

import pytest

from carbs import LogitSpace, LogSpace
from wandb_carbs.figures import drawing
from wandb_carbs.report.logit import on_logit_axis

VALUES = [0.9, 0.99, 0.999, 0.9999, 1.0]


def test_nines_are_at_equal_distances_and_named_as_they_are() -> None:
    band = drawing.band([1, 2], [0.9, 0.9], [0.99, 0.99], "90 %", "@law")
    figure = drawing.figure([drawing.marks(list(range(5)), VALUES, "@run", 4), *band], "cost", "momentum", log_x=True)
    drawn = on_logit_axis(figure, "y", LogitSpace(0.9, 0.9999))
    json.dumps(drawn, allow_nan=False)
    axis = drawn["layout"]["yaxis"]
    assert axis["title"] == figure["layout"]["yaxis"]["title"]
    assert axis["ticktext"] == ["0.9", "0.99", "0.999", "0.9999"]
    assert axis["tickvals"] == pytest.approx([0.954, 1.996, 3.0, 4.0], abs=1e-3)
    runs = drawn["data"][0]
    assert runs["y"] == [*(pytest.approx(place) for place in axis["tickvals"]), None]
    assert (runs["x"], runs["hovertemplate"]) == (list(range(5)), "(%{x}, %{customdata})")
    assert runs["customdata"][3] == "0.9999"
    assert axis["range"][0] < axis["tickvals"][0] < axis["tickvals"][-1] < axis["range"][1]
    assert all("hovertemplate" not in trace for trace in drawn["data"][1:])
    assert drawn["layout"]["xaxis"] == figure["layout"]["xaxis"]
    assert figure["data"][0]["y"] == VALUES


def test_other_spaces_and_figures_without_values_are_left_alone() -> None:
    figure = drawing.figure([drawing.line([0.1, 0.2], [1, 2], "@law")], "rate", "loss")
    assert on_logit_axis(figure, "x", LogSpace(0.1, 0.2)) is figure
    empty = drawing.figure([drawing.line([], [], "@law")], "rate", "loss")
    assert on_logit_axis(empty, "x", LogitSpace())["data"][0]["x"] == []
