"""A sweep's command with its macros filled in."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from carbs import CarbsError
from wandb_carbs import WandbCarbsError
from wandb_carbs.agent.command_line import (
    check_command,
    fill_in,
    hint_of_parts,
    hint_of_start,
    passes_booleans_as_text,
    passes_none_as_text,
    passes_values,
    remedy_of,
)

VALUES = {
    "lr": 1e-05,
    "layers": 3,
    "bias": True,
    "dropout": False,
    "act": "relu 6",
    "seed": None,
    "optim": {"beta": 0.9},
}


def filled(*command: Any, environment: dict[str, str] | None = None, path: Path = Path("none.json")) -> list[str]:
    checked = check_command(list(command), "train.py")
    return fill_in(checked, "train.py", VALUES, path, environment or {})


def test_without_a_command_it_is_that_of_wandb() -> None:
    line = fill_in(check_command(None, "train.py"), "train.py", {"lr": 0.1}, Path("none.json"), {"PATH": "/nowhere"})
    assert line == ["/usr/bin/env", sys.executable, "train.py", "--lr=0.1"]


@pytest.mark.parametrize(
    ("macro", "expected"),
    [
        (
            "args",
            "--lr=1e-05 --layers=3 --bias=True --dropout=False --act=relu 6 --seed=None --optim={'beta': 0.9}",
        ),
        ("args_no_hyphens", "lr=1e-05 layers=3 bias=True dropout=False act=relu 6 seed=None optim={'beta': 0.9}"),
        ("args_no_boolean_flags", "--lr=1e-05 --layers=3 --bias --act=relu 6 --seed=None --optim={'beta': 0.9}"),
        (
            "args_append_hydra",
            "+lr=1e-05 +layers=3 +bias=True +dropout=False +act='relu 6' +seed=null +optim.beta=0.9",
        ),
        (
            "args_override_hydra",
            "++lr=1e-05 ++layers=3 ++bias=True ++dropout=False ++act='relu 6' ++seed=null ++optim.beta=0.9",
        ),
        (
            "args_switches",
            "--lr=1e-05 --layers=3 --bias --no-dropout --act=relu 6 --seed=None --optim={'beta': 0.9}",
        ),
    ],
)
def test_arguments(macro: str, expected: str) -> None:
    assert " ".join(filled(f"${{{macro}}}")) == expected


def hydra_reads(line: list[str]) -> Any:
    """Return the values that Hydra makes of its overrides."""
    parsed = {override.key_or_group: override.value() for override in OverridesParser.create().parse_overrides(line)}
    return OmegaConf.to_container(OmegaConf.create(parsed))


def test_hydra_reads_what_was_meant(tmp_path: Path) -> None:
    values = {"a": {"b": {"drop": None}, "empty": {}}, "sizes": [None, 64, "x y"], "heads": [[1], {"k": None}]}
    line = fill_in(["${args_override_hydra}"], None, values, tmp_path / "none.json", {})
    assert sorted(line) == [
        "++a.b.drop=null",
        "++a.empty={}",
        "++heads=[[1],{k:null}]",
        "++sizes=[null,64,'x y']",
    ]
    read = hydra_reads(line)
    assert read == {"a.b.drop": None, "a.empty": {}, "sizes": [None, 64, "x y"], "heads": [[1], {"k": None}]}


TEXTS = ["adam", "models/resnet-50_v1.5", "true", "None", "null", "NaN", "-inf", "1e3", "001", "[1]", "{a}", "a,b"]
TEXTS += ["it's", "a=b", 'say "x"', "ckpt/epoch=3.ckpt", "", " x ", "C:\\", "\\\\'", "a\\b", "\n"]
TEXTS += ["x:y", "é", "choice(1,2)", "yes", "~"]


@pytest.mark.parametrize("macro", ["args_override_hydra", "args_append_hydra"])
@pytest.mark.parametrize("text", TEXTS)
def test_hydra_reads_every_text_as_it_is(macro: str, text: str, tmp_path: Path) -> None:
    values = {"name": text, "names": [text, {"of": text}]}
    line = fill_in([f"${{{macro}}}"], None, values, tmp_path / "none.json", {})
    assert hydra_reads(line) == values


@given(text=st.text(alphabet=st.one_of(st.sampled_from("\\'\"`,[]{}()=: aN1"), st.characters(exclude_characters="$"))))
def test_hydra_reads_any_text_as_it_is(text: str) -> None:
    line = fill_in(["${args_override_hydra}"], None, {"name": text, "names": [text]}, Path("none.json"), {})
    assert hydra_reads(line) == {"name": text, "names": [text]}


def test_a_nested_switch_is_turned_off_as_tyro_reads_it(tmp_path: Path) -> None:
    line = fill_in(["${args_switches}"], None, {"optim.amp": False, "optim.fused": True}, tmp_path / "none.json", {})
    assert line == ["--optim.no-amp", "--optim.fused"]


def test_arguments_without_an_equals_sign_are_two() -> None:
    assert filled("${args_no_equals}")[:4] == ["--lr", "1e-05", "--layers", "3"]


def test_arguments_as_json(tmp_path: Path) -> None:
    [text] = filled("${args_json}")
    assert json.loads(text) == VALUES
    [name] = filled("${args_json_file}", path=tmp_path / "new" / "values.json")
    assert json.loads(Path(name).read_text(encoding="utf-8")) == VALUES


def test_other_parts_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NONE", raising=False)
    command = ("torchrun", 8, "${program}", "--user=${envvar:USER_NAME}", "${envvar:NONE}", "a${args}")
    expected = ["torchrun", "8", "train.py", "--user=ada", "NONE", "a${args}"]
    assert filled(*command, environment={"USER_NAME": "ada"}) == expected


def test_the_interpreter_is_that_of_the_path(tmp_path: Path) -> None:
    (tmp_path / "python").touch(mode=0o755)
    assert filled("${interpreter}", environment={"PATH": str(tmp_path)}) == ["python"]


@pytest.mark.parametrize(
    ("command", "program", "problem"),
    [
        (None, None, "neither a program nor a command"),
        (["python", "${arguments}"], "train.py", r"known are \$\{env\}"),
        (["python", "${program}"], None, "needs `program:`"),
        ("python train.py", "train.py", "must be a list"),
    ],
)
def test_what_cannot_be_run_is_refused_with_the_remedy(command: Any, program: str | None, problem: str) -> None:
    with pytest.raises((WandbCarbsError, CarbsError), match=problem):
        check_command(command, program)


def test_whether_the_program_is_given_arguments() -> None:
    assert passes_values(["python", "${args_no_hyphens}"])
    assert passes_values(["python", "${args_json_file}"])
    assert not passes_values(["${env}", "${interpreter}", "${program}"])


@pytest.mark.parametrize(
    "macro", ["args", "args_no_equals", "args_no_hyphens", "args_no_boolean_flags", "args_switches"]
)
def test_none_is_passed_as_a_text(macro: str) -> None:
    assert passes_none_as_text(["python", f"${{{macro}}}"])


@pytest.mark.parametrize(
    "macro", ["args_override_hydra", "args_append_hydra", "args_json", "args_json_file", "program"]
)
def test_none_is_passed_as_null_or_not_at_all(macro: str) -> None:
    assert not passes_none_as_text(["python", f"${{{macro}}}"])


def test_booleans_are_texts_to_argparse_but_in_the_forms_of_switches() -> None:
    assert passes_booleans_as_text(["python", "${program}", "${args}"])
    assert passes_booleans_as_text(["python", "${program}", "${args_no_equals}"])
    assert not passes_booleans_as_text(["python", "${program}", "${args_switches}"])


@pytest.mark.parametrize(
    ("command", "parts"),
    [
        (["bash", "-c", "python train.py ${args}"], "'python train.py ${args}' of the command"),
        (["python", "${program}", "$args"], "'$args' of the command"),
        (["python", "--config=${args_json_file}"], "'--config=${args_json_file}' of the command"),
        (["python", "a${args_no_equals}", "b$args"], "'a${args_no_equals}', 'b$args' of the command"),
    ],
)
def test_a_macro_that_is_part_of_a_word_is_named(command: list[str], parts: str) -> None:
    assert hint_of_parts(command).startswith(parts)


def test_other_words_are_no_misplaced_macros() -> None:
    assert hint_of_parts(["${env}", "bash", "-c", "echo ${program} $arguments ${argsy}", "${args}"]) == ""


@pytest.mark.parametrize(
    ("command", "remedy"),
    [
        (["${args}"], "write [${env}, ${interpreter}, ${program}, ${args}]"),
        (["${env}", "${args_json_file}"], "write [${env}, ${interpreter}, ${program}, ${args_json_file}]"),
        (["accelerate launch", "${program}", "${args}"], "write [accelerate, launch, …]"),
        (["${env}", "${interpreter}", "torchrun", "${program}"], "leave out '${interpreter}' before it"),
        (["python3", "accelerate", "launch", "${program}"], "leave out 'python3' before it"),
        (["accelerate", "launch", "python3", "${program}"], "'accelerate' of the command starts Python itself"),
        (["${env}", "torchrun", "--nproc-per-node=2", "${interpreter}", "${program}"], "leave out '${interpreter}'"),
    ],
)
def test_a_command_that_does_not_start_the_program_is_named(command: list[str], remedy: str) -> None:
    assert remedy in hint_of_start(command)


@pytest.mark.parametrize(
    "command",
    [
        ["${env}", "${interpreter}", "${program}", "${args}"],
        ["${env}", "torchrun", "--nproc-per-node=2", "${program}", "--interpreter", "python", "${args}"],
        ["accelerate", "launch", "--no_python", "python3", "${program}"],
        ["bash", "-c", 'torchrun train.py "$@"', "bash", "${args}"],
        [],
    ],
)
def test_a_command_that_starts_the_program_is_not_named(command: list[str]) -> None:
    assert hint_of_start(command) == ""


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("train.py --fast", "[${env}, ${interpreter}, train.py, --fast, ${args}]"),
        ("torchrun train.py", "[${env}, torchrun, train.py, ${args}]"),
        ("python -m train", "[${env}, python, -m, train, ${args}]"),
    ],
)
def test_a_program_that_is_a_whole_line_belongs_into_the_command(program: str, words: str) -> None:
    assert remedy_of(program).endswith(words)
    assert remedy_of("train.py") == remedy_of("") == ""


def test_a_programs_name_may_have_spaces(tmp_path: Path) -> None:
    (program := tmp_path / "my run").touch()
    assert hint_of_start([str(program), "${args}"]) == ""
