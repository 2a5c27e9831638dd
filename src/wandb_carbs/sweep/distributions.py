"""W&B's distributions for CARBS spaces."""

from __future__ import annotations

import math
from typing import Any

from carbs import LinearSpace, LogitSpace, LogSpace, Param, Pow2Space
from carbs.spaces.categorical import ChoiceSpace

_MAX_POW2 = 2**62  # what fits a 64-bit integer


def distribution_of(param: Param, space: Any) -> dict[str, Any]:
    """Return W&B's nearest distribution; it is valid and finite, but nothing is ever run with what it draws."""
    if isinstance(space, ChoiceSpace):
        return {"values": list(space.choices)}
    if isinstance(space, Pow2Space):
        top = min(space.max, _MAX_POW2)
        return {"values": [2**k for k in range(int(top).bit_length()) if space.min <= 2**k <= top]}
    if isinstance(space, LogitSpace):
        return {"distribution": "uniform", "min": float(space.min), "max": float(space.max)}
    if not space.is_bounded:
        return _open_distribution(param, space)
    low, high = space.min, space.max
    if space.is_integer:
        low, high = math.ceil(low), math.floor(high)
        if low == high:
            return {"value": low}
        if isinstance(space, LogSpace):
            return {"distribution": "q_log_uniform_values", "min": low, "max": high, "q": space.rounding_factor}
        return {"distribution": "int_uniform", "min": low, "max": high}
    kind = "log_uniform_values" if isinstance(space, LogSpace) else "uniform"
    return {"distribution": kind, "min": float(low), "max": float(high)}


def _open_distribution(param: Param, space: LinearSpace | LogSpace) -> dict[str, Any]:
    """Spread around the centre by one search unit where a space has an open end."""
    center = float(param.center)
    if isinstance(space, LogSpace):
        # W&B's log_normal takes mu and sigma of the natural logarithm.
        mu, sigma = math.log(center), space.resolved_scale * math.log(space.base)
        kind = "log_normal"
    else:
        mu, sigma, kind = center, space.resolved_scale, "normal"
    if space.is_integer:
        return {"distribution": f"q_{kind}", "mu": mu, "sigma": sigma, "q": space.rounding_factor}
    return {"distribution": kind, "mu": mu, "sigma": sigma}
