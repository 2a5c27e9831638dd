"""Launchers and the processes that failed, in the words of torchrun 2.14, accelerate 1.15, and Lightning 2.6."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest

from wandb_carbs.agent.exceptions import judge_words
from wandb_carbs.agent.launchers import behind_launcher, behind_shell

OWN = "Traceback (most recent call last):\n  File 'train.py', line 4\ntorch.OutOfMemoryError: CUDA out of memory.\n"
TORCHRUN = """\
E1127 07:23:41 torch/distributed/elastic/multiprocessing/api.py:1002] failed (exitcode: {code}) local_rank: 0
Traceback (most recent call last):
  File "bin/torchrun", line 8, in <module>
    raise ChildFailedError(
torch.distributed.elastic.multiprocessing.errors.ChildFailedError: 
============================================================
train.py FAILED
Failures:
[1]:
  rank      : 1 (local_rank: 1)
  exitcode  : -15 (pid: 25908) (SIGTERM)
Root Cause (first observed failure):
[0]:
  rank      : 0 (local_rank: 0)
  exitcode  : {code} (pid: 25907)
  traceback : {traceback}
============================================================
"""  # noqa: W291 - as it is said
ACCELERATE = """\
Traceback (most recent call last):
  File "bin/accelerate", line 8, in <module>
    raise subprocess.CalledProcessError(returncode=process.returncode, cmd=cmd)
subprocess.CalledProcessError: Command '['python', 'train.py']' {}.
"""


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (TORCHRUN.format(code=1, traceback="To enable traceback see"), 1),
        (TORCHRUN.format(code=-9, traceback="Signal 9 (SIGKILL) received"), -9),
        (TORCHRUN.format(code=1, traceback="Traceback (most recent call last):\n    train()\n"), 1),
        (ACCELERATE.format("returned non-zero exit status 2"), 2),
        (ACCELERATE.format("died with <Signals.SIGKILL: 9>"), -9),
    ],
)
def test_the_process_behind_a_launcher_is_judged(said: str, code: int) -> None:
    found, words = behind_launcher(1, OWN + said)
    assert found == code
    assert words.startswith(OWN)
    assert "ChildFailedError" not in words
    assert "failed (exitcode" not in words
    assert "CalledProcessError" not in words


@pytest.mark.parametrize(
    "words",
    [
        OWN,
        "",
        ACCELERATE.format("returned non-zero exit status 2") + "During handling, another exception occurred:\n" + OWN,
    ],
)
def test_other_words_are_the_programs_own(words: str) -> None:
    assert behind_launcher(1, words) == (1, words)


def test_a_launcher_that_says_no_code_keeps_its_own() -> None:
    assert behind_launcher(3, "subprocess.CalledProcessError: cut") == (3, "")


# As torch 2.13 says it of two processes: the first has failed, the second has lost its peer.
RANKS = """\
wandb: a line of the SDK
[rank1]: Traceback (most recent call last):
[rank1]:   File "train.py", line 40, in <module>
[rank1]:     train()
[rank1]: {}
[rank0]: Traceback (most recent call last):
[rank0]:   File "train.py", line 41, in <module>
[rank0]: RuntimeError: [gloo/transport/tcp/pair.cc:553] Connection closed by peer [127.0.0.1]:52135.
"""
# With wandb.init() after torch's init_process_group() the SDK says the exception of its process once more.
RANKS_AND_SDK = RANKS.replace(
    "[rank0]: Traceback", "Traceback (most recent call last):\nRuntimeError: Connection closed\n[rank0]: Traceback"
)
CHILD = "[rank: 1] Child process with PID 806 terminated with code {}. Forcefully terminating all other processes\n"


@pytest.mark.parametrize(
    ("line", "known"),
    [
        ("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 MiB", "out_of_memory"),
        ("ValueError: the loss is nan", "nan"),
        ("KeyError: 'lr'", "exception: KeyError"),
    ],
)
@pytest.mark.parametrize("said", [RANKS, RANKS_AND_SDK])
def test_of_several_processes_the_first_that_failed_is_judged(said: str, line: str, known: str) -> None:
    code, words = behind_launcher(1, said.format(line))
    assert (code, judge_words(words)) == (1, known)
    assert words.endswith(f"train()\n{line}")
    behind = behind_launcher(1, said.format(line) + TORCHRUN.format(code=1, traceback="To enable traceback see"))
    assert judge_words(behind[1]) == known


@pytest.mark.parametrize(("said", "code"), [(OWN, 1), (RANKS.format("KeyError: 'lr'"), 1), ("", -11), ("", -9)])
def test_lightning_kills_itself_where_another_process_has_failed(said: str, code: int) -> None:
    found, words = behind_launcher(-9, said + CHILD.format(code))
    assert found == code
    assert "Child process" not in words
    # Other signals are somebody else's.
    assert behind_launcher(-15, CHILD.format(code))[0] == -15


def test_a_warning_of_a_rank_is_no_exception() -> None:
    warning = "[rank0]:[W1127 ProcessGroupNCCL.cpp:1538] Warning: destroy_process_group() was not called\n"
    assert behind_launcher(1, OWN + warning) == (1, OWN + warning)


@pytest.mark.parametrize("shell", ["bash", "sh"])
@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM", "SIGSEGV", "SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGHUP"])
def test_a_shell_says_how_its_command_was_killed(shell: str, name: str) -> None:
    number = signal.Signals[name]
    line = f"sh -c 'ulimit -c 0; kill -{number} $$'; echo done"
    environment = {**os.environ, "LC_ALL": "C"}
    done = subprocess.run([shell, "-c", line], env=environment, capture_output=True, text=True, check=True)
    assert behind_shell(done.stderr) == -number


@pytest.mark.parametrize(
    "words", ["", "Killed process 416\n", "the job: line 2 was Killed\n", "wandb: Aborted\n", "Terminated early\n"]
)
def test_other_words_are_not_those_of_a_shell(words: str) -> None:
    assert behind_shell(words) == 0
