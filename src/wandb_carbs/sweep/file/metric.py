"""Goal, metric, cost and progress of a sweep's file."""

from __future__ import annotations

from typing import Any

from carbs import CarbsError
from wandb_carbs.sweep.distributions import SweepSpace
from wandb_carbs.sweep.file.keys import Keys
from wandb_carbs.sweep.progress import Progress
from wandb_carbs.sweep.reading import LAST, RUNTIME, Reading

_GOALS = {
    **dict.fromkeys(("maximize", "maximise", "max"), "maximize"),
    **dict.fromkeys(("minimize", "minimise", "min"), "minimize"),
}
_GOAL_RULE = "maximize or minimize"
_KNOWN = ("name", "goal", "how")
# W&B takes these, too; its `target` ends a sweep of its own.
_UNUSED = ("target", "impute", "impute_while_running")


def read_metric(keys: Keys) -> tuple[str | None, Any, str | None]:
    """Read metric and goal in every form that W&B takes.

    Returns:
        The metric's name, which of its values counts, and the goal; None for what is not given.
    """
    metric, goal = keys.values.get("metric"), _read_goal(keys, keys.values.get("goal"), "goal")
    if metric is None:
        if "goal" not in keys.values:
            keys.say("'goal' is missing: write `goal: minimize` or `goal: maximize`, or `metric: {name: …, goal: …}`")
        return None, LAST, goal
    if isinstance(metric, list):
        keys.say("'metric' must be one metric, not a list: write `metric: {name: val_loss, goal: minimize}`", "metric")
        return None, LAST, goal
    if not isinstance(metric, dict):
        name = keys.text("metric")
        if name is not None and "goal" not in keys.values:
            keys.say(f"'goal' is missing: write `metric: {{name: {name}, goal: minimize}}`, or maximize", "metric")
        return name, LAST, goal
    for key in metric:
        if key in _UNUSED:
            keys.notes.append(f"'metric': {key!r} is not used")
        elif key not in _KNOWN:
            keys.say(f"'metric': unknown key {key!r}; known are {', '.join(_KNOWN)}", "metric", key)
    name = keys.written("metric", "name") if metric.get("name") is not None else None
    if metric.get("name") is not None and not (name or "").strip():
        keys.say(f"name={metric['name']!r} must be the name of a metric that the program logs", "metric", "name")
    own = _own_goal(keys, metric, name, goal)
    how = metric.get("how", LAST)
    _check_reading(keys, name, how, "metric")
    return name, how, own or goal


def read_cost(keys: Keys) -> dict[str, Any] | None:
    """Read which metric is a run's cost, and which of its values counts; None for the run's seconds."""
    cost = keys.values.get("cost")
    if cost is None or cost == RUNTIME:
        return None
    if isinstance(cost, dict):
        for key in cost.keys() - {"name", "how"}:
            keys.say(f"'cost': unknown key {key!r}; known are name, how", "cost", key)
        named = {"name": keys.written("cost", "name"), "how": cost.get("how", LAST)}
        if not named["name"]:
            keys.say("'cost': name must be the name of a metric that the program logs", "cost")
            return None
    else:
        named = {"name": keys.text("cost"), "how": LAST}
    _check_reading(keys, named["name"], named["how"], "cost")
    return named


def read_progress(keys: Keys, space: SweepSpace | None, objective: str | None) -> Progress | None:
    """Read the hyperparameter whose values a run passes through, and the metric that says how far it is.

    Args:
        keys: The file.
        space: Its hyperparameters and constants; None where they cannot be read.
        objective: The metric that is the objective; None where programs record it.
    """
    given = keys.values.get("progress")
    if given is None:
        return None
    try:
        progress = Progress.parse(given)
        problems = [] if space is None else progress.problems(space.params, objective, space.constants)
    except CarbsError as error:
        progress, problems = None, list(error.problems)
    for problem in problems:
        keys.say(f"'progress': {problem}", "progress", problem.key)
    if progress is not None and not problems:
        keys.notes.append(f"'progress': {progress.words({} if space is None else space.constants)}")
    return progress


def _own_goal(keys: Keys, metric: dict[str, Any], name: str | None, goal: str | None) -> str | None:
    """Read the goal in the metric."""
    own = _read_goal(keys, metric.get("goal"), "metric", "goal")
    if own and goal and own != goal:
        line = keys.line("goal")
        keys.say(f"'metric': goal={own!r} contradicts goal={goal!r} in line {line}", "metric", "goal")
    if metric.get("goal") is None and "goal" not in keys.values:
        if name is None:
            keys.say("'metric': 'goal' is missing: write `goal: minimize` or `goal: maximize`", "metric")
        keys.notes.append(f"'metric' has no goal, so {name!r} is minimized, as in W&B; if not, write goal: maximize")
        return "minimize"
    return own


def _read_goal(keys: Keys, goal: Any, *path: str) -> str | None:
    if goal is None:
        return None
    word = _GOALS.get(goal.strip().lower()) if isinstance(goal, str) else None
    if word is None:
        keys.say(f"goal={goal!r} must be {_GOAL_RULE}", *path)
    return word


def _check_reading(keys: Keys, name: str | None, how: Any, key: str) -> None:
    """Note what is wrong with how a metric is read."""
    if how == LAST:
        return
    if name is None:
        keys.say(f"{key!r}: how={how!r} needs the name of a metric", key)
        return
    try:
        Reading.parse(name, how)
    except CarbsError as error:
        for problem in error.problems:
            keys.say(f"{key!r}: {problem}", key, "how")
