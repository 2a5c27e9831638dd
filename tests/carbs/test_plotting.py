"""Static figures: what they show, and that they leave the caller's style alone."""

from __future__ import annotations

import sys

import matplotlib as mpl
import numpy as np
import pytest

from carbs import CarbsError, CARBSParams, CategoricalSpace, LogitSpace, LogSpace, ObservationInParam, Param
from carbs.insight import Calibration, Insight
from carbs.plotting import plot_calibration, plot_frontier, plot_scaling
from carbs.scaling import scaling_laws
from carbs.spaces.values import ParamDict

PARAMS = (
    Param("size", LogSpace(min=1, max=1e5)),
    Param("rate", LogSpace(min=1e-4, max=1)),
    Param("kind", CategoricalSpace(("a", "b"))),
)


def observe(sign: int = 1) -> list[ObservationInParam]:
    """Return 40 runs whose loss falls with the size, two repeats, one divergence and one failure."""
    rng = np.random.default_rng(0)
    runs = []
    for _ in range(40):
        size, rate = 10 ** rng.uniform(0, 4), 10 ** rng.uniform(-3, -1)
        loss = 1 + 3 * size**-0.3 + 0.3 * np.log10(rate / 1e-2) ** 2
        values: ParamDict = {"size": float(size), "rate": float(rate), "kind": "ab"[int(rng.integers(2))]}
        runs.append(ObservationInParam(values, float(-sign * loss), float(size)))
    runs += [ObservationInParam(run.input, run.output + 0.02, run.cost) for run in runs[:2]]
    runs.append(ObservationInParam({"size": 50.0, "rate": 0.9, "kind": "a"}, -sign * 1e6, 50.0))
    return [*runs, ObservationInParam({"size": 90.0, "rate": 1.0, "kind": "b"}, is_failure=True)]


@pytest.mark.parametrize("sign", [1, -1])
def test_frontier_shows_what_is_good(sign: int) -> None:
    """Runs, repeats, band, frontier and failures are named; a run that diverged does not squeeze the others."""
    figure = plot_frontier(PARAMS, observe(sign), CARBSParams(better_direction_sign=sign), cost_label="seconds")
    axes = figure.axes[0]
    legend = axes.get_legend()
    assert legend is not None
    names = [text.get_text() for text in legend.get_texts()]
    assert names == [
        "runs",
        "means of repeats",
        "90 % interval",
        "frontier, as predicted",
        "frontier, as observed",
        "failed",
    ]
    assert axes.get_xlabel() == "seconds"
    assert max(map(abs, axes.get_ylim())) < 10
    figure.canvas.draw()


def test_frontier_goes_on_to_the_largest_cost_and_numbers_are_written_out() -> None:
    """Objectives that fall by decades are logarithmic."""
    runs = [ObservationInParam({"size": 10.0**i, "rate": 0.01, "kind": "a"}, 10.0**-i, 10.0**i) for i in range(4)]
    runs.append(ObservationInParam({"size": 5e4, "rate": 0.5, "kind": "a"}, 0.5, 5e4))
    figure = plot_frontier(PARAMS, runs, CARBSParams(better_direction_sign=-1))
    (axes,) = figure.axes
    (observed,) = (line for line in axes.lines if line.get_label() == "frontier, as observed")
    assert list(np.asarray(observed.get_xdata(), float)) == [1.0, 10.0, 100.0, 1000.0, 5e4]
    assert np.asarray(observed.get_ydata(), float)[-1] == pytest.approx(1e-3)
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    figure.canvas.draw()
    assert {"1", "10", "100", "1000"} <= {text.get_text() for text in axes.get_xticklabels()}


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


def test_calibration_counts_predictions() -> None:
    rng = np.random.default_rng(0)
    predicted = rng.standard_normal(50)
    calibration = Calibration(predicted, np.ones(50), predicted + rng.standard_normal(50))
    figure = plot_calibration(calibration)
    assert figure.axes[1].get_title(loc="left") == "50 predictions"
    figure.canvas.draw()
    with pytest.raises(CarbsError, match="no prediction"):
        plot_calibration(Calibration(*np.empty((3, 0))))


def test_coverage_of_a_right_prediction_is_its_level() -> None:
    rng = np.random.default_rng(0)
    levels = np.array([0.1, 0.5, 0.9])
    seen = rng.standard_normal(20_000)
    assert Calibration(0 * seen, np.ones(20_000), seen).coverage(levels) == pytest.approx(levels, abs=0.02)
    assert Calibration(0 * seen, np.full(20_000, 0.5), seen).coverage(levels)[2] < 0.7


def test_style_of_the_caller_is_left_alone() -> None:
    before = dict(mpl.rcParams)
    plot_frontier(PARAMS, observe())
    assert dict(mpl.rcParams) == before


def test_missing_matplotlib_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(CarbsError, match=r"wandb-carbs\[plot\]"):
        plot_frontier(PARAMS, observe())


def test_too_few_runs_are_said() -> None:
    with pytest.raises(CarbsError, match="2 different configurations succeeded"):
        plot_frontier(PARAMS, observe()[:2])


def test_importance_tells_what_matters() -> None:
    """The size drives the cost and most of the objective, the rate some of it; the choice does nothing."""
    importance = {item.name: item for item in Insight(PARAMS, observe()[:40]).importance()}
    assert importance["size"].cost > 0.9
    assert importance["rate"].cost < 0.05
    assert importance["size"].objective > importance["rate"].objective > 2 * importance["kind"].objective


def test_dependence_varies_one_parameter() -> None:
    """The grid covers the space, the others are held, and the best rate is where it is."""
    insight = Insight(PARAMS, observe()[:40])
    with pytest.raises(CarbsError, match="no hyperparameter is called 'epochs'"):
        insight.dependence("epochs", 1.0)
    with pytest.raises(CarbsError, match="cost=0 must be a positive"):
        insight.best_at(0)
    with pytest.raises(CarbsError, match="config=5 must be a CARBSParams"):
        Insight(PARAMS, observe()[:40], 5)  # type: ignore[arg-type]
    found = insight.dependence("rate", 1e3)
    assert found.values[0] == pytest.approx(1e-4)
    assert found.values[-1] == pytest.approx(1.0)
    best = float(found.values[int(np.argmax(found.believed.objective))])
    assert best == pytest.approx(1e-2, rel=1.5)
    assert insight.dependence("kind", 1e3).values == ["a", "b"]
