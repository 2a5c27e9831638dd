"""CARBSParams: the options of the optimizer."""

from __future__ import annotations

import warnings
from dataclasses import asdict, dataclass, fields
from enum import Enum
from typing import Any

from carbs.errors import Problem, did_you_mean, raise_problems, refuse
from carbs.values import is_finite, is_positive, is_whole, plain, shown


class OutstandingSuggestionEstimatorEnum(Enum):
    """Legacy: how the old package imagined outstanding suggestions. They are always imagined now."""

    MEAN = "MEAN"
    CONSTANT = "CONSTANT"
    THOMPSON = "THOMPSON"


class SuggestionRedistributionMethodEnum(Enum):
    """Legacy: an unused option of the old package."""

    NONE = "NONE"
    LOG_COST_CLAMPING = "LOG_COST_CLAMPING"


@dataclass(frozen=True)
class WandbLoggingParams:
    """Legacy: where the old optimizer logged to W&B by itself. `wandb_carbs` does this now."""

    project_name: str | None = None
    group_name: str | None = None
    run_name: str | None = None
    run_id: str | None = None
    is_suggestion_logged: bool = True
    is_observation_logged: bool = True
    is_search_space_logged: bool = True
    root_dir: str = ""


# Options of the old package that no longer have an effect, and what to do instead.
_LEGACY = {
    "is_wandb_logging_enabled": "the optimizer never logs to W&B; use wandb_carbs.WandbCarbs",
    "wandb_params": "the optimizer never logs to W&B; use wandb_carbs.WandbCarbs",
    "checkpoint_dir": "nothing is saved behind your back; call CARBS.save(path)",
    "s3_checkpoint_path": "nothing is saved behind your back; call CARBS.save(path)",
    "is_saved_on_every_observation": "nothing is saved behind your back; call CARBS.save(path)",
    "exploration_bias": "exploration follows from the model's uncertainty",
    "num_candidates_for_suggestion_per_dim": "the number of candidates is chosen from the dimension",
    "min_pareto_cost_fraction": "the frontier is judged on posterior means over all costs",
    "is_pareto_group_selection_conservative": "the frontier is judged on posterior means",
    "is_expected_improvement_pareto_value_clamped": "improvement is integrated over the whole frontier",
    "is_expected_improvement_value_always_max": "improvement is integrated over the whole frontier",
    "outstanding_suggestion_estimator": "the outcomes of outstanding suggestions are always imagined",
}
# Values by which the old package did as this one always does: no warning.
_HARMLESS: dict[str, Any] = {"is_wandb_logging_enabled": False, "is_saved_on_every_observation": False}


_UNSET = object()
# A bounded space is two search units wide; with much larger radii floats overflow.
_LARGEST_RADIUS = 1e6


@dataclass(frozen=True, init=False)
class CARBSParams:
    """Options of the optimizer.

    Attributes:
        better_direction_sign: 1 to maximise the objective, -1 to minimise it.
        seed: Same history and same seed give the same suggestion.
        num_random_samples: Runs before the model suggests: they have succeeded, or are outstanding beside two that
            have; points on their way count, too. The draws until then are space-filling.
        initial_search_radius: Standard deviation of the draws around a given search centre, in search units, once two
            runs have succeeded. Before any success it is a quarter of this (0.15), and it doubles with every success.
        resample_frequency: Run a member of the frontier again every so many successes, to learn the noise; 0 never.
        max_suggestion_cost: Never suggest what is predicted to cost more than this (in the unit of the observed
            costs); None for no limit. Nothing is predicted before two runs have succeeded: only a given search centre
            keeps these runs cheap.

    The options of the old package that no longer have an effect are accepted with a DeprecationWarning that says what
    replaces them.

    Raises:
        CarbsError: If an option breaks its rule; names every problem.
    """

    better_direction_sign: int
    seed: int
    num_random_samples: int
    initial_search_radius: float
    resample_frequency: int
    max_suggestion_cost: float | None

    def __init__(
        self,
        /,
        better_direction_sign: int = 1,
        seed: int = 0,
        num_random_samples: int = 4,
        initial_search_radius: float = 0.6,
        resample_frequency: int = 5,
        max_suggestion_cost: float | None = None,
        **legacy: Any,
    ) -> None:
        given = dict(locals())
        for option in fields(self):
            object.__setattr__(self, option.name, plain(given[option.name]))
        raise_problems("invalid CARBSParams", [*self._unknown(legacy), *self._problems()])
        for name, value in legacy.items():
            if value != _HARMLESS.get(name, _UNSET):
                message = f"CARBSParams({name}={shown(value)}) has no effect any more: {_LEGACY[name]}"
                warnings.warn(message, DeprecationWarning, stacklevel=2)

    def _unknown(self, options: dict[str, Any]) -> list[Problem]:
        known = [option.name for option in fields(self)]
        return [
            Problem("", name, value, f"known are {known}", f"unknown option {name!r}{did_you_mean(name, known)};")
            for name, value in options.items()
            if name not in _LEGACY
        ]

    def _problems(self) -> list[Problem]:
        problems = []
        sign = self.better_direction_sign
        if not is_finite(sign) or abs(sign) != 1:
            problems.append(Problem("", "better_direction_sign", sign, "must be 1 (maximise) or -1 (minimise)"))
        for name, least in (("seed", 0), ("num_random_samples", 1), ("resample_frequency", 0)):
            value = getattr(self, name)
            if not is_whole(value, least):
                problems.append(Problem("", name, value, f"must be a whole number of at least {least}"))
        radius = self.initial_search_radius
        if not is_positive(radius) or radius > _LARGEST_RADIUS:
            rule = f"must be a positive number of at most {_LARGEST_RADIUS:g}"
            problems.append(Problem("", "initial_search_radius", radius, rule))
        cap = self.max_suggestion_cost
        if cap is not None and not is_positive(cap):
            problems.append(Problem("", "max_suggestion_cost", cap, "must be a positive number or None"))
        return problems

    def to_dict(self) -> dict[str, Any]:
        """Return the options as a dictionary that JSON can hold."""
        return asdict(self)


def as_config(config: CARBSParams | None, hint: str = "") -> CARBSParams:
    """Return the options, the default ones for None.

    Args:
        config: The options.
        hint: The end of the error's text.

    Raises:
        CarbsError: If it is anything else.
    """
    if config is not None and not isinstance(config, CARBSParams):
        raise refuse(Problem("", "config", config, f"must be a CARBSParams{hint}"))
    return config or CARBSParams()
