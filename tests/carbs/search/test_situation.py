"""A situation, and the description of a proposal in the user's units."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from carbs import CARBSParams, LinearSpace, Param
from carbs.models.groups import group
from carbs.models.surrogate import Surrogate
from carbs.search.situation import Situation, describe, kind_of
from carbs.spaces.search_space import as_space

SPACE = as_space([Param("x", LinearSpace(0, 1))])


def situation(sign: int) -> Situation:
    X = np.linspace(0.0, 2.0, 9)[:, None]
    models = Surrogate.fit(SPACE, group(X, sign * 100 * X[:, 0], X[:, 0]), np.empty((0, 1)))
    nothing = np.empty((0, 1))
    config = CARBSParams(better_direction_sign=sign)
    return Situation(SPACE, config, X, nothing, nothing, models, np.random.default_rng(0))


@pytest.mark.parametrize("sign", [1, -1])
def test_predictions_are_in_the_users_units_and_direction(sign: int) -> None:
    log = describe(np.array([1.0]), situation(sign))
    assert log["predicted_objective"] == pytest.approx(100.0, rel=0.05)
    assert log["predicted_cost"] == pytest.approx(np.e, rel=0.05)
    assert 0 < log["predicted_objective_std"] < 50
    assert log["success_probability"] == 1.0


def test_only_an_observed_configuration_is_a_resample() -> None:
    here = situation(1)
    assert kind_of(np.array([1.0]), here) == "resample"
    assert kind_of(np.array([1.0 + 1e-12]), here) == "resample"
    assert kind_of(np.array([1.01]), here) == "model"


def test_a_situation_is_frozen() -> None:
    here = situation(1)
    with pytest.raises(FrozenInstanceError):
        here.surrogate = None  # type: ignore[misc]
