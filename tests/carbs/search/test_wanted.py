"""Configurations that the user wants to have run first."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from carbs import CARBSParams, LinearSpace, Param
from carbs.arrays import Array
from carbs.models.groups import group
from carbs.models.surrogate import Surrogate
from carbs.search import wanted
from carbs.search.situation import OwnRuns, Situation
from carbs.spaces.search_space import as_space

SPACE = as_space([Param("x", LinearSpace(0, 1))])
NOTHING = np.empty((0, 1))
# The cost rises e-fold for each tenth of the space.
X = np.linspace(0.0, 0.6, 7)[:, None]
WANTED = np.array([[1.9], [0.45], [0.25]])


def situation(config: CARBSParams | None = None, *, with_models: bool = True) -> Situation:
    models = Surrogate.fit(SPACE, group(X, X[:, 0], 5 * X[:, 0]), NOTHING) if with_models else None
    seen = X if with_models else NOTHING
    return Situation(SPACE, config or CARBSParams(), seen, NOTHING, NOTHING, models, np.random.default_rng(0))


def place(here: Situation, points: Array = WANTED) -> float | None:
    proposal = wanted.propose(here, points)
    return None if proposal is None else float(proposal.x[0])


def test_without_models_they_come_in_their_order() -> None:
    here = situation(with_models=False)
    proposal = wanted.propose(here, WANTED)
    assert proposal is not None
    assert (proposal.x.tolist(), proposal.log) == ([1.9], {"kind": "initial"})


def test_with_models_the_cheapest_comes_first_with_its_predictions() -> None:
    proposal = wanted.propose(situation(), WANTED)
    assert proposal is not None
    assert proposal.x.tolist() == [0.25]
    assert abs(math.log(proposal.log["predicted_cost"]) - 1.25) < 0.2


def test_what_has_been_tried_or_runs_is_not_wanted_again() -> None:
    here = replace(situation(), pending=WANTED[2:], failures=WANTED[1:2])
    assert place(here, WANTED[1:]) is None


def test_what_is_too_expensive_for_now_waits() -> None:
    assert place(situation(), WANTED[:1]) is None
    assert place(situation(CARBSParams(max_suggestion_cost=4.0))) == 0.25
    assert place(situation(CARBSParams(max_suggestion_cost=1.5))) is None


def test_the_first_run_of_a_search_may_cost_what_the_user_wants() -> None:
    """Old runs teach the models, and raise no limit."""
    first = replace(situation(), own=OwnRuns(SPACE.center[None], np.empty(0)))
    assert place(first, WANTED[:1]) == 1.9


def test_only_those_with_the_given_values() -> None:
    assert place(replace(situation(with_models=False), given=np.array([0.45]))) == 0.45
    assert place(replace(situation(with_models=False), given=np.array([0.5]))) is None
