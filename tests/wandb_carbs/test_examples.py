"""The README's programs are the examples, and they run."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from environment import without_wandb

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wandb_carbs.server import LocalServer

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
EXAMPLE = EXAMPLES / "full_example.py"
# Libraries that an example needs beyond those of the development environment; where they are missing, it is not run:
# uv run --with torch --with lightning --with transformers --with accelerate pytest tests/wandb_carbs/test_examples.py
NEEDS = {
    "dotted_names": [],
    "plain_pytorch": ["torch"],
    "lightning_trainer": ["torch", "lightning"],
    "huggingface_trainer": ["torch", "transformers", "accelerate"],
}


@pytest.mark.parametrize("name", ["full_example.py", "sweep.yaml"])
def test_readme_shows_the_example(name: str) -> None:
    content = (ROOT / "examples" / name).read_text()
    language = {"py": "python", "yaml": "yaml"}[name.partition(".")[2]]
    assert f"```{language}\n{content}```\n" in (ROOT / "README.md").read_text()


def test_full_example_runs_unchanged_on_the_local_server(local_server: LocalServer, tmp_path: Path) -> None:
    """With fewer runs, since its agent pauses for 5 s between them."""
    program = tmp_path / "example.py"
    program.write_text(EXAMPLE.read_text().replace("count=10", "count=2"))
    settings = {**local_server.env(), "WANDB_DIR": str(tmp_path), "HOME": str(tmp_path), "WANDB_SILENT": "true"}
    done = _python([str(program)], settings)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("training with") == 2
    look = (
        "import wandb\n"
        "for run in wandb.Api().runs('your_wandb_entity/your_wandb_project', lazy=False):\n"
        "    summary = run.summary\n"
        "    print(run.state, summary['carbs.state'], summary['carbs.objective'] > 0, summary['carbs.cost'] > 0)\n"
    )
    assert _python(["-c", look], settings).stdout == "finished success True True\n" * 2


def test_every_example_is_listed_here() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.py")} == {*NEEDS, EXAMPLE.stem}


@pytest.mark.parametrize("name", NEEDS)
def test_examples_are_short_and_use_public_names(name: str) -> None:
    source = (EXAMPLES / f"{name}.py").read_text()
    assert len(source.splitlines()) < 71
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module in ("carbs", "wandb_carbs"):
            assert {alias.name for alias in node.names} <= set(import_module(node.module).__all__)


@pytest.mark.parametrize("name", NEEDS)
def test_examples_run_where_their_libraries_are_installed(name: str, local_server: LocalServer, tmp_path: Path) -> None:
    missing = [library for library in NEEDS[name] if find_spec(library) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")
    program = tmp_path / "example.py"
    program.write_text((EXAMPLES / f"{name}.py").read_text().replace("count=10", "count=1"))
    settings = {**local_server.env(), "WANDB_DIR": str(tmp_path), "HOME": str(tmp_path), "WANDB_SILENT": "true"}
    done = _python([str(program)], settings)
    assert done.returncode == 0, done.stderr
    look = (
        "import wandb\n"
        "for run in wandb.Api().runs('local/carbs-examples', lazy=False):\n"
        "    print(run.state, run.summary['carbs.state'])\n"
    )
    assert _python(["-c", look], settings).stdout == "finished success\n"


def _python(arguments: list[str], settings: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        env={**without_wandb(), **settings},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
