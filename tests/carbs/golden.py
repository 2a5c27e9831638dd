"""The histories of the golden suggestions, and how to pin them anew: `uv run python tests/carbs/golden.py`.

A change that must not alter the search leaves the file as it is; a change of the search pins it anew and says so.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from carbs import (
    CARBS,
    CARBSParams,
    CategoricalSpace,
    LinearSpace,
    LogitSpace,
    LogSpace,
    ObservationInParam,
    Param,
    ParamDict,
    Pow2Space,
)

FILE = Path(__file__).with_name("golden.json")

SPACES: dict[str, list[Param]] = {
    "plain": [
        Param("lr", LogSpace(min=1e-5, max=1e-1)),
        Param("epochs", LogSpace(min=1, max=100, is_integer=True), 5),
        Param("momentum", LogitSpace(min=0.5, max=0.999), 0.9),
    ],
    "choices": [
        Param("optimizer", CategoricalSpace(("sgd", "adam", "lion"))),
        Param("width", Pow2Space(min=16, max=1024)),
        Param("dropout", LinearSpace(min=0.0, max=0.6)),
    ],
    "open": [
        Param("lr", LogSpace(scale=0.5), 1e-3),
        Param("steps", LogSpace(min=1, is_integer=True), 300),
        Param("shift", LinearSpace(scale=2.0), 0.0),
    ],
    "wide": [Param(f"x{i}", LinearSpace(min=0.0, max=1.0)) for i in range(12)],
}


def outcome(config: ParamDict) -> tuple[float, float]:
    """Make an objective and a cost out of a configuration, as a smooth function of every value in it."""
    objective, log_cost = 0.0, 1.0
    for place, (_, value) in enumerate(sorted(config.items())):
        number = float(len(value)) if isinstance(value, str) else float(value)
        size = math.log10(abs(number) + 1e-6)
        objective -= (size + 1 - place / 3) ** 2 / (1 + place)
        log_cost += 0.4 * size if place % 2 else 0.0
    return objective, math.exp(log_cost)


def histories() -> Iterator[tuple[str, CARBS]]:
    """Yield searches after 1, 5 and 30 runs, with and without failures and running runs, in both directions.

    The runs are drawn, not suggested: rounding of other numpy builds would grow from suggestion to suggestion.
    """
    for name, params in SPACES.items():
        for seed in (0, 1):
            sign = 1 if seed == 0 else -1
            carbs = CARBS(CARBSParams(better_direction_sign=sign, seed=seed, num_random_samples=4), params)
            shift = np.random.default_rng(seed).uniform(-1, 1, (30, carbs.space.width))
            points = carbs.space.round(np.clip(carbs.space.center + shift, *carbs.space.bounds))
            for run, config in enumerate(carbs.space.decode(points)):
                if run in {1, 5}:
                    yield f"{name}-{seed}-{run}", carbs
                if run % 9 == 7:
                    carbs.observe(ObservationInParam(config, is_failure=True))
                elif run % 9 != 8 or run < 20:
                    objective, cost = outcome(config)
                    carbs.observe(ObservationInParam(config, sign * objective, cost))
                else:
                    carbs.remember_suggestion(config, f"{name}-{run}")
            yield f"{name}-{seed}-30", carbs


def suggestions() -> dict[str, Any]:
    """Ask each search for its next suggestion, and for one at a given cost."""
    found: dict[str, Any] = {}
    for key, carbs in histories():
        for label, for_cost in (("next", None), ("for_cost", 20.0)):
            output = carbs.suggest(is_suggestion_remembered=False, seed="golden", for_cost=for_cost)
            found[f"{key}-{label}"] = {"suggestion": output.suggestion, "log": output.log}
    return found


if __name__ == "__main__":
    FILE.write_text(json.dumps(suggestions(), indent=1) + "\n")
