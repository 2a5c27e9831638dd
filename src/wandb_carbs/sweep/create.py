"""Creating a sweep."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import wandb

from carbs import CarbsError, CARBSParams, Param, SearchSpace
from carbs.errors import Problem, raise_problems
from wandb_carbs.graphql import check_sdk
from wandb_carbs.retry import INTERACTIVE_SECONDS, with_retries
from wandb_carbs.sweep.configuration import sweep_configuration
from wandb_carbs.sweep.definition import SweepDefinition
from wandb_carbs.sweep.distributions import space_of
from wandb_carbs.sweep.old_runs import members_of, read_old_runs
from wandb_carbs.sweep.path import read_sweep
from wandb_carbs.sweep.reading import LAST

# Words in the names of metrics of which less is better.
_LESS_IS_BETTER = frozenset({"loss", "error", "perplexity", "ppl", "nll", "mse", "rmse", "mae", "wer", "cer", "bpb"})
# Words of metrics that are called after a loss, and of which more is better.
_MORE_IS_BETTER = frozenset({"neg", "negative", "minus", "improvement", "reduction", "free"})

logger = logging.getLogger("wandb_carbs")


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
    initial: Sequence[Mapping[str, Any]] = (),
    start_from: Any = (),
    same_task: bool = True,
    is_valid: str = "",
    progress: str | Mapping[str, Any] | None = None,
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
        config: The optimizer's options; also says whether the objective is maximised, as it is by default; W&B
            minimises by default, so a metric that is called a loss and is maximised is warned of.
        metric_name: A metric that the program logs: W&B's pages sort runs by it, its early stopping judges by it, and
            `wandb-carbs agent` takes it for the objective. A program that calls `record_observation` gives its
            objective there, whatever this is. By default it is that objective, as it is recorded: `carbs.objective`.
        metric_how: Which of the metric's values `wandb-carbs agent` takes: `last`, `best`, or `mean 10` of the last
            ten.
        cost: What `wandb-carbs agent` takes for a run's cost: "runtime" or None for the program's seconds, or a
            metric's name, or `{"name": …, "how": …}`.
        parameters: Further parameters as in a file for `wandb-carbs create`, or as in W&B's own sweeps: spaces, and
            constants (`{"epochs": {"value": 3}}`), which every run gets and the search ignores.
        initial: Configurations to run first, such as are known to be good; see `CARBS`.
        start_from: Earlier runs to start from, a list: "entity/project/sweep", the path of a .csv or .json file, or a
            mapping such as `{"project": "entity/project", "filters": {…}, "metric": "val_loss", "cost": "runtime"}`.
            They are read now, and kept in the definition: no run reads them again.
        same_task: Whether the same configuration had the same objective in those runs. Otherwise four members of their
            frontier are run first, and nothing else is taken over.
        is_valid: Name of a rule for whole configurations, "module:function", which every agent loads from the folder of
            the sweep's program; see `CARBS`.
        progress: The parameter whose values a run passes through on its way, such as "epochs". It is a constant, if all
            runs are equally long; or a hyperparameter, only if the state after 5 of 50 epochs is the result of a run
            of 5, that is if the schedule does not depend on their number. Then every run teaches by points on its way,
            too, which its program gives to `WandbCarbs.report`; or `{"parameter": "epochs", "metric": "epoch"}` for
            `wandb-carbs agent` to read them: the metric, which the program logs with the objective, says how far the
            run is. Where it counts from 0, add `"first": 0`. With `"stop": True` that agent stops runs that will hardly
            improve the frontier any more.
        description: Words of your own about the sweep.
        sweep_options: Further keys of the sweep configuration: program, command, run_cap, …

    Returns:
        The sweep's id.

    Raises:
        CarbsError: If an argument is invalid; one error names every problem.
        WandbConnectionError: If W&B cannot be reached or refuses.
    """
    params = carbs_spaces if carbs_spaces is not None else carb_params
    problems = _problems_with_names(sweep_name, wandb_entity, wandb_project)
    if carbs_spaces is not None and carb_params is not None:
        problems.append("carbs_spaces and carb_params are the same list under two names; give only carbs_spaces")
    if params is None and parameters is None:
        problems.append("carbs_spaces is missing: the list of parameters to search")
    if not isinstance(same_task, bool):
        problems.append(Problem("", "same_task", same_task, "must be True or False"))
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
            initial=initial,
            is_valid=is_valid,
            progress=progress,
            description=description,
            **sweep_options,
        )
    except CarbsError as error:
        if params is not None or parameters is not None:
            problems += error.problems or [str(error)]
    raise_problems("cannot create the sweep", problems)
    check_sdk()
    if start_from:
        sweep["description"] = _started(sweep, start_from, same_task=same_task)
    if doubt := _doubt_of_goal(sweep["metric"]):
        logger.warning("%s", doubt)
    if doubt := SweepDefinition.from_json(sweep["description"]).doubt_of_cap:
        logger.warning("%s", doubt)
    where = f"{wandb_entity or 'default entity'}/{wandb_project}"
    sweep_id: str = with_retries(
        f"create sweep {sweep_name!r} in {where}",
        lambda: wandb.sweep(sweep=sweep, project=wandb_project, entity=wandb_entity),
        limit=INTERACTIVE_SECONDS,
    )
    if start_from:
        _check_kept(sweep_id, wandb_entity, wandb_project, sweep["description"])
    return sweep_id


