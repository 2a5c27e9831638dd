"""`wandb-carbs pause`, `resume`, `stop` and `cancel`."""

from __future__ import annotations

import click

from wandb_carbs.cli.connection import connect, load_path, sweep_argument
from wandb_carbs.cli.options import json_option, say


def _command(action: str, done: str, explanation: str) -> click.Command:
    """Return the command of an action.

    Args:
        action: Its name.
        done: What the sweep is then.
        explanation: Its words for `--help`.
    """

    @click.command(action, help=explanation)
    @sweep_argument
    @json_option
    def command(sweep: str, as_json: bool) -> None:
        path = load_path(sweep, connect())
        from wandb_carbs.sweep.control import STATES, set_state  # noqa: PLC0415 - imports the SDK

        before = set_state(path, action)
        facts = {"sweep": str(path), "before": before, "state": STATES[action]}
        say(f"{path} is {done} (it was {before.lower()})", facts, as_json=as_json)

    return command


commands = {
    "pause": _command("pause", "paused", "Start no new runs until `resume`. Runs that have begun go on."),
    "resume": _command("resume", "running", "Let agents start runs again, after `pause` or `stop`."),
    "stop": _command("stop", "stopped", "Start no new runs, and let agents end. Runs that have begun go on."),
    "cancel": _command("cancel", "cancelled", "Start no new runs, and end those that have begun."),
}
