"""The same configuration: the one rule by which two points of the search space are the same."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from carbs.arrays import Array, Flags

# Decimals of a search coordinate that count: a configuration keeps as many on its way through JSON and back.
_DECIMALS = 9


def keys(points: Array) -> list[bytes]:
    """Return one key for each of `points`, shape (m, D); keys are equal where the configurations are the same."""
    return [row.tobytes() for row in rounded(points)]


def rounded(points: Array) -> Array:
    """Round search coordinates to the digits that count; rows are equal where the configurations are the same.

    Args:
        points: Search coordinates, shape (m, D).

    Returns:
        The rounded coordinates, same shape.
    """
    digits: Array = np.round(points, _DECIMALS) + 0.0  # -0.0 becomes 0.0
    return digits


def are_among(points: Array, known: Collection[bytes]) -> Flags:
    """Say which of `points`, shape (m, D), have one of the `known` keys; shape (m,)."""
    return np.fromiter((key in known for key in keys(points)), bool, len(points))
