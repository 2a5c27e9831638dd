"""`wandb-carbs open`."""

from __future__ import annotations

from command_line import Sweep


def test_address_of_a_sweep_is_printed(sweep: Sweep) -> None:
    """A browser is started only from a terminal."""
    done = sweep.run("open", sweep.path)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{sweep.address}\n", "")
