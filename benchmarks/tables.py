"""Real training runs as a table: TaskSet's optimizer hyperparameters on small recurrent networks.

The data are not part of this project: name a folder of `taskset_*.npz` files, each with `X` (configurations in rows,
named by `names`), the validation loss `curve` after each step, and NaN where a run diverged.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from carbs import LogitSpace, LogSpace, Param, ParamValue, SearchSpace


class TaskSet:
    """A configuration's outcome is that of the nearest run in the table; the cost is the number of steps."""

    noise = 0.01
    progress = "steps"
    params = (
        Param("learning_rate", LogSpace(min=1e-8, max=10.0), 1e-3),
        Param("beta1", LogitSpace(min=1e-3, max=0.9999), 0.9),
        Param("beta2", LogitSpace(min=1e-2, max=0.999_99), 0.99),
        Param("epsilon", LogSpace(min=1e-10, max=1e3), 1e-8),
        Param("l1", LogSpace(min=1e-8, max=10.0), 1e-6),
        Param("l2", LogSpace(min=1e-8, max=10.0), 1e-6),
        Param("linear_decay", LogSpace(min=1e-7, max=1e-4), 1e-6),
        Param("exponential_decay", LogSpace(min=1e-6, max=1e-3), 1e-5),
        Param("steps", LogSpace(min=1, max=50, is_integer=True), 5),
    )

    def __init__(self, file: Path) -> None:
        """Load a table.

        Args:
            file: A `taskset_*.npz` file.
        """
        with np.load(file, allow_pickle=False) as table:
            names, rows, self._curves = table["names"].tolist(), table["X"], table["curve"]
        self._space = SearchSpace(self.params[:-1])
        low, high = self._space.bounds
        values = [dict(zip(names, row, strict=True)) for row in rows.tolist()]
        self._rows = np.clip(self._space.encode(values), low, high)

    def evaluate(self, config: Mapping[str, ParamValue]) -> tuple[float, float] | None:
        """Return minus the loss, and the steps; None for a run that diverged."""
        steps = int(config["steps"])
        distances = np.sum((self._rows - self._space.encode([config])) ** 2, axis=1)
        loss = float(self._curves[int(np.argmin(distances)), steps])
        return (-loss, float(steps)) if np.isfinite(loss) else None
