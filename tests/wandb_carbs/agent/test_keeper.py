"""A keeper reads what a program writes as soon as its agent is gone, and not before."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import wandb_carbs.agent
from wandb_carbs.agent.keeper import RECORDED, keep, message

KEEPER = Path(wandb_carbs.agent.__file__).with_name("keeper.py")


def test_it_waits_for_the_agents_end_and_passes_everything_on() -> None:
    life, alive = os.pipe()
    source, program = os.pipe()
    read, target = os.pipe()
    kept: list[tuple[str, bytes]] = []
    keeper = threading.Thread(target=lambda: kept.append(keep(life, source, target)))
    keeper.start()
    os.write(program, b"before")
    # The agent, which lives, has it.
    assert os.read(source, 100) == b"before"
    os.close(alive)
    os.write(program, b"after")
    assert os.read(read, 100) == b"after"
    os.close(program)
    keeper.join()
    assert kept == [("", b"after")]
    for descriptor in (life, source, read, target):
        os.close(descriptor)


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        (b"", ("", b"rest")),
        (message(3, b"a\nb\0c"), ("3", b"a\nbc")),
        (message(-9, b""), ("-9", b"")),
        (message(3, b"words") + RECORDED, ("", b"rest")),
        (message(3, b"the agent was killed while it wrote this")[:-1], ("", b"rest")),
    ],
)
def test_it_knows_how_the_program_ended_if_the_agent_did(told: bytes, kept: tuple[str, bytes]) -> None:
    life, alive = os.pipe()
    source, program = os.pipe()
    read, target = os.pipe()
    os.write(alive, told)
    os.write(program, b"rest")
    os.close(alive)
    os.close(program)
    assert keep(life, source, target) == kept
    for descriptor in (life, source, read, target):
        os.close(descriptor)


def test_a_target_that_is_gone_does_not_stop_it() -> None:
    life, alive = os.pipe()
    source, program = os.pipe()
    read, target = os.pipe()
    os.close(read)
    os.close(alive)
    keeper = threading.Thread(target=keep, args=(life, source, target))
    keeper.start()
    # More than a pipe holds.
    for _ in range(20):
        os.write(program, b"x" * 10_000)
    os.close(program)
    keeper.join()
    for descriptor in (life, source, target):
        os.close(descriptor)


def test_as_a_script_it_needs_nothing_of_the_package() -> None:
    source, program = os.pipe()
    os.write(program, b"last words")
    os.close(program)
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(KEEPER), str(source)],
        input=b"",
        capture_output=True,
        pass_fds=[source],
        check=True,
    )
    os.close(source)
    assert (done.stdout, done.stderr) == (b"", b"last words")


def test_as_a_script_it_gives_the_last_words_on() -> None:
    for life, words, told in (
        (b"", b"last words", b"told: last words []"),
        (b"", b"", b""),
        (message(3, b"early\n"), b"", b"told: early ['3']"),
    ):
        source, program = os.pipe()
        os.write(program, words)
        os.close(program)
        command = [sys.executable, "-I", "-S", "-c", "import sys; print('told:', input(), sys.argv[1:], end='')"]
        done = subprocess.run(
            [sys.executable, "-I", "-S", str(KEEPER), str(source), *command],
            input=life,
            capture_output=True,
            pass_fds=[source],
            check=True,
        )
        os.close(source)
        assert done.stdout == told
