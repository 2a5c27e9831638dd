"""Sweep files: W&B's own and ours."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest

from carbs import CarbsError, CategoricalSpace, LogSpace, OrdinalSpace, Param, Pow2Space
from wandb_carbs.sweep.file import SweepFile, read_sweep_file
from wandb_carbs.sweep.progress import Progress

ROOT = Path(__file__).parents[4]
OWN = """\
name: x
project: p
goal: minimize
parameters:
  lr: {space: log, min: 1e-5, max: 1e-1}
"""


def read(tmp_path: Path, text: str) -> SweepFile:
    path = tmp_path / "file.yaml"
    path.write_text(text)
    return read_sweep_file(path)


def problems(tmp_path: Path, text: str) -> list[str]:
    """Return the problems of a file, without its name."""
    with pytest.raises(CarbsError) as caught:
        read(tmp_path, text)
    first, *others = str(caught.value).split("\n  - ")
    return others or [first.removeprefix(f"{tmp_path / 'file.yaml'}: ")]


def test_what_stands_beside_nested_parameters_is_a_problem_of_its_line(tmp_path: Path) -> None:
    text = "goal: minimize\nparameters:\n  a:\n    parameters:\n      lr: {min: 0.1, max: 1.0}\n    wd: {value: 1}\n"
    rule = "move it into 'parameters'; it is then `a.wd`"
    assert problems(tmp_path, text) == [f"line 6: parameter 'a': 'wd' stands beside 'parameters': {rule}"]


def test_words_that_wandb_reads_otherwise_are_noted(tmp_path: Path) -> None:
    """Not in our own entries, which W&B does not read."""
    text = """\
goal: minimize
parameters:
  bn: {values: [yes, no, yes]}
  m: {parameters: {aug: {value: off}}}
  n: {values: [010, 12:30:45, 2020-01-01, "no"]}
  x: {min: 010, max: 20}
  own: {space: categorical, choices: [yes, no]}
  steps: {space: log, min: 1e5, max: 1e8, is_integer: yes}
"""
    assert read(tmp_path, text).notes == (
        "parameter 'bn': yes is text here, and true in W&B: write true or \"yes\"",
        "parameter 'bn': no is text here, and false in W&B: write false or \"no\"",
        "parameter 'm.aug': off is text here, and false in W&B: write false or \"off\"",
        "parameter 'n': 010 is 10 here, and 8 in W&B: write 8 or 10",
        "parameter 'n': 12:30:45 is text here, and 45045 in W&B: write 45045 or \"12:30:45\"",
        "parameter 'n': 2020-01-01 is text here, and a date in W&B: write \"2020-01-01\"",
        "parameter 'x': 010 is 10 here, and 8 in W&B: write 8 or 10",
        "parameter 'bn': values that are listed twice count once",
    )


def test_example_is_read() -> None:
    found = read_sweep_file(ROOT / "examples" / "sweep.yaml")
    assert found.space.params == (
        Param("learning_rate", LogSpace(min=1e-5, max=1e-1), 1e-3),
        Param("batch_size", Pow2Space(min=16, max=128)),
        Param("optimizer", CategoricalSpace(("adam", "sgd"))),
    )
    assert found.options.better_direction_sign == 1
    assert found.options.max_suggestion_cost == 3600
    assert found.sweep_options == {"program": "train.py", "run_cap": 100}
    assert found.notes == ()


WANDB_FILE = """\
program: launch/train.py
method: bayes
metric:
  name: eval/loss
  goal: minimize
early_terminate:
  type: hyperband
  min_iter: 20
parameters:
  steps:
    value: 50000
  lr:
    distribution: log_uniform_values
    min: 1.0e-5
    max: 5.0e-4
  dropout:
    values: [0.0, 0.1, 0.2]
  optimizer:
    parameters:
      name: {values: [adam, sgd]}
command:
  - ${env}
  - python
  - --env_id
  - 38
  - --tol
  - 1e-3
  - --flag=yes
