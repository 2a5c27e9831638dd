"""Runs of earlier times, for a new sweep to start from."""

from __future__ import annotations

import base64
import json
import urllib.request
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from carbs import (
    CarbsError,
    CARBSParams,
    CategoricalSpace,
    LogSpace,
    ObservationInParam,
    OrdinalSpace,
    Param,
    SearchSpace,
)
from tables_of_runs import CONFIG, found, table
from wandb_carbs import SweepDefinition, create_sweep
from wandb_carbs.sweep.definition import load_definition
from wandb_carbs.sweep.old_runs import members_of, read_old_runs


@pytest.mark.parametrize("ending", [".csv", ".json"])
def test_a_table_of_any_program(tmp_path: Path, ending: str) -> None:
    """Texts of a table are numbers, lists or nothing where the space has them."""
    listed: Any = [1, 2] if ending == ".json" else "[1, 2]"
    rows = [
        {"lr": 1e-3, "opt.name": "adam", "width": 16, "loss": 0.5, "seconds": 10, "note": "x"},
        {"lr": 1e-4, "opt.name": listed, "width": 8, "loss": 0.25, "seconds": 100, "note": ""},
        {"lr": 1e-2, "opt.name": None, "width": 8, "loss": 1.0, "seconds": 1, "note": ""},
    ]
    observations, notes = found({"file": table(tmp_path, rows, ending), "metric": "loss", "cost": "seconds"})
    assert observations == [
        ObservationInParam({"lr": 1e-3, "opt.name": "adam", "width": 16}, 0.5, 10.0, is_old=True),
        ObservationInParam({"lr": 1e-4, "opt.name": [1, 2], "width": 8}, 0.25, 100.0, is_old=True),
        ObservationInParam({"lr": 1e-2, "opt.name": None, "width": 8}, 1.0, 1.0, is_old=True),
    ]
    assert notes == ["start_from[0]: 3 of 3 runs are used"]


@pytest.mark.parametrize("ending", [".csv", ".json"])
def test_a_table_of_export(tmp_path: Path, ending: str) -> None:
    """Failures teach, and runs that did not end do not count."""
    values = {"lr": 1e-3, "opt.name": "adam", "width": 16}
    config = {"config": values} if ending == ".json" else {f"config.{name}": value for name, value in values.items()}
    rows = [
        {"state": "observation", "objective": 0.5, "cost": 2.0, **config},
        {"state": "failure", "objective": None, "cost": None, **config},
        {"state": "running", "objective": None, "cost": None, **config},
        {"state": "", "objective": "NaN", "cost": 1.0, **config},
    ]
    observations, _ = found(table(tmp_path, rows, ending))
    assert [(seen.output == 0.5, seen.is_failure) for seen in observations] == [
        (True, False),
        (False, True),
        (False, True),
    ]
    assert all(seen.input == values and seen.is_old for seen in observations)


def test_parameters_were_added_removed_and_bounded_anew(tmp_path: Path) -> None:
    rows = [
        {"lr": 1e-3, "opt.name": "adam", "old": 1, "epochs": 3, "objective": 1.0, "cost": 1},
        {"lr": 0.5, "opt.name": "adam", "old": 2, "epochs": 3, "objective": 1.0, "cost": 1},
        {"lr": 1e-3, "opt.name": "sgd", "old": 2, "epochs": 3, "objective": 1.0, "cost": 1},
        {"lr": 1e-3, "opt.name": "adam", "old": 2, "epochs": 4, "objective": 1.0, "cost": 1},
        {"lr": 1e-3, "opt.name": "adam", "old": 2, "epochs": 3, "objective": 1.0, "cost": 0},
    ]
    observations, notes = found(table(tmp_path, rows, ".csv"), constants={"epochs": 3})
    assert [seen.input for seen in observations] == [{"lr": 1e-3, "opt.name": "adam", "width": 8}]
    assert "1 of 5 runs are used" in notes[0]
    for reason in ("'lr' outside its space", "'opt.name' outside its space", "constant 'epochs'", "no positive cost"):
        assert f"1 with {reason}" in notes[0] or f"1 with another value of the {reason}" in notes[0]
    assert "'width' is unknown of 1 of 1 runs" in notes[1]


