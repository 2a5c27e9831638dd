"""JSON for the programs of the pages: series, figures and output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.pages import figures, series
from wandb_carbs.server.pages.lookup import cost_name, run_row, sweep_row, sweep_rows
from wandb_carbs.server.pages.rows import Goal
from wandb_carbs.server.store import logs

if TYPE_CHECKING:
    from wandb_carbs.server.store.database import Store
    from wandb_carbs.server.store.files import RunFiles

# Runs whose metric is drawn over each other, the newest; and points of each.
_OVERLAID, _OVERLAID_POINTS = 200, 200
_LOG_LINES = 2000


class PageData:
    """Answers the pages' programs.

    Args:
        store: The storage.
        files: The runs' files.
    """

    def __init__(self, store: Store, files: RunFiles) -> None:
        self._store = store
        self._files = files

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
            lines = logs.lines(db, row["id"])
        return {"total": len(lines), "lines": lines[-_LOG_LINES:]}

    def sweep(self, entity: str, project: str, name: str, marked: str | None = None) -> dict[str, Any]:
        """Return a sweep's figures; with a run to mark, the frontier only.

        Raises:
            RequestError: There is no such sweep (404).
        """
        with self._store.reading() as db:
            sweep = sweep_row(db, entity, project, name)
            goal = Goal.of(sweep)
            rows = sweep_rows(db, sweep, goal)
            agents = db.execute(
                """SELECT coalesce(agents.host, '') || ' ' || agents.name AS agent, display_name AS title, state,
                   runs.created_at AS start, runs.heartbeat_at AS end
                   FROM runs JOIN agents ON agents.id = agent_id WHERE runs.sweep_id = ? AND state != 'pending'
                   ORDER BY agents.id, runs.id""",
                (sweep["id"],),
            ).fetchall()
        objective, cost = goal.metric or "objective", cost_name(rows)
        drawn = figures.frontier(rows, objective, cost, maximize=goal.maximize, marked=marked)
        if marked is not None:
            return {"frontier": drawn}
        return {
            "frontier": drawn,
            "progress": figures.progress(rows, objective, cost, maximize=goal.maximize),
            "parallel": figures.parallel(rows, objective, maximize=goal.maximize),
            "timeline": figures.timeline([dict(row) for row in agents]),
        }

    def metric(self, entity: str, project: str, name: str, key: str) -> dict[str, Any]:
        """Return one metric of the newest runs of a sweep.

        Raises:
            RequestError: There is no such sweep (404).
        """
        with self._store.reading() as db:
            sweep = sweep_row(db, entity, project, name)
            found = db.execute(
                "SELECT * FROM runs WHERE sweep_id = ? AND history_lines > 0 ORDER BY id DESC", (sweep["id"],)
            ).fetchall()
            drawn = []
            for row in found[:_OVERLAID]:
                points = series.of_key(db, row["id"], key, _OVERLAID_POINTS)
                if points:
                    drawn.append((row["name"], row["display_name"], points))
        return {
            "left_out": max(len(found) - _OVERLAID, 0),
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
