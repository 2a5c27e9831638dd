"""Every distribution of W&B is searched by its obvious meaning."""

from __future__ import annotations

import math
from typing import Any

import pytest

from carbs import CategoricalSpace, LinearSpace, LogSpace, OrdinalSpace, Pow2Space, Space
from wandb_carbs.sweep.distributions import SweepSpace, space_of


def understood(**settings: Any) -> SweepSpace:
    """Understand one parameter, `x`, beside another one."""
    return space_of({"parameters": {"x": settings, "other": {"min": 0.0, "max": 1.0}}})


def space(**settings: Any) -> Space:
    """Return the space of one parameter."""
    return understood(**settings).params[0].space


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"min": 0.1, "max": 0.9}, LinearSpace(0.1, 0.9)),
        ({"min": 1, "max": 9}, LinearSpace(1, 9, is_integer=True)),
        ({"min": 1, "max": 9.5}, LinearSpace(1, 9.5)),
        ({"min": "1e-3", "max": "0.5"}, LinearSpace(1e-3, 0.5)),
        ({"distribution": "uniform", "min": 1, "max": 9}, LinearSpace(1, 9)),
        ({"distribution": "int_uniform", "min": 0.5, "max": 9.5}, LinearSpace(1, 9, is_integer=True)),
        (
            {"distribution": "q_uniform", "min": 10, "max": 99, "q": 8},
            LinearSpace(16, 96, is_integer=True, rounding_factor=8),
        ),
        ({"distribution": "q_uniform", "min": 0, "max": 5}, LinearSpace(0, 5, is_integer=True)),
        ({"distribution": "q_uniform", "min": 0, "max": 0.3, "q": 0.1}, OrdinalSpace((0.0, 0.1, 0.2, 0.3))),
        ({"distribution": "log_uniform_values", "min": 1e-5, "max": 0.1}, LogSpace(1e-5, 0.1)),
        ({"distribution": "inv_log_uniform_values", "min": 1e-5, "max": 0.1}, LogSpace(1e-5, 0.1)),
        (
            {"distribution": "q_log_uniform_values", "min": 32, "max": 256, "q": 8},
            LogSpace(32, 256, is_integer=True, rounding_factor=8),
        ),
        ({"distribution": "normal", "mu": 0.5, "sigma": 0.1}, LinearSpace(scale=0.1)),
        (
            {"distribution": "q_normal", "mu": 64, "sigma": 16, "q": 8},
            LinearSpace(scale=16, is_integer=True, rounding_factor=8),
        ),
        ({"distribution": "beta", "a": 2, "b": 5}, LinearSpace(0.0, 1.0)),
        ({"values": ["sgd", "adam"]}, CategoricalSpace(("sgd", "adam"))),
        ({"distribution": "categorical", "values": ["sgd", "adam"]}, CategoricalSpace(("sgd", "adam"))),
        ({"values": [None, "cosine"]}, CategoricalSpace((None, "cosine"))),
        ({"values": [True, False]}, CategoricalSpace((True, False))),
        ({"values": [[64], [64, 64]]}, CategoricalSpace(([64], [64, 64]))),
        ({"values": ["single", 0.5, 0.3]}, CategoricalSpace(("single", 0.5, 0.3))),
        ({"values": [16, 32, 64]}, Pow2Space(16, 64)),
        ({"values": [64, 32, 16]}, Pow2Space(16, 64)),
        ({"values": [16, 64, 256]}, OrdinalSpace((16, 64, 256))),
        ({"values": [16.0, 32.0, 64.0]}, OrdinalSpace((16.0, 32.0, 64.0))),
        ({"values": [0.0, 0.1, 0.2]}, OrdinalSpace((0.0, 0.1, 0.2))),
        ({"space": "log", "min": "1e-5", "max": "1e-1", "search_center": "1e-3"}, LogSpace(1e-5, 1e-1)),
        ({"space": "linear", "min": 1, "max": 9, "is_integer": "yes"}, LinearSpace(1, 9, is_integer=True)),
        ({"space": "ordinal", "choices": ["small", "large"]}, OrdinalSpace(("small", "large"))),
        ({"space": "linear", "min": 0, "max": "inf"}, LinearSpace(0, math.inf)),
    ],
)
def test_every_distribution_has_its_obvious_meaning(settings: dict[str, Any], expected: Space) -> None:
    found = space(**settings)
    assert found == expected
    assert isinstance(found, type(expected))


