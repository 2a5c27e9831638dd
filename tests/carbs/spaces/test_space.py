"""The kinds of spaces by name."""

from __future__ import annotations

import pytest

from carbs import spaces
from carbs.spaces.space import SPACES


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("linear", "LinearSpace"),
        ("log", "LogSpace"),
        ("logit", "LogitSpace"),
        ("pow2", "Pow2Space"),
        ("categorical", "CategoricalSpace"),
        ("ordinal", "OrdinalSpace"),
    ],
)
def test_each_kind_names_its_space(kind: str, name: str) -> None:
    """These names are in checkpoints and in the definitions of sweeps: they must never change."""
    assert SPACES[kind] is getattr(spaces, name)
    assert SPACES[kind].kind == kind
