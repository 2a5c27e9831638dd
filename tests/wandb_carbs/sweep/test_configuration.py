"""CARBS parameters become the configuration of a W&B sweep."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest

from carbs import CarbsError, CARBSParams, CategoricalSpace, LinearSpace, LogitSpace, LogSpace, Param, Pow2Space, Space
from wandb_carbs import SweepDefinition, sweep_configuration
from wandb_carbs.sweep.progress import Progress
from wandb_carbs.sweep.reading import Reading

INF = float("inf")

PARAMS = [
    Param("lr", LogSpace(min=1e-5, max=1e-1)),
    Param("batch", LinearSpace(min=16, max=128, is_integer=True)),
    Param("units", LogSpace(min=1, is_integer=True, rounding_factor=8), search_center=64),
    Param("gamma", LogitSpace(), search_center=0.9),
    Param("width", Pow2Space(min=4, max=64)),
    Param("activation", CategoricalSpace(("relu", "gelu"))),
]


def distribution(space: Space, center: Any = None) -> dict[str, Any]:
    configuration = sweep_configuration("s", [Param("p", space, center)])
    result: dict[str, Any] = configuration["parameters"]["p"]
    return result


@pytest.mark.parametrize(
    ("space", "expected"),
    [
        (LinearSpace(min=0, max=2), {"distribution": "uniform", "min": 0.0, "max": 2.0}),
        (LinearSpace(min=1, max=9, is_integer=True), {"distribution": "int_uniform", "min": 1, "max": 9}),
        (LinearSpace(min=0.5, max=9.5, is_integer=True), {"distribution": "int_uniform", "min": 1, "max": 9}),
        (LinearSpace(min=0.5, max=1.5, is_integer=True), {"value": 1}),
        (LogSpace(min=1e-5, max=0.1), {"distribution": "log_uniform_values", "min": 1e-5, "max": 0.1}),
        (
            LogSpace(min=8, max=512, is_integer=True, rounding_factor=8),
            {"distribution": "q_log_uniform_values", "min": 8, "max": 512, "q": 8},
        ),
        (LogitSpace(), {"distribution": "uniform", "min": 0.0, "max": 1.0}),
        (LogitSpace(min=0.5), {"distribution": "uniform", "min": 0.5, "max": 1.0}),
        (Pow2Space(min=4, max=32), {"values": [4, 8, 16, 32]}),
        (CategoricalSpace(("a", 2, True)), {"values": ["a", 2, True]}),
    ],
)
def test_bounded_space(space: Space, expected: dict[str, Any]) -> None:
    assert distribution(space) == expected


@pytest.mark.parametrize(
    ("space", "center", "kind"),
    [
        (LinearSpace(), 3.0, "normal"),
        (LinearSpace(min=0), 3.0, "normal"),
        (LinearSpace(max=10), 3.0, "normal"),
        (LinearSpace(min=0, is_integer=True), 3, "q_normal"),
        (LogSpace(), 3.0, "log_normal"),
        (LogSpace(min=0, max=10), 3.0, "log_normal"),
        (LogSpace(min=1), 3.0, "log_normal"),
        (LogSpace(min=1, is_integer=True), 3, "q_log_normal"),
    ],
)
def test_open_space_spreads_around_its_center(space: Space, center: float, kind: str) -> None:
    found = distribution(space, center)
    assert found["distribution"] == kind
    assert found["mu"] == pytest.approx(math.log(center) if "log" in kind else center)
    assert 0 < found["sigma"] < INF
    assert ("q" in found) == kind.startswith("q_")


def test_open_log_space_spreads_over_a_decade() -> None:
    assert distribution(LogSpace(), 1.0)["sigma"] == pytest.approx(math.log(10))


def test_open_pow2_space_lists_finite_values() -> None:
    values = distribution(Pow2Space())["values"]
    assert values[0] == 1
    assert values[-1] == 2**62


def test_everything_is_finite() -> None:
    json.dumps(sweep_configuration("s", PARAMS), allow_nan=False)


@pytest.mark.parametrize(("sign", "goal"), [(1, "maximize"), (-1, "minimize")])
def test_goal_follows_the_sign(sign: int, goal: str) -> None:
    found = sweep_configuration("s", PARAMS, CARBSParams(better_direction_sign=sign))
    assert found["metric"] == {"name": "carbs.objective", "goal": goal}
    assert found["method"] == "random"


def test_parameters_of_a_file_join_the_others_and_constants_reach_every_run() -> None:
    found = sweep_configuration(
        "s",
        [Param("width", Pow2Space(min=4, max=64))],
        parameters={
            "optimizer": {"parameters": {"lr": {"min": 0.1, "max": 1.0}, "momentum": {"value": 0.9}}},
            "epochs": {"value": 3},
            "dropout": {"values": [0.0, 0.1, 0.2]},
        },
    )
    assert found["parameters"] == {
        "width": {"values": [4, 8, 16, 32, 64]},
        "optimizer": {
            "parameters": {
                "lr": {"distribution": "uniform", "min": 0.1, "max": 1.0},
                "momentum": {"value": 0.9},
            }
        },
        "epochs": {"value": 3},
        "dropout": {"values": [0.0, 0.1, 0.2]},
    }
    searched = SweepDefinition.from_json(found["description"]).params
    assert [param.name for param in searched] == ["width", "optimizer.lr", "dropout"]


def test_constants_alone_may_join_the_others() -> None:
    found = sweep_configuration("s", PARAMS, parameters={"epochs": {"value": [1, None]}})
    assert found["parameters"]["epochs"] == {"value": [1, None]}


def test_a_configuration_to_run_first_may_name_constants_be_they_mappings() -> None:
    data = {"path": "x", "sizes": [1, 2]}
    nested = {"optimizer": {"parameters": {"momentum": {"value": 0.9}, "decay": {"values": [0, 1]}}}}
    first = {"lr": 0.01, "data": data, "optimizer": {"momentum": 0.9, "decay": 1}}
    parameters = {"lr": {"min": 0.001, "max": 0.1}, "data": {"value": data}, **nested}
    found = sweep_configuration("s", [], parameters=parameters, initial=[first])
    assert SweepDefinition.from_json(found["description"]).initial == ({"lr": 0.01, "optimizer.decay": 1},)
    first["data"] = {**data, "path": "y"}
    words = r"initial\[0\]: data={'path': 'y', .*} must be {'path': 'x', .*}, as in the whole sweep"
    with pytest.raises(CarbsError, match=words):
        sweep_configuration("s", [], parameters=parameters, initial=[first])
    text: Any = "lr=1"
    with pytest.raises(CarbsError, match="must be a list of configurations"):
        sweep_configuration("s", [], parameters=parameters, initial=text)


def test_program_without_a_command_gets_no_arguments_of_wandb() -> None:
    found = sweep_configuration("s", PARAMS, program="train.py")
    assert found["command"] == ["${env}", "${interpreter}", "${program}"]
    assert SweepDefinition.from_json(found["description"]).passes_arguments
    for options in ({"command": ["python", "train.py", "${args}"], "program": "train.py"}, {"command": ["x"]}, {}):
        given: dict[str, Any] = sweep_configuration("s", PARAMS, **options)
        assert given.get("command") == options.get("command")
        assert not SweepDefinition.from_json(given["description"]).passes_arguments


def test_early_terminate_that_wandb_would_refuse_is_an_error() -> None:
    rule = {"type": "hyperband", "min_iter": 3}
    assert sweep_configuration("s", PARAMS, early_terminate=rule)["early_terminate"] == rule
    assert "early_terminate" not in sweep_configuration("s", PARAMS, early_terminate=None)
    with pytest.raises(CarbsError, match=r"early_terminate.type 'median' .*\n.*early_terminate needs min_iter"):
        sweep_configuration("s", PARAMS, early_terminate={"type": "median"})


def test_how_metric_and_cost_are_read_and_words_are_kept_in_the_definition() -> None:
    found = sweep_configuration(
        "s",
        PARAMS,
        metric_name="loss",
        metric_how="mean 10",
        cost={"name": "tokens", "how": "best"},
        description="Größe matters",
    )
    definition = SweepDefinition.from_json(found["description"])
    assert definition.metric == Reading("loss", "mean", 10)
    assert definition.cost == Reading("tokens", "best")
    assert definition.description == "Größe matters"
    by_default = SweepDefinition.from_json(
        sweep_configuration("s", PARAMS, metric_name="loss", cost="runtime")["description"]
    )
    assert (by_default.metric, by_default.cost) == (None, None)


def test_the_hyperparameter_that_a_run_passes_through_is_kept_in_the_definition() -> None:
    described = {"parameter": "batch", "metric": "step", "first": 0}
    for given in ("batch", described):
        found = sweep_configuration("s", PARAMS, metric_name="loss", progress=given)
        definition = SweepDefinition.from_json(found["description"])
        assert definition.progress == Progress.parse(given)
    assert SweepDefinition.from_json(sweep_configuration("s", PARAMS)["description"]).progress is None


def test_a_constant_that_is_the_length_of_all_runs_is_kept_as_a_fixed_hyperparameter() -> None:
    """For W&B it is the constant that it was, and nothing of a run's own schedule has to be known."""
    for value, least in ((50, 1), (0.5, 0.0005)):
        found = sweep_configuration(
            "s",
            PARAMS,
            progress="steps",
            parameters={"steps": {"value": value}, "seed": {"value": 1}},
            initial=[{"lr": 1e-3}, {"lr": 1e-2, "steps": value}],
        )
        assert found["parameters"]["steps"] == {"value": value}
        definition = SweepDefinition.from_json(found["description"])
        assert definition.is_length_fixed
        assert not replace(definition, progress=None).is_length_fixed
        assert definition.params[:-1] == tuple(PARAMS)
        length = LogSpace(min=least, max=value, is_integer=value == 50)
        assert definition.params[-1] == Param("steps", length, fixed=value)
        carbs = definition.optimizer()
        firsts = [carbs.suggest().suggestion for _ in range(3)]
        assert [first["lr"] for first in firsts[:2]] == [1e-3, 1e-2]
        assert [first["steps"] for first in firsts] == [value] * 3
        fixed = sweep_configuration("s", definition.params, progress="steps")
        assert fixed["parameters"]["steps"] == {"value": value}
        assert SweepDefinition.from_json(fixed["description"]).params == definition.params
    assert not SweepDefinition.from_json(sweep_configuration("s", PARAMS)["description"]).is_length_fixed


@pytest.mark.parametrize(
    ("progress", "problem"),
    [
        ("epochs", "progress: parameter='epochs' must be the name of a hyperparameter"),
        ("activation", "progress: parameter='activation' must be a hyperparameter whose values are positive numbers"),
        ("steps", "progress: parameter='steps' is a constant of the sweep, 1, and must be a number above 1"),
        ({"parameter": "batch", "metric": "step"}, "progress: metric='step' needs the name of the sweep's metric"),
        ({"parameter": "batch"}, "progress: 'metric' is missing"),
        (7, "progress: 7 must be the name of a hyperparameter"),
    ],
)
def test_a_hyperparameter_that_no_run_passes_through_is_refused(progress: Any, problem: str) -> None:
    with pytest.raises(CarbsError) as caught:
        sweep_configuration("s", PARAMS, progress=progress, parameters={"steps": {"value": 1}})
    assert problem in str(caught.value)
