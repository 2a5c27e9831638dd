"""The configuration of a sweep, and the problems that it may have."""

from __future__ import annotations

import itertools
import math
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from wandb_carbs import hyperband
from wandb_carbs.hyperband import MAX_INT
from wandb_carbs.plain import is_number
from wandb_carbs.server.caching import SizedCache
from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.sweeps.draws import SearchSpace, grid_size, search_space
from wandb_carbs.server.sweeps.reading import load_mapping

# Every key that W&B's agents, schedulers and pages know.
_KEYS = frozenset(
    {
        *("name", "description", "method", "metric", "metrics", "parameters", "program", "command", "early_terminate"),
        *("run_cap", "project", "entity", "controller", "scheduler", "settings", "image_uri", "imageuri", "job"),
        *("launch", "queue", "resource", "resource_args", "template_variables", "iteration", "wandb_version"),
    }
)
_GOALS = ("minimize", "maximize")
# As many as W&B's own hyperband has.
_MOST_BANDS = 100


@dataclass(frozen=True)
class Hyperband:
    """When hyperband looks at a run.

    Attributes:
        bands: After how many logged values of the metric, ascending; at most 100.
        keep: Share of the runs that go on at each band.
        strict: Judge by what a run had reached at the band, not by the best that it has logged since.
    """

    bands: tuple[int, ...]
    keep: float
    strict: bool


def _load(text: str) -> tuple[Mapping[str, Any], int]:
    return load_mapping(text), len(text)


_CACHE = SizedCache(_load, 4_000_000)


def parse_config(text: str) -> Mapping[str, Any]:
    """Parse a sweep's YAML; the result is shared and must not be changed.

    Raises:
        RequestError: It is no YAML mapping, or too large.
    """
    return _CACHE(text)


def stored_config(text: str) -> Mapping[str, Any]:
    """Parse the YAML of a sweep in the database; one that an older version took and this one would not is empty."""
    try:
        return parse_config(text)
    except RequestError:
        return {}


def title_of(sweep: sqlite3.Row) -> str:
    """Return the name that a sweep shows."""
    return str(sweep["display_name"] or stored_config(sweep["config"]).get("name") or sweep["name"])


def description_of(sweep: sqlite3.Row) -> str | None:
    """Return the words about a sweep; None where nobody wrote any."""
    return sweep["description"] or stored_config(sweep["config"]).get("description")


def check_config(config: Mapping[str, Any]) -> None:
    """Check a sweep's configuration.

    Raises:
        RequestError: It is invalid; the message names all problems.
    """
    problems = [
        *_metric_problems(config),
        *_other_problems(config),
        *_problem_of(space_of, config),
        *_problem_of(early_stopping, config),
    ]
    if problems:
        raise RequestError(f"invalid sweep config: {'; '.join(problems)}")


def _problem_of(check: Callable[[Mapping[str, Any]], object], config: Mapping[str, Any]) -> list[str]:
    try:
        check(config)
    except RequestError as error:
        return [str(error)]
    return []


def space_of(config: Mapping[str, Any]) -> SearchSpace | None:
    """Return the search space, or None where others choose the parameters.

    Raises:
        RequestError: The method or a parameter is invalid.
    """
    if config.get("method") == "custom" and not config.get("parameters"):
        return None
    return search_space(config)


def is_custom(config: Mapping[str, Any]) -> bool:
    """Tell whether somebody else chooses the parameters and enqueues the runs."""
    return config.get("method") == "custom" or has_scheduler(config)


def has_scheduler(config: Mapping[str, Any]) -> bool:
    """Tell whether `wandb sweep-scheduler` enqueues the runs, and ends the sweep."""
    scheduler = config.get("scheduler")
    return isinstance(scheduler, Mapping) and bool(scheduler.get("engine"))


def has_local_controller(config: Mapping[str, Any]) -> bool:
    """Tell whether a controller on the user's machine chooses the parameters."""
    controller = config.get("controller")
    return isinstance(controller, Mapping) and controller.get("type") == "local"


def _metric_problems(config: Mapping[str, Any]) -> list[str]:
    metric, several = config.get("metric"), config.get("metrics")
    if several is not None and (not isinstance(several, list) or not several):
        return [f"metrics {several!r} must be a list of metrics"]
    problems = []
    for one in [*([] if metric is None else [metric]), *(several or [])]:
        if not isinstance(one, Mapping) or not isinstance(one.get("name"), str):
            problems.append(f"metric {one!r} must have a name")
            continue
        if one.get("goal") is not None and one["goal"] not in _GOALS:
            problems.append(f"metric.goal {one['goal']!r} must be minimize or maximize")
        if one.get("target") is not None and not is_number(one["target"]):
            problems.append(f"metric.target {one['target']!r} must be a number")
    if config.get("method") == "bayes" and metric is None:
        problems.append("method bayes needs a metric: add 'metric: {name: …, goal: minimize}'")
    return problems


def _other_problems(config: Mapping[str, Any]) -> list[str]:
    problems = []
    cap = config.get("run_cap")
    if cap is not None and (not isinstance(cap, int) or isinstance(cap, bool) or not 1 <= cap <= MAX_INT):
        problems.append(f"run_cap {cap!r} must be a positive integer")
    controller = config.get("controller")
    kind = controller.get("type") if isinstance(controller, Mapping) else controller
    if controller is not None and kind not in ("local", "cloud"):
        problems.append(f"controller.type {kind!r} must be local or cloud")
    return problems


def early_stopping(config: Mapping[str, Any]) -> Hyperband | None:
    """Return when runs are stopped early, or None.

    Raises:
        RequestError: The type is unknown, or a setting is invalid.
    """
    settings = config.get("early_terminate")
    if not settings or has_local_controller(config):
        return None  # a local controller names itself the runs to stop
    problems = [problem for _, problem in hyperband.problems_with(settings)]
    if not isinstance(config.get("metric"), Mapping):
        problems.append("early_terminate needs a metric")
    if problems:
        raise RequestError("; ".join(problems))
    eta = settings.get("eta") or hyperband.DEFAULT_ETA
    if settings.get("min_iter") is not None:
        bands = (settings["min_iter"] * eta**power for power in range(_MOST_BANDS))
    else:
        count = min(math.ceil(settings["s"]), _MOST_BANDS)
        bands = (settings["max_iter"] // eta**power for power in range(1, count + 1))
    useful = {int(band) for band in itertools.takewhile(lambda band: 1 <= band <= MAX_INT, bands)}
    return Hyperband(tuple(sorted(useful)), 1 / eta, bool(settings.get("strict")))


def config_warnings(config: Mapping[str, Any]) -> list[str]:
    """Return what the user should know of a valid configuration."""
    warnings = []
    unknown = [str(key) for key in config if key not in _KEYS]
    if unknown:
        warnings.append(f"unknown keys are ignored: {', '.join(unknown)}")
    stopping = config.get("early_terminate")
    if isinstance(stopping, Mapping):
        odd = hyperband.unknown_keys(stopping)
        if odd and not has_local_controller(config):
            warnings.append(f"unknown keys of early_terminate are ignored: {', '.join(odd)}")
    return warnings


def expected_runs(config: Mapping[str, Any]) -> int | None:
    """Return how many runs the sweep will have: its cap or the size of its grid; None if nobody knows."""
    try:
        space = space_of(config)
    except RequestError:  # an older version took it
        return None
    grid = None if space is None else grid_size(space)
    sizes = [size for size in (config.get("run_cap"), grid) if size is not None]
    return min(*sizes, MAX_INT) if sizes else None
