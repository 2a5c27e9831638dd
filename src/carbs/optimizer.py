"""CARBS: suggest and observe."""

from __future__ import annotations

import hashlib
import threading
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from carbs.config import CARBSParams
from carbs.errors import CarbsError
from carbs.observations import History, ObservationInParam, ObserveOutput, SuggestOutput
from carbs.params import Param, SearchSpace
from carbs.spaces import SUGGESTION_ID_KEY, Array, ParamDict


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
        with self._lock:
            rng = self._generator(seed)
            x = self.space.round((self.space.center + 0.3 * rng.standard_normal(self.space.width))[None])
            return self._output(
                x[0], {"kind": "random"}, suggestion_id if is_suggestion_remembered else None, is_suggestion_remembered
            )

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

    def _output(self, x: Array, log: dict[str, Any], suggestion_id: str | None, remembered: bool) -> SuggestOutput:
        suggestion = self.space.decode(x[None])[0]
        if remembered:
            suggestion_id = suggestion_id or str(uuid.uuid4())
            self._history.remember(suggestion_id, suggestion)
            suggestion = {**suggestion, SUGGESTION_ID_KEY: suggestion_id}
        return SuggestOutput(suggestion, log)
