"""Runs are judged by how their programs ended and what they logged."""

from __future__ import annotations

import signal
from dataclasses import replace
from typing import Any

import pytest

from launched import OUT_OF_MEMORY_BEHIND
from wandb_carbs.agent.outcome import Ending, Values, failure_behind, judge_outcome
from wandb_carbs.record import ABANDONED, COST_KEY, FAILURE, OBJECTIVE_KEY, REASON_KEY, STATE_KEY, SUCCESS

LOGGED = Values(True, "finished", "loss", 0.5, 12.0, "", ("loss", "accuracy"))
RUNNING = replace(LOGGED, state="running")
# It has begun, and not logged its metric yet.
BEGUN = replace(RUNNING, objective=None)
NAN = float("nan")
INTERRUPTED = "interrupted: KeyboardInterrupt"


def judged(ending: Ending, values: Values = LOGGED) -> tuple[Any, Any]:
    keys = judge_outcome(ending, values).keys
    return keys[STATE_KEY], keys[REASON_KEY]


def traceback(line: str) -> str:
    return f"Traceback (most recent call last):\n  File 'train.py', line 3\n    train()\n{line}\nwandb: Run summary:\n"


def finished(line: str) -> str:
    """Return the words of a program whose exception has passed a `finally: wandb.finish()`."""
    return f"wandb: Run summary:\nTraceback (most recent call last):\n{line}\n"


def test_a_program_that_ended_well_is_an_observation() -> None:
    outcome = judge_outcome(Ending(0), LOGGED)
    assert outcome.keys == {STATE_KEY: SUCCESS, OBJECTIVE_KEY: 0.5, COST_KEY: 12.0, REASON_KEY: ""}
    assert not outcome.advice


def test_a_crash_after_the_run_was_finished_does_not_lose_the_result() -> None:
    outcome = judge_outcome(Ending(-signal.SIGSEGV), LOGGED)
    assert outcome.keys == {**judge_outcome(Ending(0), LOGGED).keys, REASON_KEY: "SIGSEGV after the run was finished"}
    caught = "ValueError: the file is broken, and is left out\nwandb: Run summary:\n"
    assert judged(Ending(134, caught)) == (SUCCESS, "SIGABRT after the run was finished")
    # Python's code, where its output cannot be written any more.
    assert judged(Ending(120, "BrokenPipeError: [Errno 32]")) == (SUCCESS, "exit code 120 after the run was finished")
    assert judged(Ending(-signal.SIGSEGV), replace(LOGGED, objective=NAN)) == (FAILURE, "loss is nan")
    nothing = replace(LOGGED, objective=None)
    assert judged(Ending(1, traceback("RuntimeError: early")), nothing) == (FAILURE, "exception: RuntimeError")


@pytest.mark.parametrize(
    ("ending", "expected"),
    [
        (Ending(-signal.SIGINT, traceback("KeyboardInterrupt")), (ABANDONED, "killed by SIGINT")),
        (Ending(1, traceback("KeyboardInterrupt")), (ABANDONED, INTERRUPTED)),
        (Ending(143), (ABANDONED, "killed by SIGTERM")),
        (Ending(-signal.SIGUSR1), (ABANDONED, "killed by SIGUSR1")),
        (Ending(1, traceback("torch.OutOfMemoryError: CUDA out of memory")), (FAILURE, "out_of_memory")),
        (Ending(1, traceback("ValueError: loss is nan")), (FAILURE, "nan")),
        (Ending(1, traceback("RuntimeError: shapes")), (FAILURE, "exception: RuntimeError")),
        (Ending(139, finished("RuntimeError: shapes")), (FAILURE, "exception: RuntimeError")),
        (Ending(3), (FAILURE, "exit code 3")),
        (Ending(-signal.SIGKILL), (SUCCESS, "SIGKILL after the run was finished")),  # nothing is done after it
    ],
)
def test_a_training_that_was_cut_short_is_no_result_though_its_run_was_finished(
    ending: Ending, expected: tuple[str, str]
) -> None:
    """`finally: wandb.finish()` says to W&B that all went well."""
    assert judged(ending, LOGGED) == expected
    assert bool(judge_outcome(ending, LOGGED).advice) == (expected[0] == FAILURE)


@pytest.mark.parametrize("ending", [Ending(-signal.SIGINT), Ending(1, traceback("KeyboardInterrupt"))])
def test_a_run_that_wandb_has_stopped_says_so(ending: Ending) -> None:
    """The SDK interrupts its program, often before the agent hears of it."""
    assert judged(ending, replace(LOGGED, state="killed")) == (ABANDONED, "stopped")


