"""`wandb-carbs demo`, without the demo."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from wandb_carbs import demo
from wandb_carbs.cli.commands.demo import command


def test_options_reach_the_demo_and_its_result_is_json(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: dict[str, Any] = {}

    def run_demo(_console: object, **options: Any) -> dict[str, Any]:
        asked.update(options)
        return {"runs": []}

    monkeypatch.setattr(demo, "run_demo", run_demo)
    arguments = ["--runs", "7", "--agents", "3", "--seed", "5", "--data-dir", str(tmp_path), "--json"]
    result = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert json.loads(result.stdout) == {"runs": []}
    assert asked == {"runs": 7, "agents": 3, "seed": 5, "data_dir": tmp_path, "stay": False}


def test_without_json_nothing_but_the_demo_prints(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks at the pages of a server where there is no terminal: it does not stay."""
    asked: dict[str, Any] = {}
    monkeypatch.setattr(demo, "run_demo", lambda _console, **options: asked.update(options))
    assert CliRunner().invoke(command, [], catch_exceptions=False).output == ""
    assert (asked["data_dir"], asked["stay"]) == (None, False)