"""


@pytest.mark.parametrize("is_wrapped", [False, True])
def test_file_of_wandb_is_read(is_wrapped: bool, tmp_path: Path) -> None:
    lines = ["sweep:", *(f"  {line}" for line in WANDB_FILE.splitlines())] if is_wrapped else [WANDB_FILE]
    found = read(tmp_path, "\n".join(lines))
    assert found.space.params == (
        Param("lr", LogSpace(1e-5, 5e-4)),
        Param("dropout", OrdinalSpace((0.0, 0.1, 0.2))),
        Param("optimizer.name", CategoricalSpace(("adam", "sgd"))),
    )
    assert found.space.constants == {"steps": 50000}
    assert (found.name, found.project, found.metric_name) == ("file", None, "eval/loss")
    assert found.options.better_direction_sign == -1
    assert found.sweep_options == {
        "program": "launch/train.py",
        "command": ["${env}", "python", "--env_id", "38", "--tol", "1e-3", "--flag=yes"],
        "early_terminate": {"type": "hyperband", "min_iter": 20},
    }
    assert [note.split()[0] for note in found.notes] == ["method:", "'early_terminate'"]


@pytest.mark.parametrize(
    ("metric", "name", "sign"),
    [
        ("metric: {name: val_loss, goal: minimize}", "val_loss", -1),
        ("metric: {goal: Maximize, name: acc}", "acc", 1),
        ("metric: {name: val_loss, goal: MIN}", "val_loss", -1),
        ("metric: {name: carbs.objective, goal: maximize}", "carbs.objective", 1),
        ("metric: {goal: minimize}", None, -1),
        ("metric: {name: val_loss, goal: minimize}\ngoal: minimize", "val_loss", -1),
        ("metric: {name: val_loss}\ngoal: maximize", "val_loss", 1),
        ("metric: val_loss\ngoal: minimize", "val_loss", -1),
        ("goal: maximise", None, 1),
        ("metric: {name: 2024, goal: minimize}", "2024", -1),
    ],
)
def test_metric_and_goal_in_every_spelling(metric: str, name: str | None, sign: int, tmp_path: Path) -> None:
    found = read(tmp_path, OWN.replace("goal: minimize", metric))
    assert (found.metric_name, found.options.better_direction_sign) == (name, sign)
    assert found.notes == ()


def test_metric_without_a_goal_is_minimized_as_in_wandb_and_noted(tmp_path: Path) -> None:
    found = read(tmp_path, OWN.replace("goal: minimize", "metric: {name: acc, target: 1}"))
    assert found.options.better_direction_sign == -1
    assert "'target' is not used" in found.notes[0]
    assert "'acc' is minimized" in found.notes[1]


@pytest.mark.parametrize(
    ("lines", "metric_how", "cost"),
    [
        (
            "metric: {name: loss, goal: minimize, how: best}\ncost: gpu_seconds",
            "best",
            {"name": "gpu_seconds", "how": "last"},
        ),
        (
            "metric: {name: loss, goal: minimize, how: mean 10}\ncost: runtime",
            "mean 10",
            None,
        ),
        (
            "metric: {name: loss, goal: minimize, how: {mean: 3}}\ncost: {name: tokens, how: best}",
            {"mean": 3},
            {"name": "tokens", "how": "best"},
        ),
    ],
)
def test_how_metric_and_cost_are_read(lines: str, metric_how: Any, cost: Any, tmp_path: Path) -> None:
    found = read(tmp_path, OWN.replace("goal: minimize", lines))
    assert (found.metric_how, found.cost) == (metric_how, cost)


@pytest.mark.parametrize(
    ("was", "becomes", "problem"),
    [
        ("goal: minimize\n", "", "line 1: 'goal' is missing: write `goal: minimize` or `goal: maximize`"),
        ("goal: minimize", "goal: down", "line 3: goal='down' must be maximize or minimize"),
        ("goal: minimize", "goal: 1", "line 3: goal=1 must be maximize or minimize"),
        ("goal: minimize", "metric: loss", "line 3: 'goal' is missing: write `metric: {name: loss, goal: minimize}`"),
        ("goal: minimize", "metric: {name: '', goal: minimize}", "line 3: name='' must be the name of a metric"),
        ("goal: minimize", "metric: {name: a, goal: minimize, x: 3}", "line 3: 'metric': unknown key 'x'"),
        ("goal: minimize", "metric:\n  {}", "line 3: 'metric': 'goal' is missing"),
        ("goal: minimize", "goal: min\nmetric: {goal: max}", "line 4: 'metric': goal='maximize' contradicts"),
        ("goal: minimize", "metric: {goal: max, how: best}", "line 3: 'metric': how='best' needs the name of a metric"),
        ("goal: minimize", "metric: {name: a, goal: max, how: first}", "line 3: 'metric': how='first' must be last"),
        ("goal: minimize", "goal: min\ncost: {how: best}", "line 4: 'cost': name must be the name of a metric"),
        ("goal: minimize", "goal: min\ncost: []", "line 4: cost=[] must be text"),
        ("name: x", "initial: {lr: 1}", "line 1: 'initial' must be a list of configurations"),
        ("name: x", "initial:\n  - {lr: 1e-3}\n  - {lr: 3}", "line 3: initial[1]: parameter 'lr': value 3 must be"),
        ("name: x", "initial: [{rl: 1e-3}]", "line 1: initial[0]: parameter 'rl' is unknown; known are lr"),
        ("name: x", "start_from: [3]", "line 1: 3 of 'start_from' must be entity/project/sweep"),
        ("name: x", "same_task: no", "line 1: same_task='no' must be true or false"),
        ("name: x", "progress: epochs", "line 1: 'progress': parameter='epochs' must be the name of a hyperparameter"),
        ("name: x", "progress: {parameter: lr}", "line 1: 'progress': 'metric' is missing"),
        ("name: x", "progress: {parameter: lr, metric: rate}", "line 1: 'progress': metric='rate' needs the name"),
        ("name: x", "progress: [lr]", "line 1: 'progress': ['lr'] must be the name of a hyperparameter"),
        ("name: x", "is_valid: rules.py", "line 1: is_valid='rules.py' must be the name of a function"),
        ("project: p", "entity: ${WANDB_ENTITY}", "entity='${WANDB_ENTITY}' is not filled in by anybody"),
        ("goal: minimize", "metric: [{name: l, goal: minimize}]", "'metric' must be one metric, not a list"),
        ("  lr: {", "  lr:{", "a space must follow the colon"),
        ("project: p", "project: a/b", "line 2: project='a/b' must not contain /"),
        ("name: x", "name: [x]", "line 1: name=['x'] must be text"),
        ("name: x", "nmae: x", "line 1: unknown key 'nmae'; did you mean 'name'?"),
        ("name: x", "lr: &lr {min: 0, max: 1}", "templates go under a key that begins with x-"),
        ("name: x", "command: python 'my train.py'", "must be a list of words: write `command: [python, my train.py]`"),
        ("name: x", "command: [python, [a]]", "line 1: ['a'] of 'command' must be a word"),
        ("name: x", "run_cap: 0", "line 1: run_cap=0 must be a whole number of at least 1"),
        ("name: x", "early_terminate: hyperband", "line 1: early_terminate='hyperband' must be a mapping"),
        ("name: x", "early_terminate: {type: median, min_iter: 3}", "line 1: early_terminate.type 'median' must be"),
        ("name: x", "early_terminate:\n  type: hyperband\n  min_iter: 0", "line 3: early_terminate.min_iter 0 must be"),
        ("name: x", "early_terminate: {type: hyperband}", "line 1: early_terminate needs min_iter, or max_iter and s"),
        ("name: x", "job: e/p/j:latest", "line 1: 'job' belongs to W&B Launch, which is not used: write 'program'"),
        ("name: x", "carbs: {max_suggestion_cost: 2:00:00}", "if it is a time, write its seconds, 7200"),
        ("name: x", "carbs: {sede: 1}", "line 1: 'carbs': unknown option 'sede'"),
        ("name: x", "carbs: {better_direction_sign: 1}", "line 1: write goal: maximize or minimize"),
        ("name: x", "carbs: 3", "line 1: 'carbs' must be a mapping"),
        ("  lr: {space: log,", "  - {name: lr,", "line 4: parameters="),
        ("  lr: {", "  _lr: {", "line 5: parameter '_lr': its name must not begin with '_'"),
        ("max: 1e-1", "max: 1e-9", "line 5: parameter 'lr': min=1e-05 must be smaller than max=1e-09"),
    ],
)  # fmt: skip
def test_each_wrong_thing_is_an_error_with_its_line(was: str, becomes: str, problem: str, tmp_path: Path) -> None:
    assert was in OWN
    [found] = problems(tmp_path, OWN.replace(was, becomes))
    assert problem in found


BAD_FILE = """\
name: ""
goal: up
nonsense: 1
parameters:
  lr: {space: log, min: 1e-1, max: 1e-5}
  n: {space: log, min: 0, max: 10, is_integer: true}
  x: {space: linear, min: 0,
      max: 1, search_center: 7}
  y: {space: cubic}
  z: 5
  lr: {space: log}
  c: {space: categorical}
  d: {space: linear, minimum: 0, max: 1}
  e:
    parameters:
      f:
        distribution: uniform
        min: 3
        max: no
