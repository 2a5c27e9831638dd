from __future__ import annotations

import math
from typing import Any

import pytest

from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.sweeps.draws import grid_size, search_space


def draws(settings: dict[str, Any], count: int = 400) -> list[Any]:
    space = search_space({"method": "random", "parameters": {"x": settings}})
    found = [space.suggest(7, index) for index in range(count)]
    return [values["x"] for values in found if values is not None]


@pytest.mark.parametrize(
    ("settings", "low", "high", "kind"),
    [
        ({"min": 0.5, "max": 2.5}, 0.5, 2.5, float),
        ({"min": 1, "max": 6}, 1, 6, int),
        ({"distribution": "uniform", "min": 1, "max": 6}, 1, 6, float),
        ({"distribution": "uniform", "min": "1e-5", "max": 1e-3}, 1e-5, 1e-3, float),
        ({"distribution": "log_uniform_values", "min": 1e-5, "max": 1e-1}, 1e-5, 1e-1, float),
        ({"distribution": "inv_log_uniform_values", "min": 1e-5, "max": 1e-1}, 1e-5, 1e-1, float),
        ({"distribution": "log_uniform", "min": -3, "max": 3}, math.exp(-3), math.exp(3), float),
        ({"distribution": "inv_log_uniform", "min": -3, "max": 3}, math.exp(-3), math.exp(3), float),
        ({"distribution": "q_uniform", "min": 3, "max": 17, "q": 5}, 5, 15, int),
        ({"distribution": "q_uniform", "min": 0, "max": 1, "q": 0.1}, 0, 1, float),
        ({"distribution": "q_log_uniform_values", "min": 8, "max": 512, "q": 8}, 8, 512, int),
        ({"distribution": "q_log_uniform", "min": 0, "max": 5, "q": 1}, 1, math.exp(5), int),
        ({"distribution": "beta", "a": 2, "b": 3}, 0, 1, float),
        ({"distribution": "q_beta", "a": 2, "b": 3, "q": 0.25}, 0, 1, float),
        ({"distribution": "normal", "mu": 3, "sigma": 0.1}, 2, 4, float),
        ({"distribution": "q_normal", "mu": 30, "sigma": 3}, 10, 50, int),
        ({"distribution": "log_normal", "mu": 0, "sigma": 1}, 0, 100, float),
        ({"distribution": "q_log_normal", "mu": 0, "sigma": 1}, 0, 100, int),
    ],
)
def test_draws_stay_in_bounds_and_vary(settings: dict[str, Any], low: float, high: float, kind: type) -> None:
    found = draws(settings)
    assert all(low <= value <= high for value in found)
    assert {type(value) for value in found} == {kind}
    assert len(set(found)) > 2


def test_multiples_of_a_fraction_are_clean() -> None:
    found = draws({"distribution": "q_uniform", "min": 0.0, "max": 1.0, "q": 0.1})
    assert set(found) == {0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0}


def test_log_uniform_is_uniform_in_the_logarithm() -> None:
    found = draws({"distribution": "log_uniform_values", "min": 1e-4, "max": 1.0}, 2000)
    assert abs(sum(math.log10(value) for value in found) / len(found) + 2) < 0.1


def test_categories_and_constants() -> None:
    assert set(draws({"values": ["a", 2, None]})) == {"a", 2, None}
    assert set(draws({"value": "fixed"})) == {"fixed"}
    assert draws({"values": ["a", "b"], "probabilities": [0, 1]}) == ["b"] * 400


def test_draws_depend_on_seed_and_index_alone() -> None:
    space = search_space({"method": "random", "parameters": {"x": {"min": 0.0, "max": 1.0}}})
    assert space.suggest(1, 5) == space.suggest(1, 5)
    assert space.suggest(1, 5) != space.suggest(1, 6)
    assert space.suggest(1, 5) != space.suggest(2, 5)


def test_grid_visits_every_combination_once() -> None:
    space = search_space(
        {
            "method": "grid",
            "parameters": {
                "a": {"values": ["x", "y"]},
                "b": {"min": 1, "max": 3},
                "c": {"value": 0},
                "d": {"distribution": "q_uniform", "min": 0, "max": 1, "q": 0.5},
            },
        }
    )
    assert grid_size(space) == 18
    found = [space.suggest(0, index) for index in range(18)]
    assert len({str(values) for values in found}) == 18
    assert found[0] == {"a": "x", "b": 1, "c": 0, "d": 0.0}
    assert found[1] == {"a": "x", "b": 1, "c": 0, "d": 0.5}
    assert space.suggest(0, 18) is None


def test_nested_parameters_stay_nested() -> None:
    parameters = {"model": {"parameters": {"width": {"value": 8}, "deep": {"parameters": {"k": {"value": 1}}}}}}
    space = search_space({"method": "random", "parameters": parameters})
    assert space.suggest(0, 0) == {"model": {"width": 8, "deep": {"k": 1}}}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "needs 'value'"),
        (3, "must be a mapping"),
        ({"min": 1}, "needs 'value'"),
        ({"min": 2, "max": 1}, "must not exceed"),
        ({"min": 0, "max": math.inf}, "finite"),
        ({"min": 0, "max": "many"}, "finite"),
        ({"min": 0, "max": True}, "finite"),
        ({"values": []}, "at least one"),
        ({"values": [1, 2], "probabilities": [1]}, "as long as"),
        ({"values": [1, 2], "probabilities": [-1, 2]}, "negative"),
        ({"distribution": "what"}, "unknown distribution 'what'"),
        ({"distribution": "uniform", "min": 1}, "needs max"),
        ({"distribution": "log_uniform_values", "min": 0, "max": 1}, "positive min"),
        ({"distribution": "log_uniform", "min": 0, "max": 1e6}, "exponents"),
        ({"distribution": "log_uniform", "min": -1e6, "max": 1}, "underflows"),
        ({"distribution": "int_uniform", "min": 0.2, "max": 0.8}, "integer between"),
        ({"distribution": "q_uniform", "min": 1, "max": 2, "q": 5}, "multiple of q"),
        ({"distribution": "normal", "mu": 0, "sigma": 0}, "positive"),
    ],
)
def test_bad_parameter_is_named(settings: Any, message: str) -> None:
    with pytest.raises(RequestError, match=message) as caught:
        search_space({"method": "random", "parameters": {"x": settings, "y": {"nothing": 1}}})
    assert "parameter x" in str(caught.value)
    assert "parameter y" in str(caught.value)


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"method": "magic", "parameters": {"x": {"value": 1}}},
        {"method": "random"},
        {"method": "random", "parameters": {}},
        {"method": "grid", "parameters": {"x": {"min": 0.0, "max": 1.0}}},
    ],
)
def test_bad_sweep_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(RequestError, match=r"must|grid search needs"):
        search_space(config)
