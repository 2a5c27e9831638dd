"""The command as a module: what is used where no script is on the path."""

from __future__ import annotations

import runpy
import sys

import pytest


def test_the_module_is_the_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["wandb-carbs", "--help"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("wandb_carbs.cli", run_name="__main__")
    assert ended.value.code == 0
    assert "create" in capsys.readouterr().out