carbs:
  seed: -1
  foo: 2
"""


def test_every_problem_is_named_with_its_line(tmp_path: Path) -> None:
    found = problems(tmp_path, BAD_FILE)
    numbers = [int(line.removeprefix("line ").split(":")[0]) for line in found]
    assert numbers == [1, 2, 3, 5, 6, 8, 9, 10, 11, 12, 13, 19, 21, 22]
    assert "parameter 'e.f': max='no' must be a finite number" in found[11]


@pytest.mark.parametrize("text", ["", "- a", "5", "parameters: {}", "parameters: 3", "sweep: 3", "sweep: {}"])
def test_malformed_file_is_an_error(text: str, tmp_path: Path) -> None:
    assert problems(tmp_path, text)


TEMPLATES = """\
x-lr: &lr {space: log, min: 1e-5, max: 1e-1}
name: 2024
project: 081125
goal: minimize
entity: null
early_terminate: null
run_cap: "8"
description: Größe, 试验
program: träin.py
controller: {type: local}
parameters:
  größe: {<<: *lr, max: 1e-2}
  学习率: *lr
  schedule: {space: categorical, choices: [no, 1:30, null]}
  steps: {space: log, min: 1e5, max: 1e8, is_integer: yes, search_center: 150000.5}
"""


def test_templates_words_and_names_of_any_language(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = read(tmp_path, TEMPLATES)
    assert (found.name, found.project, found.entity, found.description) == ("2024", "081125", None, "Größe, 试验")
    assert found.sweep_options == {"program": "träin.py", "run_cap": 8}
    assert found.space.params == (
        Param("größe", LogSpace(1e-5, 1e-2)),
        Param("学习率", LogSpace(1e-5, 1e-1)),
        Param("schedule", CategoricalSpace(("no", "1:30", None))),
        Param("steps", LogSpace(1e5, 1e8, is_integer=True), 150000),
    )
    assert "'controller' is not used" in found.notes
    assert any("search_center=150000.5 of an integer space is rounded to 150000" in note for note in found.notes)


START = """\
goal: minimize
initial:
  - {lr: 1e-3, optimizer: {name: sgd}}
  - {optimizer.name: adam, epochs: 3}
