"""Fit the laws over sizes that the user fixes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from carbs.errors import CarbsError, Problem, did_you_mean, raise_problems
from carbs.scaling.discrepancy import fit_discrepancy
from carbs.scaling.first_guess import Runs
from carbs.scaling.laws import interval
from carbs.scaling.line import Line, fit_line
from carbs.scaling.power_law import by_size, usual_exponents
from carbs.scaling.sizes import OF_SIZE_LOSSES, OF_SIZES, SizeLaw, SizeLaws, SizeObjectiveLaw, SizeReach, at_one
from carbs.scaling.table import Table
from carbs.scaling.units import in_law_units
from carbs.spaces.categorical import ChoiceSpace
from carbs.spaces.search_space import SearchSpace
from carbs.values import shown


def checked_scale(space: SearchSpace, scale: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the sizes.

    Raises:
        CarbsError: If the list is empty or names anything but numeric hyperparameters; names every problem.
    """
    if isinstance(scale, str) or not isinstance(scale, Sequence) or not scale:
        raise CarbsError(f"scale={shown(scale)} must be a list of names of hyperparameters, such as ['n', 'd']")
    numeric = [
        name
        for name, settled in zip(space.names, space.spaces, strict=True)
        if not isinstance(settled, ChoiceSpace) and name not in space.fixed
    ]
    problems = [
        Problem(
            "",
            "scale",
            name,
            f"must name a numeric hyperparameter{did_you_mean(name, numeric)}; known are {', '.join(numeric)}",
        )
        for name in scale
        if name not in numeric and name not in space.fixed
    ]
    problems += [
        Problem("", "scale", name, f"is {space.fixed[name]!r} in every run: leave it out")
        for name in scale
        if name in space.fixed
    ]
    if len(set(map(str, scale))) < len(scale):
        problems.append(Problem("", "scale", list(scale), "must name each hyperparameter once"))
    raise_problems("invalid scale", problems)
    return tuple(scale)


def laws_of_sizes(table: Table, scale: tuple[str, ...], num_draws: int, rng: np.random.Generator) -> SizeLaws:
    """Fit the laws of all other hyperparameters, and of the objective, over the sizes `scale`.

    Raises:
        CarbsError: If a size is not positive, or there are too few different ones.
    """
    sizes = np.column_stack([table.values[name] for name in scale]).astype(float)
    k = len(scale)
    problems = [
        Problem("", name, float(np.min(values)), "is a size, so it must be positive in every run")
        for name, values in zip(scale, sizes.T, strict=True)
        if np.min(values) <= 0
    ]
    raise_problems("scaling laws", problems)
    axes = np.log10(sizes)
    centred = np.unique(np.round(axes, 9), axis=0)
    if len(centred) < k + 2 or np.linalg.matrix_rank(centred - np.mean(centred, 0), tol=0.01) < k:
        raise CarbsError(
            f"too few sizes for scaling laws over {list(scale)}: {len(centred)} different ones succeeded; at least "
            f"{k + 2} are needed, which do not lie on one line where there are several"
        )
    params = [i for i in table.numeric if table.space.names[i] not in scale]
    everywhere = np.ones(len(table.y), bool)
    runs = Runs(table.X[:, table.columns(params)], axes, table.others(), table.y, everywhere, drives_cost=False)
    line = fit_line(runs, num_draws, rng)
    reach = SizeReach(*(dict(zip(scale, end(sizes, 0).tolist(), strict=True)) for end in (np.min, np.max)))
    laws = tuple(_size_law(table.space, i, line, column, reach) for column, i in enumerate(params))
    objective = _size_objective(table, line, reach, rng)
    return SizeLaws(scale, laws, objective, reach, table.diverged(line), table.num_unused(line))


def _size_law(space: SearchSpace, place: int, line: Line, column: int, reach: SizeReach) -> SizeLaw:
    settled, positions, slopes = in_law_units(space, place, line, column, line.middle)
    exponents = dict(zip(reach.low, slopes[0].tolist(), strict=True))
    intervals = {
        name: interval(exponent, slopes[1:, axis], OF_SIZES) for axis, (name, exponent) in enumerate(exponents.items())
    }
    intercept = float(positions[0] - slopes[0] @ line.middle)
    draws = np.column_stack([positions[1:], slopes[1:]])
    return SizeLaw(space.names[place], settled, intercept, exponents, intervals, reach, line.middle, draws)


def _size_objective(table: Table, line: Line, reach: SizeReach, rng: np.random.Generator) -> SizeObjectiveLaw:
    k = line.axes.shape[1]
    usual = usual_exponents(len(line.corrected) - 1, k, rng)
    laws = table.power_laws(line.axes, line.corrected, line.weight, usual)
    exponents = laws.exponent[0].tolist()
    places, losses, weight = by_size(line.axes, table.losses(line.corrected[:1]), line.weight[:1])
    expected = np.array([laws.predict(place)[0] for place in places])
    amplitudes = [
        at_one(*args) for args in zip(laws.amplitude[0].tolist(), exponents, laws.middle.tolist(), strict=True)
    ]
    return SizeObjectiveLaw(
        float(laws.limit[0]),
        dict(zip(reach.low, amplitudes, strict=True)),
        dict(zip(reach.low, exponents, strict=True)),
        interval(float(laws.limit[0]), laws.limit[1:], OF_SIZE_LOSSES * line.widening),
        reach,
        table.sign,
        laws,
        fit_discrepancy(places, losses[0] - expected, weight[0]),
        line.widening,
    )
