"""The style that all figures have, and the part of the objectives that they show."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ParamSpec

import numpy as np

from carbs.arrays import Array
from carbs.errors import CarbsError
from carbs.insight import Insight
from carbs.pareto import frontier

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette: distinct for colour-blind readers and in print.
RUN, FRONTIER, FAILED, LAW = "#8c8c8c", "#0072b2", "#d55e00", "#009e73"
# Matplotlib's settings for these figures, and for those that are to look like them.
STYLE: dict[Any, Any] = {
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": "medium",
    "font.size": 9,
    "grid.alpha": 0.25,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
}
# Objectives along the frontier that differ by this factor are shown by their logarithm.
_DECADE = 10.0
# A run that is this many times as far from the best one as half of the runs are has diverged, even on the frontier.
_FAR = 100.0

_P = ParamSpec("_P")


def styled(draw: Callable[_P, Figure]) -> Callable[_P, Figure]:
    """Draw in this module's style, and leave the caller's as it is."""

    @functools.wraps(draw)
    def styled(*args: _P.args, **kwargs: _P.kwargs) -> Figure:
        try:
            import matplotlib as mpl  # noqa: PLC0415 - an extra, and slow to import
        except ModuleNotFoundError as error:
            raise CarbsError("figures need matplotlib; install it with: pip install 'wandb-carbs[plot]'") from error
        with mpl.rc_context(STYLE):
            return draw(*args, **kwargs)

    return styled


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of this size in inches."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - an extra, and slow to import

    return Figure(figsize=(width, height), layout="constrained", dpi=150)


def show_the_good(axes: Axes, insight: Insight) -> None:
    """Leave runs far worse than the smoothed frontier out of the picture: failed training would squeeze the rest.

    Objectives that differ by decades along the observed frontier are shown by their logarithms.
    """
    seen, costs = (np.array([getattr(run, key) for run in insight.successes]) for key in ("output", "cost"))
    members = _sound(seen, seen[frontier(insight.sign * seen, costs)])
    if np.min(seen) > 0 and np.max(members) >= _DECADE * np.min(members):
        axes.set_yscale("log")
    scale, inverse = (np.log10, lambda value: 10**value) if axes.get_yscale() == "log" else (np.array, float)
    outputs = scale(seen)
    on_frontier = _sound(outputs, scale(insight.sign * insight.groups.y[insight.members]))
    best, worst = (np.max, np.min) if insight.sign > 0 else (np.min, np.max)
    reach = 1.25 * (worst(on_frontier) - best(on_frontier))
    far = best(outputs) + (reach or 1.0)
    near = best(outputs) - 0.06 * (reach or 1.0)
    axes.set_ylim(*sorted(float(inverse(end)) for end in (far, near)))


def _sound(seen: Array, members: Array) -> Array:
    """Return the objectives of a frontier, by increasing cost, without those of runs that diverged."""
    away = np.sort(np.abs(seen - members[-1]))
    others = away[len(away) // 2 :]
    typical = np.min(others[others > 0], initial=math.inf)
    kept: Array = members[np.abs(members - members[-1]) <= _FAR * typical]
    return kept