start_from: [e/p/old, {file: runs.csv, metric: loss, cost: seconds}]
same_task: false
is_valid: rules:fits
parameters:
  lr: {space: log, min: 1e-5, max: 1e-1}
  optimizer: {parameters: {name: {values: [adam, sgd]}}}
  epochs: {value: 3}
"""


def test_a_start_from_known_configurations_and_old_runs(tmp_path: Path) -> None:
    found = read(tmp_path, START)
    assert found.initial == ({"lr": 1e-3, "optimizer": {"name": "sgd"}}, {"optimizer.name": "adam", "epochs": 3})
    assert found.start_from == ("e/p/old", {"file": "runs.csv", "metric": "loss", "cost": "seconds"})
    assert found.same_task is False
    assert found.is_valid == "rules:fits"
    single = START.replace("[e/p/old, {file: runs.csv, metric: loss, cost: seconds}]", "e/p/old")
    assert read(tmp_path, single).start_from == ("e/p/old",)


def test_an_option_without_effect_is_noted(tmp_path: Path) -> None:
    [note] = read(tmp_path, OWN.replace("name: x", "carbs: {exploration_bias: 1}")).notes
    assert "exploration_bias=1) has no effect any more" in note


def test_the_hyperparameter_that_a_run_passes_through_is_noted(tmp_path: Path) -> None:
    text = OWN.replace(
        "goal: minimize", "metric: {name: loss, goal: minimize}\nearly_terminate: {type: hyperband, min_iter: 3}"
    )
    found = read(tmp_path, text + "progress: {parameter: lr, metric: rate, first: 0}\n")
    assert found.progress == Progress("lr", "rate", 0)
    stopping, way = found.notes
    assert stopping.endswith("a run that it stops counts as abandoned, and teaches by its points only")
    assert way == (
        "'progress': a run passes through the values of 'lr': 'rate' says how far it is in the rows of the objective, "
        "and is 0 when the first is done"
    )
    [problem] = problems(tmp_path, text + "progress:\n  parameter: lr\n  metric: rate\n  first: '0'\n")
    assert problem.startswith(f"line {text.count(chr(10)) + 4}: 'progress': first='0' must be 0 or 1")
