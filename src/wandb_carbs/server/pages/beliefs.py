"""The optimizer's models of a sweep: doubts about the search, and which hyperparameters matter.

The optimizer, and with it numpy, is imported once a page asks for it.
"""

from __future__ import annotations

import json
import math
import sqlite3
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from wandb_carbs.figures import importance
from wandb_carbs.figures.drawing import Figure
from wandb_carbs.plain import is_number
from wandb_carbs.record import PREDICTED_OBJECTIVE_KEY, RunRecord
from wandb_carbs.server.sweeps.run_rows import definition

if TYPE_CHECKING:
    from carbs.history import ObservationInParam
    from carbs.spaces import SearchSpace
    from wandb_carbs.sweep.judged import JudgedRun

# The newest runs that are judged; and of them those that the models are fitted to, in seconds that grow with the third
# power of their number.
_MOST_JUDGED, _MOST_FITTED = 5000, 300
# Runs that a page waits for to be judged: a few tenths of a second.
_AT_ONCE = 1000
# A sweep that changes is looked at anew after this many times the seconds that it took: agents must not wait.
_REST = 10.0
_SWEEPS = 32  # that are remembered


@dataclass(frozen=True)
class _Said:
    """Something computed of a sweep, with the version of the runs that it is about."""

    version: tuple[Any, ...]
    value: Any
    next_at: float


class Beliefs:
    """Says what the models make of sweeps, and remembers it until their runs change.

    Args:
        clock: Seconds of a clock that only goes forward.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._said: OrderedDict[tuple[str, int], _Said] = OrderedDict()
        # One look of a kind at a time: more would only wait for each other.
        self._locks = {kind: threading.Lock() for kind in ("doubts", "importance")}

    def doubts(self, db: sqlite3.Connection, sweep: sqlite3.Row) -> list[str]:
        """Return sentences on what a user should know of the search; see `carbs.doubts`.

        Of a large sweep they are those of the last time that the importance was computed, and whether the intervals of
        predictions hold is judged only from then on.

        Args:
            db: The database; the sweep's standings are fresh.
            sweep: The sweep's row.
        """
        described = definition(sweep)
        if described is None:
            return []
        version = _version(db, sweep)
        if version[0] > _AT_ONCE:
            said = self._said.get(("doubts", sweep["id"]))
            return [] if said is None else list(said.value)
        return self._judged(db, sweep, described, version)

    def importance(self, db: sqlite3.Connection, sweep: sqlite3.Row) -> Figure:
        """Return the figure of how much the hyperparameters matter; without models only a `note` that says why.

        Args:
            db: The database; the sweep's standings are fresh.
            sweep: The sweep's row.
        """
        described = definition(sweep)
        if described is None:
            return {}
        version = _version(db, sweep)
        figure: Figure = self._remember(
            "importance", sweep["id"], version, lambda: _importance(described, _records(db, sweep["id"]))
        )[0]
        self._judged(db, sweep, described, version)
        return figure

    def _judged(
        self, db: sqlite3.Connection, sweep: sqlite3.Row, described: Mapping[str, Any], version: tuple[Any, ...]
    ) -> list[str]:
        said = self._said.get(("importance", sweep["id"]))
        noise = None if said is None else said.value[1]
        found: list[str] = self._remember(
            "doubts", sweep["id"], (*version, noise), lambda: _doubts(described, _records(db, sweep["id"]), noise)
        )
        return found

    def _remember(self, kind: str, sweep_id: int, version: tuple[Any, ...], compute: Callable[[], Any]) -> Any:
        with self._locks[kind]:
            said = self._said.get((kind, sweep_id))
            begin = self._clock()
            if said is None or (said.version != version and begin >= said.next_at):
                value = compute()
                end = self._clock()
                said = _Said(version, value, end + _REST * (end - begin))
                self._said[kind, sweep_id] = said
                while len(self._said) > 2 * _SWEEPS:
                    self._said.popitem(last=False)
            return said.value


def _version(db: sqlite3.Connection, sweep: sqlite3.Row) -> tuple[Any, ...]:
    """Return what changes with the sweep's runs or its definition, the number of runs first."""
    found = db.execute(
        "SELECT count(*), max(run_id), sum(version) FROM standings WHERE sweep_id = ?", (sweep["id"],)
    ).fetchone()
    return (*found, sweep["description"], sweep["config"])


