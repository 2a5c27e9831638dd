"""How the programs of an agent have ended, and when that is a reason to start no more."""

from __future__ import annotations

import os
import time
from collections import Counter
from dataclasses import dataclass, field

from wandb_carbs.agent.exceptions import NAN, OUT_OF_MEMORY
from wandb_carbs.agent.outcome import STOPPED, Outcome
from wandb_carbs.record import FAILURE, REASON_KEY, STATE_KEY, SUCCESS

# As W&B's own agent: when it takes a program for one that cannot work.
_FLAPPING_SECONDS = 60.0
_FLAPPING_FAILURES = 3
_INITIAL_FAILURES = 5
_GO_ON = "WANDB_AGENT_DISABLE_FLAPPING=true goes on"


@dataclass
class Endings:
    """How the programs of this agent have ended.

    Attributes:
        limit: So many programs in a row may end with an exit code, whatever the reason; None for any number.
        finished: All that have ended.
        failed: Why programs ended with an exit code. Lack of memory and NaN are not there: the search learns from them.
        failed_in_row: The number of programs in a row that ended with an exit code.
        has_succeeded: Whether there was an observation.
        fruitless: Those in a row that ended as every other is likely to end.
        started: When the agent began, on the monotonic clock.
    """

    limit: int | None = None
    finished: int = 0
    failed: list[str] = field(default_factory=list)
    failed_in_row: int = 0
    has_succeeded: bool = False
    fruitless: int = 0
    started: float = field(default_factory=time.monotonic)

    def judge(self, code: int, outcome: Outcome, *, asked: bool, cause: str = "") -> str:
        """Count a program that has ended and was recorded.

        Args:
            code: Its exit code.
            outcome: Its outcome.
            asked: Whether the agent had asked it to end.
            cause: Why it failed, in its own words; without them the reason of the outcome counts.

        Returns:
            Why the agent should start no other, if every run seems to end badly for reasons that are not its values;
            empty if it may go on.
        """
        state, reason = outcome.keys[STATE_KEY], outcome.keys.get(REASON_KEY)
        if state == SUCCESS:
            self.fruitless, self.has_succeeded = 0, True
        why = ""
        if outcome.tolerated is not None:
            self.fruitless += 1
            if self.fruitless >= outcome.tolerated:
                why = "the next run would end like this one"
        # A signal that somebody else sent says nothing of the program; a fault of its own (SIGSEGV, SIGABRT) does.
        if asked or reason == STOPPED or state == SUCCESS or (code <= 0 and state != FAILURE):
            self.failed_in_row = 0
            return why
        self.failed_in_row += 1
        if code > 0 and reason not in (OUT_OF_MEMORY, NAN):
            self.failed.append(cause or str(reason))
            why = why or self._too_many_failed()
        if not why and self.limit is not None and self.failed_in_row >= self.limit:
            why = f"{self.failed_in_row} programs in a row failed (--max-consecutive-failed-runs), the last one with: "
            why += cause or str(reason)
        return why

    def _too_many_failed(self) -> str:
        number, causes = len(self.failed), _summed(self.failed)
        if number >= _FLAPPING_FAILURES and os.environ.get("WANDB_AGENT_DISABLE_FLAPPING") != "true":
            if time.monotonic() < self.started + _FLAPPING_SECONDS:
                return f"{number} programs failed within {_FLAPPING_SECONDS:.0f} s ({_GO_ON}): {causes}"
            # However long it takes until they fail: a missing file is missing for every configuration.
            if not self.has_succeeded and len(set(self.failed)) == 1:
                return f"all {number} programs failed in the same way ({_GO_ON}): {self.failed[0]}"
        limit = setting("WANDB_AGENT_MAX_INITIAL_FAILURES", _INITIAL_FAILURES)
        if number >= limit and not self.has_succeeded:
            rule = f"WANDB_AGENT_MAX_INITIAL_FAILURES={limit:g}"
            return f"{number} programs failed, and none succeeded ({rule}): {causes}"
        return ""


def setting(name: str, default: float) -> float:
    """Return the number that a variable of the environment holds, or the default."""
    try:
        return float(os.environ[name])
    except (KeyError, ValueError):
        return default


def _summed(causes: list[str]) -> str:
    """Return each cause once, the most frequent first, with its number."""
    return "; ".join(f"{number}x {cause}" for cause, number in Counter(causes).most_common())
