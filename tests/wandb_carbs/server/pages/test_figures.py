"""The figures of a sweep's page."""

from __future__ import annotations

import json
from typing import Any

from wandb_carbs.server.pages import figures
from wandb_carbs.server.sweeps.run_rows import RunRow


def run(name: str, objective: float, cost: float, **config: Any) -> RunRow:
    return RunRow(name, f"<b>{name}</b>", "finished", "success", objective, cost, config=config, created_at=0)


def test_frontier_is_the_picture_of_the_report() -> None:
    rows = [run(f"r{i}", 10.0 - i, i + 1.0, lr=0.1) for i in range(4)] + [run("far", 1e6, 3.0)]
    made = figures.frontier(rows, "loss", "cost", maximize=False, marked="r2")
    marks = {trace["name"]: trace for trace in made["data"]}
    assert marks["runs"]["customdata"] == ["far"]
    assert marks["runs on the frontier"]["customdata"] == ["r0", "r1", "r3"]
    assert marks["this run"]["customdata"] == ["r2"]
    assert "1 of 5 runs is far worse" in made["layout"]["annotations"][0]["text"]
    assert "<b>r0" not in json.dumps(marks["runs on the frontier"]["text"]).replace("<b>&lt;b&gt;r0", "")


def test_parallel_coordinates_have_an_axis_for_each_parameter_that_varies() -> None:
    rows = [
        run("a", 1.0, 1.0, lr=1e-4, kind="x", same=1),
        run("b", 2.0, 1.0, lr=1e-2, kind=None, same=1),
        run("c", 3.0, 1.0, lr=1.0, kind="y", same=1),
    ]
    made = figures.parallel(rows, {"lr": "log", "kind": "", "same": ""}, "loss", "seconds", maximize=False)
    assert made["layout"]["xaxis"]["ticktext"] == ["seconds", "lr", "kind", "loss"]
    best = made["data"][-1]
    assert best["customdata"][0] == "a"
    assert best["y"][1:3] == [0.0, 0.0]
    assert "<b><b>" not in json.dumps(made)


def test_parallel_coordinates_have_an_axis_for_a_nested_parameter() -> None:
    """A plain sweep of W&B nests it in the run's configuration, a search names it with a dot."""
    nested: list[dict[str, Any]] = [{"trainer": {"opt": {"lr": rate}}} for rate in (1.0, 2.0, 3.0)]
    flat: list[dict[str, Any]] = [{"trainer.opt.lr": rate} for rate in (1.0, 2.0, 3.0)]
    for configs in (nested, flat):
        rows = [run(f"r{i}", float(i), 1.0 + i, **config) for i, config in enumerate(configs)]
        made = figures.parallel([*rows, run("x", 4.0, 5.0)], {"trainer.opt.lr": ""}, "loss", "cost", maximize=True)
        assert made["layout"]["xaxis"]["ticktext"] == ["cost", "trainer.opt.lr", "loss"]


def test_figures_say_how_many_runs_are_left_out() -> None:
    rows = [run(f"r{i}", float(i), 1.0 + i, lr=float(i)) for i in range(9)]
    made = figures.parallel(rows, {"lr": ""}, "loss", "cost", maximize=True, total=10)
    assert made["note"] == "The best 9 of 10 runs."
    made = figures.frontier(rows, "loss", "cost", maximize=True, total=10)
    assert made["note"].startswith("9 of the 10 runs are drawn")
    span = {"agent": "a", "title": "t", "state": "finished", "start": 0, "end": 10}
    assert figures.timeline([span], 2)["note"] == "The newest 1 of 2 runs."
    for made in (figures.timeline([span], 1), figures.frontier(rows, "loss", "cost", maximize=True, total=9)):
        assert "note" not in made


def test_progress_over_decades_is_logarithmic() -> None:
    for bests, expected in (((5.0, 0.4), "log"), ((5.0, 0.6), None), ((5.0, -1.0), None)):
        made = figures.progress([(1.0 + i, best) for i, best in enumerate(bests)], "loss", "cost")
        assert made["layout"]["yaxis"].get("type") == expected


def test_figures_of_no_runs() -> None:
    assert figures.parallel([], {"x": ""}, "loss", "cost", maximize=False) == {}
    assert figures.timeline([]) == {}
    assert figures.progress([], "loss", "cost")["data"][0]["x"] == []
    assert figures.frontier([], "loss", "cost", maximize=False) == {}
