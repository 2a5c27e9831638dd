"""`wandb-carbs init`."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import click

from wandb_carbs.cli.options import json_option, say

_FILES = ("sweep.yaml", "train.py")
_NEXT = """\
Next, with a W&B account (wandb login) or a local server (wandb-carbs server):
  wandb-carbs create sweep.yaml
  wandb-carbs agent …             # the line that create prints"""


@click.command("init")
@click.argument(
    "folder", metavar="[FOLDER]", default=".", type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@json_option
def command(folder: Path, as_json: bool) -> None:
    """Write a sweep file and a program to start from: sweep.yaml and train.py.

    They run as they are. Then put your own training into train.py and its hyperparameters into sweep.yaml. No file is
    overwritten.
    """
    targets = [folder / name for name in _FILES]
    there = [str(target) for target in targets if target.exists()]
    if there:
        raise click.ClickException(
            f"{' and '.join(there)} {'is' if len(there) == 1 else 'are'} there already; nothing was written"
        )
    for name, target in zip(_FILES, targets, strict=True):
        # Exclusively, since another process may have written it meanwhile.
        with target.open("x", encoding="utf-8") as file:
            file.write(files("wandb_carbs.cli").joinpath("starter", name).read_text(encoding="utf-8"))
    facts = {"files": [str(target.absolute()) for target in targets]}
    where = "" if folder == Path() else f" (in {folder})"
    say(f"Wrote {' and '.join(map(str, targets))}.\n{_NEXT.replace(':', f'{where}:', 1)}", facts, as_json=as_json)
