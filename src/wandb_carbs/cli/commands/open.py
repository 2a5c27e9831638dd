"""`wandb-carbs open`."""

from __future__ import annotations

import sys
import webbrowser

import click

from wandb_carbs.cli.connection import connect, load_path, sweep_argument
from wandb_carbs.cli.options import json_option, say


@click.command("open")
@sweep_argument
@json_option
def command(sweep: str, as_json: bool) -> None:
    """Print the address of a sweep's page, and open it in the browser.

    With --json, or where standard output is no terminal, it is only printed.
    """
    path = load_path(sweep, connect())
    from wandb_carbs.sweep.control import address_of  # noqa: PLC0415 - imports the SDK

    address = address_of(path)
    say(address, {"sweep": str(path), "address": address}, as_json=as_json)
    if not as_json and sys.stdout.isatty() and not webbrowser.open(address):
        click.echo("Note: no browser could be started here", err=True)
