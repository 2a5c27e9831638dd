"""Points on a run's way: their definition is checked, and their record is read as it was written."""

from __future__ import annotations

from typing import Any

import pytest

from carbs import CarbsError, CategoricalSpace, LinearSpace, LogSpace, OrdinalSpace, Param, Pow2Space, SearchSpace
from wandb_carbs.sweep.progress import Point, Progress, points_in, read_points, to_text, value_at

PARAMS = (
    Param("lr", LogSpace(1e-4, 1e-1)),
    Param("epochs", LogSpace(2, 100, is_integer=True)),
    Param("optimizer", CategoricalSpace(("adam", "sgd"))),
    Param("rounds", OrdinalSpace((5, 10, 20))),
    Param("size", OrdinalSpace(("small", "large"))),
)
POINTS = (Point(5, 0.5, 12.0), Point(20, 0.25, 48.5))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("epochs", Progress("epochs")),
        ({"parameter": "epochs", "metric": "epoch"}, Progress("epochs", "epoch")),
        ({"parameter": "epochs", "metric": "epoch", "first": 0}, Progress("epochs", "epoch", 0)),
        ({"parameter": "epochs", "metric": "epoch", "stop": True}, Progress("epochs", "epoch", stop=True)),
    ],
)
def test_a_definition_is_read_in_both_forms_and_kept_as_it_was(given: Any, expected: Progress) -> None:
    assert Progress.parse(given) == expected
    assert expected.described == given


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (5, "5 must be the name of a hyperparameter"),
        ("", "'' must be the name of a hyperparameter"),
        (["epochs"], "must be the name of a hyperparameter"),
        ({"parameter": "epochs"}, "'metric' is missing"),
        ({"metric": "epoch"}, "'parameter' is missing"),
        ({"parameter": "epochs", "metric": "epoch", "start": 0}, "key 'start' is unknown"),
        ({"parameter": "epochs", "metric": "epoch", "first": 2}, "first=2 must be 0 or 1"),
        ({"parameter": "epochs", "metric": "epoch", "first": True}, "first=True must be 0 or 1"),
        ({"parameter": "epochs", "metric": "epoch", "stop": "yes"}, "stop='yes' must be true or false"),
        ({"parameter": "epochs", "metric": 3}, "metric=3 must be the name"),
        ({"parameter": "epochs", "metric": " "}, "metric=' ' must be the name"),
        ({"parameter": 3, "metric": "epoch"}, "parameter=3 must be the name"),
    ],
)
def test_an_unclear_definition_is_refused(given: Any, problem: str) -> None:
    with pytest.raises(CarbsError, match=problem):
        Progress.parse(given)


def test_only_an_agent_that_reads_points_stops_runs() -> None:
    with pytest.raises(CarbsError, match="needs a 'metric'; a program that reports points itself asks trial"):
        Progress("epochs", stop=True)
    assert "stops runs that will hardly improve" in Progress("epochs", "epoch", stop=True).words({})
    assert "stops" not in Progress("epochs", "epoch").words({})


def test_all_problems_of_a_definition_are_named_at_once() -> None:
    with pytest.raises(CarbsError) as caught:
        Progress.parse({"first": "0", "metrics": "epoch"})
    assert {problem.key for problem in caught.value.problems} == {"first", "metrics", "parameter", "metric"}


@pytest.mark.parametrize(
    ("progress", "objective", "problem"),
    [
        (Progress("epoch"), None, "parameter='epoch' must be the name of a hyperparameter; did you mean 'epochs'?"),
        (Progress("steps"), None, "parameter='steps' is a constant of the sweep, 1, and must be a number above 1"),
        (Progress("amp"), None, "parameter='amp' is a constant of the sweep, True, and must be a number"),
        (Progress("rate"), None, "parameter='rate' is a constant of the sweep, 'high', and must be a number"),
        (Progress("optimizer"), None, "parameter='optimizer' must be a hyperparameter whose values are positive"),
        (Progress("size"), None, "parameter='size' must be a hyperparameter whose values are positive"),
        (Progress("epochs", "epoch"), None, "metric='epoch' needs the name of the sweep's metric"),
        (Progress("epochs", "epoch"), "carbs.objective", "metric='epoch' needs the name of the sweep's metric"),
        (Progress("epochs", "loss"), "loss", "metric='loss' must be another metric"),
    ],
)
def test_a_definition_that_does_not_fit_its_sweep_has_problems(
    progress: Progress, objective: str | None, problem: str
) -> None:
    [found] = progress.problems(PARAMS, objective, {"steps": 1, "amp": True, "rate": "high"})
    assert str(found).startswith(problem)


