"""`wandb-carbs list`."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import click

from wandb_carbs.cli.connection import connect, parse_sweep
from wandb_carbs.cli.options import json_option
from wandb_carbs.tables import ConfigTable, ago, show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wandb_carbs.sweep.control import ListedSweep


_HEADS = ("sweep", "name", "state", "runs", "spent cost", "created")


class _Project(click.ParamType):  # type: ignore[type-arg, unused-ignore]  # generic from click 8.5 on
    """ENTITY/PROJECT, or PROJECT of the default entity, or the address of a page, which is checked later."""

    name = "project"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ARG002
        """Return the text, if it has one of the forms."""
        text = str(value)
        return text if "://" in text else _checked(text.strip("/"))


def _checked(project: str) -> str:
    """Return the name of a project.

    Raises:
        UsageError: If it has another form.
    """
    parts = project.split("/")
    if not all(parts) or len(parts) > 2:
        hint = f"ENTITY/PROJECT, here {parts[0]}/{parts[1]}" if len(parts) == 3 and all(parts) else "ENTITY/PROJECT"
        raise click.UsageError(f"{project!r} does not name a project; write {hint}")
    return project


@click.command("list")
@click.argument("project", metavar="[ENTITY/PROJECT]", type=_Project(), required=False)
@json_option
def command(project: str | None, as_json: bool) -> None:
    """Show the sweeps of a project, newest first: state, runs, cost spent.

    A project is named ENTITY/PROJECT or by the address of its page. Without one: the project that W&B's settings name
    (WANDB_PROJECT), or else all projects of your default entity and of your teams. The local server takes every entity
    that has a project for a team of yours.
    """
    base_url = connect()
    if project is not None and "://" in project:
        project = _checked(parse_sweep(project, base_url))
    from wandb_carbs.sweep.control import list_sweeps  # noqa: PLC0415 - imports the SDK

    entity, _, name = (project or "").rpartition("/")
    found = list_sweeps(entity or None, name or None)
    if as_json:
        click.echo(json.dumps([_facts(sweep) for sweep in found]))
        return
    if not found:
        where = project or "the projects of your default entity and your teams"
        click.echo(f"There are no sweeps in {where}.", err=True)
        return
    show(_table("", [(str(sweep.path), *_line(sweep)) for sweep in found], _by_project(found)))


def _by_project(sweeps: Sequence[ListedSweep]) -> list[ConfigTable]:
    """Return a table for each project, with the ids of its sweeps.

    Where that is too wide, it has no ages; where that is too wide as well, each sweep is a column, with its age.
    """
    projects: dict[str, list[tuple[Any, ...]]] = {}
    for sweep in sweeps:
        lines = projects.setdefault(f"{sweep.path.entity}/{sweep.path.project}", [])
        lines.append((sweep.path.sweep_id, *_line(sweep)))
    return [
        _table(title, lines, [_table(title, [line[:-1] for line in lines], [_table(title, lines)])])
        for title, lines in projects.items()
    ]


def _table(title: str, lines: Sequence[Sequence[Any]], narrower: Sequence[ConfigTable] = ()) -> ConfigTable:
    heads = _HEADS[: max(map(len, lines))]
    return ConfigTable(title, heads, (), lines, wraps="name", narrower=narrower)


def _facts(sweep: ListedSweep) -> dict[str, Any]:
    return {
        "sweep": str(sweep.path),
        "name": sweep.name,
        "state": sweep.state,
        "created_at": None if sweep.created_at is None else sweep.created_at.isoformat(),
        "runs": sweep.runs,
        "spent_cost": sweep.spent_cost,
    }


def _line(sweep: ListedSweep) -> tuple[Any, ...]:
    age = None if sweep.created_at is None else ago((datetime.now(timezone.utc) - sweep.created_at).total_seconds())
    return sweep.name, sweep.state.lower(), sweep.runs, sweep.spent_cost, age
