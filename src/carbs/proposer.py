"""Choose the next configuration of a search: which of the kinds of proposals, and from which models."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Generic, TypeVar

import numpy as np

from carbs import start
from carbs.config import CARBSParams
from carbs.errors import CarbsError
from carbs.history import History
from carbs.models.groups import group_points, group_successes
from carbs.models.surrogate import MODEL_ERRORS, Surrogate
from carbs.models.whole_runs import group_whole_runs
from carbs.request import Request
from carbs.rule import Rule
from carbs.search import at_cost, first_draws, most_gain, patience, stopping, wanted
from carbs.search.first_draws import MIN_FOR_MODEL
from carbs.search.situation import Course, Proposal, Situation
from carbs.spaces.search_space import SearchSpace
from carbs.spaces.values import ParamDict
from carbs.tuning import Tuning
from carbs.unfinished import Prospect, UnfinishedRun, prospect_of

logger = logging.getLogger("carbs")

_Value = TypeVar("_Value")


def num_awaited(config: CARBSParams, history: History, space: SearchSpace) -> int:
    """Return how many more runs it takes before the model suggests; see `CARBS.num_awaited`."""
    wanted_runs, succeeded = config.num_random_samples, _num_whole(history, space)
    # Where all runs are equally long, the models suggest by their ends alone.
    seen = succeeded + (0 if space.fixed else sum(len(run.points) for run in history.successes))
    return max(min(wanted_runs, MIN_FOR_MODEL) - succeeded, wanted_runs - seen - len(history.pending), 0)


class Proposer:
    """Proposes configurations, and keeps the models that were fitted to a history until it changes.

    Args:
        config: The user's options.
        tuning: The tuned constants.
        rule: The search space, and the user's rule for its configurations.
    """

    def __init__(self, config: CARBSParams, tuning: Tuning, rule: Rule) -> None:
        self._space = rule.space
        self._config = config
        self._tuning = tuning
        self._rule = rule
        self._models: _Kept[Surrogate] = _Kept()
        self._models_of_ends: _Kept[Surrogate] = _Kept()
        self._courses: _Kept[Course] = _Kept()

    def propose(self, history: History, initial: Sequence[ParamDict], request: Request) -> Proposal:
        """Propose the next configuration.

        Args:
            history: The search so far.
            initial: Configurations that are wanted first.
            request: What is asked for.

        Raises:
            CarbsError: If the user's rule fails, or leaves no configuration.
        """
        situation, awaited = self._situation(history, request), num_awaited(self._config, history, self._space)
        reason = f"{_more_runs(awaited)} needed before the model suggests" if awaited else ""
        if awaited and self._config.max_suggestion_cost is not None and len(history.successes) < MIN_FOR_MODEL:
            reason += f"; until {MIN_FOR_MODEL} have succeeded no cost is known, and it may exceed max_suggestion_cost"
        problem = ""
        try:
            if not awaited or first_draws.wants_models(situation):
                situation = replace(situation, surrogate=self._surrogate_of_ends(history))
            if initial and request.for_cost is None:
                first = wanted.propose(situation, self._space.encode(initial))
                if first is not None:
                    return first
            if not awaited:
                if request.for_cost is not None:
                    return at_cost.propose(situation, request.for_cost)
                return patience.propose(situation) or most_gain.propose(situation)
        except CarbsError:
            raise  # the user's rule leaves nothing, or fails itself
        except MODEL_ERRORS as error:
            problem = f"the model could not be used: {error!r}"
            logger.exception("Suggesting at random, since %s", problem)
        proposal = first_draws.propose(situation)
        if "reason" in proposal.log and not problem:
            logger.warning("Drawing without a guard against high costs, since %s", proposal.log["reason"])
        return replace(proposal, log={**proposal.log, "reason": reason or problem})

    def judge(self, history: History, run: UnfinishedRun) -> Prospect:
        """Judge whether a run that goes on may still improve the frontier.

        Args:
            history: The search so far, without the run.
            run: The run.
        """
        missing = max(self._config.num_random_samples, MIN_FOR_MODEL) - _num_whole(history, self._space)
        excuse = run.excuse if missing <= 0 else f"goes on, as {_more_runs(missing)} needed before one can be judged"
        if excuse:
            return Prospect(False, None, excuse)
        rng = _generator(self._config.seed, run.name, len(run.points))
        try:
            way = group_successes(self._space, run.points, self._config.better_direction_sign)
            models, reach = self._surrogate(history), self._tuning.model.outlier_reach
            arguments = (models, way, run.ahead, run.column, reach, rng)
            return prospect_of(stopping.chance(*arguments, counts_at_end=run.counts_at_end))
        except MODEL_ERRORS as error:
            logger.exception("A run is not judged, since the model could not be used")
            return Prospect(False, None, f"goes on, as the model could not be used: {error!r}")

    def _situation(self, history: History, request: Request) -> Situation:
        """Return the situation without models."""
        encode, fixed = self._space.encode, self._space.fixed
        counts = (len(history.successes), len(history.failures), len(history.pending))
        # A run that was stopped has had its suggestion's turn.
        successes, failures = (
            [{**run.input, **fixed} for run in runs] for runs in (history.successes, history.failures)
        )
        return Situation(
            self._space,
            self._config,
            encode(successes),
            encode(failures),
            encode(list(history.pending.values())),
            surrogate=None,
            generator=_generator(self._config.seed, request.seed, counts),
            tuning=self._tuning,
            is_valid=None if self._rule.is_valid is None else self._rule.obeys,
            own=start.own_runs(self._space, history.successes),
            given=request.coordinates(self._space),
            narrows=request.narrows,
            course=Course() if request.narrows else self._course(history),
        )

    def _course(self, history: History) -> Course:
        """Return how the search has gone."""
        sign, num_first = self._config.better_direction_sign, self._config.num_random_samples
        least_gain = self._tuning.patience.least_gain
        return self._courses.of(
            history, lambda: patience.course_of(self._space, history.successes, sign, num_first, least_gain)
        )

    def _surrogate(self, history: History) -> Surrogate:
        """Return the models of the observed runs, and of the points on their ways."""

        def fit() -> Surrogate:
            sign = self._config.better_direction_sign
            groups = group_points(self._space, history.successes, history.failures, sign)
            failures = self._space.encode([run.input for run in history.failures])
            return Surrogate.fit(self._space, groups, failures, self._tuning.model)

        return self._models.of(history, fit)

    def _surrogate_of_ends(self, history: History) -> Surrogate:
        """Return the models that suggest: where runs are all equally long, those of whole runs alone.

        The models of the points, too, predict the ends of the runs that were stopped. They suggest no better.
        """
        if not self._space.fixed:
            return self._surrogate(history)

        def fit() -> Surrogate:
            sign = self._config.better_direction_sign
            groups = group_whole_runs(self._space, history.successes, sign, lambda: self._surrogate(history))
            failures = self._space.encode([{**run.input, **self._space.fixed} for run in history.failures])
            return Surrogate.fit(self._space, groups, failures, self._tuning.model)

        return self._models_of_ends.of(history, fit)


class _Kept(Generic[_Value]):
    """Keeps what was computed of a history, until its observed runs change."""

    def __init__(self) -> None:
        self._found: tuple[int, _Value] | None = None

    def of(self, history: History, compute: Callable[[], _Value]) -> _Value:
        """Return what `compute` returns for the history."""
        if self._found is None or self._found[0] != history.revision:
            self._found = history.revision, compute()
        return self._found[1]


def _num_whole(history: History, space: SearchSpace) -> int:
    """Return how many runs have succeeded; where all are equally long, how many came to their ends."""
    return sum(space.is_whole(run.input) for run in history.successes)


def _generator(*entropy: object) -> np.random.Generator:
    """Derive a generator from seeds and from what else it depends on: numbers, texts, or None."""
    digest = hashlib.sha256(repr(entropy).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest, "big"))


def _more_runs(number: int) -> str:
    return "1 more run is" if number == 1 else f"{number} more runs are"
