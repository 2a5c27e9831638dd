"""The figure of scaling laws: its panels."""

from __future__ import annotations

import pytest

from carbs import CarbsError, LogitSpace, LogSpace, ObservationInParam, Param
from carbs.plotting import plot_scaling
from carbs.scaling import scaling_laws
from carbs.spaces.values import ParamDict
from sized_runs import PARAMS, observe


def test_long_names_keep_their_end_above_a_panel() -> None:
    name = "optimizer.param_groups.embedding.rate"
    runs = [
        ObservationInParam({"size": run.input["size"], name: run.input["rate"]}, run.output, run.cost)
        for run in observe()
        if not run.is_failure
    ]
    params = [PARAMS[0], Param(name, LogSpace(min=1e-4, max=1))]
    figure = plot_scaling(scaling_laws(params, runs, num_bootstrap=4), params, runs)
    titles = [axes.get_title(loc="left") for axes in figure.axes if axes.get_visible()]
    assert titles[2].startswith("…ram_groups.embedding.rate: ")


def test_scaling_has_a_panel_for_each_law() -> None:
    laws = scaling_laws(PARAMS, observe(), num_bootstrap=4)
    figure = plot_scaling(laws, PARAMS, observe())
    titles = [axes.get_title(loc="left") for axes in figure.axes if axes.get_visible()]
    assert [title.split(":")[0] for title in titles] == ["objective", "size", "rate"]
    assert ["no evidence" in title for title in titles[1:]] == [not law.is_scaling for law in laws.params]
    figure.canvas.draw()


def test_the_law_of_a_logit_space_has_ticks_at_its_nines() -> None:
    def moved(values: ParamDict) -> ParamDict:
        return {"size": values["size"], "momentum": 1 - float(values["rate"]) / 10}

    runs = [ObservationInParam(moved(run.input), run.output, run.cost) for run in observe() if not run.is_failure]
    params = [PARAMS[0], Param("momentum", LogitSpace(min=0.9, max=0.9999))]
    figure = plot_scaling(scaling_laws(params, runs, num_bootstrap=4), params, runs)
    figure.canvas.draw()
    axes = figure.axes[2]
    assert axes.get_yscale() == "logit"
    labels = [text.get_text() for text in axes.get_yticklabels()]
    assert {"0.99", "0.999"} <= set(labels) <= {"0.9", "0.99", "0.999", "0.9999"}


def test_scaling_refuses_costs_too_far_away() -> None:
    laws = scaling_laws(PARAMS, observe(), num_bootstrap=4)
    with pytest.raises(CarbsError, match="too far"):
        plot_scaling(laws, PARAMS, observe(), cost=1e12)
