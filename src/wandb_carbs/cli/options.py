"""What commands have in common: the files that they write, their words, and how they end."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

# The name of a file that stands for standard output.
STDOUT = "-"

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


class OutputFile(click.Path):
    """A file to be written, refused before any work is done where it cannot be.

    Args:
        endings: Those that its name may have; none allows all.
        may_be_stdout: Whether "-", for standard output, is taken as well.
    """

    def __init__(self, endings: Sequence[str] = (), *, may_be_stdout: bool = False) -> None:
        super().__init__(dir_okay=False, writable=True, path_type=Path)
        self._endings = tuple(endings)
        self._may_be_stdout = may_be_stdout

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path, if a file can be written there."""
        if not os.fspath(value):
            self.fail("the name of the file is empty", param, ctx)
        if self._may_be_stdout and value == STDOUT:
            return Path(STDOUT)
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if self._endings and path.suffix.lower() not in self._endings:
            *others, last = self._endings
            self.fail(f"{path.name!r} must end in {', '.join(others)} or {last}", param, ctx)
        if not path.absolute().parent.is_dir():
            self.fail(f"there is no folder {path.parent}", param, ctx)
        return path


def say(text: str, facts: Mapping[str, Any], *, as_json: bool) -> None:
    """Print what was done.

    Args:
        text: For people.
        facts: For scripts.
        as_json: Print the facts, as one line of JSON.
    """
    click.echo(json.dumps(facts) if as_json else text)
