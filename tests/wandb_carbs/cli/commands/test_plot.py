"""`wandb-carbs plot`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from command_line import assert_fails, run_here
from wandb_carbs.cli.commands import plot
from wandb_carbs.sweep.history import SweepHistory


@pytest.mark.parametrize("what", ["frontier", "scaling", "calibration"])
def test_file_is_named_after_what_it_shows(
    what: str, history: SweepHistory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plot, "load", lambda _: history)
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(plot.command, ["a/b/c", "--what", what, "--json"], catch_exceptions=False)
    facts = json.loads(result.stdout)
    assert (facts["file"], facts["figures"], facts["runs"]) == (str(tmp_path / f"{what}.png"), [what], 40)
    assert [path.name for path in tmp_path.iterdir()] == [f"{what}.png"]
    assert (tmp_path / f"{what}.png").read_bytes().startswith(b"\x89PNG")


def test_ending_says_the_format(history: SweepHistory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plot, "load", lambda _: history)
    output = tmp_path / "frontier.svg"
    result = CliRunner().invoke(plot.command, ["a/b/c", "-o", str(output)], catch_exceptions=False)
    assert result.output == f"frontier in {output}\n"
    assert "<svg" in output.read_text()
    assert_fails(
        run_here("plot", "a/b/c", "-o", "frontier.doc"), "'frontier.doc' must end in .png, .pdf or .svg", code=2
    )
