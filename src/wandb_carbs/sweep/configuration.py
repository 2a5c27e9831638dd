"""CARBS parameters as the configuration of a W&B sweep."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from carbs import CarbsError, CARBSParams, Param, ParamDict, SearchSpace, start
from carbs.config import as_config
from carbs.errors import Problem, raise_problems
from carbs.values import shown
from wandb_carbs import hyperband
from wandb_carbs.plain import plain, why_no_json
from wandb_carbs.record import OBJECTIVE_KEY
from wandb_carbs.sweep import rules
from wandb_carbs.sweep.definition import SweepDefinition
from wandb_carbs.sweep.distributions import SweepSpace, distribution_of, space_of
from wandb_carbs.sweep.progress import Progress
from wandb_carbs.sweep.reading import LAST, RUNTIME, Reading

_T = TypeVar("_T")

# Keys of the sweep configuration that follow from the search space.
_OWN_KEYS = ("name", "method", "metric")
# A name that the SDK's own reading of a run's configuration does not bear.
_RESERVED_NAME = "wandb_version"
# W&B's default command but for `${args}`: a program that uses `WandbCarbs` must not be given W&B's draw.
_COMMAND = ("${env}", "${interpreter}", "${program}")


def sweep_configuration(
    name: str,
    params: Sequence[Param],
    config: CARBSParams | None = None,
    metric_name: str | None = None,
    *,
    metric_how: Any = LAST,
    cost: str | Mapping[str, Any] | None = None,
    parameters: Mapping[str, Any] | None = None,
    initial: Sequence[Mapping[str, Any]] = (),
    is_valid: str = "",
    progress: str | Mapping[str, Any] | None = None,
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
        initial: Configurations to run first.
        is_valid: Name of a rule for whole configurations, "module:function".
        progress: The hyperparameter whose values a run passes through, and the metric that says how far it is.
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
    if (problem := rules.problem_with(is_valid)) is not None:
        problems.append(problem)
    problems += [problem for _, problem in hyperband.problems_with(sweep_options.get("early_terminate"))]
    given = {key: plain(value) for key, value in sweep_options.items() if value is not None}
    problems += [Problem("", key, value, rule) for key, value in given.items() if (rule := why_no_json(value))]
    options = _caught(lambda: as_config(config), problems)
    metric, cost_reading = _readings(metric_name, metric_how, cost, problems)
    space = _joined(params, parameters, problems)
    wanted = _wanted(space, initial, problems)
    way = _progress(progress, space, metric_name, problems)
    raise_problems("invalid sweep", problems)
    assert options is not None
    assert space is not None
    passes_arguments = "program" in given and "command" not in given
    length = None if way is None else way.length(space.constants)
    definition = SweepDefinition(
        space.params if length is None else (*space.params, length),
        options,
        metric=metric,
        cost=cost_reading,
        passes_arguments=passes_arguments,
        description=description,
        initial=tuple(wanted),
        is_valid=is_valid,
        progress=way,
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


def _progress(
    given: Any, space: SweepSpace | None, metric_name: str | None, problems: list[Problem | str]
) -> Progress | None:
    if given is None:
        return None
    found: list[Problem | str] = []
    progress = _caught(lambda: Progress.parse(given), found)
    if progress is not None and space is not None:
        found += progress.problems(space.params, metric_name, space.constants)
    problems += [replace(problem, place="progress") if isinstance(problem, Problem) else problem for problem in found]
    return progress


def _wanted(space: SweepSpace | None, initial: Any, problems: list[Problem | str]) -> list[ParamDict]:
    if not initial or space is None or problems:
        return []
    return _caught(lambda: first_runs(space, initial), problems) or []


def first_runs(space: SweepSpace, given: Any) -> list[ParamDict]:
    """Check the configurations to run first; the sweep's constants may be among their values.

    Args:
        space: Parameters and constants of the sweep.
        given: The configurations, nested or not.

    Returns:
        Whole configurations without the constants, by names with dots, in the same order.

    Raises:
        CarbsError: If one does not fit; names every problem and its place.
    """
    constants = space.constants
    if isinstance(given, Sequence) and not isinstance(given, str):
        given = [_without_constants(part, constants) if isinstance(part, Mapping) else part for part in given]
    try:
        return start.wanted(SearchSpace(space.params), given, lambda _: True)
    except CarbsError as error:
        problems = [
            replace(problem, rule=f"must be {shown(constants[problem.key])}, as in the whole sweep", subject=None)
            if problem.key in constants
            else problem
            for problem in error.problems
        ]
        raise_problems("invalid configurations to run first", problems)
        raise


def _without_constants(values: Mapping[str, Any], constants: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return a configuration, nested or not, by names with dots and without what is constant in any case."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{prefix}{key}"
        if name in constants:  # it may be a mapping
            found.update({} if constants[name] == value else {name: value})
        elif isinstance(value, Mapping):
            found.update(_without_constants(value, constants, f"{name}."))
        else:
            found[name] = value
    return found


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
    problems += problems_with_names([*own, *(path[0] for path in more.paths.values())])
    _caught(lambda: SearchSpace((*params, *more.params)), problems)
    paths = {**{name: (name,) for name in own}, **more.paths}
    nested = {path[0] for path in more.paths.values() if len(path) > 1}
    problems += [
        Problem("", "name", name, "nests others in 'parameters', so it can have no value", f"parameter name {name!r}")
        for name in own
        if name in nested
    ]
    return SweepSpace((*params, *more.params), more.constants, paths, more.notes)


def problems_with_names(names: Iterable[Any]) -> list[Problem]:
    """List the names that a program would not find in `wandb.config`."""
    return [
        Problem(f"parameter {name!r}", "", name, _rule_against(name), "its name")
        for name in dict.fromkeys(names)
        if isinstance(name, str) and (name.startswith("_") or name == _RESERVED_NAME)
    ]


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
