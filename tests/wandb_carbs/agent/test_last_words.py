"""The lines in which a program says why it failed are found among those of libraries."""

from __future__ import annotations

from wandb_carbs.agent.last_words import after_sdk, cause_of, ending_of, last_lines

TRACEBACK = """epoch 1:  50%|#####     |\repoch 1: 100%|##########|
Traceback (most recent call last):
  File "/home/me/train.py", line 30, in <module>
    train(load("data.csv"))
          ~~~~^^^^^^^^^^^^
  File "/home/me/train.py", line 12, in load
    return open(name)
FileNotFoundError: [Errno 2] No such file or directory: 'data.csv'
\x1b[34m\x1b[1mwandb\x1b[0m:
\x1b[34m\x1b[1mwandb\x1b[0m: View run at http://127.0.0.1:8080
wandb: Find logs at: ./wandb/run-1/logs
"""


def test_the_end_of_a_traceback_is_shown_without_what_the_sdk_says_after_it() -> None:
    assert last_lines(TRACEBACK) == [
        '  File "/home/me/train.py", line 30, in <module>',
        '    train(load("data.csv"))',
        '  File "/home/me/train.py", line 12, in load',
        "    return open(name)",
        "FileNotFoundError: [Errno 2] No such file or directory: 'data.csv'",
    ]
    assert last_lines("a\n\n 10%\r 20%\r\n") == ["a", " 20%"]
    assert last_lines("") == []


def test_what_is_said_after_the_run_was_finished_is_found() -> None:
    assert after_sdk(TRACEBACK) == ""
    assert after_sdk(f"{TRACEBACK}Traceback\nValueError: late\n") == "Traceback\nValueError: late\n"
    assert after_sdk("epoch 1\nepoch 2") == "epoch 1\nepoch 2"


def test_the_cause_is_the_exception_or_the_last_line_or_what_is_recorded() -> None:
    missing = "FileNotFoundError: [Errno 2] No such file or directory: 'data.csv'"
    assert cause_of(1, TRACEBACK, "exception: FileNotFoundError") == f"{missing} (exit code 1)"
    assert cause_of(3, "no GPU\nwandb: done\n", "exit code 3") == "no GPU (exit code 3)"
    assert cause_of(3, "", "exit code 3") == "exit code 3"
    assert len(cause_of(1, "x" * 5000, "exit code 1")) < 400


LAUNCHER = (
    "Traceback (most recent call last):\n"
    "subprocess.CalledProcessError: Command '['python']' returned non-zero exit status 7.\n"
)


def test_the_cause_is_that_of_the_process_behind_a_launcher() -> None:
    assert cause_of(1, TRACEBACK + LAUNCHER, "").endswith("'data.csv' (exit code 7)")


def test_the_last_words_are_those_of_the_process_behind_a_launcher() -> None:
    assert ending_of(1, TRACEBACK + LAUNCHER) == ("exit code 7", last_lines(TRACEBACK))
    assert ending_of(1, LAUNCHER) == ("exit code 7", last_lines(LAUNCHER))
    assert ending_of(-11, "") == ("signal 11", [])
