"""Record that a program failed although its agent was killed, by its last words: nobody else has them.

The keeper beside the program runs this as a script. Where the agent was killed after the program, its exit code is
known, too; else an end without an exception is left to the next agent of the sweep.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from carbs import CarbsError
from wandb_carbs.agent.exceptions import judge_words
from wandb_carbs.agent.last_words import after_sdk
from wandb_carbs.agent.launchers import behind_launcher
from wandb_carbs.agent.orphans import seconds_of, spent_by
from wandb_carbs.agent.outcome import Ending
from wandb_carbs.agent.publisher import RunPublisher
from wandb_carbs.agent.runnable_sweep import load_runnable_sweep
from wandb_carbs.agent.whole_outcome import whole_outcome
from wandb_carbs.record import FINISHED, RUNNING, SETTLED_KEY, STATE_KEY, SUCCESS
from wandb_carbs.retry import INTERACTIVE_SECONDS
from wandb_carbs.sweep.path import SweepPath
from wandb_carbs.sweep.runs import RunReader

# Of a program that an exception ended, as the interpreter ends it.
_EXCEPTION = 1


def record_failure(path: SweepPath, run_id: str, words: str, exit_code: int | None = None) -> str:
    """Record a run whose program has failed though W&B has it as finished.

    Args:
        path: The sweep.
        run_id: The run.
        words: The end of the program's standard error.
        exit_code: How the program ended; None if nobody knows, so that only an exception in the words says so.

    Returns:
        The state that is recorded; empty if nothing is.

    Raises:
        CarbsError: If the sweep cannot be run here.
        WandbConnectionError: If W&B cannot be reached.
    """
    if exit_code is None and not judge_words(after_sdk(behind_launcher(_EXCEPTION, words)[1])):
        return ""
    reader = RunReader(path, INTERACTIVE_SECONDS)
    record = reader.one(run_id)
    is_open = record.summary.get(STATE_KEY) == RUNNING or record.summary.get(SETTLED_KEY) is True
    if record.state != FINISHED or not is_open:
        return ""
    ending, seconds = Ending(_EXCEPTION if exit_code is None else exit_code, words), seconds_of(record.summary)
    sweep, spent = load_runnable_sweep(path), spent_by(record.summary)
    outcome = whole_outcome(sweep, record, ending, seconds or 1.0, is_joined=True, spent=spent)
    if seconds is None and outcome.keys[STATE_KEY] == SUCCESS:
        return ""  # its cost is not known
    RunPublisher(record, reader, limit=INTERACTIVE_SECONDS).settle(outcome.keys)
    return str(outcome.keys[STATE_KEY])


def command_for(path: SweepPath, run_id: str) -> list[str]:
    """Return the command that does so with the words that it reads from its standard input, and an exit code behind."""
    return [sys.executable, "-m", __name__, str(path), run_id]


def main(arguments: Sequence[str]) -> None:
    """Read the words, and say how the run is recorded.

    Args:
        arguments: The sweep's path, the run's id, and the exit code if it is known.
    """
    path, run_id, *code = arguments
    words = sys.stdin.buffer.read().decode(errors="replace")
    try:
        state = record_failure(SweepPath.parse(path), run_id, words, int(code[0]) if code else None)
    except CarbsError as error:
        sys.exit(f"run {run_id} ended without its agent, and cannot be recorded: {error}")
    if state:
        sys.stderr.write(f"run {run_id} ended without its agent, and is recorded as {state}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
