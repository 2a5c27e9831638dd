"""Runs of models of many sizes, for figures of a search and for insight into it."""

from __future__ import annotations

import numpy as np

from carbs import CategoricalSpace, LogSpace, ObservationInParam, Param
from carbs.spaces.values import ParamDict

PARAMS = (
    Param("size", LogSpace(min=1, max=1e5)),
    Param("rate", LogSpace(min=1e-4, max=1)),
    Param("kind", CategoricalSpace(("a", "b"))),
)


def observe(sign: int = 1) -> list[ObservationInParam]:
    """Return 40 runs whose loss falls with the size, two repeats, one divergence and one failure."""
    rng = np.random.default_rng(0)
    runs = []
    for _ in range(40):
        size, rate = 10 ** rng.uniform(0, 4), 10 ** rng.uniform(-3, -1)
        loss = 1 + 3 * size**-0.3 + 0.3 * np.log10(rate / 1e-2) ** 2
        values: ParamDict = {"size": float(size), "rate": float(rate), "kind": "ab"[int(rng.integers(2))]}
        runs.append(ObservationInParam(values, float(-sign * loss), float(size)))
    runs += [ObservationInParam(run.input, run.output + 0.02, run.cost) for run in runs[:2]]
    runs.append(ObservationInParam({"size": 50.0, "rate": 0.9, "kind": "a"}, -sign * 1e6, 50.0))
    return [*runs, ObservationInParam({"size": 90.0, "rate": 1.0, "kind": "b"}, is_failure=True)]
