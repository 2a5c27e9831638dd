"""Several agents on one machine, one for each GPU."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from wandb_carbs.agent.gpus import parse_gpus, run_agents

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("0", ["0"]),
        ("0,1,2", ["0", "1", "2"]),
        ("0 2", ["0", "2"]),
        ("1-3", ["1", "2", "3"]),
        ("0,2-3, 7", ["0", "2", "3", "7"]),
        ("GPU-1f2a,MIG-3", ["GPU-1f2a", "MIG-3"]),
    ],
)
def test_names_of_gpus_are_read(text: str, names: list[str]) -> None:
    assert parse_gpus(text) == names


@pytest.mark.parametrize("text", ["", " , ", "0,0", "0-2,1"])
def test_none_and_twice_the_same_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must name each GPU once"):
        parse_gpus(text)


@pytest.mark.slow
def test_each_gpu_has_an_agent_of_its_own_and_the_worst_exit_code_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command is replaced by one that only says what it was given."""
    package = tmp_path / "wandb_carbs"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "cli.py").write_text(
        "import os, sys\ngpu = os.environ['CUDA_VISIBLE_DEVICES']\n"
        "open(gpu, 'w').write(' '.join(sys.argv[1:]))\nsys.exit(int(gpu))\n"
    )
    monkeypatch.chdir(tmp_path)
    assert run_agents(["e/p/s", "--count", "1"], ["0", "3"], {"PYTHONPATH": str(tmp_path)}) == 3
    assert {name: (tmp_path / name).read_text() for name in ("0", "3")} == dict.fromkeys(
        ("0", "3"), "agent e/p/s --count 1"
    )
