"""The web pages: entities, a project, a sweep, a run."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from wandb_carbs.record import (
    COST_KEY,
    KEY_PREFIX,
    OBJECTIVE_KEY,
    PREDICTED_COST_KEY,
    PREDICTED_OBJECTIVE_KEY,
    SUGGESTION_KEY,
)
from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.pages import media, series
from wandb_carbs.server.pages.beliefs import Beliefs
from wandb_carbs.server.pages.lookup import cost_name, project_row, run_row, sweep_row
from wandb_carbs.server.pages.render import render
from wandb_carbs.server.pages.spaces import spaces
from wandb_carbs.server.pages.tables import Query, make_table
from wandb_carbs.server.prefix import PREFIX
from wandb_carbs.server.store import alerts, files, run_states
from wandb_carbs.server.store.artifacts import HIDDEN
from wandb_carbs.server.sweeps import bayes, run_tables, standings
from wandb_carbs.server.sweeps.config import description_of, stored_config, title_of
from wandb_carbs.server.sweeps.run_rows import Goal, drawable, object_of, read_run, run_values
from wandb_carbs.server.sweeps.run_tables import Scope
from wandb_carbs.server.sweeps.sweeps import PAUSED, PENDING, RUNNING

if TYPE_CHECKING:
    from wandb_carbs.server.store.database import Store
    from wandb_carbs.server.store.files import RunFiles

# Runs that are compared on one page.
_MAX_COMPARED = 24
_BELIEFS = (
    ("objective", PREDICTED_OBJECTIVE_KEY, OBJECTIVE_KEY),
    ("cost", PREDICTED_COST_KEY, COST_KEY),
)


class Pages:
    """Renders the pages.

    Args:
        store: The storage.
        files: The runs' files.
        beliefs: The optimizer's models.
    """

    def __init__(self, store: Store, files: RunFiles, beliefs: Beliefs) -> None:
        self._store = store
        self._files = files
        self._beliefs = beliefs

    def home(self, entity: str | None = None) -> str:
        """Return the list of projects, those of one entity if it is given.

        Raises:
            RequestError: The entity has no project (404).
        """
        with self._store.reading() as db:
            projects = db.execute(
                """SELECT entity, name, created_at,
                   (SELECT count(*) FROM runs WHERE project_id = projects.id) AS runs,
                   (SELECT count(*) FROM sweeps WHERE project_id = projects.id) AS sweeps,
                   (SELECT max(heartbeat_at) FROM runs WHERE project_id = projects.id) AS heard
                   FROM projects WHERE entity = coalesce(?, entity) AND entity != ?
                   ORDER BY heard DESC, entity, name""",
                (entity, HIDDEN[0]),
            ).fetchall()
        if entity is not None and not projects:
            raise RequestError(f"there is no entity {entity} on this server", 404)
        return render("home.html", projects=projects, entity=entity)

    def project(self, entity: str, name: str, query: Query) -> str:
        """Return a project's sweeps and runs.

        Raises:
            RequestError: There is no such project (404).
        """
        run_states.expire(self._store)
        with self._store.reading() as db:
            project = project_row(db, entity, name)
        standings.refresh(self._store, project["id"])
        scope = Scope(project["id"])
        with self._store.reading() as db:
            sweeps = db.execute(
                """SELECT *, (SELECT count(*) FROM runs WHERE sweep_id = sweeps.id) AS runs
                   FROM sweeps WHERE project_id = ? ORDER BY id DESC""",
                (project["id"],),
            ).fetchall()
            table = make_table(db, scope, run_tables.counts(db, scope), query, ())
        return render(
            "project.html",
            entity=entity,
            project=name,
            sweeps=[{**dict(sweep), "title": title_of(sweep)} for sweep in sweeps],
            table=table,
        )

    def sweep(self, entity: str, project: str, name: str, query: Query) -> str:
        """Return a sweep's figures, runs and configuration.

        Raises:
            RequestError: There is no such sweep (404).
        """
        run_states.expire(self._store)
        with self._store.reading() as db:
            sweep = sweep_row(db, entity, project, name)
        standings.refresh(self._store, sweep["project_id"])
        goal, config = Goal.of(sweep), stored_config(sweep["config"])
        scope = Scope(sweep["project_id"], sweep["id"])
        with self._store.reading() as db:
            counts = run_tables.counts(db, scope)
            best = run_tables.frontier(db, sweep["id"], maximize=goal.maximize)
            table = make_table(db, scope, counts, query, best)
            keys = series.keys_of_sweep(db, sweep["id"])
            overlaid = goal.metric if goal.metric in keys else series.key_of_objective(db, sweep["id"])
            cost = cost_name(db, sweep["id"])
            notes = self._beliefs.doubts(db, sweep)
        notes = [*bayes.notes(config), *notes]
        return render(
            "sweep.html",
            entity=entity,
            project=project,
            sweep=sweep,
            title=title_of(sweep),
            goal=goal,
            objective=goal.metric or "objective",
            cost=cost,
            counts=counts,
            best=best,
            spaces=spaces(sweep),
            notes=notes,
            description=None if goal.is_carbs else description_of(sweep),
            command="wandb-carbs agent" if goal.is_carbs else "wandb agent",
            keys=keys,
            overlaid=overlaid,
            table=table,
            actions=_actions(sweep["state"], has_living=counts.alive > 0),
        )

    def run(self, entity: str, project: str, name: str) -> str:
        """Return a run's charts, media, parameters, files and output.

        Raises:
            RequestError: There is no such run (404).
        """
        run_states.expire(self._store)
        with self._store.reading() as db:
            row = run_row(db, entity, project, name)
            sweep = db.execute("SELECT * FROM sweeps WHERE id = ?", (row["sweep_id"],)).fetchone()
            goal = Goal.of(sweep)
            nodes = [self._files.node(file, PREFIX.get()) for file in files.of_run(db, row["id"])]
            shown = media.of_run(db, row, {node["name"]: node["url"] for node in nodes})
            notes = alerts.of_run(db, row["id"])
        summary = json.loads(row["summary"])
        values = run_values(row["config"], summary, goal)
        suggestion = object_of(summary.get(SUGGESTION_KEY)) or {}
        return render(
            "run.html",
            entity=entity,
            project=project,
            run=read_run(row, goal),
            row=row,
            tags=json.loads(row["tags"]),
            sweep=sweep,
            sweep_title=None if sweep is None else title_of(sweep),
            alerts=notes,
            suggestion=suggestion,
            kind=summary.get("carbs.kind"),
            beliefs=_beliefs(summary),
            drawn=goal.is_carbs and not values,
            config={key: value for key, value in sorted(values.items()) if key not in suggestion},
            summary={
                key: value
                for key, value in sorted(summary.items())
                if not key.startswith((KEY_PREFIX, "_")) and not _is_medium(value)
            },
            media=shown,
            files=nodes,
        )

    def compare(self, entity: str, project: str, names: Sequence[str]) -> str:
        """Return the parameters and charts of some runs side by side.

        Raises:
            RequestError: A run is unknown (404), or none or too many are chosen.
        """
        if not 1 <= len(names) <= _MAX_COMPARED:
            raise RequestError(f"choose 1 to {_MAX_COMPARED} runs to compare, not {len(names)}")
        with self._store.reading() as db:
            found = [run_row(db, entity, project, name) for name in dict.fromkeys(names)]
            sweeps = {
                row["id"]: Goal.of(db.execute("SELECT * FROM sweeps WHERE id = ?", (row["sweep_id"],)).fetchone())
                for row in found
            }
        rows = [read_run(row, sweeps[row["id"]]) for row in found]
        keys = sorted({key for row in rows for key in row.config})
        differing = {key for key in keys if len({json.dumps(row.config.get(key)) for row in rows}) > 1}
        return render(
            "compare.html",
            entity=entity,
            project=project,
            runs=rows,
            keys=keys,
            differing=differing,
            version=" ".join(f"{row['history_lines']} {row['state']}" for row in found),
        )


def error_page(message: str) -> str:
    """Return the page that says what is wrong."""
    return render("error.html", message=message)


def _beliefs(summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what was predicted of a run, beside what was seen."""
    found = []
    for label, predicted, seen in _BELIEFS:
        if summary.get(predicted) is not None:
            deviation = drawable(summary.get(f"{predicted}_std", summary.get(f"{predicted}_standard_error")))
            # The deviation of a cost is the logarithm of a factor.
            sign, size = ("factor", math.exp(min(deviation or 0.0, 700.0))) if label == "cost" else ("±", deviation)
            shown = "" if deviation is None else f"{sign} {size:.4g}"
            found.append(
                {"label": label, "predicted": summary[predicted], "deviation": shown, "seen": summary.get(seen)}
            )
    return found


def _is_medium(value: Any) -> bool:
    return isinstance(value, dict) and "_type" in value


def _actions(state: str, *, has_living: bool) -> list[tuple[str, str]]:
    """Return what can be done with a sweep: label and new state."""
    if state in {RUNNING, PENDING}:
        return [("Pause", "PAUSED"), ("Stop", "FINISHED"), ("Cancel", "CANCELED")]
    if state == PAUSED:
        return [("Resume", "RUNNING"), ("Stop", "FINISHED"), ("Cancel", "CANCELED")]
    return [("Resume", "RUNNING"), *([] if has_living else [("Delete", "delete")])]
