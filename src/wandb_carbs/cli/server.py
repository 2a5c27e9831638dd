"""`wandb-carbs server`."""

from __future__ import annotations

from pathlib import Path

import click


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
def command(host: str, port: int, data_dir: Path | None) -> None:
    """Run a local W&B-compatible sweep server.

    Prints the two environment variables that point the wandb SDK to it. Ctrl-C stops it; sweeps are kept.
    """
    from wandb_carbs.local import serve  # noqa: PLC0415 - needs the extra `local`

    serve(host, port, data_dir)
