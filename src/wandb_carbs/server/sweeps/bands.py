"""How far the runs of a sweep have come with its metric, and their best values at each of hyperband's bands.

A run's history is read once: what was found is kept, and the next time only the lines that are new are read.

A run that is handed out again and begins anew adds to its history with steps from zero. It is judged by these lines.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from wandb_carbs.metrics import value_of
from wandb_carbs.plain import is_number
from wandb_carbs.server.limits import check_budget
from wandb_carbs.server.store.run_streams import HISTORY

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from wandb_carbs.server.store.database import Store
    from wandb_carbs.server.sweeps.config import Hyperband

# Fewer new lines are read again the next time: a write to the disk would cost more.
_KEPT_AFTER = 200


@dataclass(frozen=True)
class Progress:
    """Values of the metric that a run has logged since it last began anew, the smaller the better.

    Attributes:
        lines: How many lines of its history were read.
        number: How many values they have.
        best: The best of them, or None.
        bests: The best at each band that was reached.
        is_anew: Whether the run has begun anew since its history was read before.
    """

    lines: int = 0
    number: int = 0
    best: float | None = None
    bests: Mapping[int, float] = field(default_factory=dict)
    is_anew: bool = False


class Bands:
    """The bands of a sweep.

    Args:
        store: The storage.
        metric: The sweep's metric, as its configuration has it.
        hyperband: When hyperband looks at a run.
    """

    def __init__(self, store: Store, metric: Mapping[str, Any], hyperband: Hyperband) -> None:
        self._store = store
        self._name = metric["name"]
        self._sign = -1.0 if metric.get("goal") == "maximize" else 1.0
        self._bands = hyperband.bands
        # Findings of another metric or for other bands count for nothing.
        self._key = json.dumps([self._name, self._sign, self._bands])

    def follow(self, run: sqlite3.Row) -> Progress:
        """Read the new lines of a run's history, and return how far it has come.

        Args:
            run: Row with the run's `id` and `history_lines`.
        """
        known = self._known(run["id"])
        found = self._read(run["id"], known, run["history_lines"])
        if found.is_anew or found.bests != known.bests or found.lines >= known.lines + _KEPT_AFTER:
            with self._store.transaction() as db:
                db.execute(
                    """INSERT OR REPLACE INTO metric_progress (run_id, key, lines, number, best, bests)
                       SELECT id, ?, ?, ?, ?, ? FROM runs WHERE id = ?""",  # the run may be gone meanwhile
                    (self._key, found.lines, found.number, found.best, json.dumps(found.bests), run["id"]),
                )
                if found.is_anew:
                    db.execute("UPDATE runs SET judged_at = 0 WHERE id = ?", (run["id"],))
        return found

    def others(self, run: sqlite3.Row, band: int) -> list[float]:
        """Return the best values at a band of the other runs of the sweep that have reached it.

        Args:
            run: Row with the run's `id` and `sweep_id`.
            band: The band.

        Raises:
            RequestError: The budget of the request is spent.
        """
        with self._store.reading() as db:
            # Runs are followed as they stream; those from before there were bands have to be caught up.
            behind = db.execute(
                """SELECT runs.id, history_lines FROM runs LEFT JOIN metric_progress ON run_id = runs.id
                   WHERE sweep_id = ? AND runs.id != ? AND history_lines >= ?
                   AND (run_id IS NULL OR key != ? OR (lines < history_lines AND number < ?))""",
                (run["sweep_id"], run["id"], band, self._key, band),
            ).fetchall()
        caught_up = []
        for other in behind:
            caught_up.append(self.follow(other).bests.get(band))
            check_budget()  # what was found is kept: the client repeats the request
        with self._store.reading() as db:
            rows = db.execute(
                """SELECT json_extract(bests, ?) AS best FROM runs JOIN metric_progress ON run_id = runs.id
                   WHERE sweep_id = ? AND runs.id != ? AND key = ? AND number >= ?
                   AND runs.id NOT IN (SELECT value FROM json_each(?))""",
                (
                    f'$."{band}"',
                    run["sweep_id"],
                    run["id"],
                    self._key,
                    band,
                    json.dumps([other["id"] for other in behind]),
                ),
            ).fetchall()
        return [best for best in (*caught_up, *(row["best"] for row in rows)) if best is not None]

    def _known(self, run_id: int) -> Progress:
        with self._store.reading() as db:
            row = db.execute(
                "SELECT * FROM metric_progress WHERE run_id = ? AND key = ?", (run_id, self._key)
            ).fetchone()
        if row is None:
            return Progress()
        bests = {int(band): best for band, best in json.loads(row["bests"]).items()}
        return Progress(row["lines"], row["number"], row["best"], bests)

    def _read(self, run_id: int, known: Progress, end: int) -> Progress:
        number, best, bests, is_anew = known.number, known.best, dict(known.bests), False
        bands, step = set(self._bands), -math.inf
        with self._store.reading() as db:
            # From the line before, for its step.
            rows = db.execute(
                """SELECT position, text FROM lines WHERE run_id = ? AND stream = ? AND position >= ? AND position < ?
                   ORDER BY position""",
                (run_id, HISTORY, known.lines - 1, end),
            )
            for row in rows:
                line = json.loads(row["text"])
                own = line.get("_step")
                goes_back = is_number(own) and own <= step
                step = own if is_number(own) else step
                if row["position"] < known.lines:
                    continue
                if goes_back:
                    number, best, bests, is_anew = 0, None, {}, True
                value = value_of(line, self._name)
                if value is None:
                    continue
                number += 1
                best = self._sign * value if best is None else min(best, self._sign * value)
                if number in bands:
                    bests[number] = best
        return Progress(max(end, known.lines), number, best, bests, is_anew)
