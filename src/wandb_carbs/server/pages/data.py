"""JSON for the programs of the pages: series, figures and output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wandb_carbs.figures.parallel import MAX_LINES
from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.pages import figures, series
from wandb_carbs.server.pages.beliefs import Beliefs
from wandb_carbs.server.pages.lookup import cost_name, run_row, sweep_row
from wandb_carbs.server.pages.spaces import spaces
from wandb_carbs.server.store import logs
from wandb_carbs.server.sweeps import run_tables, standings
from wandb_carbs.server.sweeps.run_rows import Goal, read_run

if TYPE_CHECKING:
    import sqlite3

    from wandb_carbs.server.store.database import Store
    from wandb_carbs.server.store.files import RunFiles

# Runs whose metric is drawn over each other, the newest; and points of each.
_OVERLAID, _OVERLAID_POINTS = 200, 200
_LOG_LINES = 2000
# Runs of the timeline, the newest; and of the frontier's picture, beside the frontier itself.
_SPANS = _DRAWN = 2000


class PageData:
    """Answers the pages' programs.

    Args:
        store: The storage.
        files: The runs' files.
        beliefs: The optimizer's models.
    """

    def __init__(self, store: Store, files: RunFiles, beliefs: Beliefs) -> None:
        self._store = store
        self._files = files
        self._beliefs = beliefs

    def frame(self, entity: str, project: str, name: str, file: str) -> str:
        """Return HTML that a run has logged.

        Raises:
            RequestError: There is no such run or file (404).
        """
        with self._store.reading() as db:
            row = run_row(db, entity, project, name)
        path = self._files.path(row["id"], file)
        if not file.startswith("media/html/") or not path.is_file():
            raise RequestError(f"there is no page {file!r} of run {name}", 404)
        return path.read_text(encoding="utf-8", errors="replace")

    def history(self, entity: str, project: str, name: str) -> dict[str, Any]:
        """Return a run's logged series.

        Raises:
            RequestError: There is no such run (404).
        """
        with self._store.reading() as db:
            row = run_row(db, entity, project, name)
            return {"lines": row["history_lines"], **series.history(db, row["id"])}

    def system(self, entity: str, project: str, name: str) -> dict[str, Any]:
        """Return a run's system metrics.

        Raises:
            RequestError: There is no such run (404).
        """
        with self._store.reading() as db:
            row = run_row(db, entity, project, name)
            return {"lines": row["event_lines"], **series.system(db, row["id"])}

    def console(self, entity: str, project: str, name: str) -> dict[str, Any]:
        """Return the last lines of a run's output.

        Raises:
            RequestError: There is no such run (404).
        """
        with self._store.reading() as db:
            row = run_row(db, entity, project, name)
            lines = logs.last_lines(db, row["id"], _LOG_LINES)
        return {"total": row["log_lines"], "lines": lines}

    def sweep(self, entity: str, project: str, name: str, marked: str | None = None) -> dict[str, Any]:
        """Return a sweep's figures; with a run to mark, the frontier only.

        Raises:
            RequestError: There is no such sweep (404).
        """
        sweep = self._sweep(entity, project, name)
        goal, key, scope = Goal.of(sweep), sweep["id"], run_tables.Scope(sweep["project_id"], sweep["id"])
        objective, maximize = goal.metric or "objective", goal.maximize
        with self._store.reading() as db:
            counts = run_tables.counts(db, scope)
            cost = cost_name(db, sweep["id"])
            rows = run_tables.sample(db, key, _DRAWN) + run_tables.frontier(db, key, maximize=maximize)
            if marked is not None and (run := run_row(db, entity, project, marked))["sweep_id"] == key:
                rows.append(read_run(run, goal))
            rows = list({row.name: row for row in rows if row.counts}.values())
            total = counts.counted
            drawn = figures.frontier(rows, objective, cost, maximize=maximize, marked=marked, total=total)
            if marked is not None:
                return {"frontier": drawn}
            best = run_tables.best_runs(db, key, MAX_LINES, maximize=maximize)
            corners = run_tables.progress(db, key, maximize=maximize)
            space = {param["name"]: param["kind"] for param in spaces(sweep)}
            kinds = space or dict.fromkeys(run_tables.parameter_names(db, scope), "")
            spans = _spans(db, key)
        started = counts.total - counts.waiting
        return {
            "frontier": drawn,
            "progress": figures.progress(corners, objective, cost),
            "parallel": figures.parallel(best, kinds, objective, cost, maximize=maximize, total=total),
            "timeline": figures.timeline(spans, started if len(spans) == _SPANS else 0),
        }

    def importance(self, entity: str, project: str, name: str) -> dict[str, Any]:
        """Return the figure of how much the hyperparameters of a sweep of CARBS matter.

        Raises:
            RequestError: There is no such sweep (404).
        """
        sweep = self._sweep(entity, project, name)
        with self._store.reading() as db:
            return {"importance": self._beliefs.importance(db, sweep)}

    def _sweep(self, entity: str, project: str, name: str) -> sqlite3.Row:
        with self._store.reading() as db:
            sweep = sweep_row(db, entity, project, name)
        standings.refresh(self._store, sweep["project_id"])
        return sweep

    def metric(self, entity: str, project: str, name: str, key: str) -> dict[str, Any]:
        """Return one metric of the newest runs of a sweep.

        Raises:
            RequestError: There is no such sweep (404).
        """
        with self._store.reading() as db:
            sweep = sweep_row(db, entity, project, name)
            logged = "FROM runs WHERE sweep_id = ? AND history_lines > 0"
            total = db.execute(f"SELECT count(*) {logged}", (sweep["id"],)).fetchone()[0]
            found = db.execute(
                f"SELECT id, name, display_name {logged} ORDER BY id DESC LIMIT ?",
                (sweep["id"], _OVERLAID),
            ).fetchall()
            drawn = [
                (row["name"], row["display_name"], points)
                for row in found
                if (points := series.of_key(db, row["id"], key, _OVERLAID_POINTS))
            ]
        return {
            "left_out": total - len(found),
            "runs": [
                {
                    "name": run,
                    "title": title,
                    "step": [step for step, _, _ in points],
                    "time": [time for _, time, _ in points],
                    "value": [value for _, _, value in points],
                }
                for run, title, points in drawn
            ],
        }


def _spans(db: sqlite3.Connection, sweep_id: int) -> list[dict[str, Any]]:
    """Return when each agent had which run, the newest runs first."""
    found = db.execute(
        """SELECT coalesce(agents.host, '') || ' ' || agents.name AS agent, display_name AS title, state,
           runs.created_at AS start, runs.heartbeat_at AS end
           FROM runs JOIN agents ON agents.id = agent_id WHERE runs.sweep_id = ? AND state != 'pending'
           ORDER BY runs.created_at DESC, runs.id DESC LIMIT ?""",
        (sweep_id, _SPANS),
    )
    return [dict(row) for row in found]
