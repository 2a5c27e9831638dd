"""Parts of figures are JSON, and hold no markup of users."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from wandb_carbs.figures import drawing


def test_values_become_json() -> None:
    values = drawing.plain(np.array([1.0, math.nan, math.inf]))
    assert values == [1.0, None, None]
    assert json.dumps(drawing.plain([np.int64(3), "x", None])) == '[3, "x", null]'


def test_texts_are_escaped_and_numbers_short() -> None:
    assert [drawing.text(value) for value in ("<b>", 1 / 3, 7, None)] == ["&lt;b&gt;", "0.3333", "7", "None"]
    assert drawing.axis("<i>")["title"]["text"] == "&lt;i&gt;"


def test_long_titles_of_small_figures_keep_their_end() -> None:
    assert drawing.brief("learning_rate") == "learning_rate"
    assert drawing.brief("optimizer.param_groups.embedding.lr_multiplier") == "…ups.embedding.lr_multiplier"


@pytest.mark.parametrize(
    ("values", "dtick"),
    [
        ([1, 5], None),
        ([1, 10], "D2"),
        ([1, 99], "D2"),
        ([1, 1000], 1),
        ([1e-300, 1e300], 75),
        ([], None),
        ([0, None, 5], None),
    ],
)
def test_logarithmic_axes_have_few_ticks(values: list[float | None], dtick: int | str | None) -> None:
    axis = drawing.axis("x", values, log=True)
    assert axis["type"] == "log"
    assert axis.get("dtick") == dtick


def test_a_figure_has_its_traces_and_titles() -> None:
    made = drawing.figure([drawing.line([1, 2], [3, 4], "@law")], "cost", "loss", log_x=True, height=200)
    assert made["data"][0]["y"] == [3, 4]
    layout = made["layout"]
    assert (layout["xaxis"]["title"]["text"], layout["yaxis"]["title"]["text"]) == ("cost", "loss")
    assert (layout["xaxis"]["type"], layout["height"]) == ("log", 200)
    assert "type" not in layout["yaxis"]


def test_a_band_is_filled_between_its_ends() -> None:
    low, high = drawing.band([1, 2], [0, 1], [2, 3], "90 %", "@law")
    assert (low["y"], high["y"], high["fill"], high["fillcolor"]) == ([0, 1], [2, 3], "tonexty", "@law-band")


def test_roles_are_replaced_wherever_they_are() -> None:
    figure = {"a": ["@run", {"b": "@law-band"}, "@", "mail@run", 3]}
    assert drawing.themed(figure, {"run": "grey", "law-band": "green"}) == {
        "a": ["grey", {"b": "green"}, "@", "mail@run", 3]
    }


@pytest.mark.parametrize(("at_top", "y"), [(True, 1), (False, 0)])
def test_a_note_is_in_a_corner(at_top: bool, y: int) -> None:
    made = drawing.note("<b>x</b>", at_top=at_top)
    assert (made["text"], made["x"], made["y"]) == ("<b>x</b>", 1, y)


def test_predictions_below_zero_are_raised_to_the_edge_and_keep_their_labels() -> None:
    line = {**drawing.line([1, 2, 3], [0.5, -0.25, None], "@law"), "hovertemplate": "%{y:.5g} at %{x}"}
    raised = drawing.raised(line, 0.01)
    assert raised["y"] == [0.5, 0.01, None]
    assert raised["text"] == ["0.5", "-0.25", ""]
    assert raised["hovertemplate"] == "%{text} at %{x}"
    positive = drawing.line([1], [0.5], "@law")
    assert drawing.raised(positive, 0.01) == positive
    edge, _ = drawing.band([1], [-1.0], [1.0], "90 %", "@law")
    assert drawing.raised(edge, 0.01) == {**edge, "y": [0.01]}
