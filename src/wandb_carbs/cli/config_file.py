"""Reading a sweep's YAML file, with the line of everything that is wrong in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

from carbs import CarbsError, CARBSParams, CategoricalSpace, Param
from carbs.errors import raise_problems
from carbs.spaces.space import SPACES

_GOALS = {"maximize": 1, "minimize": -1}
_GOAL_RULE = "maximize or minimize"


@dataclass(frozen=True)
class SweepFile:
    """What a sweep's file says.

    Attributes:
        name: The sweep's name.
        project: Where to create it.
        entity: The project's owner; None for the default one.
        params: The hyperparameters.
        options: The optimizer's options.
        metric_name: The metric by which W&B sorts the runs; None for the objective as it is recorded.
        sweep_options: Further keys of W&B's sweep configuration.
    """

    name: str
    project: str
    entity: str | None
    params: tuple[Param, ...]
    options: CARBSParams
    metric_name: str | None
    sweep_options: dict[str, Any]


class _Loader(yaml.SafeLoader):
    """A loader that takes 1e-5 for a number, as YAML 1.2 and everybody does, but YAML 1.1 does not."""


_Loader.add_implicit_resolver(  # type: ignore[no-untyped-call, unused-ignore]
    "tag:yaml.org,2002:float", re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+"), list("-+0123456789")
)


@dataclass
class _Section:
    """A mapping of the file.

    Attributes:
        values: Its values by key.
        lines: Line of each key, from 1.
        nodes: The values' nodes by key.
        line: Its own first line.
    """

    values: dict[str, Any] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    nodes: dict[str, yaml.Node] = field(default_factory=dict)
    line: int = 1


class _Reader:
    """Collects problems on the way through the file."""

    def __init__(self, loader: _Loader) -> None:
        self._loader = loader
        self.problems: list[tuple[int, str]] = []

    def say(self, line: int, problem: str) -> None:
        self.problems.append((line, problem))

    def section(self, node: yaml.Node | None, line: int, what: str) -> _Section:
        """Read a mapping; what is none is a problem, and reads as an empty one."""
        section = _Section(line=line)
        if not isinstance(node, yaml.MappingNode):
            self.say(line, f"{what} must be a mapping of names to values")
            return section
        for key_node, value_node in node.value:
            key, key_line = str(key_node.value), key_node.start_mark.line + 1
            if key in section.lines:
                self.say(key_line, f"{key!r} is given twice, first in line {section.lines[key]}")
                continue
            section.lines[key] = key_line
            section.nodes[key] = value_node
            try:
                section.values[key] = self._loader.construct_object(value_node, deep=True)  # type: ignore[no-untyped-call, unused-ignore]
            except (yaml.YAMLError, ValueError) as error:
                self.say(key_line, f"{key!r} cannot be read: {str(error).splitlines()[0]}")
        return section

    def check(self, top: _Section, key: str, rule: str, holds: Callable[[Any], bool], *, required: bool = False) -> Any:
        """Return the value of a key, or None where there is none or it breaks the rule."""
        value = top.values.get(key)
        if key not in top.lines:
            if required:
                self.say(top.line, f"{key!r} is missing: {rule}")
        elif key in top.values and not holds(value):
            self.say(top.lines[key], f"{key}={value!r} must be {rule}")
            return None
        return value


def read_config(path: Path) -> SweepFile:
    """Read a sweep's file.

    Raises:
        CarbsError: If something is wrong with it; one error names every problem and its line.
    """
    try:
        return _read(path)
    except UnicodeDecodeError as error:
        raise CarbsError(f"{path} is no text file: {error}") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f", line {mark.line + 1}" if mark else ""
        raise CarbsError(f"{path}{place}: not valid YAML: {error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise CarbsError(f"{path}: not valid YAML: {error}") from error
    except RecursionError as error:
        raise CarbsError(f"{path}: nested too deeply") from error


def _read(path: Path) -> SweepFile:
    loader = _Loader(path.read_text())
    node = loader.get_single_node()
    reader = _Reader(loader)
    top = reader.section(node, 1, "the file")
    described = _read_top(reader, top)
    raise_problems(str(path), [f"line {line}: {problem}" for line, problem in sorted(reader.problems)])
    assert described is not None
    return described


def _read_top(reader: _Reader, top: _Section) -> SweepFile | None:
    name = reader.check(top, "name", "the sweep's name", _is_text, required=True)
    project = reader.check(top, "project", "the name of a W&B project", _is_text, required=True)
    entity = reader.check(top, "entity", "a user or a team", _is_text)
    goal = reader.check(top, "goal", _GOAL_RULE, _is_goal)
    metric_name, goal = _read_metric(reader, top, goal)
    options = {
        "program": reader.check(top, "program", "the path of a program", _is_text),
        "command": reader.check(top, "command", "a list of strings", _is_list_of_text),
        "run_cap": reader.check(top, "run_cap", "a whole number of at least 1", _is_count),
        "early_terminate": reader.check(top, "early_terminate", "a mapping", lambda value: isinstance(value, dict)),
    }
    known = ("name", "project", "entity", "metric", "goal", *options, "parameters", "carbs")
    for key, line in top.lines.items():
        if key not in known:
            reader.say(line, f"unknown key {key!r}; known are {', '.join(known)}")
    params = tuple(_read_params(reader, top))
    carbs = _read_options(reader, top, goal or "maximize")
    if reader.problems or carbs is None:
        return None
    given = {key: value for key, value in options.items() if value is not None}
    return SweepFile(name, project, entity, params, carbs, metric_name, given)


def _read_metric(reader: _Reader, top: _Section, goal: str | None) -> tuple[str | None, str | None]:
    """Read the metric as W&B's own sweeps have it; return its name, and the goal from wherever it is told."""
    if "metric" not in top.lines:
        return None, goal
    before = len(reader.problems)
    section = reader.section(top.nodes["metric"], top.lines["metric"], "'metric'")
    if len(reader.problems) > before:
        return None, goal
    for key, line in section.lines.items():
        if key not in {"name", "goal"}:
            reader.say(line, f"'metric': unknown key {key!r}; known are name, goal")
    name = reader.check(section, "name", "the name of a metric that the program logs", _is_text)
    own_goal = reader.check(section, "goal", _GOAL_RULE, _is_goal)
    if "goal" not in section.lines and "goal" not in top.lines:
        # W&B takes a missing one for minimize, and a file without a metric is maximised here.
        reader.say(section.line, f"'metric': 'goal' is missing: {_GOAL_RULE}")
    if own_goal and goal and own_goal != goal:
        reader.say(
            section.lines["goal"], f"'metric': goal={own_goal!r} contradicts goal={goal!r} in line {top.lines['goal']}"
        )
    return name, own_goal or goal


