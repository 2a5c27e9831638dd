"""Search spaces and searches that several tests of the optimizer use."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from carbs import (
    CARBS,
    CategoricalSpace,
    LinearSpace,
    LogitSpace,
    LogSpace,
    ObservationInParam,
    Param,
    ParamDict,
    Pow2Space,
)

PARAMS = [
    Param("lr", LogSpace(min=1e-5, max=1e-1)),
    Param("batch", Pow2Space(8, 256)),
    Param("layers", LinearSpace(1, 6, is_integer=True)),
    Param("gamma", LogitSpace(0.8, 0.999)),
    Param("optimizer", CategoricalSpace(("adam", "sgd"))),
]

SMALL = [Param("x", LinearSpace(0, 1)), Param("y", LogSpace(1, 100, is_integer=True))]

INPUT: ParamDict = {"x": 0.5, "y": 3}


def nested(depth: int) -> Any:
    value: Any = None
    for _ in range(depth):
        value = [value]
    return value


# No float holds the first two, and Python does not even write the second as digits; nor does it write the third.
EXTREME: dict[str, Any] = {"huge": 10**400, "endless": -(10**5000), "nested": nested(100_000)}


def without_id(suggestion: ParamDict) -> ParamDict:
    return {name: value for name, value in suggestion.items() if name != "suggestion_uuid"}


def run(
    carbs: CARBS, number: int, evaluate: Callable[[ParamDict], tuple[float, float]]
) -> list[tuple[ParamDict, float, float]]:
    rows = []
    for _ in range(number):
        suggestion = carbs.suggest().suggestion
        objective, cost = evaluate(suggestion)
        carbs.observe(ObservationInParam(input=suggestion, output=objective, cost=cost))
        rows.append((suggestion, objective, cost))
    return rows


def bowl(values: ParamDict) -> tuple[float, float]:
    x, y = float(values["x"]), float(values["y"])
    return -((x - 0.7) ** 2) + 0.3 * math.log(y), 1 + y
