"""Propose the configurations that the user wants to have run first."""

from __future__ import annotations

import numpy as np

from carbs.arrays import Array
from carbs.search.cost_limit import CostLimit
from carbs.search.situation import Proposal, Situation, describe
from carbs.spaces.identity import are_among, keys


def propose(situation: Situation, wanted: Array) -> Proposal | None:
    """Propose the next of the wanted configurations: in their order, or the cheapest first as soon as costs are known.

    Args:
        situation: The situation. Its models, if any, predict the costs, and rule out what exceeds the limits for now.
        wanted: Search coordinates of the configurations, shape (k, D).

    Returns:
        The proposal; None where all have been run or are running, are too expensive for now, or have other values than
        the caller has given.
    """
    taken = set(keys(np.vstack([situation.successes, situation.failures, situation.pending])))
    points = wanted[~are_among(wanted, taken) & situation.agree(wanted)]
    if not len(points):
        return None
    if situation.surrogate is None:
        return Proposal(points[0], {"kind": "initial"})
    models = situation.models
    seen = models.expect(situation.seen)
    beliefs = models.predict(points)
    log_cost, limit = beliefs.known_log_cost, CostLimit.of(situation, seen.known_log_cost)
    own = situation.own
    is_first = own is not None and not len(own.log_cost) and not len(situation.pending)
    # The first run of a search costs what the user wants it to.
    is_exceeded = log_cost > limit.cap if is_first else limit.is_exceeded(points, beliefs)
    log_cost = np.where(is_exceeded, np.inf, log_cost)
    cheapest = int(np.argmin(log_cost))
    if not np.isfinite(log_cost[cheapest]):
        return None
    return Proposal(points[cheapest], {"kind": "initial", **describe(points[cheapest], situation)})