def _read_params(reader: _Reader, top: _Section) -> Iterator[Param]:
    if "parameters" not in top.lines:
        reader.say(top.line, "'parameters' is missing: the hyperparameters to search")
        return
    line = top.lines["parameters"]
    section = reader.section(top.nodes["parameters"], line, "'parameters'")
    if not section.lines and isinstance(top.nodes["parameters"], yaml.MappingNode):
        reader.say(line, "'parameters' must name at least one")
    for name, node in section.nodes.items():
        param = _read_param(reader, name, reader.section(node, section.lines[name], f"parameter {name!r}"))
        if param is not None:
            yield param


def _read_param(reader: _Reader, name: str, section: _Section) -> Param | None:
    before = len(reader.problems)
    values = dict(section.values)
    kind = values.pop("space", None)
    center = values.pop("search_center", None)
    if not section.lines:
        return None  # no mapping, which has been said
    if not isinstance(kind, str) or kind not in SPACES:
        line = section.lines.get("space", section.line)
        reader.say(line, f"parameter {name!r}: space={kind!r} must be one of {', '.join(SPACES)}")
        return None
    space = SPACES[kind]
    known = [item.name for item in fields(space)]
    listed = ", ".join([*known, "search_center"])
    for key in [key for key in values if key not in known]:
        reader.say(
            section.lines[key],
            f"parameter {name!r}: unknown key {key!r} of a {kind} space; known are {listed}",
        )
        del values[key]
    if space is CategoricalSpace and "choices" not in values:
        reader.say(section.line, f"parameter {name!r}: 'choices' is missing")
        return None
    param = Param(name, space(**values), center)
    for problem in param.problems():
        reader.say(section.lines.get(problem.key, section.line), str(problem))
    return param if len(reader.problems) == before else None


def _read_options(reader: _Reader, top: _Section, goal: str) -> CARBSParams | None:
    values: dict[str, Any] = {}
    section = _Section(line=top.line)
    if "carbs" in top.lines:
        section = reader.section(top.nodes["carbs"], top.lines["carbs"], "'carbs'")
        values = dict(section.values)
    if "better_direction_sign" in values:
        reader.say(
            section.lines["better_direction_sign"],
            "write goal: maximize or minimize instead of 'better_direction_sign'",
        )
        del values["better_direction_sign"]
    try:
        return CARBSParams(better_direction_sign=_GOALS[goal], **values)
    except CarbsError as error:
        # One problem a line, or the only one after the colon of the first.
        first, *others = str(error).split("\n  - ")
        for problem in others or [first.partition(": ")[2]]:
            named = re.match(r"(?:unknown option ')?(\w+)", problem)
            reader.say(section.lines.get(named[1] if named else "", section.line), f"'carbs': {problem}")
    return None


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_goal(value: Any) -> bool:
    return isinstance(value, str) and value in _GOALS


def _is_list_of_text(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, str) for item in value)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1
