"""How an agent ends, and how GPUs are named."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from wandb_carbs.agent.gpus import parse_gpus
from wandb_carbs.agent.program import Program
from wandb_carbs.agent.shutdown import Shutdown, Stage


def entered(*, is_idle: bool = False, forwarded: list[int] | None = None) -> Shutdown:
    return Shutdown(threading.Event(), lambda: is_idle, None if forwarded is None else forwarded.append)


def test_ctrl_c_waits_then_asks_then_kills() -> None:
    with entered() as shutdown:
        for stage, words in (
            (Stage.WAITING, "waiting for the program"),
            (Stage.TERMINATING, "asked to end"),
            (Stage.KILLING, "killed"),
        ):
            os.kill(os.getpid(), signal.SIGINT)
            assert shutdown.stage is stage
            assert words in shutdown.news()
            assert not shutdown.news()
    assert (shutdown.why, shutdown.exit_code) == ("Ctrl-C", 130)


def test_sigterm_asks_at_once_and_the_former_handler_comes_back() -> None:
    former = signal.getsignal(signal.SIGTERM)
    with entered() as shutdown:
        os.kill(os.getpid(), signal.SIGTERM)
    assert shutdown.stage is Stage.TERMINATING
    assert shutdown.exit_code == 143
    assert signal.getsignal(signal.SIGTERM) is former


def test_programs_hear_of_it_at_once_whatever_the_agent_waits_for() -> None:
    pressed: list[Stage] = []
    shutdown = Shutdown(threading.Event(), lambda: False, press=lambda: pressed.append(shutdown.stage))
    with shutdown:
        os.kill(os.getpid(), signal.SIGINT)
        assert not pressed
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)
    assert pressed == [Stage.TERMINATING, Stage.KILLING]


def test_without_a_program_a_second_signal_ends_whatever_is_waited_for() -> None:
    with entered(is_idle=True):
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_signals_are_forwarded_and_messages_do_not_end_the_agent() -> None:
    forwarded: list[int] = []
    with entered(forwarded=forwarded) as shutdown:
        os.kill(os.getpid(), signal.SIGUSR1)
        assert shutdown.stage is Stage.WORKING
        os.kill(os.getpid(), signal.SIGTERM)
    assert forwarded == [signal.SIGUSR1, signal.SIGTERM]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0,1", ["0", "1"]), ("0-3", ["0", "1", "2", "3"]), ("GPU-8f2 5", ["GPU-8f2", "5"]), ("2", ["2"])],
)
def test_gpus(text: str, expected: list[str]) -> None:
    assert parse_gpus(text) == expected


@pytest.mark.parametrize("text", ["", ",", "0,0", "0-2,1"])
def test_gpus_that_are_not_named_once_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="name each GPU once"):
        parse_gpus(text)


def test_a_programs_end_is_noticed_with_its_code_and_its_last_words(capfd: pytest.CaptureFixture[str]) -> None:
    ended = threading.Event()
    code = "import sys; print('to the output'); print('é' * 100_000 + ' last', file=sys.stderr); sys.exit(3)"
    program = Program([sys.executable, "-c", code], {**os.environ, "PYTHONIOENCODING": "utf-8"}, ended.set)
    assert ended.wait(60)
    assert program.exit_code == 3
    assert program.last_words.endswith("é last\n")
    assert len(program.last_words) < 70_000
    assert 0 < program.seconds < 60
    assert capfd.readouterr().out == "to the output\n"
    program.release()


def test_a_training_behind_a_shell_is_asked_to_end_and_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "ready")
    ended = threading.Event()
    code = f"""
import signal, sys
def end(*_):
    open({str(tmp_path / "saved")!r}, "w").write("a checkpoint")
    sys.exit()
signal.signal(signal.SIGTERM, end)
open({str(tmp_path / "ready")!r}, "w").write("1")
signal.pause()
"""
    (tmp_path / "train.py").write_text(code)
    program = Program(["bash", "-c", f"{sys.executable} {tmp_path / 'train.py'}; true"], os.environ, ended.set)
    (tmp_path / "ready").read_text()
    program.ask_to_end("stopped")
    assert ended.wait(60)
    while program.is_leaving(60):
        threading.Event().wait(0.05)
    program.release()
    assert (tmp_path / "saved").read_text() == "a checkpoint"


def test_a_program_that_does_not_listen_is_killed() -> None:
    ended = threading.Event()
    code = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); signal.pause()"
    program = Program([sys.executable, "-c", code], os.environ, ended.set)
    program.ask_to_end("stopped")
    program.kill("the sweep ended")
    assert ended.wait(60)
    assert program.exit_code in (-signal.SIGKILL, -signal.SIGTERM)
    assert program.asked_why == "stopped"
    program.release()