@pytest.mark.parametrize(
    "progress", [Progress("epochs"), Progress("rounds"), Progress("epochs", "epoch"), Progress("epochs", "epoch", 1)]
)
def test_a_definition_that_fits_has_none(progress: Progress) -> None:
    assert progress.problems(PARAMS, "loss") == []
    assert progress.parameter in progress.words({})
    is_open = bool(progress.metric) and progress.first is None
    assert progress.words({}).endswith("; if it is 0 then, write `first: 0`") == is_open


@pytest.mark.parametrize(
    ("value", "smaller", "too_small"), [(1000, 1, 0), (2, 1, 0), (0.5, 0.25, 1e-9), (50.0, 2.5, 0.01)]
)
def test_a_constant_is_the_length_of_all_runs(value: float, smaller: float, too_small: float) -> None:
    """It is a hyperparameter that no suggestion changes, and that points on the way of a run have smaller values of."""
    progress, constants = Progress("steps", "step"), {"steps": value}
    assert progress.problems(PARAMS, "loss", constants) == []
    assert f"every run is {value!r} long" in progress.words(constants)
    length = progress.length(constants)
    assert length is not None
    assert length.fixed == value
    assert not length.problems()
    assert value_at(length.space, smaller) == smaller
    assert value_at(length.space, too_small) is None
    assert Progress("epochs").length(constants) is None


@pytest.mark.parametrize(
    ("space", "done", "value"),
    [
        (LogSpace(2, 100, is_integer=True), 3.0000000000000004, 3),
        (LogSpace(2, 100, is_integer=True), 2.5, None),
        (LogSpace(2, 100, is_integer=True), 1.0, None),
        (LogSpace(2, 100, is_integer=True), 101.0, None),
        (LogSpace(0.5, 100), 2.5, 2.5),
        (LinearSpace(0, 9), 0.0, None),
        (LinearSpace(0, 9), float("inf"), None),
        (OrdinalSpace((5, 10, 20)), 10.0, 10),
        (OrdinalSpace((5, 10, 20)), 11.0, None),
        (Pow2Space(4, 64), 16.0, 16),
        (Pow2Space(4, 64), 17.0, None),
    ],
)
def test_a_way_leads_through_the_values_of_the_space_alone(space: Any, done: float, value: float | None) -> None:
    found = value_at(space, done)
    assert (found, type(found)) == (value, type(value))


def test_points_are_read_as_they_were_written_and_are_observations_of_their_own_configurations() -> None:
    assert read_points(to_text(POINTS)) == POINTS
    space = SearchSpace(PARAMS[:2])
    found, problem = points_in(to_text(POINTS[::-1]), "epochs", space, {"lr": 0.01, "epochs": 50})
    assert problem == ""
    assert [(seen.input, seen.output, seen.cost) for seen in found] == [
        ({"lr": 0.01, "epochs": 5}, 0.5, 12.0),
        ({"lr": 0.01, "epochs": 20}, 0.25, 48.5),
    ]
    found, problem = points_in("[[1, 0.5, 1.0]]", "epochs", space, {"lr": 0.01, "epochs": 50})
    assert found == ()
    assert problem.startswith("point at 1: parameter 'epochs': value 1 must be between")
    for place in ("50", "50.0000000001", "60"):
        found, problem = points_in(f"[[5, 0.5, 1.0], [{place}, 0.5, 2.0]]", "epochs", space, {"lr": 0.01, "epochs": 50})
        assert found == ()
        assert f"point at {float(place):g}" in problem
    assert "epochs=60 must be before the run's own, 50" in problem
    assert points_in("[[3, 0.5, 1.0]]", "epochs", space, None)[1] == "the run's configuration cannot be read"
    assert "is no list of at most 8 points" in points_in("7", "epochs", space, {"lr": 0.01, "epochs": 50})[1]


@pytest.mark.parametrize(
    "text",
    [
        None,
        7,
        "",
        "{}",
        "[1, 2, 3]",
        "[[1, 2]]",
        "[[1, 2, 3, 4]]",
        '[[1, "0.5", 3]]',
        "[[1, NaN, 3]]",
        "[[0, 0.5, 3]]",
        "[[1, 0.5, 0]]",
        "[[1, 0.5, true]]",
        "[[1, 0.5, 1e999]]",
        "[" * 50_000,
        to_text([Point(i, 0.5, 1.0) for i in range(1, 10)]),
    ],
)
def test_a_record_that_is_no_curve_is_refused(text: Any) -> None:
    with pytest.raises(CarbsError, match="is no list of at most 8 points"):
        read_points(text)
