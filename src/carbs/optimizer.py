"""CARBS: suggest and observe."""

from __future__ import annotations

import copy
import os
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from carbs import checkpoint, start
from carbs.config import CARBSParams, as_config
from carbs.errors import CarbsError, Problem, refuse
from carbs.history import History, ObservationInParam, ObserveOutput, SuggestOutput, check_suggestion_id, copies
from carbs.legacy import LegacyNames, ObserveLogs
from carbs.proposer import Proposer, num_awaited
from carbs.request import Request
from carbs.rule import Rule
from carbs.spaces.search_space import Param, as_space
from carbs.spaces.values import SUGGESTION_ID_KEY, ParamDict
from carbs.threads import one_thread
from carbs.tuning import DEFAULT, Tuning
from carbs.unfinished import Prospect, UnfinishedRun
from carbs.values import shown


class CARBS(LegacyNames):
    """Cost-aware Bayesian search around the Pareto frontier.

    Args:
        config: Options; the defaults maximise.
        params: The hyperparameters to search.
        initial: Configurations to run first, such as are known to be good; parameters that one leaves out take the
            search centre. They run in this order, or the cheapest first as soon as costs can be predicted; those beyond
            the limits of cost wait.
        is_valid: A rule for whole configurations, a function of their dictionary that returns whether it may be run:
            `lambda values: values["batch"] % values["minibatch"] == 0`. Every suggestion obeys it; observations need
            not. Checkpoints do not keep it.
        tuning: The tuned constants, for experiments on the optimizer itself; checkpoints do not keep them.

    Raises:
        CarbsError: If the search space or an option is invalid; one error names every problem.

    Examples:
        >>> from carbs import CARBS, LinearSpace, LogSpace, ObservationInParam, Param
        >>> rate = Param("rate", LogSpace(min=1e-4, max=1e-1))
        >>> layers = Param("layers", LinearSpace(min=1, max=6, is_integer=True))
        >>> carbs = CARBS(params=[rate, layers])
        >>> for _ in range(8):
        ...     suggestion = carbs.suggest().suggestion
        ...     accuracy = 1 - abs(suggestion["rate"] - 0.01)  # train here
        ...     run = ObservationInParam(suggestion, accuracy, cost=10.0 * suggestion["layers"])
        ...     output = carbs.observe(run)
        >>> output.logs
        {'num_successes': 8, 'num_failures': 0}
        >>> sorted(carbs.suggest("run 9").suggestion)
        ['layers', 'rate', 'suggestion_uuid']
        >>> list(carbs.outstanding_suggestions)
        ['run 9']
    """

    def __init__(
        self,
        config: CARBSParams | None = None,
        params: Sequence[Param] = (),
        *,
        initial: Sequence[Mapping[str, Any]] = (),
        is_valid: Callable[[ParamDict], bool] | None = None,
        tuning: Tuning = DEFAULT,
    ) -> None:
        self.config = as_config(config, hint="; write CARBS(params=[…]) to give only parameters")
        self.space = as_space(params)
        self._rule = Rule(self.space, is_valid)
        self._initial = start.wanted(self.space, initial, self.obeys)
        self._history = History(self.space)
        self._lock = threading.RLock()
        self._proposer = Proposer(self.config, tuning, self._rule)

    def __getstate__(self) -> dict[str, Any]:
        """Return all but the lock, for `pickle` and `copy`."""
        with self._lock:
            state = {**self.__dict__, "_history": copy.deepcopy(self._history)}
        del state["_lock"]
        return state

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        """Take a state, and make a lock of its own."""
        self.__dict__.update(state)
        self._lock = threading.RLock()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save the search and its history as JSON; a crash leaves the old file or the new one.

        Args:
            path: The file; its folder must exist.
        """
        with self._lock:
            checkpoint.write(path, checkpoint.dump(self.space, self.config, self._history, self._initial))

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, is_valid: Callable[[ParamDict], bool] | None = None) -> CARBS:
        """Load what `save` wrote; its next suggestion is the one that the saved optimizer would have made.

        Args:
            path: The file.
            is_valid: The rule for whole configurations, as for the constructor.

        Raises:
            CarbsError: If the file is not a checkpoint.
        """
        params, config, history, initial = checkpoint.parse(Path(path).read_bytes())
        loaded = cls(config, params, initial=initial, is_valid=is_valid)
        loaded._history = history
        return loaded

    def obeys(self, values: Mapping[str, Any]) -> bool:
        """Say whether a configuration of the search space obeys the rule `is_valid`.

        Raises:
            CarbsError: If the rule itself fails.
        """
        return self._rule.obeys(values)

    def warm_start(self, other: CARBS, *, same_task: bool = True) -> int:
        """Begin with the knowledge of another search.

        Parameters that the other search did not have take this one's search centre; observations out of bounds are
        left out, and where runs are equally long those of another length.

        Args:
            other: A search with the same meaning of objective and cost.
            same_task: Whether the same configuration had the same objective there. Then its observations are added;
                their costs raise no limit, so that this search, too, grows from its own runs. Otherwise four members of
                its frontier, from the cheapest to the best, are run first, and nothing else is taken over: the
                objectives of another task mislead the models.

        Returns:
            How many observations were added (those that a warm start has already brought are not added again), or how
            many configurations are run first.

        Raises:
            CarbsError: If it is not a CARBS, or is this one itself, or optimises in the other direction.
        """
        if not isinstance(other, CARBS):
            subject = f"the search to start from, {shown(other)},"
            raise refuse(Problem("", "other", other, "must be a CARBS", subject))
        if other is self:
            raise CarbsError("the search to start from is this one itself, whose runs are known; name another")
        start.check_direction(other.config, self.config)
        if not same_task:
            sign, runs = self.config.better_direction_sign, other.success_observations
            members = list(filter(self.obeys, start.frontier_members(self.space, other.space, runs, sign)))
            self._initial += members
            return len(members)
        fresh = start.fresh(self.space, other.space, other._history.observations, self._history.observations)
        for observation in fresh:
            self.observe(observation)
        return len(fresh)

    @property
    def params(self) -> tuple[Param, ...]:
        """The hyperparameters."""
        return self.space.params

    @property
    def success_observations(self) -> list[ObservationInParam]:
        """Observations of successful runs, in order; copies, as in the next two."""
        return copies(self._history.successes)

    @property
    def failure_observations(self) -> list[ObservationInParam]:
        """Observations of failed runs, in order."""
        return copies(self._history.failures)

    @property
    def num_awaited(self) -> int:
        """How many more runs it takes before the model suggests, 0 if it does.

        It takes `CARBSParams.num_random_samples` of runs that succeeded, points on their way, and outstanding runs,
        with two successes among them: many agents that start together need not wait for one another. Where all runs
        are equally long, only whole ones and outstanding ones count.
        """
        return num_awaited(self.config, self._history, self.space)

    @property
    def outstanding_suggestions(self) -> dict[str, ParamDict]:
        """Configurations suggested and not yet observed or forgotten, by identifier."""
        # First the whole at once: another thread may be adding to it.
        return {suggestion_id: dict(values) for suggestion_id, values in dict(self._history.pending).items()}

    def suggest(
        self,
        suggestion_id: str | None = None,
        is_suggestion_remembered: bool = True,
        *,
        seed: str | int | None = None,
        for_cost: float | None = None,
        given: Mapping[str, Any] | None = None,
    ) -> SuggestOutput:
        """Suggest the configuration to run next.

        Args:
            suggestion_id: Identifier under which to remember it, a non-empty string; None makes a new one. An
                outstanding suggestion of the same identifier is replaced.
            is_suggestion_remembered: Whether it is outstanding from now on.
            seed: Extra entropy beside `CARBSParams.seed`, so that processes with the same history differ.
            for_cost: Suggest the run that narrows the prediction of the best objective at this cost, rather than the
                one that is expected to improve the frontier most.
            given: Values that the suggestion must have, by name, such as the sizes of model and data; the search is for
                all others. They must lie in the search space: beyond it `carbs.scaling.recommend` predicts. A
                predicted cost may then exceed the limits of growth, but not `CARBSParams.max_suggestion_cost`.

        Returns:
            The configuration and the optimizer's predictions for it.

        Raises:
            CarbsError: If `for_cost` is not a positive, finite number, a given value is not in the search space, or an
                identifier or a seed breaks its rule.
        """
        if suggestion_id is not None:
            check_suggestion_id(suggestion_id)
        request = Request.checked(self.space, seed, for_cost, given)
        # The caller may have set numpy to raise; here values that are not finite are noticed anyway.
        with self._lock, one_thread(), np.errstate(all="ignore"):
            proposal = self._proposer.propose(self._history, self._initial, request)
            suggestion = {**self.space.decode(proposal.x[None])[0], **request.given}
            if is_suggestion_remembered:
                suggestion_id = suggestion_id or str(uuid.uuid4())
                self._history.remember(suggestion_id, suggestion)
                suggestion = {**suggestion, SUGGESTION_ID_KEY: suggestion_id}
            return SuggestOutput(suggestion, proposal.log)

    def judge(self, suggestion: Mapping[str, Any], points: Sequence[ObservationInParam], parameter: str) -> Prospect:
        """Judge whether a run that goes on may still improve the frontier, or should be stopped.

        It should if the models give it a chance of less than 5 % to be better than all that is known at its cost,
        anywhere on the rest of its way. Before a tenth of its way no run is stopped, nor is one of the first runs of a
        search, and one run in ten goes to its end: the models have to see ends. Observe a stopped run as its last
        point, with the earlier ones as its `points`. Where all runs are equally long (`Param.fixed`), only its end
        counts, against the ends of the others.

        Args:
            suggestion: Its configuration; by its "suggestion_uuid" it is chosen which runs go to their end.
            points: Its results so far, in any order: successes that differ from it in one hyperparameter.
            parameter: That hyperparameter, through whose values the run passes, such as the number of epochs.

        Raises:
            CarbsError: If the configuration or a point is invalid, or a point is not on the way of this run.
        """
        run = UnfinishedRun.checked(self.space, suggestion, points, parameter)
        with self._lock, one_thread(), np.errstate(all="ignore"):
            return self._proposer.judge(self._history, run)

    def observe(self, new_observation_in_param: ObservationInParam) -> ObserveOutput:
        """Add the outcome of a run.

        Args:
            new_observation_in_param: The outcome. Its suggestion, if it names one, is outstanding no longer, nor wanted
                first, if another configuration was run in its place.

        Raises:
            CarbsError: If it is invalid; nothing is changed then.
        """
        with self._lock:
            pending = dict(self._history.pending)
            kept = self._history.add(new_observation_in_param)
            answered = [values for name, values in pending.items() if name not in self._history.pending]
            self._initial = start.without(self.space, self._initial, answered)
            return ObserveOutput(ObserveLogs(self._history, kept, self.config.better_direction_sign))

    def remember_suggestion(self, suggestion: Mapping[str, Any], suggestion_id: str) -> None:
        """Add an outstanding suggestion that another process made; one of the same identifier is replaced.

        Raises:
            CarbsError: If the identifier is not a non-empty string, or the configuration is not in the search space.
        """
        with self._lock:
            self._history.remember(suggestion_id, suggestion)

    def forget_suggestion(self, suggestion_to_forget: Mapping[str, Any]) -> None:
        """Remove an outstanding suggestion, named by its "suggestion_uuid"; unknown ones are ignored.

        Raises:
            CarbsError: If `suggestion_to_forget` is not a dictionary.
        """
        with self._lock:
            self._history.forget(suggestion_to_forget)

    def synchronize(
        self,
        source: str,
        observations: Mapping[str, ObservationInParam],
        outstanding: Mapping[str, ParamDict | None] | None = None,
    ) -> None:
        """Make what is known from one source, a sweep say, exactly what the source says now.

        Its observations that are new are added, corrected ones replaced, deleted ones removed; so are its outstanding
        suggestions. What came from elsewhere stays.

        Args:
            source: Name of the source.
            observations: Its observations by identifier, in order.
            outstanding: Its other runs by identifier: what each is about to observe, None for one that has no
                suggestion (yet). A suggestion made here under such an identifier is outstanding until the source says
                otherwise.

        Raises:
            CarbsError: If an observation or a suggestion is invalid; nothing is changed then.
        """
        with self._lock:
            self._history.synchronize(source, observations, outstanding or {})

    def initialize_from_observations(self, observations: Sequence[ObservationInParam]) -> ObserveOutput:
        """Add many observations, in order.

        Raises:
            CarbsError: If one is invalid; those before it are kept.
        """
        if not isinstance(observations, Iterable):
            raise refuse(Problem("", "observations", observations, "must be a list of ObservationInParam"))
        output = ObserveOutput()
        for observation in observations:
            output = self.observe(observation)
        return output
