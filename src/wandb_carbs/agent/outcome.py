"""How a program's run went, judged from outside: by its metric, its exit code or signal, and its last words.

| how the program ended | what the run counts as |
|---|---|
| it recorded its outcome itself, with `WandbCarbs` | that |
| it was asked to end: stop, Ctrl-C, SIGTERM | abandoned |
| exit code 0, or a crash of the interpreter after the run was finished; the metric is a finite number | observation |
| the same, and the metric is NaN or infinite | failure |
| the same, without the metric | abandoned, with advice |
| exit code 0, but it says that it got SIGTERM or was interrupted, as Lightning does | abandoned |
| exit code 0, and the run was finished with an exit code of its own | failure |
| exit code 0, and the run was not finished: `os._exit`, or a training that was killed behind a shell | abandoned |
| the same, and a shell says that it was a crash, or memory ran out | failure |
| it was about to be pre-empted, or W&B has stopped its run | abandoned |
| any other way, after the run was finished: `finally: wandb.finish()` | as if it had not been finished |
| SIGKILL | failure if the kernel ran out of memory, or else abandoned |
| SIGTERM, SIGINT and other signals that somebody sends | abandoned |
| SIGSEGV, SIGABRT and other signals of a crash | failure |
| another exit code | failure, unless the last words say that the hyperparameters cannot be the cause |
"""

from __future__ import annotations

import math
import re
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from wandb_carbs.agent.exceptions import NAN, OUT_OF_MEMORY, judge_words
from wandb_carbs.agent.last_words import after_sdk
from wandb_carbs.agent.launchers import behind_launcher, behind_shell
from wandb_carbs.agent.refusals import refusal_of
from wandb_carbs.exit_codes import signal_of
from wandb_carbs.record import (
    ABANDONED,
    COST_KEY,
    FAILURE,
    FINISHED,
    OBJECTIVE_KEY,
    REASON_KEY,
    STATE_KEY,
    SUCCESS,
)

# The reason of a run that was stopped in W&B.
STOPPED = "stopped"
_CRASHES = {"SIGSEGV", "SIGABRT", "SIGFPE", "SIGBUS", "SIGILL", "SIGSYS", "SIGTRAP"}
# Python's, if its last output cannot be written: all else was done.
_UNFLUSHED = 120
_CANNOT_RUN = {126: "the command cannot be run", 127: "the command was not found"}
_CONNECTION_LOST = ("exception: CommError", "exception: WandbConnectionError")
# Runs that end like this may still be a matter of their values; three in a row are not.
_SOME = 3
# Lightning ends a training that gets SIGTERM with exit code 0; torchrun raises an exception.
_CUT_SHORT = re.compile(r"^\[rank: \d+\] Received SIGTERM\b", re.MULTILINE)
# Lightning before 2.2 ends a training that the SDK interrupts, since its run was stopped, with exit code 0, too.
_STOPPED_EARLY = "Detected KeyboardInterrupt, attempting graceful shutdown"
_SIGNALLED = "exception: SignalException"
_HIDDEN = (
    "W&B has the run as finished, but its program failed, so that its {!r} does not count. Let `with wandb.init() as "
    "run:` finish the run, and no `finally`; catch what may fail after the training, so that the exit code is 0"
)
# W&B's states of runs that say nothing. The SDK interrupts a program whose run somebody, or W&B's early stopping, has
# stopped.
_LOST = {"preempting": "preempted", "preempted": "preempted", "killed": STOPPED}
_UNFINISHED = "the run was not finished"
_NOT_FINISHED = (
    "the command ended with exit code 0, but W&B does not have the run as finished: its training was killed, or ended "
    "without wandb.finish(), and W&B may lack the last that it logged. In a shell, let the exit code be that of the "
    "training: write `set -e -o pipefail` at the beginning of the script, or of the line after `-c`. Call "
    "wandb.finish() before os._exit(), and at the end of a forked process, or of a worker, such as Ray's"
)
_INTERRUPTION = "interrupted: KeyboardInterrupt"
_INTERRUPTED = re.compile(r"^(?:Detected )?KeyboardInterrupt\b", re.MULTILINE)


@dataclass(frozen=True)
class Ending:
    """How a program ended.

    Attributes:
        exit_code: Its exit code; a negative number for a signal.
        last_words: The end of its standard error.
        asked: Why this agent had asked it to end; empty if it had not.
        was_out_of_memory: Whether the kernel killed something for lack of memory meanwhile.
    """

    exit_code: int
    last_words: str = ""
    asked: str = ""
    was_out_of_memory: bool = False


