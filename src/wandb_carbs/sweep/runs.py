"""Reading a sweep's runs, and writing to one, so that the other agents see it at once.

Requests to W&B for one run of `WandbCarbs`, beside those of the SDK's own logging: one to sign in, one for each 1000
runs of the sweep, one to publish the suggestion, one to make sure that it arrived and that no other agent chose the
same at the same time; then one to publish the outcome and one to make sure that it arrived. `from_sweep` adds two. Runs
that have ended and reported are not asked for again within a process.
"""

from __future__ import annotations

import inspect
import itertools
import json
import threading
from collections.abc import Callable
from typing import Any, TypeVar

import wandb

from wandb_carbs.clock import parse_timestamp
from wandb_carbs.record import FAILURE, STATE_KEY, SUCCESS, SUGGESTION_KEY, RunRecord
from wandb_carbs.retry import RETRY_SECONDS, with_retries
from wandb_carbs.sweep.path import SweepPath

T = TypeVar("T")

_PAGE = 1000
_RECENT = 100
# Longer lists of known runs would make the filter itself the burden.
_MAX_EXCLUDED = 5000


_settled: dict[tuple[str, SweepPath], dict[str, RunRecord]] = {}
_settled_lock = threading.Lock()


class RunReader:
    """Reads runs of one sweep; it signs in once.

    Args:
        sweep: The sweep.
        limit: Seconds after which no new attempt to read is begun.
    """

    def __init__(self, sweep: SweepPath, limit: float = RETRY_SECONDS) -> None:
        self._sweep = sweep
        self._limit = limit
        self._api: Any = None

    def all(self) -> list[RunRecord]:
        """Read all runs of the sweep, in the order in which they were created.

        Raises:
            WandbConnectionError: If they cannot be read.
        """
        key = (str(wandb.setup().settings.base_url), self._sweep)
        with _settled_lock:
            known = dict(_settled.get(key, {}))
        filters: dict[str, Any] = {"sweep": self._sweep.sweep_id}
        if 0 < len(known) <= _MAX_EXCLUDED:
            filters = {"$and": [filters, {"name": {"$nin": sorted(known)}}]}
        fresh = self._read(
            f"the runs of sweep {self._sweep}", lambda api: self._page(api, filters, "+created_at", None)
        )
        known.update({record.id: record for record in fresh})
        with _settled_lock:
            settled = {id_: record for id_, record in known.items() if _is_settled(record)}
            _settled.setdefault(key, {}).update(settled)
        return sorted(known.values(), key=lambda record: record.order)

    def recent(self) -> list[RunRecord]:
        """Read the sweep's newest runs, at most 100, in one page.

        Raises:
            WandbConnectionError: If they cannot be read.
        """
        filters = {"sweep": self._sweep.sweep_id}
        what = f"the newest runs of sweep {self._sweep}"
        return self._read(what, lambda api: self._page(api, filters, "-created_at", _RECENT))

    def one(self, run_id: str) -> RunRecord:
        """Read one run.

        Raises:
            WandbConnectionError: If it cannot be read.
        """
        path = f"{self._sweep.entity}/{self._sweep.project}/{run_id}"
        return self._read(f"run {path}", lambda api: to_record(api.run(path)))

    def check_sweep(self) -> None:
        """Make sure that the sweep exists, in this project.

        Raises:
            WandbConnectionError: If it cannot be read.
        """
        self._read(f"sweep {self._sweep}", lambda api: api.sweep(str(self._sweep)))

    def _read(self, what: str, read: Callable[[Any], T]) -> T:
        def attempt() -> T:
            try:
                if self._api is None:
                    self._api = wandb.Api()
                # It would answer the same question from memory.
                self._api.flush()
                return read(self._api)
            except Exception:
                self._api = None
                raise

        return with_retries(f"read {what}", attempt, limit=self._limit)

    def _page(self, api: Any, filters: dict[str, Any], order: str, most: int | None) -> list[RunRecord]:
        known = inspect.signature(api.runs).parameters
        # Lazy runs would cost a request each as soon as their configuration is looked at.
        options = {name: False for name in ("lazy", "include_sweeps") if name in known}
        path = f"{self._sweep.entity}/{self._sweep.project}"
        runs = api.runs(path, filters=filters, order=order, per_page=most or _PAGE, **options)
        # A limit, since iterating further would read the next page.
        return [to_record(run) for run in itertools.islice(runs, most)]


def to_record(run: Any) -> RunRecord:
    """Take what matters of a public API run; of one that cannot be read, what is wrong with it.

    Anyone may put anything into a run of the sweep, and none of it must keep the others from being read.
    """
    try:
        return _read_record(run)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is that run's alone
        problem = f"it cannot be read: {error!r}"
        return RunRecord(run.id, run.name or run.id, run.state, None, None, {}, {}, run, problem)


def _read_record(run: Any) -> RunRecord:
    """Read a public API run.

    A suggestion that is recorded in the summary goes before the configuration: the SDK replaces the whole configuration
    when a run's id is used again, which must not change what an observation was observed of.
    """
    attributes = run._attrs  # noqa: SLF001 - the dates have no public name in every SDK
    summary = run.summary._json_dict if hasattr(run.summary, "_json_dict") else dict(run.summary)  # noqa: SLF001
    config = dict(run.config)
    recorded = summary.get(SUGGESTION_KEY)
    if isinstance(recorded, str):
        try:
            values = json.loads(recorded)
        except (ValueError, RecursionError):
            values = None
        config.update(values if isinstance(values, dict) else {})
    return RunRecord(
        id=run.id,
        name=run.name or run.id,
        state=run.state,
        created_at=parse_timestamp(attributes.get("createdAt")),
        heartbeat_at=parse_timestamp(attributes.get("heartbeatAt")),
        config=config,
        summary=dict(summary),
        source=run,
    )


def _is_settled(record: RunRecord) -> bool:
    return record.has_ended and record.summary.get(STATE_KEY) in (SUCCESS, FAILURE)
