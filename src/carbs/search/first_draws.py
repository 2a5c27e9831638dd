"""Propose the first runs, before the models do: spread over the box, or growing from a given search centre."""

from __future__ import annotations

import numpy as np

from carbs.arrays import Array
from carbs.models.surrogate import MODEL_ERRORS
from carbs.search import candidates
from carbs.search.cost_limit import affordable
from carbs.search.situation import Proposal, Situation
from carbs.search.validity import valid_among
from carbs.spaces.identity import are_among, keys

# With this many successes costs can be predicted, and the models can stand in for the runs that go on.
MIN_FOR_MODEL = 2
# The draws around a given centre have the radius that the user set after this many successes; it doubles with each.
_NUM_NEAR = 2
# A thousandfold radius reaches every bound; where the model cannot be used after thousands of runs, 2^n would overflow.
_MAX_DOUBLINGS = 10
# Each failure lengthens the steps by this share of them: if everything near the centre fails, the search must leave it.
_FAILURE_GROWTH = 0.2
# A draw goes far from failures, and a fifth as far from all other runs: else all would go to one corner. In a space of
# eight hyperparameters of which a quarter fails, 25 of 160 first draws failed so, and 51 without the factor.
_OTHERS_COUNT = 5.0


def wants_models(situation: Situation) -> bool:
    """Say whether the draws should be guarded against high costs, and there are enough runs for models of the cost."""
    is_guarded = situation.space.has_given_center or situation.config.max_suggestion_cost is not None
    return is_guarded and len(situation.successes) >= MIN_FOR_MODEL


def propose(situation: Situation) -> Proposal:
    """Propose the next of the first runs.

    Where no search centre is given, the draws cover the space. Around a given centre, the first run is the centre
    itself, and later draws move further with every success.

    Args:
        situation: The situation. Its models, if any, guard the draws against high costs.

    Returns:
        The proposal. Its log has a `reason` if there are models, but they cannot guard it.
    """
    space, failures, log = situation.space, situation.failures, {"kind": "random"}
    number = len(situation.successes) + len(failures) + len(situation.pending)
    is_growing = space.has_given_center
    center = situation.settle(space.center)
    if is_growing and number == 0 and situation.obey(center[None])[0]:
        return Proposal(center, log)
    shift = np.random.default_rng(situation.config.seed).random(space.width)
    step = _step(situation) if is_growing else None
    points = situation.settle(candidates.initial(space, number, step, shift, situation.generator))
    taken = set(keys(np.vstack([situation.successes, failures, situation.pending])))
    is_new = ~are_among(points, taken)
    points = valid_among(situation, points[is_new] if np.any(is_new) else points)
    if situation.surrogate is not None and wants_models(situation):
        try:
            points = affordable(situation, points, is_growing=is_growing)
        except MODEL_ERRORS as error:
            log["reason"] = f"the model could not be used: {error!r}"
    if not len(failures):
        return Proposal(points[0], log)
    distances, others = _nearest(points, failures), np.vstack([situation.successes, situation.pending])
    if len(others):
        distances = np.minimum(distances, _OTHERS_COUNT * _nearest(points, others))
    return Proposal(points[int(np.argmax(distances))], log)


def _step(situation: Situation) -> Array:
    """Return how far a draw goes from the given centre, as standard deviations, shape (D,)."""
    successes = len(situation.successes)
    radius = situation.config.initial_search_radius * 2.0 ** min(successes - _NUM_NEAR, _MAX_DOUBLINGS)
    steps = candidates.first_steps(situation.space, radius, are_costs_known=successes >= MIN_FOR_MODEL)
    return steps * (1 + _FAILURE_GROWTH * len(situation.failures))


def _nearest(points: Array, others: Array) -> Array:
    """Compute the distance from each of `points`, shape (m, D), to the nearest of `others`, shape (n, D)."""
    distances: Array = np.min(np.linalg.norm(points[:, None] - others[None], axis=2), axis=1)
    return distances