def test_members_of_another_task_s_frontier() -> None:
    space = SearchSpace((Param("n", OrdinalSpace(tuple(range(20)))),))
    runs = [ObservationInParam({"n": n}, float(n if n % 2 else 0), 1.0 + n) for n in range(20)]
    members = members_of(runs, space, CARBSParams())
    assert [values["n"] for values in members] == [0, 5, 13, 19]


class Project:
    """Runs of a project on the local server."""

    def __init__(self, environment: Any) -> None:
        self.server = environment.server

    def put(
        self,
        name: str,
        config: dict[str, Any],
        summary: dict[str, Any],
        sweep: str | None = None,
        rows: Sequence[dict[str, Any]] = (),
    ) -> None:
        """Add a run that has finished."""
        query = "mutation U($input: UpsertBucketInput!) { upsertBucket(input: $input) { bucket { id } } }"
        wrapped = json.dumps({key: {"value": value} for key, value in config.items()})
        values = {"entityName": "e", "modelName": "p", "name": name, "config": wrapped}
        values |= {"summaryMetrics": json.dumps(summary), **({"sweep": sweep} if sweep else {})}
        self._post("/graphql", {"query": query, "variables": {"input": values}})
        files = {"wandb-history.jsonl": {"offset": 0, "content": [json.dumps(row) for row in rows]}}
        self._post(f"/files/e/p/{name}/file_stream", {"files": files, "complete": True, "exitcode": 0})

    def _post(self, path: str, body: object) -> None:
        key = base64.b64encode(f"api:{self.server.api_key}".encode()).decode()
        headers = {"Authorization": f"Basic {key}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.server.url + path, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=30) as reply:
            assert b'"errors"' not in reply.read()


# The SDK's own sweep() does what the SDK's own settings warn of.
@pytest.mark.filterwarnings("ignore:Read the `app_url` setting:DeprecationWarning")
def test_a_sweep_starts_from_a_sweep_and_from_runs_of_a_project(
    wandb_env: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The knowledge is in the new sweep's definition: no run of it reads the old ones again."""
    project = Project(wandb_env)
    params = [Param("lr", LogSpace(1e-5, 1e-1))]
    old = create_sweep("old", "e", "p", params, config=CONFIG)
    for n in range(3):
        summary = {"carbs.state": "success", "carbs.objective": n / 4, "carbs.cost": 1.0 + n}
        # The configuration was transformed; the suggestion is the point of the search space.
        suggestion = {"carbs.suggestion": json.dumps({"lr": 10.0 ** -(n + 2)})}
        project.put(f"old{n}", {"lr": 99.0}, {**summary, **suggestion}, old)
    # Its outcome was corrected.
    project.put("failed", {"lr": 1e-1}, {"carbs.state": "failure", "carbs.objective": 0.5, "carbs.cost": 1.0}, old)
    project.put("gone", {"lr": 1e-1}, {"carbs.state": "abandoned"}, old)
    # As the SDK has it after `define_metric("val.loss", summary="min,max")`.
    project.put(
        "alone", {"lr": 2e-3, "opt": {"name": "adam"}}, {"val": {"loss": {"min": 0.125, "max": 9}}, "_runtime": 60}
    )
    adam = {"lr": 2e-3, "opt": {"name": "adam"}}
    project.put("silent", adam, {"_runtime": 60})
    project.put("diverged", adam, {"val.loss": "NaN", "_runtime": 60})
    rows = [{"val.loss": loss, "_step": step, "_timestamp": step} for step, loss in enumerate((9.0, 1.0))]
    project.put("mean", adam, {"val.loss": {"mean": 5.0}, "_runtime": 90}, rows=rows)

    caplog.set_level("INFO", "wandb_carbs")
    by_filter = {"project": "e/p", "filters": {"config.opt.name": "adam"}, "metric": "val.loss"}
    new = create_sweep(
        "new",
        "e",
        "p",
        [*params, Param("opt.name", CategoricalSpace(("adam", "sgd")))],
        config=CONFIG,
        initial=[{"lr": 3e-4, "opt": {"name": "sgd"}}],
        start_from=[f"e/p/{old}", by_filter],
    )
    assert "start_from[0]: 4 of 5 runs are used; left out: 1 with state 'abandoned'" in caplog.text
    assert "start_from[1]: 3 of 4 runs are used; left out: 1 with no number as 'val.loss'" in caplog.text
    carbs = load_definition(f"e/p/{new}").optimizer()
    seen = [
        (run.input["lr"], run.input["opt.name"], run.output, run.cost, run.is_old) for run in carbs.success_observations
    ]
    assert seen == [
        (0.01, "adam", 0.0, 1.0, True),
        (0.001, "adam", 0.25, 2.0, True),
        (0.0001, "adam", 0.5, 3.0, True),
        (0.002, "adam", 0.125, 60.0, True),
        (0.002, "adam", 1.0, 90.0, True),
    ]
    assert [run.input["lr"] for run in carbs.failure_observations] == [0.1, 0.002]
    first = carbs.suggest()
    assert (first.log["kind"], first.suggestion["lr"], first.suggestion["opt.name"]) == ("initial", 3e-4, "sgd")

    other = create_sweep("other", "e", "p", params, config=CONFIG, start_from=f"e/p/{old}", same_task=False)
    definition = load_definition(f"e/p/{other}")
    assert definition.old_runs == ()
    assert list(definition.initial) == [{"lr": 0.01}]
    with pytest.raises(CarbsError, match="optimises in the other direction"):
        create_sweep("s", "e", "p", params, start_from=f"e/p/{old}")


@pytest.mark.filterwarnings("ignore:Read the `app_url` setting:DeprecationWarning")
def test_points_on_the_ways_of_old_runs_count_too(wandb_env: Any) -> None:
    """Also those of runs that were abandoned, or whose ends do not fit, where the new search distinguishes them."""
    project = Project(wandb_env)
    rate, epochs = Param("lr", LogSpace(1e-5, 1e-1)), Param("epochs", LogSpace(1, 100, is_integer=True))
    old = create_sweep("old", "e", "p", [rate, epochs], config=CONFIG, progress="epochs")
    outcomes: dict[str, tuple[float, dict[str, Any]]] = {
        "whole": (10, {"carbs.state": "success", "carbs.objective": 0.25, "carbs.cost": 10.0}),
        "long": (50, {"carbs.state": "success", "carbs.objective": 0.125, "carbs.cost": 50.0}),
        "failed": (10, {"carbs.state": "failure"}),
        "stopped": (10, {"carbs.state": "abandoned"}),
        "gone": (10, {"carbs.state": "abandoned", "carbs.curve": "[]"}),
    }
    for name, (end, outcome) in outcomes.items():
        suggestion = json.dumps({"lr": 0.01, "epochs": end})
        way = {"carbs.suggestion": suggestion, "carbs.curve": "[[2, 1.0, 2.0], [5, 0.5, 5.0]]"}
        project.put(name, {}, {**way, **outcome}, old)

    def seen_by(*params: Param, **constants: Any) -> list[Any]:
        runs = read_old_runs([f"e/p/{old}"], SearchSpace(params), CONFIG, constants)
        notes.extend(runs.notes)
        points = [run.points for run in runs.observations]
        assert all(seen.is_old for run in (runs.observations, *points) for seen in run)
        ends = [None if run.is_failure else (run.input.get("epochs"), run.cost) for run in runs.observations]
        return [(end, [point.cost for point in way]) for end, way in zip(ends, points, strict=True)]

    notes: list[str] = []
    shorter = replace(epochs, space=LogSpace(1, 20, is_integer=True))
    whole, failed, stopped = ((10, 10.0), [2.0, 5.0]), (None, [2.0, 5.0]), ((5, 5.0), [2.0])
    assert seen_by(rate, shorter) == [whole, stopped, failed, stopped]
    assert notes == [
        "start_from[0]: 4 of 5 runs are used, with 6 points on their way; left out: 1 with state 'abandoned'"
    ]
    # Of a constant, its own value alone counts.
    assert seen_by(rate, epochs=5) == [((None, 5.0), [])] * 4
    # Without the hyperparameter all of a run's points would be its end.
    assert seen_by(rate) == [((None, 10.0), []), ((None, 50.0), []), (None, [])]
    new = create_sweep("new", "e", "p", [rate, epochs], config=CONFIG, start_from=f"e/p/{old}")
    carbs = load_definition(f"e/p/{new}").optimizer()
    assert [[point.output for point in run.points] for run in carbs.success_observations] == [
        [1.0, 0.5],
        [1.0, 0.5],
        [1.0],
    ]
    assert [[point.output for point in run.points] for run in carbs.failure_observations] == [[1.0, 0.5]]


@pytest.mark.filterwarnings("ignore:Read the `app_url` setting:DeprecationWarning")
def test_the_constants_of_an_old_sweep_are_values_of_its_runs(wandb_env: Any) -> None:
    """Of failures and of points on the way, too, and whether or not a run's own configuration has them."""
    project = Project(wandb_env)
    rate, width = Param("lr", LogSpace(1e-5, 1e-1)), Param("width", LogSpace(1, 64, is_integer=True))
    constants = {"epochs": {"value": 30}, "opt": {"parameters": {"name": {"value": "adam"}}}}
    old = create_sweep("old", "e", "p", [rate, width], config=CONFIG, parameters=constants, progress="width")
    outcomes = {"whole": {"carbs.objective": 0.25, "carbs.cost": 10.0}, "failed": {}, "gone": {}}
    for name, state in (("whole", "success"), ("failed", "failure"), ("gone", "abandoned")):
        way = {"carbs.suggestion": json.dumps({"lr": 0.01, "width": 8}), "carbs.curve": "[[2, 1.0, 2.0]]"}
        project.put(name, {}, {"carbs.state": state, **way, **outcomes[name]}, old)
    # This program has changed one, and has a parameter of its own.
    own = {"epochs": 40, "depth": 3, "lr": 0.5}
    suggestion = {"carbs.suggestion": json.dumps({"lr": 0.01, "width": 8})}
    project.put("own", own, {"carbs.state": "success", **suggestion, "carbs.objective": 0.5, "carbs.cost": 9.0}, old)

    epochs, depth = Param("epochs", LogSpace(1, 100, is_integer=True), 3), Param("depth", LogSpace(1, 9), 2)
    found = read_old_runs(f"e/p/{old}", SearchSpace((rate, width, epochs, depth)), CONFIG, {"opt.name": "adam"})
    assert [(run.input["lr"], run.input["epochs"], run.input["depth"]) for run in found.observations] == [
        (0.01, 30, 2),
        (0.01, 30, 2),
        (0.01, 30, 2),
        (0.01, 40, 3),
    ]
    assert [point.input["epochs"] for run in found.observations for point in run.points] == [30, 30]
    assert found.notes[1:] == (
        "start_from[0]: 'depth' is unknown of 3 of 4 runs, so its search centre is taken for it",
    )
    with pytest.raises(CarbsError, match=r"constant 'epochs'.*; 1 with .* 'opt.name'.*in another way"):
        read_old_runs(f"e/p/{old}", SearchSpace((rate, width)), CONFIG, {"epochs": 40, "opt.name": "sgd"})


@pytest.mark.filterwarnings("ignore:Read the `app_url` setting:DeprecationWarning")
def test_another_metric_or_cost_than_that_of_the_old_runs_is_noted(
    wandb_env: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Not where the user names both, or says that it is another task."""
    project, rate = Project(wandb_env), [Param("lr", LogSpace(1e-5, 1e-1))]
    old = create_sweep("old", "e", "p", rate, config=CONFIG, metric_name="loss")
    logged = {"loss": 0.5, "perplexity": 2.0, "flops": 9, "_runtime": 60}
    recorded = {"carbs.state": "success", "carbs.objective": 0.5, "carbs.cost": 60.0}
    project.put("run", {"lr": 0.01}, {**logged, **recorded, "carbs.suggestion": '{"lr": 0.01}'}, old)
    caplog.set_level("INFO", "wandb_carbs")

    def notes(source: Any, **options: Any) -> list[str]:
        caplog.clear()
        create_sweep("new", "e", "p", rate, config=CONFIG, start_from=source, **options)
        said = [record.getMessage() for record in caplog.records if "of its runs" in record.getMessage()]
        return [text.split("; if these differ")[0] for text in said]

    path = f"e/p/{old}"
    other: dict[str, Any] = {"metric_name": "perplexity", "cost": {"name": "flops"}}
    cost = "start_from[0]: the cost of its runs is 'runtime', and that of the new ones 'last flops'"
    objective = "start_from[0]: the objective of its runs is 'last loss', and that of the new ones "
    assert notes(path, **other) == [f"{objective}'last perplexity'", cost]
    assert notes(path) == [f"{objective}'what its program records'"]
    assert notes(path, metric_name="loss", metric_how="best") == [f"{objective}'best loss'"]
    assert notes({"project": "e/p", "metric": "perplexity"}, **other) == [cost]
    for named in ({"project": "e/p"}, {"sweep": path}):
        assert notes({**named, "metric": "perplexity", "cost": "flops"}, **other) == []
    assert notes(path, metric_name="loss") == []
    assert notes(path, **other, same_task=False) == []


@pytest.mark.filterwarnings("ignore:Read the `app_url` setting:DeprecationWarning")
def test_stopped_runs_of_a_sweep_of_the_same_length_count_with_their_points(wandb_env: Any) -> None:
    project = Project(wandb_env)
    rate = Param("lr", LogSpace(1e-5, 1e-1))

    def create(name: str, epochs: int, **options: Any) -> str:
        constants = {"epochs": {"value": epochs}}
        return create_sweep(name, "e", "p", [rate], config=CONFIG, parameters=constants, progress="epochs", **options)

    old = create("old", 50)
    outcome = {"carbs.state": "success", "carbs.objective": 0.25, "carbs.curve": "[[2, 1.0, 2.0], [5, 0.5, 5.0]]"}
    for name, epochs in (("whole", 50), ("stopped", 10)):
        suggestion = json.dumps({"lr": 0.01, "epochs": epochs})
        project.put(name, {}, {**outcome, "carbs.suggestion": suggestion, "carbs.cost": float(epochs)}, old)
    new = create("new", 50, start_from=f"e/p/{old}")
    runs = load_definition(f"e/p/{new}").optimizer().success_observations
    assert [(run.input["epochs"], run.cost, len(run.points)) for run in runs] == [(50, 50.0, 2), (10, 10.0, 2)]
    with pytest.raises(CarbsError, match="another value of the constant 'epochs'"):
        create("longer", 100, start_from=f"e/p/{old}")
    members = create("other task", 50, start_from=f"e/p/{old}", same_task=False)
    assert list(load_definition(f"e/p/{members}").initial) == [{"lr": 0.01, "epochs": 50}]


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"initial": [{"lr": 3.0}]}, r"initial\[0\]: parameter 'lr': value 3.0 must be between"),
        ({"initial": 3}, "initial=3 must be a list"),
        ({"same_task": 0}, "same_task=0 must be True or False"),
    ],
)
def test_a_wrong_start_is_an_error_before_anything_is_created(options: dict[str, Any], word: str) -> None:
    with pytest.raises(CarbsError, match=word):
        create_sweep("s", None, "p", [Param("lr", LogSpace(1e-5, 1e-1))], **options)


def test_a_definition_keeps_the_start() -> None:
    runs = (ObservationInParam({"lr": 1e-3}, 1.0, 2.0, is_old=True),)
    params = (Param("lr", LogSpace(1e-5, 1e-1)),)
    definition = SweepDefinition(params, CONFIG, initial=({"lr": 1e-2},), old_runs=runs)
    assert SweepDefinition.from_json(definition.to_json()) == definition
    with pytest.raises(CarbsError, match="value 1 must be between"):
        SweepDefinition.from_json(SweepDefinition(params, CONFIG, initial=({"lr": 1},)).to_json())
