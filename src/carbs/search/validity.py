"""The user's rule for whole configurations, which draws, candidates and repeats obey."""

from __future__ import annotations

import numpy as np

from carbs.arrays import Array
from carbs.errors import CarbsError
from carbs.search import candidates
from carbs.search.situation import Situation

# Rounds of a thousand draws over the whole space until enough are valid.
_ROUNDS, _PER_ROUND = 20, 1000


def valid_among(situation: Situation, points: Array, least: int = 1) -> Array:
    """Keep the points that obey the rule, and draw more over the whole space where these are too few.

    Args:
        situation: The situation.
        points: Search coordinates, shape (m, D).
        least: How many there should be.

    Returns:
        Valid points, shape (k, D), at least one.

    Raises:
        CarbsError: If no draw is valid.
    """
    if situation.is_valid is None:
        return points
    kept = points[situation.obey(points)]
    for _ in range(_ROUNDS):
        if len(kept) >= least:
            return kept
        fresh = situation.settle(candidates.everywhere(situation.space, points, _PER_ROUND, situation.generator))
        kept = np.vstack([kept, fresh[situation.obey(fresh)]])
    if not len(kept):
        given = "" if situation.given is None else " that have the given values"
        raise CarbsError(
            f"no valid configuration was found among {len(points) + _ROUNDS * _PER_ROUND:,} draws{given}: is_valid "
            "must allow more of the search space; search what has no such rule, for example the number of minibatches "
            "in a batch in place of their size"
        )
    return kept
