"""CARBS parameters as a W&B sweep configuration, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import wandb

from carbs import CarbsError, CARBSParams, Param, SearchSpace
from carbs.config import as_config
from carbs.errors import Problem, raise_problems
from wandb_carbs.graphql import check_sdk
from wandb_carbs.record import OBJECTIVE_KEY
from wandb_carbs.retry import INTERACTIVE_SECONDS, with_retries
from wandb_carbs.sweep.definition import SweepDefinition
from wandb_carbs.sweep.distributions import SweepSpace, distribution_of, space_of
from wandb_carbs.sweep.reading import LAST, RUNTIME, Reading

_T = TypeVar("_T")

# Keys of the sweep configuration that follow from the search space.
_OWN_KEYS = ("name", "method", "metric")
# A name that the SDK's own reading of a run's configuration does not bear.
_RESERVED_NAME = "wandb_version"
# W&B's default command but for `${args}`: a program that uses `WandbCarbs` must not be given W&B's draw.
_COMMAND = ("${env}", "${interpreter}", "${program}")


def create_sweep(
    sweep_name: str,
    wandb_entity: str | None,
    wandb_project: str,
    carbs_spaces: Sequence[Param] | None = None,
    *,
    carb_params: Sequence[Param] | None = None,
    config: CARBSParams | None = None,
    metric_name: str | None = None,
    metric_how: Any = LAST,
    cost: str | Mapping[str, Any] | None = None,
    parameters: Mapping[str, Any] | None = None,
    description: str = "",
    **sweep_options: Any,
) -> str:
    """Create a W&B sweep for CARBS parameters.

    The sweep's own method is `random`, which only starts runs: each run's configuration is then replaced by the
    suggestion of `WandbCarbs`. The whole definition is kept in the sweep's description, so that
    `WandbCarbs.from_sweep()` needs no second one.

    With a `program` and no `command`, the program gets no arguments from W&B, whose draw they would be.

    Args:
        sweep_name: Name that W&B shows.
        wandb_entity: User or team that owns the project; None for the default one.
        wandb_project: The project.
        carbs_spaces: The hyperparameters.
        carb_params: Older name of `carbs_spaces`.
        config: The optimizer's options; also tells whether the objective is maximised.
        metric_name: A metric that the program logs: W&B's pages sort runs by it, its early stopping judges by it, and
            `wandb-carbs agent` takes it for the objective. A program that calls `record_observation` gives its
            objective there, whatever this is. By default it is that objective, as it is recorded: `carbs.objective`.
        metric_how: Which of the metric's values `wandb-carbs agent` takes: `last`, `best`, or `mean 10` of the last
            ten.
        cost: What `wandb-carbs agent` takes for a run's cost: "runtime" or None for the program's seconds, or a
            metric's name, or `{"name": …, "how": …}`.
        parameters: Further parameters as in a file for `wandb-carbs create`, or as in W&B's own sweeps: spaces, and
            constants (`{"epochs": {"value": 3}}`), which every run gets and the search ignores.
        description: Words of your own about the sweep.
        sweep_options: Further keys of the sweep configuration: program, command, run_cap, …

    Returns:
        The sweep's id.

    Raises:
        CarbsError: If an argument is invalid; one error names every problem.
        WandbConnectionError: If W&B cannot be reached or refuses.
    """
    problems: list[Problem | str] = []
    params = carbs_spaces if carbs_spaces is not None else carb_params
    if carbs_spaces is not None and carb_params is not None:
        problems.append("carbs_spaces and carb_params are the same list under two names; give only carbs_spaces")
    for name, value in (("sweep_name", sweep_name), ("wandb_project", wandb_project)):
        if not isinstance(value, str) or not value:
            problems.append(Problem("", name, value, "must be a non-empty string"))
    if wandb_entity is not None and (not isinstance(wandb_entity, str) or not wandb_entity):
        problems.append(Problem("", "wandb_entity", wandb_entity, "must be a non-empty string or None"))
    if params is None and parameters is None:
        problems.append("carbs_spaces is missing: the list of parameters to search")
    sweep: dict[str, Any] = {}
    try:
        sweep = sweep_configuration(
            sweep_name,
            () if params is None else params,
            config,
            metric_name,
            metric_how=metric_how,
            cost=cost,
            parameters=parameters,
            description=description,
            **sweep_options,
        )
    except CarbsError as error:
        if params is not None or parameters is not None:
            problems += error.problems or [str(error)]
    raise_problems("cannot create the sweep", problems)
    check_sdk()
    where = f"{wandb_entity or 'default entity'}/{wandb_project}"
    sweep_id: str = with_retries(
        f"create sweep {sweep_name!r} in {where}",
        lambda: wandb.sweep(sweep=sweep, project=wandb_project, entity=wandb_entity),
        limit=INTERACTIVE_SECONDS,
    )
    return sweep_id


def sweep_configuration(
    name: str,
    params: Sequence[Param],
    config: CARBSParams | None = None,
    metric_name: str | None = None,
    *,
    metric_how: Any = LAST,
    cost: str | Mapping[str, Any] | None = None,
    parameters: Mapping[str, Any] | None = None,
    description: str = "",
    **sweep_options: Any,
) -> dict[str, Any]:
    """Return the W&B sweep configuration for CARBS parameters.

    Args:
        name: The sweep's name.
        params: The hyperparameters.
        config: The optimizer's options.
        metric_name: The metric by which W&B sorts runs; None for the recorded objective.
        metric_how: Which of its values counts.
        cost: The metric that is a run's cost; None for its seconds.
        parameters: Further parameters, and constants, as in a file.
        description: Words about the sweep.
        sweep_options: Further keys of the sweep configuration; those that are None are left out.

    Raises:
        CarbsError: If an argument is invalid; one error names every problem.
    """
    problems: list[Problem | str] = [
        f"sweep option {key!r} cannot be given: it follows from "
        + ("config and metric_name" if key == "metric" else "the search space")
        for key in sweep_options
        if key in _OWN_KEYS
    ]
    if not isinstance(description, str):
        problems.append(Problem("", "description", description, "must be a string"))
    options = _caught(lambda: as_config(config), problems)
    metric, cost_reading = _readings(metric_name, metric_how, cost, problems)
    space = _joined(params, parameters, problems)
    raise_problems("invalid sweep", problems)
    assert options is not None
    assert space is not None
    given = {key: value for key, value in sweep_options.items() if value is not None}
    passes_arguments = "program" in given and "command" not in given
    definition = SweepDefinition(
        space.params,
        options,
        metric=metric,
        cost=cost_reading,
        passes_arguments=passes_arguments,
        description=description,
    )
    goal = "maximize" if options.better_direction_sign > 0 else "minimize"
    return {
        "name": name,
        "description": definition.to_json(),
        # W&B's own Bayes would spend its time on suggestions that are thrown away.
        "method": "random",
        "metric": {"name": metric_name or OBJECTIVE_KEY, "goal": goal},
        "parameters": _wandb_parameters(space),
        **({"command": list(_COMMAND)} if passes_arguments else {}),
        **given,
    }


def _readings(
    metric_name: Any, metric_how: Any, cost: Any, problems: list[Problem | str]
) -> tuple[Reading | None, Reading | None]:
    """Return how the objective and the cost are read; None where by default."""
    metric = None
    if metric_name is not None and (not isinstance(metric_name, str) or not metric_name.strip()):
        problems.append(Problem("", "metric_name", metric_name, "must be a non-empty string or None"))
    elif metric_how != LAST:
        if metric_name is None:
            problems.append(Problem("", "metric_how", metric_how, "needs metric_name, the metric that is read"))
        else:
            metric = _caught(lambda: Reading.parse(metric_name, metric_how), problems)
    if cost is None or cost == RUNTIME:
        return metric, None
    if isinstance(cost, str):
        cost = {"name": cost}
    if not isinstance(cost, Mapping) or not set(cost) <= {"name", "how"} or "name" not in cost:
        problems.append(Problem("", "cost", cost, f"must be {RUNTIME!r}, a metric's name, or {{'name': …, 'how': …}}"))
        return metric, None
    named = cost
    return metric, _caught(lambda: Reading.parse(named["name"], named.get("how", LAST)), problems)


def _joined(
    params: Sequence[Param], parameters: Mapping[str, Any] | None, problems: list[Problem | str]
) -> SweepSpace | None:
    """Join parameters of both kinds; None, and the problems, where something is wrong with them."""
    if isinstance(params, (str, Mapping)) or not isinstance(params, Sequence):
        problems.append(Problem("", "carbs_spaces", params, "must be a list of Param"))
        return None
    more = SweepSpace(())
    if parameters is not None:
        found = _caught(lambda: space_of({"parameters": parameters}, may_be_constant=bool(params)), problems)
        if found is None:
            return None
        more = found
    own = [param.name for param in params if isinstance(param, Param)]
    problems += [
        Problem("", "name", name, "is given in carbs_spaces and in parameters", f"parameter name {name!r}")
        for name in own
        if name in more.constants
    ]
    names = [*own, *(path[0] for path in more.paths.values())]
    problems += [
        Problem("", "name", name, _rule_against(name), f"parameter name {name!r}")
        for name in dict.fromkeys(name for name in names if isinstance(name, str))
        if name.startswith("_") or name == _RESERVED_NAME
    ]
    _caught(lambda: SearchSpace((*params, *more.params)), problems)
    paths = {**{name: (name,) for name in own}, **more.paths}
    nested = {path[0] for path in more.paths.values() if len(path) > 1}
    problems += [
        Problem("", "name", name, "nests others in 'parameters', so it can have no value", f"parameter name {name!r}")
        for name in own
        if name in nested
    ]
    return SweepSpace((*params, *more.params), more.constants, paths, more.notes)


def _rule_against(name: str) -> str:
    if name == _RESERVED_NAME:
        return "is reserved by W&B"
    return "must not begin with '_': W&B keeps such names for itself, and wandb.config does not list them"


def _wandb_parameters(space: SweepSpace) -> dict[str, Any]:
    """Return W&B's `parameters`: distributions and constants, nested as they were."""
    search = SearchSpace(space.params)
    entries: dict[str, Any] = {
        param.name: distribution_of(param, settled) for param, settled in zip(search.params, search.spaces, strict=True)
    }
    entries.update({name: {"value": value} for name, value in space.constants.items()})
    parameters: dict[str, Any] = {}
    for name, path in space.paths.items():
        place = parameters
        for part in path[:-1]:
            place = place.setdefault(part, {"parameters": {}})["parameters"]
        place[path[-1]] = entries[name]
    return parameters


def _caught(make: Callable[[], _T], problems: list[Problem | str]) -> _T | None:
    """Return what `make` returns; None where it raises, and its problems go to the others."""
    try:
        return make()
    except CarbsError as error:
        problems += error.problems or [str(error)]
        return None
