"""Imports point one way, as `[tool.importlinter]` in pyproject.toml says."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_layers_import_one_way() -> None:
    """Every contract is kept."""
    command = ["lint-imports", "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout
