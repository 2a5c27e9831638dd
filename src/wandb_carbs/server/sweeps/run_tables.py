"""Tables of many runs, by SQL: counts, the frontier, and one page at a time.

Everything is read from `standings`; `standings.refresh` brings it up to date first. A run counts as an observation when
CARBS's record says so, or, without a record, when it has finished, and if its objective and its cost can be drawn.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wandb_carbs.record import OUTCOMES
from wandb_carbs.server.store import run_states
from wandb_carbs.server.sweeps.run_rows import RunRow

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

# The condition of the index `observations`, word for word: SQLite uses the index for no other.
_COUNTS = (
    "objective IS NOT NULL AND cost > 0 AND (carbs_state = 'success' OR (carbs_state = '' AND standings.state = "
    "'finished'))"
)
_ROWS = """SELECT runs.name, runs.display_name, runs.created_at, runs.heartbeat_at, standings.*
    FROM standings JOIN runs ON runs.id = run_id"""
_MOST_NAMES = 2_000
# Columns of a table that are not parameters, as SQL.
_COLUMNS = {
    "run": "runs.display_name",
    "objective": "objective",
    "cost": "cost",
    "seconds": f"CASE WHEN runs.state != '{run_states.PENDING}' THEN runs.heartbeat_at - runs.created_at END",
    "created": "runs.created_at",
    "state": "runs.state",
    "carbs.state": "nullif(carbs_state, '')",
}


@dataclass(frozen=True)
class Scope:
    """The runs of a table.

    Attributes:
        project_id: Their project.
        sweep_id: Their sweep, or None for all runs of the project but those that schedulers show of themselves.
    """

    project_id: int
    sweep_id: int | None = None

    @property
    def condition(self) -> str:
        """SQL of what holds for their rows in `runs`."""
        if self.sweep_id is not None:
            return "runs.sweep_id = :scope"
        return """runs.project_id = :scope AND runs.id NOT IN (
            SELECT own.id FROM sweeps JOIN runs AS own ON own.project_id = sweeps.project_id AND own.name = sweeps.name
            WHERE sweeps.project_id = :scope AND own.sweep_id IS NULL)"""

    @property
    def values(self) -> dict[str, Any]:
        """The values of the condition's names."""
        return {"scope": self.project_id if self.sweep_id is None else self.sweep_id}


@dataclass(frozen=True)
class Counts:
    """How many runs there are.

    Attributes:
        total: All runs.
        states: The states in W&B that occur, each with its number of runs.
        settled: Runs that W&B takes for alive, but whose outcome is recorded.
        counted: Runs with an objective and a cost.
        spent: Their costs together.
        unsuggested: Those of them that took no suggestion of CARBS, which `wandb-carbs status` counts as skipped.
    """

    total: int
    states: dict[str, int]
    settled: int
    counted: int
    spent: float
    unsuggested: int

    @property
    def observed(self) -> int:
        """How many runs are observations of a search."""
        return self.counted - self.unsuggested

    @property
    def alive(self) -> int:
        """How many runs W&B takes for alive."""
        return sum(self.states.get(state, 0) for state in run_states.ALIVE)

    @property
    def running(self) -> int:
        """How many runs are alive and have no outcome yet; `wandb-carbs status` counts them so."""
        return self.alive - self.settled

    @property
    def waiting(self) -> int:
        """How many runs wait for an agent."""
        return self.states.get(run_states.PENDING, 0)


@dataclass(frozen=True)
class Search:
    """The request for a table.

    Attributes:
        text: Text that the run's name, title or parameters must hold; the case of the letters a to z is ignored.
        state: State in W&B, or in the search, that it must have, or empty.
        sort: Column or parameter to sort by, or empty for the newest first.
        descending: Whether the largest come first.
    """

    text: str = ""
    state: str = ""
    sort: str = ""
    descending: bool = False


def counts(db: sqlite3.Connection, scope: Scope) -> Counts:
    """Count the runs of a table."""
    rows = db.execute(
        f"SELECT state, count(*) AS number FROM runs WHERE {scope.condition} GROUP BY state ORDER BY state",  # noqa: S608
        scope.values,
    )
    states = {row["state"]: row["number"] for row in rows}
    settled = db.execute(
        f"""SELECT count(*) FROM runs JOIN standings ON run_id = runs.id
            WHERE {scope.condition} AND runs.state IN {run_states.ALIVE} AND carbs_state IN {OUTCOMES}""",  # noqa: S608
        scope.values,
    ).fetchone()[0]
    own = "sweep_id" if scope.sweep_id is not None else "project_id"
    observed = db.execute(
        f"""SELECT count(*), total(cost), coalesce(sum(carbs_state = ''), 0)
            FROM standings WHERE {own} = :scope AND {_COUNTS}""",  # noqa: S608 - our own names
        scope.values,
    ).fetchone()
    return Counts(sum(states.values()), states, settled, *observed)


def parameter_names(db: sqlite3.Connection, scope: Scope) -> list[str]:
    """Return the names of the parameters, those of the newest runs first; at most 2,000, as many as a page can list."""
    rows = db.execute(
        f"""SELECT names FROM standings JOIN runs ON runs.id = run_id WHERE {scope.condition}
            GROUP BY names ORDER BY max(run_id) DESC""",  # noqa: S608 - our own names
        scope.values,
    )
    found: dict[str, None] = {}
    for row in rows:
        found |= dict.fromkeys(json.loads(row["names"]))
        if len(found) >= _MOST_NAMES:
            break
    return list(found)[:_MOST_NAMES]


