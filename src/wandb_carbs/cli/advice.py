"""The advice of a sweep's scaling laws for given sizes, as a whole configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from carbs import CARBS
from carbs.scaling import Recommendation, scaling_laws
from carbs.spaces.categorical import ChoiceSpace
from carbs.spaces.values import ParamDict


@dataclass(frozen=True)
class Advice:
    """The configuration that the laws predict to be best at given sizes.

    Attributes:
        config: All hyperparameters, in the search space's order.
        recommendation: The predictions and their intervals.
        choices: Names of the hyperparameters that have no law, because they have no order: their values are those of
            the best run.
        num_diverged: How many runs were taken for diverged, and so do not move the laws.
        num_unused: How many of very many runs are too far from the frontier for the laws to use them.
    """

    config: ParamDict
    recommendation: Recommendation
    choices: tuple[str, ...]
    num_diverged: int
    num_unused: int = 0

    def ends(self, end: Literal["low", "high"]) -> list[float | None]:
        """Return one end of each 90 % interval, the objective's first; None for what is given, or is a choice."""
        found = [self.recommendation.objective, *(self.recommendation.params.get(name) for name in self.config)]
        return [None if prediction is None else float(getattr(prediction, end)) for prediction in found]

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        advised = self.recommendation
        return {
            "given": {name: self.config[name] for name in advised.given},
            "config": self.config,
            "intervals": {name: [found.low, found.high] for name, found in advised.params.items()},
            "objective": None if advised.objective is None else vars(advised.objective),
            "choices": list(self.choices),
            "diverged": self.num_diverged,
            "unused": self.num_unused,
        }


def advise(carbs: CARBS, given: Mapping[str, float]) -> Advice:
    """Predict the best configuration at given sizes, which may lie beyond their bounds.

    Args:
        carbs: The search; its successful runs make the laws.
        given: The sizes, by name.

    Raises:
        CarbsError: If a size is no numeric hyperparameter, or the laws do not reach so far, or cannot be fitted.
    """
    successes, space = carbs.success_observations, carbs.space
    laws = scaling_laws(space, successes, carbs.config, scale=list(given))
    recommendation = laws.at(**given)
    best = max(successes, key=lambda run: carbs.config.better_direction_sign * run.output)
    choices = tuple(
        name for name, settled in zip(space.names, space.spaces, strict=True) if isinstance(settled, ChoiceSpace)
    )
    values = {**best.input, **recommendation.values, **given}
    config = {name: values[name] for name in space.names}
    return Advice(config, recommendation, choices, len(laws.diverged), laws.num_unused)
