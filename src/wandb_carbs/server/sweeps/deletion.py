"""Deletion of sweeps with all their runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.store import artifact_deletion, run_states
from wandb_carbs.server.store.ids import row_id
from wandb_carbs.server.sweeps.sweeps import CANCELED, FINISHED

if TYPE_CHECKING:
    from wandb_carbs.server.store.database import Store
    from wandb_carbs.server.store.files import RunFiles


def delete(store: Store, files: RunFiles, identifier: str) -> None:
    """Delete a sweep that is over, its agents, and its runs with all that they have logged but their artifacts.

    A sweep that is gone already is as the client wants it.

    Args:
        store: The storage.
        files: The runs' files.
        identifier: The sweep's opaque id.

    Raises:
        RequestError: It is the id of no sweep (404), or the sweep is not over: agents would go on with it.
    """
    key = row_id("Sweep", identifier)
    with store.transaction() as db:
        sweep = db.execute("SELECT name, state FROM sweeps WHERE id = ?", (key,)).fetchone()
        if sweep is None:
            return
        runs = db.execute("SELECT id, state FROM runs WHERE sweep_id = ?", (key,)).fetchall()
        alive = sum(run["state"] in run_states.ALIVE for run in runs)
        if sweep["state"] not in {FINISHED, CANCELED} or alive:
            raise RequestError(
                f"sweep {sweep['name']} is {sweep['state']}, and {alive} of its runs are alive; stop or cancel it, and "
                "delete it once none is alive"
            )
        for run in runs:
            artifact_deletion.keep(store, files, run["id"])
        db.execute("DELETE FROM runs WHERE sweep_id = ?", (key,))
        # Its agents may have had runs that are prior runs of other sweeps now.
        db.execute(
            "UPDATE runs SET agent_id = NULL WHERE agent_id IN (SELECT id FROM agents WHERE sweep_id = ?)", (key,)
        )
        db.execute("DELETE FROM agents WHERE sweep_id = ?", (key,))
        db.execute("DELETE FROM sweeps WHERE id = ?", (key,))
    for run in runs:
        files.delete(run["id"])
