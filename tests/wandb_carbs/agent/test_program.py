"""A training program as a child process: started, watched, asked to end, made to end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from wandb_carbs.agent.program import Program, environment_for, out_of_memory_kills

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow


class Stage:
    """Starts programs, and ends what is left of them."""

    def __init__(self) -> None:
        self.ended = threading.Event()
        self.programs: list[Program] = []

    def start(self, code: str) -> Program:
        program = Program([sys.executable, "-S", "-c", code], os.environ, self.ended.set)
        self.programs.append(program)
        return program


@pytest.fixture
def stage() -> Iterator[Stage]:
    made = Stage()
    yield made
    for program in made.programs:
        program.kill_group()
        program.wait()
        program.release()
        assert program.last_words is not None


# Killed as soon as its program has ended, before or after that is recorded.
QUICK_AGENT = """
import os, sys, threading
from wandb_carbs.agent.program import Program
started = threading.Event()
def end():
    started.wait()  # the program may be over before its name is bound
    if {is_recorded}: program.release()
    os._exit(9)
open({pipe!r}).read()
program = Program([sys.executable, "-S", "-c", "import sys; sys.exit('bye')"], os.environ, end, {heir})
started.set()
program.wait()
while True: input()
"""
AGENT = """
import os, sys
from wandb_carbs.agent.program import Program
Program([sys.executable, "-S", "-c", "open({pipe!r}).read(); raise ValueError('late')"], os.environ, print, {heir})
os._exit(9)
"""


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


def test_its_end_is_told_with_exit_code_and_last_words(stage: Stage, capfd: pytest.CaptureFixture[str]) -> None:
    program = stage.start("import sys; print('out'); print('last words', file=sys.stderr); sys.exit(3)")
    assert stage.ended.wait(60)
    assert program.exit_code == 3
    assert program.last_words == "last words\n"
    assert program.seconds > 0
    shown = capfd.readouterr()
    assert "last words" in shown.err
    assert "out" in shown.out


def test_only_the_ends_of_much_are_kept(stage: Stage) -> None:
    program = stage.start("import sys; sys.stderr.write('begin' + 'x' * 300_000 + 'end')")
    program.wait()
    assert program.first_words.startswith("begin")
    assert program.last_words.endswith("end")
    assert len(program.first_words) < 100_000
    assert len(program.last_words) < 100_000


def test_it_is_asked_by_sigterm_once_and_killed_with_all_it_started(stage: Stage, pipe: Path) -> None:
    """The program lets SIGTERM pass, and has a worker."""
    program = stage.start(
        "import os, signal, threading\n"
        "signal.signal(signal.SIGTERM, lambda *_: None)\n"
        "pid = os.fork()\n"
        f"if pid: open({str(pipe)!r}, 'w').write(str(pid))\n"
        "while True: threading.Event().wait(60)\n"
    )
    worker = int(pipe.read_text(encoding="utf-8"))
    assert os.getpgid(worker) == os.getpgid(os.getpgid(worker)) != os.getpgid(0)
    program.ask_to_end("stopped")
    asked = program.asked_at
    program.ask_to_end("again")
    assert (program.asked_at, program.asked_why) == (asked, "stopped")
    assert program.is_leaving(60)
    assert program.exit_code is None
    program.kill("too late")
    assert stage.ended.wait(60)
    assert program.exit_code == -signal.SIGKILL
    assert program.asked_why == "stopped"
    assert not program.is_leaving(0)


def test_a_command_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(OSError, match="nowhere-at-all"):
        Program(["/nowhere-at-all"], os.environ, lambda: None)


def test_should_its_agent_die_its_last_words_reach_another_command(pipe: Path, tmp_path: Path) -> None:
    told = tmp_path / "told"
    os.mkfifo(told)
    # The SDK's service that the agent had ends with it.
    code = f"import os, sys; open({str(told)!r}, 'w').write(os.environ.get('WANDB_SERVICE', '') + sys.stdin.read())"
    agent = [sys.executable, "-c", AGENT.format(pipe=str(pipe), heir=[sys.executable, "-S", "-c", code])]
    environment = {**os.environ, "WANDB_SERVICE": "gone"}
    assert subprocess.run(agent, check=False, stderr=subprocess.DEVNULL, env=environment).returncode == 9
    pipe.write_text("go on")
    words = told.read_text()
    assert words.startswith("Traceback")
    assert words.endswith("ValueError: late\n")


@pytest.mark.parametrize("is_recorded", [False, True])
def test_should_its_agent_die_before_its_end_is_recorded_the_end_is_not_lost(
    pipe: Path, tmp_path: Path, is_recorded: bool
) -> None:
    told = tmp_path / "told"
    os.mkfifo(told)
    code = f"import sys; open({str(told)!r}, 'w').write(sys.stdin.read() + sys.argv[1])"
    heir = [sys.executable, "-S", "-c", code]
    # The pipe to its standard input ends when the last of its children has.
    agent = subprocess.Popen(
        [sys.executable, "-c", QUICK_AGENT.format(pipe=str(pipe), heir=heir, is_recorded=is_recorded)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    pipe.write_text("begin")
    if not is_recorded:
        assert told.read_text() == "bye\n1"
    with agent:
        assert agent.stdout is not None
        # The keeper has the same output: it has ended without another command.
        assert agent.stdout.read() == b""
    assert agent.returncode == 9


def test_the_sdk_joins_the_very_run(tmp_path: Path) -> None:
    base = {"WANDB_SERVICE": "tcp", "WANDB_DIR": str(tmp_path), "OTHER": "1", "WANDB_PROJECT": "another"}
    found = environment_for(
        base, entity="e", project="p", sweep_id="s", run_id="r", parameters=tmp_path / "config.yaml"
    )
    assert found == {
        "OTHER": "1",
        "WANDB_DIR": str(tmp_path),
        "WANDB_ENTITY": "e",
        "WANDB_PROJECT": "p",
        "WANDB_SWEEP_ID": "s",
        "WANDB_RUN_ID": "r",
        "WANDB_SWEEP_PARAM_PATH": str(tmp_path / "config.yaml"),
    }


def test_kills_for_lack_of_memory_are_a_number_on_every_machine() -> None:
    assert out_of_memory_kills() >= 0
