"""Simulated tables of language-model runs as published ones are: rates and batch sizes on a grid, at many sizes.

A quarter of the runs diverged, the minima may lie at the grid's edge, and every size has peculiarities of its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from carbs import LogSpace, ObservationInParam, Param

# Model sizes (parameters) and data sizes (tokens); the last is the largest.
SIZES = tuple(
    (n, d)
    for n, tokens in (
        (2e8, (4e9, 1.1e10, 2e10, 1e11)),
        (2.7e8, (5e9, 1.4e10, 2.5e10, 8e10)),
        (4.3e8, (8e9, 2.3e10, 4e10, 5e10)),
        (5.4e8, (1e10, 2.8e10, 5e10)),
        (1.1e9, (2e10, 5.7e10)),
    )
    for d in tokens
)
RATES = tuple(np.geomspace(2.4e-4, 2.2e-2, 12).tolist())
BATCHES = tuple(np.geomspace(32, 4096, 10).round().astype(int).tolist())
# The scale of a bowl's lopsidedness: the loss grows e-fold faster for each 1 / 1.5 decades towards divergence.
_LOPSIDED = 1.5
_FLOP_UNIT = 1e18


@dataclass(frozen=True)
class Table:
    """A table whose laws are known: log10 rate = a + b log10 n + c log10 d, log10 batch = e + f log10 d.

    The loss is that of Hoffmann et al. 2022 (arXiv 2203.15556, equation 2), plus a lopsided bowl around the best rate
    and batch size.

    Attributes:
        rate: a, b, c.
        batch: e, f.
        curvature: Of the bowl in the rate and in the batch size, in loss per squared decade.
        edge: Decades above the best rate where runs begin to diverge; four of five do.
        noise: Standard deviation of the loss.
        scatter: Standard deviations of each size's own level, best rate and best batch size.
        seed: Of the scatter, the noise and the divergence.
    """

    rate: tuple[float, float, float] = (0.255, -0.71, 0.31)
    batch: tuple[float, float] = (-3.55, 0.57)
    curvature: tuple[float, float] = (0.05, 0.04)
    edge: float = 0.55
    noise: float = 0.002
    scatter: tuple[float, float, float] = (0.0, 0.0, 0.0)
    seed: int = 0

    params = (
        Param("n", LogSpace(min=1e8, max=1e10)),
        Param("d", LogSpace(min=1e9, max=1e12)),
        Param("rate", LogSpace(min=1e-5, max=1e-1)),
        Param("batch", LogSpace(min=8, max=8192, is_integer=True)),
    )

    @property
    def exponents(self) -> dict[str, dict[str, float]]:
        """The true exponents over n and d."""
        return {"rate": {"n": self.rate[1], "d": self.rate[2]}, "batch": {"n": 0.0, "d": self.batch[1]}}

    @property
    def limit(self) -> float:
        """The loss at infinite sizes."""
        return 1.69

    def best_loss(self, n: float, d: float) -> float:
        """Return the loss at the best rate and batch size, without the size's own level."""
        return float(self.limit + 406.4 * n**-0.34 + 410.7 * d**-0.28)

    def loss(self, n: float, d: float, rate: float, batch: float) -> float:
        """Return the loss without noise, of a run that does not diverge."""
        level, own_rate, own_batch = self._own(n, d)
        across, along = self._offset(n, d, rate, batch)
        across += own_rate - 0.5 * own_batch
        along += own_batch
        steep = 2 / _LOPSIDED**2 * (math.exp(min(_LOPSIDED * across, 8.0)) - 1 - _LOPSIDED * across)
        bowl = self.curvature[0] * steep + self.curvature[1] * along**2
        return level + self.best_loss(n, d) + bowl

    def best_on_grid(self, n: float, d: float) -> float:
        """Return the smallest loss on the grid, without noise."""
        return min(self.loss(n, d, rate, batch) for rate in RATES for batch in BATCHES)

    def observations(self, order: int = 0, *, diverges: bool = True) -> list[ObservationInParam]:
        """Return all runs in a random order; the cost is 6 n d."""
        rng = np.random.default_rng(self.seed)
        runs = []
        for n, d in SIZES:
            for rate in RATES:
                for batch in BATCHES:
                    loss = self.loss(n, d, rate, batch) + self.noise * float(rng.standard_normal())
                    diverged, chance = float(rng.uniform(3, 11)), float(rng.random())
                    if diverges and self._offset(n, d, rate, batch)[0] > self.edge and chance < 0.8:
                        loss = diverged
                    values = {"n": n, "d": d, "rate": rate, "batch": int(batch)}
                    runs.append(ObservationInParam(values, loss, 6 * n * d / _FLOP_UNIT))
        places = np.random.default_rng(order).permutation(len(runs))
        return [runs[place] for place in places]

    def _offset(self, n: float, d: float, rate: float, batch: float) -> tuple[float, float]:
        """Return how far a run is towards divergence (high rate, small batch), and in the batch size, in decades."""
        a, b, c = self.rate
        e, f = self.batch
        along = math.log10(batch) - e - f * math.log10(d)
        return math.log10(rate) - a - b * math.log10(n) - c * math.log10(d) - 0.5 * along, along

    def _own(self, n: float, d: float) -> tuple[float, float, float]:
        """Return the size's own level, and shifts of its best rate and batch size."""
        drawn = np.random.default_rng([self.seed, SIZES.index((n, d)) if (n, d) in SIZES else len(SIZES)])
        level, rate, batch = (np.array(self.scatter) * drawn.standard_normal(3)).tolist()
        return level, rate, batch


def draw_table(seed: int) -> Table:
    """Return a table with laws of its own; every other has sizes that scatter."""
    rng = np.random.default_rng(seed)
    model, data = np.mean(np.log10(SIZES), axis=0).tolist()
    b, c, f = float(rng.uniform(-0.8, -0.3)), float(rng.uniform(0.0, 0.4)), float(rng.uniform(0.3, 0.65))
    a = -2.65 + float(rng.uniform(-0.4, 0.4)) - b * model - c * data
    e = 2.5 + float(rng.uniform(-0.5, 0.5)) - f * data
    curvature = float(rng.uniform(0.02, 0.12)), float(rng.uniform(0.01, 0.06))
    scatter = (0.002, 0.03, 0.05) if seed % 2 else (0.0, 0.0, 0.0)
    noise = float(rng.choice([0.001, 0.002, 0.005]))
    return Table((a, b, c), (e, f), curvature, float(rng.uniform(0.3, 0.6)), noise, scatter, seed)
