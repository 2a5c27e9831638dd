"""Search coordinates of a line in the units of the laws: transformed values, decades in log spaces."""

from __future__ import annotations

from carbs.arrays import Array
from carbs.scaling.laws import unit
from carbs.scaling.line import Line
from carbs.spaces.numeric import NumericSpace
from carbs.spaces.search_space import SearchSpace


def in_law_units(
    space: SearchSpace, place: int, line: Line, column: int, middle: Array
) -> tuple[NumericSpace, Array, Array]:
    """Return a hyperparameter's space, its transformed values and their slopes, the estimate first, then the draws.

    Args:
        space: The search space.
        place: Of the hyperparameter in it.
        line: The line.
        column: Of the hyperparameter in the line.
        middle: Axes at which to give the values, shape (k,).

    Returns:
        The space, the values, shape (1 + S,), and the slopes along the axes, shape (1 + S, k).
    """
    settled = space.spaces[place]
    assert isinstance(settled, NumericSpace)
    scale = settled.resolved_scale * unit(settled)
    slopes = scale * line.slope[:, :, column]
    positions = scale * line.position[:, column] + slopes @ (middle - line.middle)
    # Wider for few sizes, so around the estimate.
    positions, slopes = (values[:1] + line.widening * (values - values[:1]) for values in (positions, slopes))
    return settled, positions, slopes
