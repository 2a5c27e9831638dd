"""The interval that predictions are given with: its level, and its width for a normal distribution."""

from __future__ import annotations

LEVEL = 0.9
# Half the width of such an interval of a normal distribution, in standard deviations.
HALF_WIDTH = 1.6449
