"""A sweep's path is read whole, or completed from W&B's settings."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import wandb

from wandb_carbs import SweepPath, WandbCarbsError, WandbConnectionError
from wandb_carbs.sweep.path import read_sweep


def settings(monkeypatch: pytest.MonkeyPatch, default_entity: str = "", **values: str) -> None:
    """Give W&B's public API these settings."""
    monkeypatch.setattr(wandb, "Api", lambda: SimpleNamespace(settings=values, default_entity=default_entity))


def test_a_whole_path_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wandb, "Api", None)
    assert SweepPath.parse("/team/project/abc/") == SweepPath("team", "project", "abc")
    assert str(SweepPath("team", "project", "abc")) == "team/project/abc"


def test_a_shorter_one_is_completed(monkeypatch: pytest.MonkeyPatch) -> None:
    settings(monkeypatch, entity="team", project="project")
    assert SweepPath.parse("abc") == SweepPath("team", "project", "abc")
    assert SweepPath.parse("other/abc") == SweepPath("team", "other", "abc")
    settings(monkeypatch, default_entity="me", project="project")
    assert SweepPath.parse("abc") == SweepPath("me", "project", "abc")


def test_a_project_that_nobody_knows_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    settings(monkeypatch, entity="team")
    with pytest.raises(WandbCarbsError, match="'abc' lacks its project"):
        SweepPath.parse("abc")


@pytest.mark.parametrize("text", ["", "/", "a//b", "a/b/c/d", None, 3])
def test_what_names_no_sweep_is_an_error(text: Any) -> None:
    with pytest.raises(WandbCarbsError, match="must be named as entity/project/sweep"):
        SweepPath.parse(text)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("team/p/none", r"^there is no sweep team/p/none; `wandb-carbs list team/p` shows"),
        ("none", r"^there is no sweep none; `wandb-carbs list` shows"),
    ],
)
def test_a_sweep_that_is_not_there_is_said_with_where_to_look(
    monkeypatch: pytest.MonkeyPatch, path: str, words: str
) -> None:
    def sweep(_: str) -> None:
        raise ValueError(f"Could not find sweep <Sweep {path} (Unknown State)>")

    monkeypatch.setattr(wandb, "Api", lambda: SimpleNamespace(sweep=sweep))
    with pytest.raises(WandbConnectionError, match=words):
        read_sweep(path)


def test_a_sweep_that_cannot_be_read_may_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def sweep(_: str) -> None:
        raise ValueError("no permission")

    monkeypatch.setattr(wandb, "Api", lambda: SimpleNamespace(sweep=sweep))
    with pytest.raises(WandbConnectionError, match="could not read sweep 'team/p/s': no permission"):
        read_sweep("team/p/s")
