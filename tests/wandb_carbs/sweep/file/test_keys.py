"""The keys of a sweep's file are read one by one, and each problem has its line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from wandb_carbs.sweep.file.document import read_document
from wandb_carbs.sweep.file.keys import Keys

if TYPE_CHECKING:
    from pathlib import Path

KNOWN = ("name", "parameters", "run_cap")
UNUSED = {"job": "is not used"}


def keys_of(tmp_path: Path, text: str) -> tuple[Keys, bool, list[tuple[int, str]]]:
    path = tmp_path / "sweep.yaml"
    path.write_text(text)
    document = read_document(path)
    keys = Keys(document)
    return keys, keys.open(KNOWN, UNUSED), document.problems


def test_known_keys_are_values_and_empty_ones_are_left_out(tmp_path: Path) -> None:
    keys, is_open, problems = keys_of(
        tmp_path, "x-template: 1\nname: 2024\nrun_cap:\njob: a\nparameters: {lr: {value: 1}}\n"
    )
    assert (is_open, problems, keys.has_problems) == (True, [], False)
    assert set(keys.values) == {"x-template", "name", "job", "parameters"}
    assert keys.text("name") == "2024"
    assert keys.text("run_cap") is None
    assert keys.notes == ["'job' is not used"]
    assert keys.written("parameters", "lr", "value") == "1"
    assert keys.written("parameters") is None


def test_the_sweep_around_all_is_opened_and_lines_stay_those_of_the_file(tmp_path: Path) -> None:
    keys, is_open, problems = keys_of(tmp_path, "sweep:\n  name: x\n  parameters:\n    lr: {value: 1}\n")
    assert is_open
    assert keys.values["name"] == "x"
    assert keys.line("parameters", "lr") == 4
    keys.say("is wrong", "name")
    assert problems == [(2, "is wrong")]


@pytest.mark.parametrize("inner", ["parameters: {lr: {value: 1}}", "name: x\n  parameters: {lr: {value: 1}}"])
def test_another_key_around_all_is_opened_with_a_note(tmp_path: Path, inner: str) -> None:
    keys, is_open, problems = keys_of(tmp_path, f"sweep_config:\n  {inner}\n")
    assert (is_open, problems) == (True, [])
    assert keys.values["parameters"] == {"lr": {"value": 1}}
    assert keys.notes == ["the sweep is read from 'sweep_config'"]


@pytest.mark.parametrize("text", ["a: {parameters: {}}\nb: {parameters: {}}", "x-a: {parameters: {}}", "a: {b: 1}"])
def test_other_mappings_are_no_key_around_all(tmp_path: Path, text: str) -> None:
    keys, _, _ = keys_of(tmp_path, text)
    assert keys.notes == []
    assert set(keys.values) <= {"a", "b", "x-a"}


def test_unknown_keys_and_text_that_is_none_are_problems(tmp_path: Path) -> None:
    keys, is_open, problems = keys_of(tmp_path, "nmae: x\nname: [a]\n")
    assert is_open
    assert keys.text("name") is None
    assert problems[0] == (1, "unknown key 'nmae'; did you mean 'name'?; known are name, parameters, run_cap")
    assert problems[1] == (2, "name=['a'] must be text")


def test_a_file_that_is_no_mapping_is_not_opened(tmp_path: Path) -> None:
    _, is_open, problems = keys_of(tmp_path, "- a\n")
    assert not is_open
    assert problems == [(1, "the file must be a mapping of names to values")]