@pytest.mark.parametrize(("objective", "reason"), [(NAN, "loss is nan"), (-float("inf"), "loss is infinite")])
def test_an_objective_that_is_not_finite_is_a_failure(objective: float, reason: str) -> None:
    assert judged(Ending(0), replace(LOGGED, objective=objective)) == (FAILURE, reason)


@pytest.mark.parametrize(
    ("values", "reason", "advice"),
    [
        (replace(LOGGED, has_joined=False, objective=None), "wandb.init() was not called", "log 'loss' with wandb.log"),
        (replace(LOGGED, has_joined=False, objective=None), "wandb.init() was not called", "WANDB_PROJECT"),
        (replace(LOGGED, has_joined=False, objective=None), "wandb.init() was not called", "nor call wandb.agent()"),
        (replace(LOGGED, objective=None), "loss was not logged", "the program logged loss, accuracy"),
        (
            replace(LOGGED, objective=None, no_numbers={"loss": "0.5"}),
            "loss was not logged as a number",
            "'loss' was not logged as a number: the program logged it as '0.5'; log a number, as by float(…)",
        ),
        (
            replace(LOGGED, cost=None, cost_metric="hours", no_numbers={"hours": True}),
            "the cost hours was not logged as a number",
            "the program logged it as True",
        ),
        (replace(LOGGED, objective=None, metric=""), "nothing was recorded", "names no metric"),
        (replace(LOGGED, cost=None, cost_metric="hours"), "the cost hours was not logged", "'hours'"),
        (replace(LOGGED, cost=0.0, cost_metric="hours"), "the cost hours is 0.0, which is not a positive", "'hours'"),
        (replace(LOGGED, cost=NAN, cost_metric="hours"), "the cost hours is nan, which is not a positive", "'hours'"),
    ],
)
def test_what_cannot_be_read_is_abandoned_and_explained(values: Values, reason: str, advice: str) -> None:
    outcome = judge_outcome(Ending(0), values)
    assert outcome.keys[STATE_KEY] == ABANDONED
    assert outcome.keys[REASON_KEY].startswith(reason)
    assert advice in outcome.advice
    assert outcome.tolerated is not None


def test_a_run_that_was_finished_as_failed_is_a_failure() -> None:
    assert judged(Ending(0), replace(LOGGED, state="failed")) == (FAILURE, "finished as failed")


BASH = '/home/me/run.sh: line 2:   416 {}                 python train.py "$@"\nwandb: the end\n'


@pytest.mark.parametrize(
    ("ending", "values", "expected"),
    [
        (Ending(0), RUNNING, (ABANDONED, "the run was not finished")),
        (Ending(0), replace(RUNNING, state="crashed"), (ABANDONED, "the run was not finished")),
        (Ending(0), replace(RUNNING, objective=None), (ABANDONED, "the run was not finished")),
        # It may have gone on with half the batch size.
        (Ending(0, "RuntimeError: CUDA out of memory."), RUNNING, (ABANDONED, "the run was not finished")),
        (Ending(0, BASH.format("Killed")), RUNNING, (ABANDONED, "killed by SIGKILL")),
        (Ending(0, BASH.format("Killed"), was_out_of_memory=True), RUNNING, (FAILURE, "out_of_memory")),
        (Ending(0, was_out_of_memory=True), RUNNING, (FAILURE, "out_of_memory")),
        (Ending(0, "CUDA error: out of memory\n"), replace(RUNNING, objective=None), (FAILURE, "out_of_memory")),
        (Ending(0, BASH.format("Segmentation fault")), RUNNING, (FAILURE, "SIGSEGV")),
        (Ending(0, "Aborted (core dumped)\n"), RUNNING, (FAILURE, "SIGABRT")),
        (Ending(0, BASH.format("Killed")), LOGGED, (SUCCESS, "")),  # something else that the script had started
        (Ending(0), replace(RUNNING, state="preempting"), (ABANDONED, "preempted")),
        (Ending(0), replace(RUNNING, state="killed"), (ABANDONED, "stopped")),
    ],
)
def test_the_exit_code_of_a_shell_is_not_that_of_its_training(
    ending: Ending, values: Values, expected: tuple[str, str]
) -> None:
    assert judged(ending, values) == expected


def test_a_run_that_was_not_finished_is_explained_and_stops_an_agent_in_the_end() -> None:
    outcome = judge_outcome(Ending(0), RUNNING)
    assert "set -e -o pipefail" in outcome.advice
    assert "wandb.finish() before os._exit()" in outcome.advice
    assert outcome.tolerated == 3


def test_a_run_that_was_asked_to_end_says_nothing() -> None:
    assert judged(Ending(0, asked="stopped")) == (ABANDONED, "stopped")
    assert judged(Ending(-signal.SIGTERM, asked="Ctrl-C"), RUNNING) == (ABANDONED, "Ctrl-C")


