"""The axes of parallel coordinates as the search space orders its values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from carbs.spaces.categorical import ChoiceSpace
from carbs.spaces.numeric import NumericSpace
from carbs.spaces.space import Space
from wandb_carbs.figures.frontier import Point
from wandb_carbs.figures.parallel import Axis, choice_axis, numeric_axis, short


def axes(points: Sequence[Point], spaces: Mapping[str, Space]) -> list[Axis]:
    """Return one axis for each hyperparameter.

    Args:
        points: The runs, at least one.
        spaces: The spaces of the hyperparameters, by name.
    """
    return [_axis(name, space, [point.config.get(name) for point in points]) for name, space in spaces.items()]


def _axis(name: str, space: Space, values: Sequence[object]) -> Axis:
    if isinstance(space, ChoiceSpace):
        return choice_axis(name, values, list(space.choices))
    assert isinstance(space, NumericSpace)
    numbers = space.transform(np.array(values, float))
    low, high = space.inverse(np.array([np.min(numbers), np.max(numbers)]))
    return Axis(name, numeric_axis(name, numbers.tolist()).places, short(low), short(high))
