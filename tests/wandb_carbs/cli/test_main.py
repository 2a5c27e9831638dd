"""The group of commands."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest

from command_line import assert_fails, run, run_here
from wandb_carbs.cli.main import cli

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("arguments", [["nonsense"], ["server", "--port", "99999"], ["demo", "--runs", "0"], ["best"]])
def test_wrong_usage_is_an_error(arguments: list[str]) -> None:
    assert_fails(run_here(*arguments), "Usage", code=2)


def test_version_is_the_package_s() -> None:
    done = run("--version")
    assert done.returncode == 0
    assert done.stdout.startswith("wandb-carbs, version ")


def test_command_line_itself_imports_nothing_heavy() -> None:
    """Help answers at once; the package around the command line is replaced, since only its own imports matter."""
    program = (
        "import pathlib, sys, types\n"
        "package = types.ModuleType('wandb_carbs')\n"
        f"package.__path__ = [{str(ROOT / 'src' / 'wandb_carbs')!r}]\n"
        "sys.modules['wandb_carbs'] = package\n"
        "import wandb_carbs.cli\n"
        "print({'numpy', 'wandb', 'sklearn', 'matplotlib', 'uvicorn', 'rich'} & set(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "set()\n"


def test_missing_extra_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "sklearn.py").write_text("raise ModuleNotFoundError('no sklearn', name='sklearn')")
    (tmp_path / "uvicorn.py").write_text("raise ModuleNotFoundError('no uvicorn', name='uvicorn')")
    assert_fails(run("server", env={"PYTHONPATH": str(tmp_path)}), "pip install 'wandb-carbs[local]'")
    assert_fails(run("demo", env={"PYTHONPATH": str(tmp_path)}), "pip install 'wandb-carbs[demo]'")
    (tmp_path / "markupsafe.py").write_text("raise ModuleNotFoundError('no markupsafe', name='markupsafe')")
    assert_fails(run("report", "a/b/c", env={"PYTHONPATH": str(tmp_path)}), "pip install 'wandb-carbs[report]'")


@pytest.mark.parametrize(("word", "meant"), [("lst", "list"), ("suggst", "suggest"), ("ls", "list")])
def test_unknown_command_is_answered_with_the_one_that_was_meant(word: str, meant: str) -> None:
    assert_fails(run_here(word, "a/b/c"), f"there is no command {word!r}; did you mean {meant!r}?", code=2)


def test_every_command_explains_itself() -> None:
    shown = run_here("--help").stdout
    for name in cli.list_commands(click.Context(cli)):
        done = run_here(name, "--help")
        assert done.returncode == 0
        assert f"wandb-carbs {name}" in done.stdout
        assert f"\n  {name} " in shown


def test_shells_complete_commands() -> None:
    words = {"COMP_WORDS": "wandb-carbs st", "COMP_CWORD": "1", "_WANDB_CARBS_COMPLETE": "bash_complete"}
    assert run_here(env=words).stdout.split() == ["plain,status", "plain,stop"]
