"""What launchers of processes say of those that failed, as torchrun 2.14 and accelerate 1.15 say it."""

from __future__ import annotations

import pytest

from wandb_carbs.agent.launchers import behind_launcher

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
