"""Keys of a sweep's file that go into W&B's sweep configuration as they are: command, run_cap, early_terminate."""

from __future__ import annotations

import shlex
from typing import Any

from wandb_carbs import hyperband
from wandb_carbs.record import OBJECTIVE_KEY
from wandb_carbs.sweep.entries import as_number
from wandb_carbs.sweep.file.keys import Keys


def read_command(keys: Keys) -> list[str] | None:
    """Read the command's words; numbers among them are the text that was written."""
    command = keys.values.get("command")
    if command is None:
        return None
    if not isinstance(command, list) or not command:
        words = _split(command) or ["python", "train.py"]
        keys.say(f"'command' must be a list of words: write `command: [{', '.join(words)}]`", "command")
        return None
    texts = [keys.written("command", place) for place in range(len(command))]
    for place, text in enumerate(texts):
        if text is None:
            keys.say(f"{command[place]!r} of 'command' must be a word", "command", place)
    return [text for text in texts if text is not None]


def read_run_cap(keys: Keys) -> int | None:
    """Read how many runs the sweep may have."""
    cap = as_number(keys.values.get("run_cap"))
    if isinstance(cap, float) and cap.is_integer():
        cap = int(cap)
    if cap is None or (isinstance(cap, int) and not isinstance(cap, bool) and cap >= 1):
        return cap
    keys.say(f"run_cap={cap!r} must be a whole number of at least 1", "run_cap")
    return None


def read_early_terminate(keys: Keys, metric_name: str | None) -> dict[str, Any] | None:
    """Read by which rule W&B stops runs early; `metric_name` is the metric by which it judges them."""
    rule = keys.values.get("early_terminate")
    if isinstance(rule, dict):
        rule = {key: as_number(value) for key, value in rule.items() if value is not None}
    problems = hyperband.problems_with(rule)
    for key, problem in problems:
        keys.say(problem, "early_terminate", *([key] if key else []))
    if rule is None or problems:
        return None
    is_logged = metric_name not in {None, OBJECTIVE_KEY}
    by = "the metric" if is_logged else f"{OBJECTIVE_KEY!r}, which has no value before a run's end: name another metric"
    keys.notes.append(
        f"'early_terminate' goes to W&B, which judges by {by}; a run that it stops counts as abandoned, and "
        + ("teaches by its points only" if "progress" in keys.values else "teaches the search nothing")
    )
    unknown = hyperband.unknown_keys(rule)
    keys.notes += [f"{key!r} of 'early_terminate' means nothing to W&B, and is left out" for key in unknown]
    return {key: value for key, value in rule.items() if str(key) not in unknown}


def _split(command: Any) -> list[str]:
    """Split a command line into its words, if it is one."""
    try:
        return shlex.split(command) if isinstance(command, str) else []
    except ValueError:
        return []
