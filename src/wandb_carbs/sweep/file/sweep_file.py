"""The keys of a sweep's file: those of W&B's own sweep files, and ours."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from carbs import CarbsError, CARBSParams
from carbs.errors import Problem, raise_problems
from wandb_carbs.sweep.configuration import first_runs, problems_with_names
from wandb_carbs.sweep.distributions import SweepSpace, space_of, walk
from wandb_carbs.sweep.entries import as_number
from wandb_carbs.sweep.file.document import read_document
from wandb_carbs.sweep.file.keys import Keys
from wandb_carbs.sweep.file.metric import read_cost, read_metric, read_progress
from wandb_carbs.sweep.file.options import read_command, read_early_terminate, read_run_cap
from wandb_carbs.sweep.progress import Progress
from wandb_carbs.sweep.reading import LAST
from wandb_carbs.sweep.rules import problem_with

_SIGNS = {"maximize": 1, "minimize": -1}
_KEYS = (
    *(
        "name",
        "project",
        "entity",
        "description",
        "program",
        "command",
        "metric",
        "goal",
        "cost",
        "parameters",
        "carbs",
    ),
    *("method", "run_cap", "early_terminate", "initial", "start_from", "same_task", "is_valid", "progress"),
)
# Keys of W&B's that mean nothing for a sweep which agents run.
_UNUSED = {
    "job": "belongs to W&B Launch, which is not used: agents run 'program' or 'command'",
    "scheduler": "belongs to W&B Launch, which is not used: runs are started by agents",
    **dict.fromkeys(("controller", "image_uri", "imageuri", "settings", "display_name", "resources"), "is not used"),
}
_BAD_IN_PROJECTS = "/\\#?%:"


@dataclass(frozen=True)
class SweepFile:
    """A sweep as its file describes it.

    Attributes:
        name: The sweep's name; the file's where it does not say.
        project: Where to create it; None where it does not say.
        entity: The project's owner; None for the default one.
        space: The hyperparameters and the constants.
        parameters: The same, as the file has them.
        options: The optimizer's options.
        metric_name: The metric that the program logs; None for the objective as it is recorded.
        metric_how: Which of its values counts: see `Reading`.
        cost: The metric that is a run's cost, and which of its values counts; None for its seconds.
        initial: Configurations to run first.
        start_from: Earlier runs to start from; see `create_sweep`.
        same_task: Whether the same configuration had the same objective in those.
        is_valid: Name of a rule for whole configurations, or empty.
        progress: The hyperparameter whose values a run passes through; None where only the ends of runs count.
        description: The file's own words about the sweep.
        sweep_options: Further keys of W&B's sweep configuration.
        notes: Sentences about how it was understood, where this is not obvious.
    """

    name: str
    project: str | None
    entity: str | None
    space: SweepSpace
    parameters: Mapping[str, Any]
    options: CARBSParams
    metric_name: str | None = None
    metric_how: Any = LAST
    cost: Mapping[str, Any] | None = None
    initial: tuple[Mapping[str, Any], ...] = ()
    start_from: tuple[Any, ...] = ()
    same_task: bool = True
    is_valid: str = ""
    progress: Progress | None = None
    description: str = ""
    sweep_options: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def read_sweep_file(path: Path) -> SweepFile:
    """Read a sweep's file.

    Raises:
        CarbsError: If something is wrong with it; one error names every problem and its line.
    """
    document = read_document(path)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = _read(Keys(document), path.stem)
    raise_problems(str(path), [f"line {line}: {problem}" for line, problem in sorted(document.problems)])
    assert found is not None
    return replace(found, notes=(*found.notes, *(str(warning.message) for warning in caught)))


def _read(keys: Keys, default_name: str) -> SweepFile | None:
    """Read the keys; None where something is wrong with them."""
    if not keys.open(_KEYS, _UNUSED):
        return None
    name, project, entity = keys.text("name") or default_name, keys.text("project"), keys.text("entity")
    wrong = sorted(set(project or "") & set(_BAD_IN_PROJECTS))
    if wrong:
        keys.say(f"project={project!r} must not contain {' '.join(wrong)}", "project")
    for key, text in (("project", project), ("entity", entity)):
        if "${" in (text or ""):
            keys.say(f"{key}={text!r} is not filled in by anybody: write its name, or give --{key}", key)
    description, program, command = keys.text("description"), keys.text("program"), read_command(keys)
    options: dict[str, Any] = {
        "program": program,
        "command": command,
        "run_cap": read_run_cap(keys),
    }
    if "job" in keys.values and not (program or command):
        keys.say("'job' belongs to W&B Launch, which is not used: write 'program' or 'command' instead", "job")
    if "method" in keys.values:
        keys.notes.append(f"method: {keys.values['method']} is not used: CARBS takes its place")
    metric_name, metric_how, goal = read_metric(keys)
    options["early_terminate"] = read_early_terminate(keys, metric_name)
    cost = read_cost(keys)
    space = _read_space(keys)
    progress = read_progress(keys, space, metric_name)
    carbs = _read_options(keys, goal or "maximize")
    initial, start_from = _read_initial(keys, space), _read_start_from(keys)
    same_task = keys.values.get("same_task", True)
    if not isinstance(same_task, bool):
        keys.say(f"same_task={same_task!r} must be true or false", "same_task")
    is_valid = keys.text("is_valid") or ""
    if (problem := problem_with(is_valid)) is not None:
        keys.say(str(problem), "is_valid")
    if keys.has_problems or space is None or carbs is None:
        return None
    return SweepFile(
        name=name,
        project=project,
        entity=entity,
        space=space,
        parameters=keys.values["parameters"],
        options=carbs,
        metric_name=metric_name,
        metric_how=metric_how,
        cost=cost,
        initial=initial,
        start_from=start_from,
        same_task=same_task,
        is_valid=is_valid,
        progress=progress,
        description=description or "",
        sweep_options={key: value for key, value in options.items() if value is not None},
        notes=(*keys.notes, *space.notes),
    )


def _read_space(keys: Keys) -> SweepSpace | None:
    parameters = keys.values.get("parameters")
    if parameters is None:
        keys.say("'parameters' is missing: the hyperparameters to search")
        return None
    hidden = problems_with_names(parameters) if isinstance(parameters, dict) else []
    for problem in hidden:
        keys.say(str(problem), "parameters", problem.value)
    keys.notes += _notes_on_words(keys, parameters)
    try:
        return space_of({"parameters": parameters})
    except CarbsError as error:
        entries = walk(parameters) if isinstance(parameters, dict) else ()
        # Entries that nest others have places, too.
        paths = {f"parameter {'.'.join(path[:n])!r}": path[:n] for path, _ in entries for n in range(1, len(path) + 1)}
        for problem in error.problems:
            keys.say(str(problem), *_place_of(problem, paths.get(problem.place)))
    return None


def _notes_on_words(keys: Keys, parameters: Any) -> list[str]:
    """Return what is to be said of words in entries of W&B's that W&B reads otherwise."""
    notes = []
    for path, settings in walk(parameters) if isinstance(parameters, dict) else ():
        if not isinstance(settings, dict) or "space" in settings:
            continue
        for word, here, there in keys.read_otherwise(*_place_in_file(path)):
            own = json.dumps(here)
            other, choice = "a date", own
            if isinstance(there, (int, float)):
                other = json.dumps(there)
                choice = f"{other} or {own}"
            meaning = f"is {'text' if isinstance(here, str) else own} here, and {other} in W&B"
            notes.append(f"parameter {'.'.join(path)!r}: {word} {meaning}: write {choice}")
    return list(dict.fromkeys(notes))