def _problems_with_names(name: Any, entity: Any, project: Any) -> list[Problem | str]:
    problems: list[Problem | str] = [
        Problem("", key, value, "must be a non-empty string")
        for key, value in (("sweep_name", name), ("wandb_project", project))
        if not isinstance(value, str) or not value
    ]
    if entity is not None and (not isinstance(entity, str) or not entity):
        problems.append(Problem("", "wandb_entity", entity, "must be a non-empty string or None"))
    return problems


def _doubt_of_goal(metric: Mapping[str, str]) -> str:
    """Return a sentence where a metric that is called a loss is maximised, or nothing: W&B minimises by default."""
    name = metric["name"].lower()
    words = set(re.split(r"[^a-z]+", name))
    is_loss = bool(words & _LESS_IS_BETTER) and not words & _MORE_IS_BETTER and not name.startswith("-")
    if metric["goal"] != "maximize" or not is_loss:
        return ""
    return (
        f"metric {metric['name']!r} is maximised; if less of it is better, give create_sweep(…, "
        "config=CARBSParams(better_direction_sign=-1)), or write `goal: minimize` into a file"
    )


def _started(sweep: Mapping[str, Any], start_from: Any, *, same_task: bool) -> str:
    """Return the sweep's description with the knowledge of earlier runs in it."""
    definition = SweepDefinition.from_json(sweep["description"])
    space = SearchSpace(definition.params)
    constants = space_of(sweep, may_be_constant=True).constants
    judged_by = definition.judged_by(sweep["metric"]["name"]) if same_task else None
    found = read_old_runs(start_from, space, definition.config, constants, judged_by)
    for note in found.notes:
        logger.info("%s", note)
    if same_task:
        return replace(definition, old_runs=found.observations).to_json()
    members = members_of(found.observations, space, definition.config)
    return replace(definition, initial=(*definition.initial, *members)).to_json()


def _check_kept(sweep_id: str, entity: str | None, project: str, description: str) -> None:
    """Make sure that W&B kept the whole definition: with thousands of old runs it is long."""
    path = "/".join([*([entity] if entity else []), project, sweep_id])
    kept = read_sweep(path).config.get("description")
    if kept != description:
        raise CarbsError(
            f"W&B did not keep the definition of sweep {path}, of {len(description)} characters: start from fewer "
            "runs, or use carbs.warm_start in the program"
        )