def _records(db: sqlite3.Connection, sweep_id: int) -> list[RunRecord]:
    """Return the newest runs that the search has a part in, in the order of their ends."""
    found = db.execute(
        """SELECT summary, runs.state FROM runs JOIN standings ON run_id = runs.id
           WHERE standings.sweep_id = ? AND carbs_state != ''
           ORDER BY heartbeat_at DESC, runs.id DESC LIMIT ?""",
        (sweep_id, _MOST_JUDGED),
    ).fetchall()
    return [RunRecord("", "", row["state"], None, None, {}, json.loads(row["summary"])) for row in reversed(found)]


def _doubts(described: Mapping[str, Any], records: Sequence[RunRecord], noise: float | None) -> list[str]:
    from carbs.doubts import doubts  # noqa: PLC0415 - numpy
    from carbs.errors import CarbsError  # noqa: PLC0415
    from wandb_carbs.sweep.judged import result_of  # noqa: PLC0415

    try:
        space = _space(described)
        results = [(run, seen) for run in _judge(described, records, space) if (seen := result_of(run)) is not None]
        return doubts(space, [seen for _, seen in results], _sign(described), _intervals(results, noise))
    except (CarbsError, ArithmeticError):
        return []


def _importance(described: Mapping[str, Any], records: Sequence[RunRecord]) -> tuple[Figure, float | None]:
    """Return the figure, and the standard deviation of a single run's objective, or None if there are no models.

    The models learn what the search does: runs, the points on their ways, and the earlier runs that it started from.
    """
    import numpy as np  # noqa: PLC0415

    from carbs.config import CARBSParams  # noqa: PLC0415
    from carbs.errors import CarbsError  # noqa: PLC0415
    from carbs.insight import Insight  # noqa: PLC0415
    from wandb_carbs.sweep.judged import result_of, way_of  # noqa: PLC0415
    from wandb_carbs.sweep.packing import unpack  # noqa: PLC0415

    try:
        space = _space(described)
        runs = _judge(described, records, space)
        observed = list(unpack(described["old_runs"])) if "old_runs" in described else []
        observed += [seen for run in runs if (seen := result_of(run) or way_of(run)) is not None]
        insight = Insight(space, observed[-_MOST_FITTED:], CARBSParams(better_direction_sign=_sign(described)))
        figure = importance.figure(insight.importance())
    except CarbsError as error:
        return {"note": f"{str(error)[:1].upper()}{str(error)[1:]}."}, None
    except (np.linalg.LinAlgError, ArithmeticError, ValueError):
        return {"note": "The objectives or costs are too large, too small or too far apart to compute with."}, None
    if len(observed) > _MOST_FITTED:
        figure["note"] = f"Of the newest {_MOST_FITTED} runs that have ended."
    return figure, insight.objective_noise


def _space(described: Mapping[str, Any]) -> SearchSpace:
    """Read the search space of a definition.

    Raises:
        CarbsError: It is damaged.
    """
    from carbs.spaces import Param, SearchSpace  # noqa: PLC0415

    params = described.get("params")
    return SearchSpace(tuple(Param.from_dict(param) for param in (params if isinstance(params, list) else ())))


def _sign(described: Mapping[str, Any]) -> int:
    config = described.get("config")
    return -1 if isinstance(config, Mapping) and config.get("better_direction_sign") == -1 else 1


def _judge(described: Mapping[str, Any], records: Sequence[RunRecord], space: SearchSpace) -> list[JudgedRun]:
    """Judge what each run has observed.

    Raises:
        CarbsError: The definition is damaged.
    """
    from carbs.errors import CarbsError  # noqa: PLC0415 - numpy
    from wandb_carbs.sweep.judged import judge_run  # noqa: PLC0415
    from wandb_carbs.sweep.progress import Progress  # noqa: PLC0415

    name = Progress.parse(described["progress"]).parameter if "progress" in described else None
    if name not in (None, *space.names):
        raise CarbsError(f"the sweep's CARBS definition is damaged: progress={name!r} is not among its params")
    now = datetime.now(timezone.utc)
    return [judge_run(record, space, now, progress=name) for record in records]


def _intervals(observed: Sequence[tuple[JudgedRun, ObservationInParam]], noise: float | None) -> Any:
    """Return predictions, their deviations with the noise of a run, and what was seen; None without models."""
    import numpy as np  # noqa: PLC0415

    if noise is None:
        return None
    rows = []
    for run, seen in observed:
        mean, deviation = (run.record.summary.get(f"{PREDICTED_OBJECTIVE_KEY}{end}") for end in ("", "_std"))
        if not seen.is_failure and is_number(mean) and is_number(deviation):
            rows.append((mean, math.hypot(float(deviation or 0.0), noise), seen.output))
    table = np.array(rows, float).reshape(-1, 3)
    return table[:, 0], table[:, 1], table[:, 2]
