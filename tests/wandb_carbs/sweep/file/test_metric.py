"""The metric and the cost of a sweep's file, in every form that W&B takes and in ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from wandb_carbs.sweep.file.document import read_document
from wandb_carbs.sweep.file.keys import Keys
from wandb_carbs.sweep.file.metric import read_cost, read_metric

if TYPE_CHECKING:
    from pathlib import Path


def keys_of(tmp_path: Path, text: str) -> Keys:
    path = tmp_path / "sweep.yaml"
    path.write_text(text)
    keys = Keys(read_document(path))
    keys.open(("metric", "goal", "cost"), {})
    return keys


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("goal: minimize", (None, "last", "minimize")),
        ("goal: MAX", (None, "last", "maximize")),
        ("metric: loss\ngoal: min", ("loss", "last", "minimize")),
        ("metric: {name: loss, goal: minimize}", ("loss", "last", "minimize")),
        ("metric: {name: 5, goal: maximize}", ("5", "last", "maximize")),
        ("metric: {name: loss, goal: minimize, how: best}", ("loss", "best", "minimize")),
        ("metric: {name: loss, goal: minimize, how: mean 10}", ("loss", "mean 10", "minimize")),
        ("metric: {name: loss}\ngoal: maximize", ("loss", "last", "maximize")),
        ("metric: {name: loss}", ("loss", "last", "minimize")),
        ("metric: {goal: maximize}", (None, "last", "maximize")),
    ],
)
def test_metric_and_goal(tmp_path: Path, text: str, expected: Any) -> None:
    keys = keys_of(tmp_path, text)
    assert read_metric(keys) == expected
    assert not keys.has_problems


def test_it_is_noted_that_a_goal_was_assumed_and_a_target_has_no_use(tmp_path: Path) -> None:
    keys = keys_of(tmp_path, "metric: {name: loss, target: 0.1}")
    read_metric(keys)
    assert [note.split(",")[0] for note in keys.notes] == ["'metric': 'target' is not used", "'metric' has no goal"]


@pytest.mark.parametrize(
    "text",
    ["cost: 1", "metric: loss", "metric: [loss]", "metric: {}", "goal: down", "metric: {name: a, goal: max, how: odd}"],
)
def test_an_unclear_metric_is_a_problem(tmp_path: Path, text: str) -> None:
    keys = keys_of(tmp_path, text)
    read_metric(keys)
    assert keys.has_problems


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("goal: min", None),
        ("cost: runtime", None),
        ("cost: tokens", {"name": "tokens", "how": "last"}),
        ("cost: {name: tokens, how: mean 3}", {"name": "tokens", "how": "mean 3"}),
    ],
)
def test_cost(tmp_path: Path, text: str, expected: Any) -> None:
    keys = keys_of(tmp_path, text)
    assert read_cost(keys) == expected
    assert not keys.has_problems


@pytest.mark.parametrize(
    "text", ["cost: []", "cost: {how: best}", "cost: {name: a, unit: s}", "cost: {name: a, how: x}"]
)
def test_an_unclear_cost_is_a_problem(tmp_path: Path, text: str) -> None:
    keys = keys_of(tmp_path, text)
    read_cost(keys)
    assert keys.has_problems
