"""Where W&B is, and which sweep is meant."""

from __future__ import annotations

import contextlib
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import click
import pytest
import wandb

from carbs import LogSpace, Param
from command_line import Sweep, assert_fails, run, run_here
from wandb_carbs.cli.connection import connect, parse_sweep


def test_unknown_sweep_is_an_error(sweep: Sweep) -> None:
    words = "there is no sweep e/p/nothing; `wandb-carbs list e/p` shows those that there are"
    for command in ("status", "agent", "open", "stop"):
        assert_fails(sweep.run(command, "e/p/nothing"), words)


def test_wrong_key_is_an_error(sweep: Sweep) -> None:
    done = run("status", sweep.path, env={**sweep.env, "WANDB_API_KEY": "x" * 40})
    assert_fails(done, "API key")


def test_unreachable_server_is_an_error(tmp_path: Path) -> None:
    env = {"WANDB_BASE_URL": "http://127.0.0.1:9", "WANDB_API_KEY": "x" * 40, "WANDB_DIR": str(tmp_path)}
    assert_fails(run("status", "a/b/c", env=env), "cannot reach W&B at http://127.0.0.1:9: Connection refused. ")


@pytest.mark.parametrize("is_set", [True, False])
def test_where_to_look_depends_on_who_chose_the_server(monkeypatch: pytest.MonkeyPatch, *, is_set: bool) -> None:
    settings = SimpleNamespace(base_url="http://127.0.0.1:9")
    monkeypatch.setattr(wandb, "setup", lambda: SimpleNamespace(settings=settings))
    monkeypatch.setenv("WANDB_SILENT", "true")
    monkeypatch.setenv("WANDB_BASE_URL", settings.base_url)
    if not is_set:
        monkeypatch.delenv("WANDB_BASE_URL")
    words = "is WANDB_BASE_URL its address" if is_set else "For a local server .* set WANDB_BASE_URL and WANDB_API_KEY"
    with pytest.raises(click.ClickException, match=f"cannot reach W&B at http://127.0.0.1:9: .*{words}"):
        connect()


def test_malformed_server_address_is_an_error(tmp_path: Path) -> None:
    env = {"WANDB_BASE_URL": "nonsense", "WANDB_API_KEY": "x" * 40, "WANDB_DIR": str(tmp_path)}
    assert_fails(run("status", "a/b/c", env=env), "WANDB_BASE_URL", "nonsense")


def test_sweeps_are_named_by_path_or_address() -> None:
    assert parse_sweep("a/b/c", "https://api.wandb.ai") == "a/b/c"
    assert parse_sweep("https://wandb.ai/a/my%20b/sweeps/c?nw=x", "https://api.wandb.ai") == "a/my b/c"
    assert parse_sweep("http://127.0.0.1:8080/a/b/sweeps/c/", "http://127.0.0.1:8080") == "a/b/c"
    assert parse_sweep("http://127.0.0.1:8080/a/my%20b/", "http://127.0.0.1:8080") == "a/my b"
    # A tab of a project's page in W&B.
    assert parse_sweep("https://wandb.ai/a/b/sweeps?nw=x", "https://api.wandb.ai") == "a/b"


def test_a_project_stands_for_its_newest_sweep_where_a_sweep_is_only_read(sweep: Sweep) -> None:
    newest = sweep.create([Param("lr", LogSpace(1e-3, 1e-1))])
    page = sweep.address.partition("/sweeps/")[0]
    for name in ("e/p", page):
        read = sweep.json("status", name, "--json")
        assert isinstance(read, dict)
        assert read["sweep"] == newest.path
        assert_fails(sweep.run("pause", name), "e/p is a project: name one of its sweeps, like", newest.path)
    assert_fails(sweep.run("agent", "e/p"), "e/p is a project")


def test_a_name_of_two_parts_that_is_nothing_is_said_to_be_neither(sweep: Sweep) -> None:
    for command in ("status", "pause"):
        assert_fails(sweep.run(command, "e/nothing"), "no project 'e/nothing', and no project 'e' of yours with")
        assert_fails(sweep.run(command, "nothing"), "there is no project 'nothing'; `wandb-carbs list`")


def test_sweeps_of_a_server_below_a_proxys_path_are_named_by_address() -> None:
    base_url = "https://cluster.example/my%20sweeps/x/"
    assert parse_sweep("https://cluster.example/my%20sweeps/x/a/b/sweeps/c", base_url) == "a/b/c"
    assert parse_sweep("https://cluster.example/my sweeps/x/a/b/", base_url) == "a/b"
    assert parse_sweep("a/b/c", base_url) == "a/b/c"
    for name in ("https://cluster.example/a/b/sweeps/c", "https://cluster.example/my%20sweeps/x/c"):
        with pytest.raises(click.UsageError):
            parse_sweep(name, base_url)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a//b",
        "a/b/c/d",
        "http://127.0.0.1:9/a/b/sweeps/c",
        "http://127.0.0.1:8080/a/b/runs/c",
        "http://127.0.0.1:8080/a",
        "http://[",
    ],
)
def test_what_names_no_sweep_is_an_error(name: str) -> None:
    with pytest.raises(click.UsageError):
        parse_sweep(name, "http://127.0.0.1:8080")


@pytest.mark.parametrize("command", ["status", "best", "suggest", "open", "agent"])
def test_server_is_asked_once_whether_it_answers(command: str, sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def answer(address: str, **_: object) -> contextlib.nullcontext[None]:
        asked.append(address)
        return contextlib.nullcontext()

    monkeypatch.setattr(urllib.request, "urlopen", answer)
    sweep.run(command, sweep.path)
    assert asked == [sweep.server.url]


@pytest.mark.parametrize("command", ["status", "best", "suggest", "report", "plot", "open", "pause", "agent"])
def test_wrong_name_is_refused_before_the_network_is_asked(command: str) -> None:
    env = {"WANDB_BASE_URL": "http://127.0.0.1:9", "WANDB_API_KEY": "x" * 40}
    assert_fails(run_here(command, "a/b/c/d", env=env), "'a/b/c/d' does not name a sweep", code=2)
