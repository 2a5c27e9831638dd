"""Record that a program failed after its agent was killed, by its last words: nobody else has them.

The keeper beside the program runs this as a script. An end without an exception is left to the next agent of the sweep.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from carbs import CarbsError
from wandb_carbs.agent.exceptions import judge_words
from wandb_carbs.agent.last_words import after_sdk
from wandb_carbs.agent.launchers import behind_launcher
from wandb_carbs.agent.outcome import Ending, judge_outcome
from wandb_carbs.agent.publisher import RunPublisher
from wandb_carbs.agent.runnable_sweep import load_runnable_sweep, values_of
from wandb_carbs.record import FINISHED, RUNNING, SETTLED_KEY, STATE_KEY
from wandb_carbs.retry import INTERACTIVE_SECONDS
from wandb_carbs.sweep.path import SweepPath
from wandb_carbs.sweep.runs import RunReader

# Of a program that an exception ended, as the interpreter ends it.
_EXCEPTION = 1


def record_failure(path: SweepPath, run_id: str, words: str) -> str:
    """Record a run whose program an exception has ended though W&B has it as finished.

    Args:
        path: The sweep.
        run_id: The run.
        words: The end of the program's standard error.

    Returns:
        The state that is recorded; empty if nothing is.

    Raises:
        CarbsError: If the sweep cannot be run here.
        WandbConnectionError: If W&B cannot be reached.
    """
    if not judge_words(after_sdk(behind_launcher(_EXCEPTION, words)[1])):
        return ""
    reader = RunReader(path, INTERACTIVE_SECONDS)
    record = reader.one(run_id)
    is_open = record.summary.get(STATE_KEY) == RUNNING or record.summary.get(SETTLED_KEY) is True
    if record.state != FINISHED or not is_open:
        return ""
    # The seconds do not matter: they are the cost of a success.
    outcome = judge_outcome(
        Ending(_EXCEPTION, words), values_of(load_runnable_sweep(path), record, 1.0, is_joined=True)
    )
    RunPublisher(record, reader, limit=INTERACTIVE_SECONDS).settle(outcome.keys)
    return str(outcome.keys[STATE_KEY])


def command_for(path: SweepPath, run_id: str) -> list[str]:
    """Return the command that does so with the words that it reads from its standard input."""
    return [sys.executable, "-m", __name__, str(path), run_id]


def main(arguments: Sequence[str]) -> None:
    """Read the words, and say how the run is recorded."""
    path, run_id = arguments
    try:
        state = record_failure(SweepPath.parse(path), run_id, sys.stdin.buffer.read().decode(errors="replace"))
    except CarbsError as error:
        sys.exit(f"run {run_id} ended without its agent, and cannot be recorded: {error}")
    if state:
        sys.stderr.write(f"run {run_id} ended without its agent, and is recorded as {state}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
