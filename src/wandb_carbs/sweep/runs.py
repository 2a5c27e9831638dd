"""Reading a sweep's runs.

Every reading reads all runs: one request for each 1000. A run that was deleted or corrected in W&B is therefore noticed
by a process that goes on. `docs/many-machines.md` ("Load on W&B") counts the requests of a run.
"""

from __future__ import annotations

import inspect
import itertools
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import wandb

from wandb_carbs.clock import parse_timestamp
from wandb_carbs.graphql import execute
from wandb_carbs.record import COPY_KEY, INTERNAL_KEY, KEY_PREFIX, STATE_KEY, RunRecord
from wandb_carbs.retry import RETRY_SECONDS, with_retries
from wandb_carbs.sweep.path import SweepPath

T = TypeVar("T")

_PAGE = 1000
_RECENT = 100
# The SDK sends a summary for the first time some seconds after a run has begun; then it may replace an agent's.
_STARTING_SECONDS = 5.0

_CONFIGURATIONS = """
query RunConfigurations($project: String!, $entity: String!, $filters: JSONString, $first: Int) {
  project(name: $project, entityName: $entity) {
    runs(filters: $filters, first: $first) { edges { node { name config } } }
  }
}
"""


class RunReader:
    """Reads runs of one sweep; it signs in once.

    Args:
        sweep: The sweep.
        limit: Seconds after which no new attempt to read is begun.

    Attributes:
        sweep: The sweep.
    """

    def __init__(self, sweep: SweepPath, limit: float = RETRY_SECONDS) -> None:
        self.sweep = sweep
        self._limit = limit
        self._api: Any = None

    def all(self) -> list[RunRecord]:
        """Read all runs of the sweep, in the order in which they were created.

        Raises:
            WandbConnectionError: If they cannot be read.
        """
        records = self._read(
            f"the runs of sweep {self.sweep}", lambda api: self._find(api, self._filter(), "+created_at", _PAGE)
        )
        return sorted(records, key=lambda record: record.order)

    def changed(self, known: Collection[str], waiting: Collection[str]) -> list[RunRecord]:
        """Read what is new since the last reading: in one page, unless more than 100 runs were created meanwhile.

        Args:
            known: Ids of the runs that were read before.
            waiting: Those of them that had not published then. One that is older than the 100 newest runs takes
                another page.

        Returns:
            All runs that were created since, at least the 100 newest; and all of `waiting` that still exist.

        Raises:
            WandbConnectionError: If they cannot be read.
        """
        what = f"the newest runs of sweep {self.sweep}"
        newest = self._read(what, lambda api: self._newest(api, known))
        missing = sorted(set(waiting) - {record.id for record in newest})
        if missing:
            filters = {"$and": [self._filter(), {"name": {"$in": missing}}]}
            newest += self._read(what, lambda api: self._find(api, filters, "-created_at", _PAGE))
        return newest

    def one(self, run_id: str) -> RunRecord:
        """Read one run.

        Raises:
            WandbConnectionError: If it cannot be read.
        """
        path = f"{self.sweep.entity}/{self.sweep.project}/{run_id}"
        return self._read(f"run {path}", lambda api: to_record(api.run(path)))

    def check_sweep(self) -> None:
        """Make sure that the sweep exists, in this project.

        Raises:
            WandbConnectionError: If it cannot be read.
        """
        self._read(f"sweep {self.sweep}", lambda api: api.sweep(str(self.sweep)))

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

    def _filter(self) -> dict[str, Any]:
        return {"sweep": self.sweep.sweep_id}

    def _newest(self, api: Any, known: Collection[str]) -> list[RunRecord]:
        """Go back page by page until one holds a run that was known."""
        # A generator, since each iteration over the SDK's list starts from its beginning.
        runs = (run for run in _runs(api, self.sweep, self._filter(), "-created_at", _RECENT))
        found: list[RunRecord] = []
        while True:
            # A page at a time, since iterating further would read the next.
            page = [to_record(run) for run in itertools.islice(runs, _RECENT)]
            found += page
            if len(page) < _RECENT or any(record.id in known for record in page):
                return self._with_copies(api, found)

    def _find(self, api: Any, filters: dict[str, Any], order: str, per_page: int) -> list[RunRecord]:
        found = [to_record(run) for run in _runs(api, self.sweep, filters, order, per_page)]
        return self._with_copies(api, found)

    def _with_copies(self, api: Any, records: list[RunRecord]) -> list[RunRecord]:
        """Complete living runs whose summary was replaced by a program, in one more request if there are any.

        The public API drops the part of the configuration where the copy of their record is.
        """
        silent = [record.id for record in records if _has_long_been_silent(record)][:_PAGE]
        if not silent:
            return records
        variables = {
            "entity": self.sweep.entity,
            "project": self.sweep.project,
            "filters": json.dumps({"$and": [self._filter(), {"name": {"$in": sorted(silent)}}]}),
            "first": _PAGE,
        }
        edges = execute(api, _CONFIGURATIONS, variables)["project"]["runs"]["edges"]
        copies = {edge["node"]["name"]: copied_keys(_parse(edge["node"]["config"])) for edge in edges}
        return [
            replace(record, summary={**copies[record.id], **record.summary}) if copies.get(record.id) else record
            for record in records
        ]


def _runs(api: Any, sweep: SweepPath, filters: dict[str, Any], order: str, per_page: int) -> Any:
    known = inspect.signature(api.runs).parameters
    # Lazy runs would cost a request each as soon as their configuration is looked at.
    options = {name: False for name in ("lazy", "include_sweeps") if name in known}
    return api.runs(f"{sweep.entity}/{sweep.project}", filters=filters, order=order, per_page=per_page, **options)


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
    attributes = run._attrs  # noqa: SLF001 - the dates have no public name in every SDK
    summary = run.summary._json_dict if hasattr(run.summary, "_json_dict") else dict(run.summary)  # noqa: SLF001
    return RunRecord(
        id=run.id,
        name=run.name or run.id,
        state=run.state,
        created_at=parse_timestamp(attributes.get("createdAt")),
        heartbeat_at=parse_timestamp(attributes.get("heartbeatAt")),
        config=dict(run.config),
        # A program that knows nothing of the record replaces the summary; the copy has what was there.
        summary=dict(summary) if STATE_KEY in summary else {**copied_keys(run.rawconfig), **summary},
        source=run,
    )


def copied_keys(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of a run's record that the agent of its program copied into its configuration."""
    internal = config.get(INTERNAL_KEY)
    copied = internal.get(COPY_KEY) if isinstance(internal, Mapping) else None
    if not isinstance(copied, Mapping):
        return {}
    return {key: value for key, value in copied.items() if isinstance(key, str) and key.startswith(KEY_PREFIX)}


def _parse(text: Any) -> dict[str, Any]:
    """Read a configuration as W&B keeps it: every value is wrapped."""
    try:
        wrapped = json.loads(text or "{}")
    except (TypeError, ValueError, RecursionError):
        return {}
    items = wrapped.items() if isinstance(wrapped, dict) else ()
    return {key: item["value"] for key, item in items if isinstance(item, dict) and "value" in item}


def _has_long_been_silent(record: RunRecord) -> bool:
    """Return whether a run lives and says nothing of the search, though it is older than one that is about to ask."""
    if record.has_ended or record.problem or STATE_KEY in record.summary:
        return False
    if record.created_at is None or record.heartbeat_at is None:
        return True
    return (record.heartbeat_at - record.created_at).total_seconds() > _STARTING_SECONDS
