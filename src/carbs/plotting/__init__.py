"""Static figures of a search, for papers and slides (needs matplotlib: the extra `plot`)."""

from carbs.plotting.calibration import plot_calibration
from carbs.plotting.frontier import plot_frontier
from carbs.plotting.scaling import plot_scaling
from carbs.plotting.style import STYLE

__all__ = ["STYLE", "plot_calibration", "plot_frontier", "plot_scaling"]
