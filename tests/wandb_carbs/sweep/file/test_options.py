"""Keys of a sweep's file that go into W&B's sweep configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from wandb_carbs.sweep.file.document import read_document
from wandb_carbs.sweep.file.keys import Keys
from wandb_carbs.sweep.file.options import read_command, read_early_terminate, read_run_cap

if TYPE_CHECKING:
    from pathlib import Path


def keys_of(tmp_path: Path, text: str) -> Keys:
    path = tmp_path / "sweep.yaml"
    path.write_text(text)
    keys = Keys(read_document(path))
    keys.open(("command", "run_cap", "early_terminate", "progress"), {})
    return keys


def test_the_words_of_a_command_are_text(tmp_path: Path) -> None:
    keys = keys_of(tmp_path, "command: [python, --tol, 1e-3, --flag=yes]\n")
    assert read_command(keys) == ["python", "--tol", "1e-3", "--flag=yes"]
    assert read_command(keys_of(tmp_path, "run_cap: 3\n")) is None


@pytest.mark.parametrize(("text", "cap"), [("8", 8), ('"8"', 8), ("8.0", 8), ("null", None)])
def test_a_cap_is_a_whole_number(tmp_path: Path, text: str, cap: int | None) -> None:
    keys = keys_of(tmp_path, f"run_cap: {text}\n")
    assert read_run_cap(keys) == cap
    assert not keys.has_problems


@pytest.mark.parametrize(
    ("metric", "more", "words"),
    [
        ("loss", "", "judges by the metric; a run that it stops counts as abandoned, and teaches the search nothing"),
        ("loss", "progress: epochs\n", "teaches by its points only"),
        (None, "", "judges by 'carbs.objective', which has no value before a run's end"),
        ("carbs.objective", "", "judges by 'carbs.objective', which has no value before a run's end"),
    ],
)
def test_early_terminate_goes_to_wandb_with_notes(tmp_path: Path, metric: Any, more: str, words: str) -> None:
    keys = keys_of(tmp_path, f'early_terminate: {{type: hyperband, min_iter: "3", eta: null, minn: 1}}\n{more}')
    assert read_early_terminate(keys, metric) == {"type": "hyperband", "min_iter": 3}
    assert words in keys.notes[0]
    assert keys.notes[1] == "'minn' of 'early_terminate' means nothing to W&B, and is left out"
    assert not keys.has_problems


def test_early_terminate_that_wandb_would_refuse_is_a_problem(tmp_path: Path) -> None:
    keys = keys_of(tmp_path, "early_terminate: {type: median}\n")
    assert read_early_terminate(keys, "loss") is None
    assert keys.has_problems
    assert keys.notes == []
