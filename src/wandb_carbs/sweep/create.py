"""CARBS parameters as a W&B sweep configuration, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import wandb

from carbs import CarbsError, CARBSParams, Param, SearchSpace
from carbs.config import as_config
from carbs.errors import raise_problems
from wandb_carbs.graphql import check_sdk
from wandb_carbs.record import OBJECTIVE_KEY
from wandb_carbs.retry import INTERACTIVE_SECONDS, with_retries
from wandb_carbs.sweep.definition import SweepDefinition
from wandb_carbs.sweep.distributions import distribution_of

# Keys of the sweep configuration that follow from the search space.
_OWN_KEYS = ("name", "method", "metric", "parameters", "description")
# Names that break the SDK's own reading of a run's configuration.
_RESERVED_NAMES = ("_wandb", "wandb_version")


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
    check_sdk()
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
            param.name: distribution_of(param, settled)
            for param, settled in zip(space.params, space.spaces, strict=True)
        },
    }


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
