"""`wandb-carbs server`."""

from __future__ import annotations

from pathlib import Path

import click

from wandb_carbs.cli.options import json_option


@click.command("server")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="Port; 0 picks a free one."
)
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where all state is kept.  [default: ~/.local/share/wandb-carbs]",
)
@json_option
def command(host: str, port: int, data_dir: Path | None, as_json: bool) -> None:
    """Run a local W&B-compatible sweep server.

    Once it answers, it prints the two environment variables that point the wandb SDK to it; with --json, one line with
    address, API key, data folder and version. Ctrl-C stops it; sweeps are kept.
    """
    from wandb_carbs.server import serve  # noqa: PLC0415 - needs the extra `local`

    serve(host, port, data_dir, as_json=as_json)
