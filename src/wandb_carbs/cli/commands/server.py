"""`wandb-carbs server`."""

from __future__ import annotations

from pathlib import Path

import click

from wandb_carbs.cli.numbers import WholeRange
from wandb_carbs.cli.options import json_option

_data_dir_option = click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where all state is kept.  [default: ~/.local/share/wandb-carbs]",
)
_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("server", invoke_without_command=True)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=WholeRange(0, 65535), default=8080, show_default=True, help="Port; 0 picks a free one.")
@_data_dir_option
@click.option("--certfile", type=_file, help="Certificate chain in PEM format; the server then speaks HTTPS.")
@click.option("--keyfile", type=_file, help="Private key of the certificate, unless it is in --certfile.")
@json_option
@click.pass_context
def command(
    context: click.Context,
    host: str,
    port: int,
    data_dir: Path | None,
    certfile: Path | None,
    keyfile: Path | None,
    as_json: bool,
) -> None:
    """Run a local W&B-compatible sweep server.

    Once it answers, it prints the two environment variables that point the wandb SDK to it, and the address of its
    pages; with --json, one line with address, API key, pages, data folder and version. Ctrl-C stops it; sweeps are
    kept.
    """
    if context.invoked_subcommand is not None:
        context.obj = data_dir
        return
    from wandb_carbs.server import serve  # noqa: PLC0415 - needs the extra `local`

    serve(host, port, data_dir, as_json=as_json, certfile=certfile, keyfile=keyfile)


@command.command("key")
@_data_dir_option
@click.option("--rotate", is_flag=True, help="Make a new key first; the old one ends at once.")
@click.pass_obj
def key_command(outer_data_dir: Path | None, data_dir: Path | None, rotate: bool) -> None:
    """Print the API key of the server of a data folder.

    With --rotate the server takes a new key, also while it runs. The old key, the cookies of its pages and the
    addresses of its files end.
    """
    from wandb_carbs.server.server import rotate_key, stored_key  # noqa: PLC0415 - as above

    click.echo((rotate_key if rotate else stored_key)(data_dir or outer_data_dir))
