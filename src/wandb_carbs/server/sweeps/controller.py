"""Sweeps whose parameters are chosen by a controller on the user's machine (`controller: {type: local}`).

The controller writes `{"schedule": [{"id": …, "data": {"args": …}}], "earlystop": [run, …]}` into the sweep's
`controller`. This server starts each item once, when an agent asks, and answers in the sweep's `scheduler` with
`{"scheduled": [{"id": …, "runid": …}]}`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wandb_carbs.server.sweeps import sweeps

if TYPE_CHECKING:
    import sqlite3


@dataclass(frozen=True)
class Next:
    """The next step of a controller.

    Attributes:
        run: The row of the next run, or None.
        exhausted: Whether the controller has said that there will be no more.
    """

    run: sqlite3.Row | None
    exhausted: bool = False


def next_run(db: sqlite3.Connection, sweep: sqlite3.Row, now: int) -> Next:
    """Start the first item of a controller's schedule that has not been started."""
    scheduler = _object(sweep["scheduler"])
    scheduled = [item for item in _items(scheduler.get("scheduled")) if isinstance(item.get("id"), str)]
    known = {item["id"] for item in scheduled}
    for item in _items(_object(sweep["controller"]).get("schedule")):
        identifier, data = item.get("id"), item.get("data")
        if not isinstance(identifier, str) or identifier in known:
            continue
        args = data.get("args") if isinstance(data, dict) else None
        if not isinstance(args, dict):
            return Next(None, exhausted=True)
        run = sweeps.add_run(db, sweep, sweeps.wrapped(args), now)
        scheduled.append({"id": identifier, "runid": run["name"]})
        text = json.dumps({**scheduler, "scheduled": scheduled})
        db.execute("UPDATE sweeps SET scheduler = ? WHERE id = ?", (text, sweep["id"]))
        return Next(run)
    return Next(None)


def _object(text: str | None) -> dict[str, Any]:
    value = json.loads(text) if text else {}
    return value if isinstance(value, dict) else {}


def _items(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
