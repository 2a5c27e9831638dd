"""Standings: one short row for each run, so that tables of many runs read no configuration and no summary.

SQLite's triggers note which runs have changed since they were read (`store.schema`); here those are read again.
"""

from __future__ import annotations

import itertools
import json
import sqlite3
from typing import TYPE_CHECKING, Any

from wandb_carbs.plain import finite
from wandb_carbs.server.errors import outage, shortened
from wandb_carbs.server.limits import check_budget
from wandb_carbs.server.sweeps.run_rows import Goal, read_run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wandb_carbs.server.store.database import Store

# Runs that are read before their rows are written together: writing them takes 20 ms, for which others wait.
_AT_ONCE = 2_000
# A table has a hundred rows. A configuration of more characters is shortened for it, to so many parameters with values
# of so many characters.
_LONG, _MOST_PARAMETERS, _LONG_VALUE = 100_000, 500, 200


def refresh(store: Store, project_id: int) -> None:
    """Read the runs of a project that have changed since the last time.

    On a full disk the rows stay as they were: nobody is kept from looking.

    Raises:
        RequestError: The budget of the request is spent; what was read until then is kept.
    """
    last = 0  # a run that changes again and again is read once
    while changed := _changed(store, project_id, last):
        last = changed[-1]["id"]
        rows = _read(store, project_id, changed)
        try:
            with store.transaction() as db:
                # One that has changed meanwhile has a higher version, and waits for the next time.
                db.executemany(
                    """UPDATE standings SET carbs_state = ?, objective = ?, cost = ?, names = ?, parameters = ?,
                       read_version = version WHERE run_id = ? AND version = ?""",
                    rows,
                )
        except sqlite3.OperationalError as error:
            outage(error)
            return
        check_budget()


def _changed(store: Store, project_id: int, last: int) -> list[sqlite3.Row]:
    with store.reading() as db:
        return db.execute(
            """SELECT runs.*, standings.version FROM standings JOIN runs ON runs.id = run_id
               WHERE version != read_version AND standings.project_id = ? AND run_id > ? ORDER BY run_id LIMIT ?""",
            (project_id, last, _AT_ONCE),
        ).fetchall()


def _read(store: Store, project_id: int, changed: Sequence[sqlite3.Row]) -> list[tuple[Any, ...]]:
    # The sweeps are read after the runs: one that changes later raises the runs' versions.
    with store.reading() as db:
        sweeps = db.execute("SELECT * FROM sweeps WHERE project_id = ?", (project_id,)).fetchall()
    goals = {sweep["id"]: Goal.of(sweep) for sweep in sweeps}
    found = []
    for run in changed:
        row = read_run(run, goals.get(run["sweep_id"], Goal.of(None)))
        parameters = _text(row.config)
        shown = row.config if len(parameters) <= _LONG else _shortened(row.config)
        names, parameters = _text(list(shown)), parameters if shown is row.config else _text(shown)
        found.append(
            (_writable(row.carbs_state), row.objective, row.cost, names, parameters, run["id"], run["version"])
        )
    return found


def _shortened(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a table shows of a long configuration; the run's page shows it all."""
    first = itertools.islice(config.items(), _MOST_PARAMETERS)
    return {
        key: value if len(text := _text(value)) <= _LONG_VALUE else shortened(text, _LONG_VALUE) for key, value in first
    }


def _text(value: Any) -> str:
    """Return JSON that SQLite reads, and in which a text can be looked for."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except ValueError:
        text = json.dumps(finite(value), ensure_ascii=False)
    return _writable(text)


def _writable(text: str) -> str:
    """Return a text with question marks for halves of surrogate pairs, which SQLite refuses."""
    return text.encode("utf-8", "replace").decode()