def page(db: sqlite3.Connection, scope: Scope, search: Search, *, start: int, size: int) -> tuple[list[RunRow], int]:
    """Return some rows of a table, and how many runs match in all.

    Args:
        db: The database.
        scope: The runs.
        search: The request; runs that lack what they are sorted by come last.
        start: Number of the first row; behind the last one, the last page is returned.
        size: Rows of a page.
    """
    conditions = [scope.condition]
    values = {**scope.values, "text": search.text.lower(), "state": search.state, "sort": search.sort}
    if search.text:
        texts = ("runs.name", "runs.display_name", "parameters")
        conditions.append(f"({' OR '.join(f'instr(lower({text}), :text)' for text in texts)})")
    if search.state:
        conditions.append(":state IN (runs.state, carbs_state)")
    where = " AND ".join(conditions)
    if search.text or search.state:
        source = f"standings JOIN runs ON runs.id = run_id WHERE {where}"
    else:
        source = f"runs WHERE {where}"
    found: int = db.execute(f"SELECT count(*) FROM {source}", values).fetchone()[0]  # noqa: S608
    start = min(start, (max(found, 1) - 1) // size * size)
    order = _order(search)
    query = f"{_ROWS} WHERE {where} ORDER BY {order} LIMIT {int(size)} OFFSET {int(start)}"
    return _run_rows(db.execute(query, values)), found


def _order(search: Search) -> str:
    newest = "runs.created_at DESC, runs.id DESC"
    if not search.sort:
        return newest
    direction = "DESC" if search.descending else "ASC"
    if search.sort in _COLUMNS:
        value = _COLUMNS[search.sort]
        return f"{value} IS NULL, {value} {direction}, {newest}"
    # Numbers before texts. A name may hold anything, so that it is compared, and not written into a path.
    kind, value = (
        f"(SELECT {result} FROM json_each(parameters) WHERE key = :sort AND type != 'null')"  # noqa: S608
        for result in ("type NOT IN ('integer', 'real', 'true', 'false')", "value")
    )
    return f"{kind} IS NULL, {kind} {direction}, {value} {direction}, {newest}"


def frontier(db: sqlite3.Connection, sweep_id: int, *, maximize: bool) -> list[RunRow]:
    """Return the observed frontier: the runs that no other run beats at their cost or less, the cheapest first.

    Of equal runs the first is taken. The last one is the best of the sweep.
    """
    best, direction, beyond = ("max", "DESC", ">") if maximize else ("min", "ASC", "<")
    ids = db.execute(
        f"""SELECT run_id FROM (
                SELECT run_id, cost, objective, {best}(objective) OVER (
                    ORDER BY cost, objective {direction}, created_at, run_id
                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                ) AS before FROM standings WHERE sweep_id = ? AND {_COUNTS}
            ) WHERE before IS NULL OR objective {beyond} before""",  # noqa: S608 - our own names
        (sweep_id,),
    )
    return _by_id(db, [row["run_id"] for row in ids], "cost, run_id")


def progress(db: sqlite3.Connection, sweep_id: int, *, maximize: bool) -> list[tuple[float, float]]:
    """Return the best objective over the spent cost, in the order in which the runs were created.

    Returns:
        Spent cost and best objective, where the best changes and at the end.
    """
    best, beyond = ("max", ">") if maximize else ("min", "<")
    rows = db.execute(
        f"""SELECT spent, best FROM (
                SELECT sum(cost) OVER past AS spent, {best}(objective) OVER past AS best, objective,
                    {best}(objective) OVER (past ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before,
                    lead(run_id) OVER past AS following
                FROM standings WHERE sweep_id = ? AND {_COUNTS}
                WINDOW past AS (ORDER BY created_at, run_id)
            ) WHERE before IS NULL OR objective {beyond} before OR following IS NULL ORDER BY spent""",  # noqa: S608
        (sweep_id,),
    )
    return [(row["spent"], row["best"]) for row in rows]


def sample(db: sqlite3.Connection, sweep_id: int, most: int) -> list[RunRow]:
    """Return observations, thinned evenly in the order of their creation to a number."""
    ids = db.execute(
        f"""SELECT run_id FROM (
                SELECT run_id, row_number() OVER (ORDER BY run_id) AS place, count(*) OVER () AS total
                FROM standings WHERE sweep_id = :sweep AND {_COUNTS}
            ) WHERE total <= :most OR place * :most / total > (place - 1) * :most / total""",  # noqa: S608 - our own names
        {"sweep": sweep_id, "most": most},
    )
    return _by_id(db, [row["run_id"] for row in ids], "run_id")


def best_runs(db: sqlite3.Connection, sweep_id: int, most: int, *, maximize: bool) -> list[RunRow]:
    """Return the observations with the best objectives, the best first."""
    direction = "DESC" if maximize else "ASC"
    ids = db.execute(
        f"""SELECT run_id FROM standings WHERE sweep_id = ? AND {_COUNTS}
            ORDER BY objective {direction}, run_id LIMIT ?""",  # noqa: S608 - our own names
        (sweep_id, most),
    )
    return _by_id(db, [row["run_id"] for row in ids], f"objective {direction}, run_id")


def _by_id(db: sqlite3.Connection, ids: Sequence[int], order: str) -> list[RunRow]:
    query = f"{_ROWS} WHERE run_id IN (SELECT value FROM json_each(?)) ORDER BY {order}"  # noqa: S608
    return _run_rows(db.execute(query, (json.dumps(ids),)))


def _run_rows(rows: Iterable[sqlite3.Row]) -> list[RunRow]:
    return [
        RunRow.of(row, row["carbs_state"], row["objective"], row["cost"], json.loads(row["parameters"])) for row in rows
    ]