def test_exponents_are_of_e() -> None:
    found = space(distribution="log_uniform", min=-9.0, max=-2.0)
    assert isinstance(found, LogSpace)
    assert (found.min, found.max) == pytest.approx((math.exp(-9), math.exp(-2)))
    inverse = space(distribution="inv_log_uniform", min=2.0, max=9.0)
    assert isinstance(inverse, LogSpace)
    assert (inverse.min, inverse.max) == pytest.approx((math.exp(-9), math.exp(-2)))


def test_normals_are_open_around_their_center() -> None:
    for settings, center in (
        ({"distribution": "normal", "mu": 0.5, "sigma": 0.1}, 0.5),
        ({"mu": 3.0}, 3.0),
        ({"distribution": "q_normal", "mu": 64.4, "sigma": 16}, 64),
        ({"distribution": "log_normal", "mu": math.log(1e-3), "sigma": 1.0}, 1e-3),
        ({"distribution": "q_log_normal", "mu": math.log(100), "sigma": 1.0}, 100),
    ):
        param = understood(**settings).params[0]
        assert isinstance(param.space, (LinearSpace, LogSpace))
        assert param.search_center == pytest.approx(center)
        assert not param.space.is_bounded


def test_log_normal_counts_in_decades() -> None:
    found = space(distribution="log_normal", mu=0.0, sigma=math.log(10))
    assert found == LogSpace(scale=1.0)


@pytest.mark.parametrize(
    ("settings", "value"),
    [
        ({"value": 3}, 3),
        ({"value": None}, None),
        ({"value": [1, 2]}, [1, 2]),
        ({"distribution": "constant", "value": "a"}, "a"),
        ({"values": [42]}, 42),
        ({"values": 3}, 3),
        ({"values": [7, 7]}, 7),
        ({"min": 5, "max": 5}, 5),
        ({"min": 0.1, "max": 0.1}, 0.1),
        ({"distribution": "q_uniform", "min": 8, "max": 15, "q": 8}, 8),
        ({"space": "categorical", "choices": [42]}, 42),
        ({"space": "log", "min": 8, "max": 8}, 8),
        ({"space": "pow2", "min": 8, "max": 8}, 8),
    ],
)
def test_what_cannot_vary_is_a_constant(settings: dict[str, Any], value: object) -> None:
    found = understood(**settings)
    assert [param.name for param in found.params] == ["other"]
    assert found.constants == {"x": value}
    assert type(found.constants["x"]) is type(value)


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"values": ["a", "b"], "probabilities": [0.2, 0.8]}, "'probabilities' are not used"),
        ({"values": [0.1, 0.5, 0.3]}, "sort them"),
        ({"values": ["a", "a", "b"]}, "listed twice"),
        ({"distribution": "log_uniform", "min": 1e-5, "max": 1e-1}, "log_uniform_values"),
        ({"distribution": "q_uniform", "min": 0, "max": 1, "q": 1e-6}, "1000001"),
        ({"distribution": "q_uniform", "min": 1, "max": 1.5, "q": 1e-320}, "too small"),
        ({"distribution": "beta"}, "a and b"),
        ({"values": ["a", "b"], "min": 0, "max": 1}, "'min', 'max' are not used beside categorical"),
        ({"min": 1e-5, "max": 1e-1}, "`{space: log, min: 1e-05, max: 0.1}` would search it by its logarithm"),
    ],
)
def test_what_is_not_obvious_is_noted(settings: dict[str, Any], word: str) -> None:
    [note] = understood(**settings).notes
    assert note.startswith("parameter 'x'")
    assert word in note
