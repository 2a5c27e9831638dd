"""Spaces of every kind, for tests that each must pass."""

from __future__ import annotations

import pytest

from carbs import (
    CategoricalSpace,
    LinearSpace,
    LogitSpace,
    LogSpace,
    OrdinalSpace,
    Pow2Space,
    Space,
)

SPACES: list[Space] = [
    LinearSpace(min=-3.0, max=7.5),
    LinearSpace(min=16, max=128, is_integer=True),
    LinearSpace(min=0, max=1000, is_integer=True, rounding_factor=8),
    LinearSpace(),
    LinearSpace(min=2.0),
    LinearSpace(max=-1.0),
    LinearSpace(min=1, is_integer=True),
    LinearSpace(min=1, is_integer=True, scale=1),
    LogSpace(min=1e-5, max=1e-1),
    LogSpace(min=1, max=8192, is_integer=True),
    LogSpace(),
    LogSpace(min=1e-3, scale=0.5, base=2),
    LogSpace(max=10.0),
    LogitSpace(),
    LogitSpace(min=0.5, max=0.999),
    Pow2Space(min=4, max=512),
    Pow2Space(min=1),
    CategoricalSpace(("adam", "sgd", "lion")),
    CategoricalSpace((1, 2.5, True, "1")),
    OrdinalSpace((0.0, 0.1, 0.25)),
    OrdinalSpace(("small", "medium", "large", "huge")),
]
spaces = pytest.mark.parametrize("space", SPACES, ids=repr)
