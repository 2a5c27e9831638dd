"""CARBS: suggest and observe."""

from __future__ import annotations

import hashlib
import threading
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from carbs import candidates
from carbs.config import CARBSParams
from carbs.errors import CarbsError
from carbs.observations import History, ObservationInParam, ObserveOutput, SuggestOutput, group
from carbs.params import Param, SearchSpace
from carbs.proposal import propose
from carbs.spaces import SUGGESTION_ID_KEY, Array, ParamDict
from carbs.surrogate import Surrogate


class CARBS:
    """Cost-aware Bayesian search around the Pareto frontier.

    Args:
        config: Options; the defaults maximise.
        params: The hyperparameters to search.

    Raises:
        CarbsError: If the search space or an option is invalid; one error names every problem.
    """

    def __init__(self, config: CARBSParams | None = None, params: Sequence[Param] = ()) -> None:
        if config is not None and not isinstance(config, CARBSParams):
            raise CarbsError(
                f"config={config!r} must be a CARBSParams; write CARBS(params=[…]) to give only parameters"
            )
        self.config = config or CARBSParams()
        self.space = SearchSpace(tuple(params))
        self._history = History(self.space)
        self._lock = threading.RLock()
        self._fitted: tuple[tuple[int, int], Surrogate] | None = None

    @property
    def params(self) -> tuple[Param, ...]:
        """The hyperparameters."""
        return self.space.params

    @property
    def success_observations(self) -> list[ObservationInParam]:
        """Observations of successful runs, in order."""
        return list(self._history.successes)

    @property
    def failure_observations(self) -> list[ObservationInParam]:
        """Observations of failed runs, in order."""
        return list(self._history.failures)

    @property
    def outstanding_suggestions(self) -> dict[str, ParamDict]:
        """Configurations suggested and not yet observed or forgotten, by identifier."""
        return dict(self._history.pending)

    def suggest(
        self,
        suggestion_id: str | None = None,
        is_suggestion_remembered: bool = True,
        *,
        seed: str | int | None = None,
    ) -> SuggestOutput:
        """Suggest the configuration to run next.

        Args:
            suggestion_id: Identifier under which to remember it; None makes a new one.
            is_suggestion_remembered: Whether it is outstanding from now on.
            seed: Extra entropy beside `CARBSParams.seed`, so that processes with the same history differ.

        Returns:
            The configuration and what the optimizer believes of it.
        """
        with self._lock, threadpool_limits(1, user_api="blas"):
            rng = self._generator(seed)
            x, log = self._choose(rng)
            return self._output(x, log, suggestion_id, is_suggestion_remembered)

    def observe(self, new_observation_in_param: ObservationInParam) -> ObserveOutput:
        """Add the outcome of a run.

        Args:
            new_observation_in_param: The outcome. Its suggestion, if it names one, is outstanding no longer.

        Raises:
            CarbsError: If it is invalid; nothing is changed then.
        """
        with self._lock:
            self._history.add(new_observation_in_param)
            return ObserveOutput(
                {"num_successes": len(self._history.successes), "num_failures": len(self._history.failures)}
            )

    def remember_suggestion(self, suggestion: Mapping[str, Any], suggestion_id: str) -> None:
        """Add an outstanding suggestion that another process made.

        Raises:
            CarbsError: If the configuration is not in the search space.
        """
        with self._lock:
            self._history.remember(suggestion_id, suggestion)

    def forget_suggestion(self, suggestion_to_forget: Mapping[str, Any]) -> None:
        """Remove an outstanding suggestion, named by its "suggestion_uuid"; unknown ones are ignored."""
        with self._lock:
            self._history.forget(suggestion_to_forget)

    def initialize_from_observations(self, observations: Sequence[ObservationInParam]) -> ObserveOutput:
        """Add many observations, in order.

        Raises:
            CarbsError: If one is invalid; those before it are kept.
        """
        output = ObserveOutput()
        for observation in observations:
            output = self.observe(observation)
        return output

    def _generator(self, seed: str | int | None) -> np.random.Generator:
        """Derive the generator of the next suggestion from the seeds and the size of the history alone."""
        history = self._history
        counts = (len(history.successes), len(history.failures), len(history.pending))
        digest = hashlib.sha256(repr((self.config.seed, seed, counts)).encode()).digest()
        return np.random.default_rng(int.from_bytes(digest, "big"))

    def _choose(self, rng: np.random.Generator) -> tuple[Array, dict[str, Any]]:
        history = self._history
        waiting = self.config.num_random_samples - len(history.successes)
        if waiting > 0:
            return self._draw_initial(rng), {"kind": "random", "reason": f"{waiting} more successes before the model is used"}
        return propose(self.space, self.config, self._surrogate(), self._pending_coordinates(), self._failed_coordinates(), rng)

    def _draw_initial(self, rng: np.random.Generator) -> Array:
        history = self._history
        index = len(history.successes) + len(history.failures) + len(history.pending)
        shift = np.random.default_rng(self.config.seed).random(self.space.width)
        jitter = rng.standard_normal(self.space.width)
        return candidates.initial(self.space, index, self.config.initial_search_radius, shift, jitter)

    def _surrogate(self) -> Surrogate:
        history = self._history
        key = (len(history.successes), len(history.failures))
        if self._fitted is None or self._fitted[0] != key:
            X = self.space.encode([observation.input for observation in history.successes])
            sign = self.config.better_direction_sign
            y = sign * np.array([observation.output for observation in history.successes])
            log_cost = np.log([observation.cost for observation in history.successes])
            self._fitted = key, Surrogate.fit(self.space, group(X, y, log_cost), self._failed_coordinates())
        return self._fitted[1]

    def _pending_coordinates(self) -> Array:
        return self.space.encode(list(self._history.pending.values()))

    def _failed_coordinates(self) -> Array:
        return self.space.encode([observation.input for observation in self._history.failures])

    def _output(self, x: Array, log: dict[str, Any], suggestion_id: str | None, remembered: bool) -> SuggestOutput:
        suggestion = self.space.decode(x[None])[0]
        if remembered:
            suggestion_id = suggestion_id or str(uuid.uuid4())
            self._history.remember(suggestion_id, suggestion)
            suggestion = {**suggestion, SUGGESTION_ID_KEY: suggestion_id}
        return SuggestOutput(suggestion, log)
