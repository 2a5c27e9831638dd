"""The data that the programs of the pages ask for."""

from __future__ import annotations

import json

from site_of_runs import CONFIG, DEFINITION, EVIL, Site


def test_figures_of_a_sweep(site: Site) -> None:
    found = site.data(f"sweeps/{site.sweep}")
    stairs, runs, frontier = found["frontier"]["data"]
    assert (stairs["x"], stairs["y"]) == ([1.0, 10.0], [2.0, 1.0])
    assert (runs["x"], runs["y"]) == ([5.0], [3.0])
    assert (frontier["x"], frontier["y"], frontier["customdata"]) == ([1.0, 10.0], [2.0, 1.0], ["r1", "r0"])
    assert "<script" not in json.dumps(found)
    assert found["progress"]["data"][0]["x"] == [10.0, 16.0]
    assert found["progress"]["data"][0]["y"] == [1.0, 1.0]
    assert {name for trace in found["parallel"]["data"] for name in trace["customdata"]} == {"r0", "r1", "r2"}
    marked = site.data(f"sweeps/{site.sweep}?run=r2")
    assert list(marked) == ["frontier"]
    assert marked["frontier"]["data"][-1]["x"] == [5.0]


def test_run_of_another_sweep_is_not_drawn(site: Site) -> None:
    values = {"config": json.dumps(CONFIG), "projectName": "p", "description": json.dumps(DEFINITION)}
    made = site.graphql("mutation M($i: UpsertSweepInput!) { upsertSweep(input: $i) { sweep { name } } }", i=values)
    assert site.data(f"sweeps/{made['upsertSweep']['sweep']['name']}?run=r2") == {"frontier": {}}


def test_charts_of_a_run(site: Site) -> None:
    found = site.data("runs/r0/history")["series"]
    assert set(found) == {"loss", "a/b", EVIL}
    assert found["loss"] == {
        "step": [0, 1, 2, 3, 4],
        "time": [0, 0.5, 1, 1.5, 2],
        "value": [9, 8, 7, 6, 5],
        "points": 5,
    }


def test_one_metric_of_all_runs(site: Site) -> None:
    found = site.data(f"sweeps/{site.sweep}/metric?key=loss")
    assert [run["name"] for run in found["runs"]] == ["alive", "r2", "r1", "r0"]
    assert found["left_out"] == 0


def test_output_of_a_run(site: Site) -> None:
    found = site.data("runs/r0/console")
    assert found["total"] == 2
    assert found["lines"][0] == {
        "number": 0,
        "timestamp": "2026-11-27T00:00:00.5",
        "level": "error",
        "label": None,
        "line": EVIL,
    }
