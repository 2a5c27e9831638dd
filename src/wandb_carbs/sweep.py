"""CARBS parameters as a W&B sweep configuration, and back."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import wandb

from carbs import (
    CARBS,
    CarbsError,
    CARBSParams,
    CategoricalSpace,
    LinearSpace,
    LogitSpace,
    LogSpace,
    Param,
    Pow2Space,
    SearchSpace,
)
from carbs.config import as_config
from carbs.errors import raise_problems
from wandb_carbs.errors import WandbCarbsError
from wandb_carbs.retry import INTERACTIVE_SECONDS, with_retries
from wandb_carbs.state import OBJECTIVE_KEY

_SCHEMA_VERSION = 1
_MAX_POW2 = 2**62  # what fits a 64-bit integer
# Keys of the sweep configuration that follow from the search space.
_OWN_KEYS = ("name", "method", "metric", "parameters", "description")
# Names that break the SDK's own reading of a run's configuration.
_RESERVED_NAMES = ("_wandb", "wandb_version")


@dataclass(frozen=True)
class SweepDefinition:
    """What a CARBS sweep searches, and how.

    Attributes:
        params: The hyperparameters.
        config: The optimizer's options.
    """

    params: tuple[Param, ...]
    config: CARBSParams

    def to_json(self) -> str:
        """Return the definition as JSON, to be kept in a sweep's description."""
        described = {
            "schema_version": _SCHEMA_VERSION,
            "params": [param.to_dict() for param in self.params],
            "config": self.config.to_dict(),
        }
        return json.dumps({"carbs": described}, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> SweepDefinition:
        """Read what `to_json` returned.

        Raises:
            CarbsError: If the text is no such definition, or one of a later version.
        """
        try:
            described = json.loads(text)["carbs"]
            version, params, config = described["schema_version"], described["params"], described["config"]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise CarbsError(
                "the sweep's description holds no CARBS definition; create the sweep with wandb_carbs.create_sweep, "
                "or declare the parameters in the program and use WandbCarbs(carbs=CARBS(params=…))"
            ) from None
        if version != _SCHEMA_VERSION:
            raise CarbsError(
                f"the sweep's CARBS definition has schema version {version!r}, this wandb-carbs reads "
                f"{_SCHEMA_VERSION}; use the version that created the sweep"
            )
        if not isinstance(params, list) or not isinstance(config, dict):
            raise CarbsError("the sweep's CARBS definition is damaged: params must be a list, config an object")
        definition = cls(tuple(Param.from_dict(param) for param in params), CARBSParams(**config))
        SearchSpace(definition.params)  # raises if they are none of one
        return definition

    def optimizer(self) -> CARBS:
        """Return a new optimizer for this definition."""
        return CARBS(self.config, self.params)


def create_sweep(
    sweep_name: str,
    wandb_entity: str | None,
    wandb_project: str,
    carbs_spaces: Sequence[Param] | None = None,
    *,
    carb_params: Sequence[Param] | None = None,
    config: CARBSParams | None = None,
    metric_name: str | None = None,
    **sweep_options: Any,
) -> str:
    """Create a W&B sweep for CARBS parameters.

    The sweep's own method is `random`, which only starts runs: each run's configuration is then replaced by the
    suggestion of `WandbCarbs`. The whole definition is kept in the sweep's description, so that
    `WandbCarbs.from_sweep()` needs no second one.

    Args:
        sweep_name: Name that W&B shows.
        wandb_entity: User or team that owns the project; None for the default one.
        wandb_project: The project.
        carbs_spaces: The hyperparameters.
        carb_params: Older name of `carbs_spaces`.
        config: The optimizer's options; also tells whether the objective is maximised.
        metric_name: A metric that the program logs, for W&B's own purposes: its pages sort runs by it, and its early
            stopping judges by it. The search learns from what `record_observation` is given, whatever this is. By
            default it is that objective, as it is recorded: `carbs.objective`.
        sweep_options: Further keys of the sweep configuration: program, command, run_cap, …

    Returns:
        The sweep's id.

    Raises:
        CarbsError: If an argument is invalid; one error names every problem.
        WandbConnectionError: If W&B cannot be reached or refuses.
    """
    params = carbs_spaces if carbs_spaces is not None else carb_params
    problems = []
    if carbs_spaces is not None and carb_params is not None:
        problems.append("carbs_spaces and carb_params are the same list under two names; give only carbs_spaces")
    for name, value in (("sweep_name", sweep_name), ("wandb_project", wandb_project)):
        if not isinstance(value, str) or not value:
            problems.append(f"{name}={value!r} must be a non-empty string")
    if wandb_entity is not None and (not isinstance(wandb_entity, str) or not wandb_entity):
        problems.append(f"wandb_entity={wandb_entity!r} must be a non-empty string or None")
    if config is not None and not isinstance(config, CARBSParams):
        problems.append(f"config={config!r} must be a CARBSParams")
    if metric_name is not None and (not isinstance(metric_name, str) or not metric_name.strip()):
        problems.append(f"metric_name={metric_name!r} must be a non-empty string or None")
    problems += [
        f"sweep option {key!r} cannot be given: it follows from "
        + ("config and metric_name" if key == "metric" else "the search space")
        for key in sweep_options
        if key in _OWN_KEYS
    ]
    problems += _problems_with_params(params)
    raise_problems("cannot create the sweep", problems)
    assert params is not None
    sweep = sweep_configuration(sweep_name, params, config, metric_name)
    sweep.update({key: value for key, value in sweep_options.items() if value is not None})
    where = f"{wandb_entity or 'default entity'}/{wandb_project}"
    sweep_id: str = with_retries(
        f"create sweep {sweep_name!r} in {where}",
        lambda: wandb.sweep(sweep=sweep, project=wandb_project, entity=wandb_entity),
        limit=INTERACTIVE_SECONDS,
    )
    return sweep_id


def sweep_configuration(
    name: str, params: Sequence[Param], config: CARBSParams | None = None, metric_name: str | None = None
) -> dict[str, Any]:
    """Return the W&B sweep configuration for CARBS parameters.

    Args:
        name: The sweep's name.
        params: The hyperparameters.
        config: The optimizer's options.
        metric_name: The metric by which W&B sorts runs; None for the recorded objective.

    Raises:
        CarbsError: If the search space is invalid.
    """
    config = as_config(config)
    space = SearchSpace(tuple(params))
    goal = "maximize" if config.better_direction_sign > 0 else "minimize"
    return {
        "name": name,
        "description": SweepDefinition(space.params, config).to_json(),
        # W&B's own Bayes would spend its time on suggestions that are thrown away.
        "method": "random",
        "metric": {"name": metric_name or OBJECTIVE_KEY, "goal": goal},
        "parameters": {
            param.name: _distribution(param, settled) for param, settled in zip(space.params, space.spaces, strict=True)
        },
    }


def load_definition(sweep_path: str, *, limit: float = INTERACTIVE_SECONDS) -> SweepDefinition:
    """Read the CARBS definition of a sweep.

    Args:
        sweep_path: "entity/project/sweep", or what else `wandb.Api().sweep` accepts.
        limit: Seconds after which no new attempt to read is begun.

    Raises:
        CarbsError: If the sweep was not created by `create_sweep`.
        WandbConnectionError: If the sweep cannot be read.
    """
    # The SDK does not annotate it.
    read: Callable[[], Any] = lambda: wandb.Api().sweep(sweep_path)  # type: ignore[no-untyped-call]  # noqa: E731
    sweep = with_retries(f"read sweep {sweep_path!r}", read, limit=limit)
    configuration = sweep.config
    description = configuration.get("description") if isinstance(configuration, Mapping) else None
    try:
        return SweepDefinition.from_json(str(description or ""))
    except CarbsError as error:
        raise WandbCarbsError(f"sweep {sweep_path!r}: {error}") from error


def _problems_with_params(params: Sequence[Param] | None) -> list[str]:
    if params is None:
        return ["carbs_spaces is missing: the list of parameters to search"]
    if isinstance(params, (str, Mapping)) or not isinstance(params, Sequence):
        return [f"carbs_spaces={params!r} must be a list of Param"]
    problems = [
        f"parameter name {param.name!r} is reserved by W&B"
        for param in params
        if isinstance(param, Param) and param.name in _RESERVED_NAMES
    ]
    try:
        SearchSpace(tuple(params))
    except CarbsError as error:
        problems.append(str(error))
    return problems


def _distribution(param: Param, space: Any) -> dict[str, Any]:
    """Return W&B's nearest distribution; it is valid and finite, but nothing is ever run with what it draws."""
    if isinstance(space, CategoricalSpace):
        return {"values": list(space.choices)}
    if isinstance(space, Pow2Space):
        top = min(space.max, _MAX_POW2)
        return {"values": [2**k for k in range(int(top).bit_length()) if space.min <= 2**k <= top]}
    if isinstance(space, LogitSpace):
        return {"distribution": "uniform", "min": float(space.min), "max": float(space.max)}
    if not space.is_bounded:
        return _open_distribution(param, space)
    low, high = space.min, space.max
    if space.is_integer:
        low, high = math.ceil(low), math.floor(high)
        if low == high:
            return {"value": low}
        if isinstance(space, LogSpace):
            return {"distribution": "q_log_uniform_values", "min": low, "max": high, "q": space.rounding_factor}
        return {"distribution": "int_uniform", "min": low, "max": high}
    kind = "log_uniform_values" if isinstance(space, LogSpace) else "uniform"
    return {"distribution": kind, "min": float(low), "max": float(high)}


def _open_distribution(param: Param, space: LinearSpace | LogSpace) -> dict[str, Any]:
    """Spread around the centre by one search unit where a space has an open end."""
    center = float(param.center)
    if isinstance(space, LogSpace):
        # W&B's log_normal takes mu and sigma of the natural logarithm.
        mu, sigma = math.log(center), space.resolved_scale * math.log(space.base)
        kind = "log_normal"
    else:
        mu, sigma, kind = center, space.resolved_scale, "normal"
    if space.is_integer:
        return {"distribution": f"q_{kind}", "mu": mu, "sigma": sigma, "q": space.rounding_factor}
    return {"distribution": kind, "mu": mu, "sigma": sigma}
