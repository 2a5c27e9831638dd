"""`method: bayes`: the optimizer searches for the sweep's metric alone, whatever a run costs."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wandb_carbs.plain import put_at
from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.store import run_states
from wandb_carbs.server.sweeps.config import has_local_controller, is_custom
from wandb_carbs.server.sweeps.metrics import number_at_end

if TYPE_CHECKING:
    import sqlite3

    from carbs import ObservationInParam, SearchSpace
    from wandb_carbs.sweep.distributions import SweepSpace

# The models are fitted to so many of the newest runs, and of the others to so many of the best: a third of a second.
_NEWEST, _BEST = 200, 100
# An agent whose turn does not come within these seconds is told to ask again: the server's threads are few.
_TURN = 1.0
_LOCK = threading.Lock()
_AWAITED = (run_states.PENDING, run_states.PREEMPTED, *run_states.ALIVE)


def is_bayes(config: Mapping[str, Any]) -> bool:
    """Tell whether this server searches for the best value of the metric."""
    return config.get("method") == "bayes" and not is_custom(config) and not has_local_controller(config)


def _space_of(config: Mapping[str, Any]) -> SweepSpace:
    """Return the parameters of `method: bayes` as the optimizer searches them.

    Raises:
        RequestError: It cannot.
    """
    from carbs import CarbsError  # noqa: PLC0415 - numpy
    from wandb_carbs.sweep import distributions  # noqa: PLC0415

    try:
        return distributions.space_of(config)
    except CarbsError as error:
        raise RequestError(f"method bayes draws at random here, since it cannot search this: {error}") from None


def notes(config: Mapping[str, Any]) -> list[str]:
    """Return why runs are drawn at random although `method: bayes` asks for a search; empty where they are searched."""
    try:
        if is_bayes(config):
            _space_of(config)
    except RequestError as error:
        return [str(error)]
    return []


@contextmanager
def turn() -> Iterator[bool]:
    """Wait for the turn of a search: the next one has to know of the run that this one suggests.

    Yields:
        Whether it has come.
    """
    has_come = _LOCK.acquire(timeout=_TURN)
    try:
        yield has_come
    finally:
        if has_come:
            _LOCK.release()


def suggest(db: sqlite3.Connection, sweep: sqlite3.Row, config: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the parameters of a sweep's next run, nested as in its configuration; None to draw them at random.

    Args:
        db: The database.
        sweep: The sweep's row.
        config: Its configuration, with a metric.
    """
    from carbs import CARBS, CARBSParams  # noqa: PLC0415 - numpy

    try:
        space = _space_of(config)
    except RequestError:
        return None
    sign = 1 if config["metric"].get("goal") == "maximize" else -1
    options = CARBSParams(better_direction_sign=sign, seed=sweep["seed"], resample_frequency=0)
    carbs = CARBS(options, space.params)
    runs = _runs(db, sweep["id"], config["metric"], space, carbs.space)
    ended = {run.name: run.seen for run in _chosen(runs, sign) if run.seen is not None}
    carbs.synchronize("sweep", ended, {run.name: run.values for run in runs if run.state in _AWAITED})
    found = carbs.suggest(seed=sweep["draws"]).suggestion
    return _nested(space, {**space.constants, **found})


@dataclass(frozen=True)
class _Run:
    """A run as the search sees it.

    Attributes:
        name: Its id.
        state: Its state.
        values: Its parameters in the search space.
        metric: Its value of the sweep's metric, or None.
    """

    name: str
    state: str
    values: dict[str, Any]
    metric: float | None

    @property
    def seen(self) -> ObservationInParam | None:
        """Its observation, or None; a run that was stopped because it fell behind counts.

        One that failed, or ended with a metric that is not finite, is a failure.
        """
        from carbs import ObservationInParam  # noqa: PLC0415 - numpy

        if self.state == run_states.FAILED:
            return ObservationInParam(self.values, is_failure=True)
        if self.metric is None or self.state not in {run_states.FINISHED, run_states.KILLED}:
            return None
        return ObservationInParam(self.values, self.metric, 1.0, is_failure=not math.isfinite(self.metric))


def _runs(
    db: sqlite3.Connection, sweep_id: int, metric: Mapping[str, Any], space: SweepSpace, searched: SearchSpace
) -> list[_Run]:
    """Return the sweep's runs whose parameters lie in the search space, in the order of their creation."""
    found = []
    columns = "name, state, config, summary, last_values"
    for row in db.execute(f"SELECT {columns} FROM runs WHERE sweep_id = ? ORDER BY id", (sweep_id,)):  # noqa: S608
        config = {key: held.get("value") for key, held in json.loads(row["config"]).items() if isinstance(held, dict)}
        values = {name: _at(config, path) for name, path in space.paths.items()}
        if not searched.problems_with(values):
            value = number_at_end(
                json.loads(row["summary"]),
                row["last_values"],
                metric["name"],
                maximize=metric.get("goal") == "maximize",
            )
            found.append(_Run(row["name"], row["state"], searched.select(values), value))
    return found


def _at(config: Any, path: Sequence[str]) -> Any:
    for name in path:
        config = config.get(name) if isinstance(config, dict) else None
    return config


def _chosen(runs: Sequence[_Run], sign: int) -> list[_Run]:
    """Return the newest runs that have ended, and the best of the others."""
    ended = [(run, seen) for run in runs if (seen := run.seen) is not None]
    others = [(run, seen) for run, seen in ended[:-_NEWEST] if not seen.is_failure]
    others.sort(key=lambda pair: sign * pair[1].output)
    return [run for run, _ in (*others[-_BEST:], *ended[-_NEWEST:])]


def _nested(space: SweepSpace, values: Mapping[str, Any]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for name, path in space.paths.items():
        put_at(nested, path, values[name])
    return nested