def test_a_training_that_a_signal_cut_short_says_nothing() -> None:
    """Lightning ends it with exit code 0, before 2.2 after an interruption as well; torchrun with an exception."""
    words = "[rank: 0] Received SIGTERM: 15\n" + "wandb: Run summary:\n" * 30
    assert judged(Ending(0, words)) == (ABANDONED, "killed by SIGTERM")
    words = "call.py:53: UserWarning: Detected KeyboardInterrupt, attempting graceful shutdown...\nwandb: summary:\n"
    assert judged(Ending(0, words)) == (ABANDONED, "interrupted: KeyboardInterrupt")
    words = traceback("torch.distributed.elastic.multiprocessing.api.SignalException: Process 7 got signal: 15")
    assert judged(Ending(1, words), RUNNING) == (ABANDONED, "killed by SIGTERM")


def test_a_run_about_to_be_pre_empted_says_nothing() -> None:
    assert judged(Ending(1), replace(LOGGED, state="preempted")) == (ABANDONED, "preempted")


@pytest.mark.parametrize(
    ("ending", "expected"),
    [
        (Ending(-signal.SIGKILL), (ABANDONED, "killed by SIGKILL")),
        (Ending(-signal.SIGKILL, was_out_of_memory=True), (FAILURE, "out_of_memory")),
        (Ending(137, was_out_of_memory=True), (FAILURE, "out_of_memory")),
        (Ending(137), (ABANDONED, "killed by SIGKILL")),
        (Ending(-signal.SIGTERM), (ABANDONED, "killed by SIGTERM")),
        (Ending(130), (ABANDONED, "killed by SIGINT")),
        (Ending(-signal.SIGSEGV), (FAILURE, "SIGSEGV")),
        (Ending(-signal.SIGABRT, "terminate called: CUDA error: out of memory\n"), (FAILURE, "out_of_memory")),
        (Ending(3), (FAILURE, "exit code 3")),
        (Ending(1, "Detected KeyboardInterrupt, attempting graceful shutdown ...\n"), (ABANDONED, INTERRUPTED)),
        (Ending(255, traceback("KeyboardInterrupt")), (ABANDONED, INTERRUPTED)),
    ],
)
def test_signals(ending: Ending, expected: tuple[str, str]) -> None:
    assert judged(ending, RUNNING) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB", (FAILURE, "out_of_memory")),
        ("jaxlib.xla_extension.XlaRuntimeError: RESOURCE_EXHAUSTED: Out of memory", (FAILURE, "out_of_memory")),
        ("MemoryError", (FAILURE, "out_of_memory")),
        ("ValueError: loss is NaN", (FAILURE, "nan")),
        ("FloatingPointError: overflow encountered", (FAILURE, "nan")),
        ("ZeroDivisionError: division by zero", (FAILURE, "exception: ZeroDivisionError")),
        ("my.module.DivergedError", (FAILURE, "exception: DivergedError")),
        ("wandb.errors.errors.CommError: could not reach the server", (ABANDONED, "connection to W&B lost")),
        ("something else", (FAILURE, "exit code 1")),
    ],
)
def test_last_words(words: str, expected: tuple[str, str]) -> None:
    assert judged(Ending(1, traceback(words)), RUNNING) == expected


def test_a_program_that_does_not_take_its_arguments_is_no_fault_of_the_values() -> None:
    outcome = judge_outcome(Ending(2, "usage: train.py [-h]\ntrain.py: error: unrecognized arguments: --lr=0.1"), BEGUN)
    assert outcome.keys[STATE_KEY] == ABANDONED
    assert outcome.keys[REASON_KEY] == "refused its arguments: train.py: error: unrecognized arguments: --lr=0.1"
    assert "${args_no_hyphens}" in outcome.advice
    assert outcome.tolerated == 1


def test_a_function_that_is_called_with_a_name_of_the_programs_own_has_failed() -> None:
    words = traceback("TypeError: SGD.__init__() got an unexpected keyword argument 'betas'")
    assert judged(Ending(1, words), replace(BEGUN, parameters=["betas"]))[0] == ABANDONED
    assert judged(Ending(1, words), replace(BEGUN, parameters=["lr"])) == (FAILURE, "exception: TypeError")


@pytest.mark.parametrize(
    "line",
    ["ValueError: invalid choice of kernel size: 5", "ModuleNotFoundError: No module named 'kernels_5'"],
)
def test_a_training_that_has_logged_its_metric_has_refused_nothing(line: str) -> None:
    name = line.partition(":")[0]
    assert judged(Ending(1, traceback(line)), RUNNING) == (FAILURE, f"exception: {name}")
    before = judge_outcome(Ending(1, traceback(line)), BEGUN)
    assert (before.keys[STATE_KEY], before.tolerated) == (ABANDONED, 3)


