"""Type checkers of users accept the public surface and the hooks of subclasses; mypy checks this folder, too."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_pyright_accepts_a_users_program() -> None:
    """In its strict mode."""
    done = subprocess.run(
        [sys.executable, "-m", "pyright", "--pythonpath", sys.executable],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_pyright_refuses_what_the_types_exclude(tmp_path: Path) -> None:
    """Otherwise the test above could not fail."""
    (tmp_path / "wrong.py").write_text("from carbs import CARBS\nx: int = CARBS().suggest()\n")
    done = subprocess.run(
        [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, "wrong.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 1, done.stdout
    assert '"SuggestOutput" is not assignable to "int"' in done.stdout
