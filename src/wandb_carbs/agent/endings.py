"""How the programs of an agent have ended, and when that is a reason to start no more."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field

from wandb_carbs.agent.exceptions import NAN, OUT_OF_MEMORY
from wandb_carbs.agent.outcome import Outcome
from wandb_carbs.record import REASON_KEY, STATE_KEY, SUCCESS

# As W&B's own agent: when it takes a program for one that cannot work.
_FLAPPING_SECONDS = 60.0
_FLAPPING_FAILURES = 3
_INITIAL_FAILURES = 5


@dataclass
class Endings:
    """How the programs of this agent have ended.

    Attributes:
        finished: All that have ended.
        failed: Those with an exit code, other than for lack of memory or NaN: the search learns from these.
        fruitless: Those in a row that ended as every other is likely to end.
        started: When the agent began, on the monotonic clock.
    """

    finished: int = 0
    failed: int = 0
    fruitless: int = 0
    started: float = field(default_factory=time.monotonic)

    def judge(self, code: int, outcome: Outcome, *, asked: bool) -> str:
        """Count a program that has ended and was recorded.

        Args:
            code: Its exit code.
            outcome: Its outcome.
            asked: Whether the agent had asked it to end.

        Returns:
            Why the agent should start no other, if every run seems to end badly for reasons that are not its values;
            empty if it may go on.
        """
        state, reason = outcome.keys[STATE_KEY], outcome.keys.get(REASON_KEY)
        if state == SUCCESS:
            self.fruitless = 0
        why = ""
        if outcome.tolerated is not None:
            self.fruitless += 1
            if self.fruitless >= outcome.tolerated:
                why = "the next run would end like this one"
        if code <= 0 or asked or state == SUCCESS or reason in (OUT_OF_MEMORY, NAN):
            return why
        self.failed += 1
        return why or self._too_many_failed()

    def _too_many_failed(self) -> str:
        is_young = time.monotonic() < self.started + _FLAPPING_SECONDS
        is_flapping = is_young and self.failed >= _FLAPPING_FAILURES
        if is_flapping and os.environ.get("WANDB_AGENT_DISABLE_FLAPPING") != "true":
            return (
                f"{self.failed} programs failed within {_FLAPPING_SECONDS:.0f} s "
                "(WANDB_AGENT_DISABLE_FLAPPING=true goes on)"
            )
        limit = setting("WANDB_AGENT_MAX_INITIAL_FAILURES", _INITIAL_FAILURES)
        if self.failed >= limit and self.failed >= self.finished:
            return f"all {self.failed} programs failed (WANDB_AGENT_MAX_INITIAL_FAILURES changes the limit)"
        return ""


def setting(name: str, default: float) -> float:
    """Return the number that a variable of the environment holds, or the default."""
    try:
        return float(os.environ[name])
    except (KeyError, ValueError):
        return default
