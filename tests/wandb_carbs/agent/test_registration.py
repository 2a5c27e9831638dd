"""The agent protocol, spoken by our own agent to the local server."""

from __future__ import annotations

from typing import Any

import pytest

from carbs import LinearSpace, Param
from wandb_carbs import SweepPath, WandbConnectionError, create_sweep
from wandb_carbs.agent.registration import EXIT, RUN, Registration, SweepDeletedError

pytestmark = pytest.mark.filterwarnings("ignore:Read the `app_url` setting:DeprecationWarning")


def registered(**options: Any) -> tuple[Registration, SweepPath]:
    path = SweepPath(
        "team", "project", create_sweep("s", "team", "project", [Param("x", LinearSpace(0, 1))], **options)
    )
    registration = Registration(path)
    registration.register()
    return registration, path


def test_an_agent_without_runs_is_given_one(wandb_env: Any) -> None:
    assert wandb_env
    registration, _ = registered(program="train.py")
    [command] = registration.heartbeat([])
    assert (command.kind, command.program) == (RUN, "train.py")
    assert command.run_id
    assert registration.heartbeat([command.run_id]) == []


def test_an_agent_of_a_stopped_sweep_is_sent_home(wandb_env: Any) -> None:
    assert wandb_env
    registration, path = registered()
    from wandb.cli.cli import sweep as command

    with pytest.raises(SystemExit) as ended:
        command(["--stop", str(path)])
    assert not ended.value.code
    assert [command.kind for command in registration.heartbeat([])] == [EXIT]


def test_an_unknown_sweep_is_refused(wandb_env: Any) -> None:
    assert wandb_env
    with pytest.raises(WandbConnectionError, match="register as an agent of sweep team/project/nowhere"):
        Registration(SweepPath("team", "project", "nowhere")).register()


def test_an_agent_that_is_not_known_any_more_is_told_so(wandb_env: Any) -> None:
    assert wandb_env
    registration, _ = registered()
    registration._id = "QWdlbnQ6NDIwMDA="  # as if the sweep had been deleted
    with pytest.raises(SweepDeletedError):
        registration.heartbeat([])


def test_a_server_that_does_not_answer_gives_no_commands(wandb_env: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert wandb_env
    registration, _ = registered()

    def refuse(*_: Any) -> Any:
        raise ConnectionError("no route to host")

    monkeypatch.setattr("wandb_carbs.agent.registration.execute", refuse)
    assert registration.heartbeat([]) == []