@dataclass(frozen=True)
class Outcome:
    """The judgement of a run.

    Attributes:
        keys: The flat keys to record; empty where the run has recorded its outcome itself.
        advice: A hint to the user; empty if there is none.
        tolerated: After how many such ends in a row, with no good one between, an agent should give up, since every
            other run is likely to end like this; None for never.
        note: Why nothing is learnt from the run's way; empty if something is, or nothing is asked for.
    """

    keys: Mapping[str, Any]
    advice: str = ""
    tolerated: int | None = None
    note: str = ""


@dataclass(frozen=True)
class Values:
    """The values that were read of a run.

    Attributes:
        has_joined: Whether `wandb.init()` was called, by this start of the program.
        state: W&B's own state of the run.
        metric: Name of the metric that is the objective; empty if the sweep names none.
        objective: Its value; None if it was not logged. It need not be finite.
        cost: The cost; None if it was not logged.
        cost_metric: Name of the metric that is the cost; empty for the seconds.
        logged: Names of what was logged, for advice.
        parameters: Names of the sweep's parameters, its constants among them.
        passes_values: Whether the sweep's command gives them to the program's command line.
        no_numbers: The value that was logged as the metric, or as the cost's, where it is not a number.
    """

    has_joined: bool
    state: str
    metric: str
    objective: float | None
    cost: float | None
    cost_metric: str = ""
    logged: Sequence[str] = ()
    parameters: Sequence[str] = ()
    passes_values: bool = True
    no_numbers: Mapping[str, Any] = field(default_factory=dict)


def judge_outcome(ending: Ending, values: Values) -> Outcome:
    """Judge a run whose program has not recorded its outcome itself (see the module's table).

    Args:
        ending: How the program ended.
        values: What it has logged.
    """
    if ending.asked:
        return _lost(ending.asked)
    was_finished = values.state == FINISHED and values.objective is not None
    if ending.exit_code == 0:
        return _judge_end(ending, values)
    if was_finished and (crash := _crash_on_the_way_out(ending)):
        outcome = _judge_end(ending, values)
        is_kept = outcome.keys[STATE_KEY] == SUCCESS
        return Outcome({**outcome.keys, REASON_KEY: f"{crash} after the run was finished"}) if is_kept else outcome
    if values.state in _LOST:
        return _lost(_LOST[values.state])
    outcome = _judge_crash(ending, values)
    if was_finished and outcome.keys[STATE_KEY] == FAILURE:
        return replace(outcome, advice=_HIDDEN.format(values.metric))
    return outcome


def failure_behind(ending: Ending, state: Any, reason: Any) -> str:
    """Return why another process of a program failed than the one that has recorded the run, and does not know it.

    A launcher ends the first process by SIGTERM when another has failed; or an exception says that it lost its peer.

    Args:
        ending: How the program ended.
        state: The state that is recorded.
        reason: The reason that is recorded.

    Returns:
        The reason of the failure; empty if what is recorded says it.
    """
    code, words = behind_launcher(ending.exit_code, ending.last_words)
    known = judge_words(words)
    if ending.asked or ending.exit_code == 0 or signal_of(code) or known == _SIGNALLED:
        return ""
    was_ended = (state, reason) == (ABANDONED, "SIGTERM")
    lost_its_peer = state == FAILURE and str(reason).startswith("exception: ") and known in (OUT_OF_MEMORY, NAN)
    return known if was_ended or lost_its_peer else ""


def _crash_on_the_way_out(ending: Ending) -> str:
    """Return what ended the interpreter of a program that had come to its end; empty if the program itself failed.

    A run that is finished does not say so: a program finishes it in a `finally`, or in a handler of a signal, too.
    After SIGKILL it cannot.
    """
    code, words = behind_launcher(ending.exit_code, ending.last_words)
    if code == _UNFLUSHED:
        return f"exit code {code}"
    name = signal_of(code)
    is_crash = name == "SIGKILL" or name in _CRASHES
    return name if is_crash and not judge_words(after_sdk(words)) else ""