def test_words_of_a_parser_are_those_of_a_program_where_the_command_gives_it_no_values() -> None:
    words = traceback("ValueError: invalid choice of kernel size: 5")
    assert judged(Ending(1, words), replace(BEGUN, passes_values=False)) == (FAILURE, "exception: ValueError")


def test_a_program_that_ends_with_a_parsers_code_before_its_run_began_is_no_fault_of_the_values() -> None:
    outcome = judge_outcome(Ending(2, "bad option --lr"), replace(BEGUN, has_joined=False))
    assert outcome.keys == {STATE_KEY: ABANDONED, REASON_KEY: "refused its arguments: bad option --lr"}
    assert outcome.tolerated == 3
    assert judged(Ending(2, "bad option --lr"), BEGUN) == (FAILURE, "exit code 2")
    words = traceback("ValueError: too deep")
    assert judged(Ending(2, words), replace(BEGUN, has_joined=False)) == (FAILURE, "exception: ValueError")


def test_the_process_behind_a_launcher_is_judged() -> None:
    said = "Traceback (most recent call last):\nsubprocess.CalledProcessError: Command 'x' {}."
    status = "returned non-zero exit status {}"
    words = traceback("torch.OutOfMemoryError: CUDA out of memory") + said.format(status.format(1))
    assert judged(Ending(1, words), BEGUN) == (FAILURE, "out_of_memory")
    words = "train.py: error: argument --epochs: invalid int value: '3.5'\n" + said.format(status.format(2))
    assert judged(Ending(1, words), BEGUN)[0] == ABANDONED
    words = said.format("died with <Signals.SIGKILL: 9>")
    assert judged(Ending(1, words), BEGUN) == (ABANDONED, "killed by SIGKILL")
    assert judged(Ending(1, words, was_out_of_memory=True), BEGUN) == (FAILURE, "out_of_memory")
    words = said.format(status.format(128))
    assert judged(Ending(1, words), BEGUN) == (FAILURE, "exception: CalledProcessError")


def test_the_same_words_of_a_training_are_its_failure() -> None:
    words = traceback("ValueError: invalid value for 'dropout'")
    assert judged(Ending(1, words), RUNNING) == (FAILURE, "exception: ValueError")


@pytest.mark.parametrize(
    "ending",
    [
        Ending(1, traceback("ModuleNotFoundError: No module named 'torch'")),
        Ending(2, "python: can't open file '/home/me/train.py': [Errno 2] No such file or directory"),
        Ending(127, "/usr/bin/env: 'torchrun': No such file or directory"),
    ],
)
def test_a_program_that_cannot_start_is_no_fault_of_the_values(ending: Ending) -> None:
    outcome = judge_outcome(ending, BEGUN)
    assert outcome.keys[STATE_KEY] == ABANDONED
    assert outcome.tolerated is not None


WITH_ANOTHER = OUT_OF_MEMORY_BEHIND.replace("torch.OutOfMemoryError: CUDA out of memory.", "KeyError: 'lr'")


@pytest.mark.parametrize(
    ("state", "reason", "ending", "why"),
    [
        (ABANDONED, "SIGTERM", Ending(1, OUT_OF_MEMORY_BEHIND), "out_of_memory"),
        (ABANDONED, "SIGTERM", Ending(1, WITH_ANOTHER), "exception: KeyError"),
        (FAILURE, "exception: RuntimeError", Ending(1, OUT_OF_MEMORY_BEHIND), "out_of_memory"),
        (FAILURE, "exception: RuntimeError", Ending(1, WITH_ANOTHER), ""),
        (FAILURE, "diverged", Ending(1, OUT_OF_MEMORY_BEHIND), ""),
        (SUCCESS, "", Ending(1, OUT_OF_MEMORY_BEHIND), ""),
        (ABANDONED, "nothing was recorded", Ending(1, OUT_OF_MEMORY_BEHIND), ""),
        (ABANDONED, "SIGTERM", Ending(1, OUT_OF_MEMORY_BEHIND, asked="SIGTERM"), ""),
        (ABANDONED, "SIGTERM", Ending(143), ""),
        (ABANDONED, "SIGTERM", Ending(1, OUT_OF_MEMORY_BEHIND.replace("exitcode  : 1", "exitcode  : -15")), ""),
        (ABANDONED, "SIGTERM", Ending(1, "torch.distributed.SignalException: got signal: 15"), ""),
        (ABANDONED, "SIGTERM", Ending(0, OUT_OF_MEMORY_BEHIND), ""),
    ],
)
def test_another_process_may_have_failed_than_the_one_that_records(
    state: str, reason: str, ending: Ending, why: str
) -> None:
    assert failure_behind(ending, state, reason) == why
