"""The documentation is true: its programs run, its commands exist, its pictures are there."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from command_line import run
from environment import without_wandb
from wandb_carbs.cli.main import cli
from wandb_carbs.server.server import LocalServer

DOCS = Path(__file__).parents[1] / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
_SNIPPET = re.compile(r"^(<!-- runs -->\n)?```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_BASH = re.compile(r"^```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^## `wandb-carbs (\w+).*`$", re.MULTILINE)
_OPTION = re.compile(r"^\| ((?:`-[\w-]+`(?:, )?)+) \|", re.MULTILINE)
_MAX_PICTURE = 150 * 1024


def _programs(page: Path) -> str:
    """Return the page's snippets that are marked as running, as one program."""
    return "\n".join(code for marked, code in _SNIPPET.findall(page.read_text(encoding="utf-8")) if marked)


def _commands() -> dict[str, click.Command]:
    context = click.Context(cli)
    found = {name: cli.get_command(context, name) for name in cli.list_commands(context)}
    return {name: command for name, command in found.items() if command is not None}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_python_snippets_are_python(page: Path) -> None:
    for _, code in _SNIPPET.findall(page.read_text(encoding="utf-8")):
        compile(code, str(page), "exec")


@pytest.mark.parametrize("page", [page for page in PAGES if _programs(page)], ids=lambda page: page.name)
def test_snippets_that_are_marked_run(page: Path, tmp_path: Path) -> None:
    """On the local server, which some of them need."""
    (tmp_path / "program.py").write_text(_programs(page))
    with LocalServer(tmp_path / "server") as server:
        settings = {**server.env(), "HOME": str(tmp_path), "WANDB_DIR": str(tmp_path), "WANDB_SILENT": "true"}
        done = subprocess.run(
            [sys.executable, "-W", "error::DeprecationWarning:__main__", "program.py"],
            cwd=tmp_path,
            env={**without_wandb(), **settings},
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
    assert done.returncode == 0, done.stderr


def test_the_program_with_hydra_trains_with_its_suggestion(tmp_path: Path) -> None:
    [code] = [code for _, code in _SNIPPET.findall((DOCS / "your-sweep.md").read_text()) if "hydra" in code]
    train = "def train(cfg):\n    return cfg.optimizer.lr + cfg.model.hidden\n\n\n"
    (tmp_path / "train.py").write_text(code.replace("@hydra.main", train + "@hydra.main"))
    (tmp_path / "config.yaml").write_text("optimizer: {lr: 0.5, name: adam}\nmodel: {hidden: 7}\n")
    (tmp_path / "sweep.yaml").write_text(
        "name: hydra\nproject: p\nentity: e\nprogram: train.py\ngoal: minimize\nparameters:\n"
        "  optimizer.lr: {space: log, min: 1e-4, max: 1e-1}\n"
        "  model.hidden: {space: log, min: 8, max: 256, is_integer: true}\n"
    )
    with LocalServer(tmp_path / "server") as server:
        settings = {**server.env(), "HOME": str(tmp_path), "WANDB_DIR": str(tmp_path), "WANDB_SILENT": "true"}
        settings["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        created = run("create", "sweep.yaml", "--json", env=settings, cwd=tmp_path)
        assert created.returncode == 0, created.stderr
        sweep = json.loads(created.stdout)["agent"].split()[-1]
        # As `wandb agent` does, with the command that `create` wrote.
        settings.update(WANDB_SWEEP_ID=sweep.split("/")[-1], WANDB_ENTITY="e", WANDB_PROJECT="p")
        subprocess.run(
            [sys.executable, "train.py"], cwd=tmp_path, env={**without_wandb(), **settings}, timeout=200, check=True
        )
        shown = run("best", sweep, "--json", env=settings, cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    best = json.loads(shown.stdout)
    assert best["objective"] == pytest.approx(best["config"]["optimizer.lr"] + best["config"]["model.hidden"])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_commands_exist_with_the_options_that_are_shown(page: Path) -> None:
    for block in _BASH.findall(page.read_text(encoding="utf-8")):
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            if "wandb-carbs" not in words:
                continue
            name, *arguments = words[words.index("wandb-carbs") + 1 :]
            command = _commands()[name]
            known = {option for parameter in command.params for option in parameter.opts}
            assert {word for word in arguments if word.startswith("-")} <= known, line


def test_the_page_on_the_command_line_names_every_command_and_option() -> None:
    parts = _HEADING.split((DOCS / "command-line.md").read_text())[1:]
    shown = {
        name: {option for cell in _OPTION.findall(text) for option in re.findall(r"-[\w-]+", cell)}
        for name, text in zip(parts[::2], parts[1::2], strict=True)
    }
    known = {
        name: {opt for parameter in command.params if isinstance(parameter, click.Option) for opt in parameter.opts}
        for name, command in _commands().items()
    }
    assert shown == known


def test_pictures_are_there_and_small() -> None:
    used = {name for page in PAGES for name in re.findall(r"\(images/([\w.-]+)\)", page.read_text())}
    assert used == {path.name for path in (DOCS / "images").iterdir()}
    assert all(path.stat().st_size < _MAX_PICTURE for path in (DOCS / "images").iterdir())
