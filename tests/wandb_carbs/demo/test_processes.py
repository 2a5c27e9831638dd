"""The demo's agent processes, with a program in the agent's place."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from wandb_carbs.demo.processes import Agents, Message

# Says who it is, and goes on until its standard input ends.
PROGRAM = """#!/bin/sh
echo '{"event": "ready", "words": "'$*'", "threads": "'$OPENBLAS_NUM_THREADS'"}'
echo printed >&2
cat
exit 3
"""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "python"
    path.write_text(PROGRAM)
    path.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(path))


@pytest.mark.usefixtures("program")
def test_agents_are_numbered_heard_and_ended(tmp_path: Path) -> None:
    with Agents(2, ["sweep", "7"], os.environ, tmp_path / "logs") as agents:
        messages = agents.messages()
        first = sorted((next(messages) for _ in range(2)), key=lambda message: message.agent)
    assert first == [
        Message(n, {"event": "ready", "words": f"-m wandb_carbs.demo.agent sweep 7 {n}", "threads": "1"})
        for n in (1, 2)
    ]
    assert sorted(messages, key=lambda message: message.agent) == [
        Message(n, {"event": "exit", "code": 3}) for n in (1, 2)
    ]
    assert agents.log_file(2).read_text() == "printed\n"


@pytest.mark.usefixtures("program")
def test_error_leaves_no_agent(tmp_path: Path) -> None:
    agents = Agents(1, [], os.environ, tmp_path / "logs")

    def fail() -> None:
        with agents:
            next(agents.messages())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert [message.body["event"] for message in agents.messages()] == ["exit"]