def _judge_end(ending: Ending, values: Values) -> Outcome:
    if not values.has_joined:
        return _lost(
            "wandb.init() was not called",
            f"the program ended without calling wandb.init(), so that nothing can be learnt from it: call it, and log "
            f"{values.metric or 'a metric'!r} with wandb.log(). If it does, then not for this run: it must not be "
            "offline or disabled, and the program must not set WANDB_PROJECT or WANDB_ENTITY, nor call wandb.agent(): "
            "let it call the training function itself",
            tolerated=1,
        )
    if ending.exit_code == 0 and _CUT_SHORT.search(ending.last_words):
        return _lost("killed by SIGTERM")
    if ending.exit_code == 0 and _STOPPED_EARLY in ending.last_words:
        return _lost(_INTERRUPTION)
    if values.state == "failed":
        return Outcome({STATE_KEY: FAILURE, REASON_KEY: judge_words(ending.last_words) or "finished as failed"})
    if values.state != FINISHED:
        return _judge_unfinished(ending, values)
    if values.objective is None:
        return _without_metric(values)
    if not math.isfinite(values.objective):
        kind = NAN if math.isnan(values.objective) else "infinite"
        return Outcome({STATE_KEY: FAILURE, REASON_KEY: f"{values.metric} is {kind}"})
    if values.cost is None or not (math.isfinite(values.cost) and values.cost > 0):
        is_wrong = f"is {values.cost!r}, which is not a positive, finite number"
        what = _lack(values, values.cost_metric) if values.cost is None else is_wrong
        return _lost(
            f"the cost {values.cost_metric} {what}",
            f"the sweep's cost, the metric {values.cost_metric!r}, {what}: {_logged(values, values.cost_metric)}",
            tolerated=_SOME,
        )
    return Outcome({STATE_KEY: SUCCESS, OBJECTIVE_KEY: values.objective, COST_KEY: values.cost, REASON_KEY: ""})


def _judge_unfinished(ending: Ending, values: Values) -> Outcome:
    """Judge a run whose program did not come to its end, though the command's exit code is 0."""
    if values.state in _LOST:
        return _lost(_LOST[values.state])
    code = behind_shell(ending.last_words)
    # The kernel ends by this signal whatever has no memory any more. Words of memory say as much of a training that has
    # never logged; another one may have gone on with half the batch size.
    has_said = values.objective is None and judge_words(ending.last_words) == OUT_OF_MEMORY
    if code or ending.was_out_of_memory or has_said:
        return replace(_judge_crash(replace(ending, exit_code=code or -signal.SIGKILL), values), advice=_NOT_FINISHED)
    return _lost(_UNFINISHED, _NOT_FINISHED, tolerated=_SOME)


def _without_metric(values: Values) -> Outcome:
    if not values.metric:
        return _lost(
            "nothing was recorded",
            "the sweep names no metric, and the program recorded nothing: write `metric: {name: …, goal: …}` into the "
            "sweep's file, or record the outcome with WandbCarbs in the program",
            tolerated=_SOME,
        )
    what = _lack(values, values.metric)
    return _lost(
        f"{values.metric} {what}",
        f"the sweep's metric {values.metric!r} {what}: {_logged(values, values.metric)}",
        tolerated=_SOME,
    )


def _judge_crash(ending: Ending, values: Values) -> Outcome:
    code, words = behind_launcher(ending.exit_code, ending.last_words)
    name = signal_of(code)
    known = judge_words(words)
    if name == "SIGKILL" and (ending.was_out_of_memory or known == OUT_OF_MEMORY):
        return Outcome({STATE_KEY: FAILURE, REASON_KEY: OUT_OF_MEMORY})
    if name:
        is_crash = name in _CRASHES
        return Outcome({STATE_KEY: FAILURE, REASON_KEY: known or name}) if is_crash else _lost(f"killed by {name}")
    if known in (OUT_OF_MEMORY, NAN):
        return Outcome({STATE_KEY: FAILURE, REASON_KEY: known})
    if _INTERRUPTED.search(words):
        return _lost(_INTERRUPTION)
    if known == _SIGNALLED:
        return _lost("killed by SIGTERM")
    if code in _CANNOT_RUN:
        return _lost(_CANNOT_RUN[code], _CANNOT_RUN[code], tolerated=1)
    if known in _CONNECTION_LOST:
        return _lost("connection to W&B lost")
    refusal = refusal_of(
        code,
        words,
        may_be_training=values.has_joined or bool(known),
        has_logged=values.objective is not None,
        passes_values=values.passes_values,
        parameters=values.parameters,
    )
    if refusal is not None:
        return _lost(refusal.reason, refusal.advice, tolerated=1 if refusal.is_certain else _SOME)
    return Outcome({STATE_KEY: FAILURE, REASON_KEY: known or judge_words(ending.last_words) or f"exit code {code}"})


def _lost(reason: str, advice: str = "", tolerated: int | None = None) -> Outcome:
    return Outcome({STATE_KEY: ABANDONED, REASON_KEY: reason}, advice, tolerated)


def _lack(values: Values, name: str) -> str:
    return "was not logged as a number" if name in values.no_numbers else "was not logged"


def _logged(values: Values, name: str) -> str:
    if name in values.no_numbers:
        return f"the program logged it as {values.no_numbers[name]!r:.100}; log a number, as by float(…)"
    return f"the program logged {', '.join(values.logged)}" if values.logged else "the program logged nothing"