def _read_initial(keys: Keys, space: SweepSpace | None) -> tuple[Mapping[str, Any], ...]:
    """Read the configurations to run first."""
    initial = keys.values.get("initial", [])
    if not isinstance(initial, list):
        keys.say("'initial' must be a list of configurations: write `initial: [{lr: 1e-3}]`", "initial")
        return ()
    if space is None:
        return ()
    for place, values in enumerate(initial):
        try:
            first_runs(space, [values])
        except CarbsError as error:  # noqa: PERF203 - each has its own line in the file
            for problem in error.problems:
                keys.say(str(problem).replace("initial[0]", f"initial[{place}]"), "initial", place, problem.key)
    return tuple(initial)


def _read_start_from(keys: Keys) -> tuple[Any, ...]:
    """Read where to start from; whether it is there is found out when the sweep is created."""
    given = keys.values.get("start_from", [])
    listed = given if isinstance(given, list) else [given]
    for place, source in enumerate(listed):
        if not isinstance(source, (str, dict)):
            keys.say(
                f"{source!r} of 'start_from' must be entity/project/sweep, a file, or a mapping", "start_from", place
            )
    return tuple(listed)


def _place_of(problem: Problem, path: tuple[str, ...] | None) -> list[str]:
    """Return the path in the file of what a problem is about."""
    if path is None:
        return ["parameters"]
    nested = _place_in_file(path)
    return [*nested, problem.key] if problem.key else nested


def _place_in_file(path: tuple[str, ...]) -> list[str]:
    return [part for name in path for part in ("parameters", name)]


def _read_options(keys: Keys, goal: str) -> CARBSParams | None:
    options = keys.values.get("carbs", {})
    if not isinstance(options, dict):
        keys.say("'carbs' must be a mapping of the search's options", "carbs")
        return None
    if "better_direction_sign" in options:
        words = "write goal: maximize or minimize instead of 'better_direction_sign'"
        keys.say(words, "carbs", "better_direction_sign")
    # No option of the search is text: a quoted number is a number.
    given = {key: as_number(value) for key, value in options.items() if key != "better_direction_sign"}
    try:
        return CARBSParams(better_direction_sign=_SIGNS[goal], **given)
    except CarbsError as error:
        for problem in error.problems:
            keys.say(f"'carbs': {problem}{_hint_of_time(problem.value)}", "carbs", problem.key)
    return None


def _hint_of_time(value: Any) -> str:
    """Return the number that a time like 2:00:00 stands for, as the end of a sentence."""
    match = re.fullmatch(r"(?:(\d+):)?(\d+):(\d+)", value) if isinstance(value, str) else None
    if match is None:
        return ""
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return f"; if it is a time, write its seconds, {hours * 3600 + minutes * 60 + seconds}"
