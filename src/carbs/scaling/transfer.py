"""How well laws over sizes carry over to sizes that they have not seen: the three figures of hyperparameter transfer.

The largest sizes of a table are left out, the laws are fitted to the others, and what they predict is compared with the
runs that were left out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from carbs.arrays import Array
from carbs.config import CARBSParams, as_config
from carbs.errors import CarbsError
from carbs.history import ObservationInParam, gather
from carbs.scaling.fit import scaling_laws
from carbs.scaling.fit_sizes import checked_scale
from carbs.scaling.laws import unit
from carbs.scaling.sizes import SizeLaws
from carbs.spaces.search_space import Param, SearchSpace, as_space
from carbs.values import as_float, shown

# Decimals of log10 by which sizes are distinguished.
_DECIMALS = 6
# Search coordinates that are closer than this are those of one value.
_NEAR = 1e-9


@dataclass(frozen=True)
class Transfer:
    """The figures of transfer. All losses are shares of the best objective of their size.

    Attributes:
        laws: The laws, fitted without the sizes that were left out.
        fit: Quality of the fit: for each hyperparameter, the root mean square distance of the best run of a size from
            the law, in transformed units (decades in log spaces), over the sizes that the laws rest on.
        objective_fit: The same for the objective: the share of its variance between sizes that its law explains (R2).
        sizes: The sizes that were left out, in their order.
        errors: Error of the extrapolation: the predicted best objective of each of them less the best one seen there.
        paid: Loss paid for using the laws: how much worse than the best run of each of them is the run that is nearest
            to the predicted configuration. 0 where a size has a single run.
    """

    laws: SizeLaws = field(repr=False)
    fit: dict[str, float]
    objective_fit: float
    sizes: tuple[dict[str, float], ...]
    errors: tuple[float, ...]
    paid: tuple[float, ...]

    @property
    def extrapolation_error(self) -> float:
        """Root mean square of `errors`."""
        return float(np.sqrt(np.mean(np.square(self.errors))))

    @property
    def loss_paid(self) -> float:
        """Mean of `paid`."""
        return float(np.mean(self.paid))


def measure_transfer(
    space: SearchSpace | Sequence[Param],
    observations: Sequence[ObservationInParam],
    config: CARBSParams | None = None,
    *,
    scale: Sequence[str],
    held_out: float = 0.2,
    seed: int = 0,
    num_bootstrap: int = 40,
) -> Transfer:
    """Measure how well laws over sizes carry over to the largest sizes.

    Args:
        space: The search space, or its parameters.
        observations: The runs, several at each size; failures are left out.
        config: The optimizer's options; only the direction of the objective is used.
        scale: Names of the hyperparameters that are sizes.
        held_out: Share of the sizes to leave out, those with the largest product; at least one is.
        seed: Of the bootstrap.
        num_bootstrap: Number of bootstrap draws of the laws.

    Returns:
        The figures.

    Raises:
        CarbsError: If `held_out` is not a number between 0 and 1, or as `scaling_laws` raises.
    """
    space, sign = as_space(space), as_config(config).better_direction_sign
    share = as_float(held_out)
    if share is None or not 0 < share < 1:
        raise CarbsError(f"held_out={shown(held_out)} must be a number between 0 and 1")
    names = checked_scale(space, scale)
    runs = gather(space, observations).successes
    with np.errstate(divide="ignore"):
        axes = np.log10(np.array([[float(run.input[name]) for name in names] for run in runs]).reshape(-1, len(names)))
    different, member = np.unique(np.round(axes, _DECIMALS), axis=0, return_inverse=True)
    member, number = member.ravel(), math.ceil(share * len(different))
    largest = np.argsort(np.sum(different, axis=1), kind="stable")[len(different) - number :]
    is_left = np.isin(member, largest)
    seen = [run for run, left in zip(runs, is_left, strict=True) if not left]
    laws = scaling_laws(space, seen, config, scale=names, seed=seed, num_bootstrap=num_bootstrap)
    groups = [[runs[i] for i in np.flatnonzero(member == place)] for place in range(len(different))]
    cells = [_compared(laws, group, sign) for group in groups]
    rested = [cell for place, cell in enumerate(cells) if place not in largest]
    asked = [cell for place, cell in enumerate(cells) if place in largest]
    return Transfer(
        laws,
        {law.name: _rms([cell.distances[column] for cell in rested]) for column, law in enumerate(laws.params)},
        _explained(np.array([[cell.best, cell.predicted] for cell in rested])),
        tuple(cell.sizes for cell in asked),
        tuple((cell.predicted - cell.best) / (abs(cell.best) or 1.0) for cell in asked),
        tuple(cell.paid for cell in asked),
    )


@dataclass(frozen=True)
class _Cell:
    """The runs of one size.

    Attributes:
        sizes: The size.
        best: Best objective seen.
        predicted: Best objective by the law.
        distances: Of the best run from the laws, transformed, one for each law.
        paid: How much worse the run nearest to the laws is than the best, as a share of that.
    """

    sizes: dict[str, float]
    best: float
    predicted: float
    distances: Array
    paid: float


def _compared(laws: SizeLaws, runs: Sequence[ObservationInParam], sign: int) -> _Cell:
    """Compare the runs of one size with what the laws predict for it."""
    sizes = {name: float(runs[0].input[name]) for name in laws.scale}
    advice = laws.at(**sizes)
    assert advice.objective is not None

    def encoded(values: Mapping[str, Any]) -> list[float]:
        return [float(law.space.encode([values[law.name]])[0, 0]) for law in laws.params]

    target, points = np.array(encoded(advice.values)), np.array([encoded(run.input) for run in runs])
    better = sign * np.array([run.output for run in runs])
    place = int(np.argmax(better))
    units = np.array([law.space.resolved_scale * unit(law.space) for law in laws.params])
    away = np.linalg.norm(points - target, axis=1)
    nearest = np.max(better[away <= np.min(away) + _NEAR])
    best = sign * float(better[place])
    paid = float(better[place] - nearest) / (abs(best) or 1.0)
    return _Cell(sizes, best, advice.objective.value, np.abs(points[place] - target) * units, paid)


def _explained(pairs: Array) -> float:
    """Return R2 of predicted values; pairs of seen and predicted, shape (m, 2)."""
    left, total = np.sum((pairs[:, 0] - pairs[:, 1]) ** 2), np.sum((pairs[:, 0] - np.mean(pairs[:, 0])) ** 2)
    return float(1 - left / total) if total > 0 else math.nan


def _rms(values: Sequence[float]) -> float:
    return float(np.sqrt(np.mean(np.square(values))))
