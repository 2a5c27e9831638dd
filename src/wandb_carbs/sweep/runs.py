"""Reading a sweep's runs.

Every reading reads all runs: one request for each 1000. A run that was deleted or corrected in W&B is therefore noticed
by a process that goes on. `docs/many-machines.md` ("Load on W&B") counts the requests of a run.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime
from typing import Any, TypeVar

import wandb

from wandb_carbs.clock import parse_timestamp
from wandb_carbs.errors import RunDeletedError
from wandb_carbs.graphql import execute
from wandb_carbs.plain import readable
from wandb_carbs.record import (
    COPY_KEY,
    FINISHED,
    INTERNAL_KEY,
    KEY_PREFIX,
    RUNNING,
    STALE_SECONDS,
    STATE_KEY,
    RunRecord,
)
from wandb_carbs.retry import RETRY_SECONDS, with_retries
from wandb_carbs.sweep.path import SweepPath

T = TypeVar("T")

_PAGE = 1000
_RECENT = 100
_INTERNAL_KEYS = (INTERNAL_KEY, "wandb_version")

_FIELDS = "id name displayName state createdAt heartbeatAt config summaryMetrics"
# The public API's own list of runs asks for more than is needed, and drops the SDK's part of a configuration.
_RUNS = f"""
query Runs($project: String!, $entity: String!, $cursor: String, $perPage: Int, $order: String, $filters: JSONString) {{
  project(name: $project, entityName: $entity) {{
    runs(filters: $filters, after: $cursor, first: $perPage, order: $order) {{
      edges {{ node {{ {_FIELDS} }} cursor }}
      pageInfo {{ endCursor hasNextPage }}
    }}
  }}
}}
"""
_RUN = f"""
query Run($project: String!, $entity: String!, $name: String!) {{
  project(name: $project, entityName: $entity) {{ run(name: $name) {{ {_FIELDS} }} }}
}}
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
            f"the runs of sweep {self.sweep}", lambda api: self._find(api, self._filter(), "+created_at")
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
            newest += self._read(what, lambda api: self._find(api, filters, "-created_at"))
        return newest

    def one(self, run_id: str) -> RunRecord:
        """Read one run.

        Raises:
            RunDeletedError: If W&B does not know it.
            WandbConnectionError: If it cannot be read.
        """
        path = f"{self.sweep.entity}/{self.sweep.project}/{run_id}"
        record = self._read(f"run {path}", lambda api: self._one(api, run_id))
        if record is None:
            raise RunDeletedError(f"could not read run {path}: W&B does not know it; it may have been deleted")
        return record

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
        found: list[RunRecord] = []
        for page in self._pages(api, self._filter(), "-created_at", _RECENT):
            found += page
            if any(record.id in known for record in page):
                break
        return found

    def _find(self, api: Any, filters: dict[str, Any], order: str) -> list[RunRecord]:
        return list(itertools.chain.from_iterable(self._pages(api, filters, order, _PAGE)))

    def _pages(self, api: Any, filters: dict[str, Any], order: str, size: int) -> Iterator[list[RunRecord]]:
        variables = {**self._project(), "filters": json.dumps(filters), "order": order, "perPage": size}
        cursor: str | None = None
        while True:
            runs = self._ask(api, _RUNS, {**variables, "cursor": cursor})["runs"]
            yield [self._record(api, edge["node"]) for edge in runs["edges"]]
            if not runs["edges"] or not runs["pageInfo"]["hasNextPage"]:
                return
            cursor = runs["pageInfo"]["endCursor"]

    def _one(self, api: Any, run_id: str) -> RunRecord | None:
        node = self._ask(api, _RUN, {**self._project(), "name": run_id})["run"]
        return None if node is None else self._record(api, node)

    def _project(self) -> dict[str, str]:
        return {"entity": self.sweep.entity, "project": self.sweep.project}

    def _ask(self, api: Any, document: str, variables: Mapping[str, Any]) -> Any:
        project = execute(api, document, variables)["project"]
        if project is None:
            raise ValueError(f"W&B does not know project {self.sweep.entity}/{self.sweep.project}")
        return project

    def _record(self, api: Any, node: Mapping[str, Any]) -> RunRecord:
        source = ListedRun(api, f"{self.sweep.entity}/{self.sweep.project}/{node['name']}", node)
        return _guarded(source.id, node.get("displayName"), node.get("state"), source, lambda: _of_node(node, source))


class ListedRun:
    """A run as a list of runs shows it; everything else is asked of the public API once it is needed.

    Args:
        api: The `wandb.Api` that read the list.
        path: "entity/project/run".
        node: The run in the list.

    Attributes:
        id: The run's id.
        storage_id: W&B's own identifier, by which a run is written.
        rawconfig: Its configuration, with the part that the SDK keeps there for itself.
    """

    def __init__(self, api: Any, path: str, node: Mapping[str, Any]) -> None:
        self._api = api
        self._path = path
        self._run: Any = None
        # By these a request is sent the way that this version of the SDK does.
        self._service_api = getattr(api, "_service_api", None)
        self.client = getattr(api, "client", None)
        self.id = str(node["name"])
        self.storage_id = node.get("id")
        self.rawconfig = _unwrapped(node.get("config"))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if self._run is None:
            self._run = self._api.run(self._path)
        return getattr(self._run, name)


def to_record(run: Any) -> RunRecord:
    """Take what matters of a run that the public API has read."""
    return _guarded(run.id, run.name, run.state, run, lambda: _of_public(run))


def _guarded(id_: str, name: Any, state: Any, source: Any, read: Callable[[], RunRecord]) -> RunRecord:
    """Read a run, or return a record that says why it cannot be read.

    Anyone may put anything into a run of the sweep, and none of it must keep the others from being read.
    """
    try:
        return read()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is that run's alone
        problem = f"it cannot be read: {error!r:.200}"
        return RunRecord(id_, readable(str(name or id_)), str(state), None, None, {}, {}, source, problem)


def _of_node(node: Mapping[str, Any], source: ListedRun) -> RunRecord:
    summary = json.loads(node.get("summaryMetrics") or "{}")
    return RunRecord(
        id=source.id,
        name=readable(node.get("displayName") or source.id),
        state=str(node.get("state")),
        created_at=parse_timestamp(node.get("createdAt")),
        heartbeat_at=parse_timestamp(node.get("heartbeatAt")),
        config={key: value for key, value in source.rawconfig.items() if key not in _INTERNAL_KEYS},
        # A program that knows nothing of the record replaces the summary; the copy has what was there.
        summary=dict(summary) if STATE_KEY in summary else {**copied_keys(source.rawconfig), **summary},
        source=source,
    )


def _of_public(run: Any) -> RunRecord:
    attributes = run._attrs  # noqa: SLF001 - the dates have no public name in every SDK
    summary = run.summary._json_dict if hasattr(run.summary, "_json_dict") else dict(run.summary)  # noqa: SLF001
    return RunRecord(
        id=run.id,
        name=readable(run.name or run.id),
        state=run.state,
        created_at=parse_timestamp(attributes.get("createdAt")),
        heartbeat_at=parse_timestamp(attributes.get("heartbeatAt")),
        config=dict(run.config),
        summary=dict(summary),
        source=run,
    )


def copied_keys(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of a run's record that the agent of its program copied into its configuration."""
    internal = config.get(INTERNAL_KEY)
    copied = internal.get(COPY_KEY) if isinstance(internal, Mapping) else None
    if not isinstance(copied, Mapping):
        return {}
    return {key: value for key, value in copied.items() if isinstance(key, str) and key.startswith(KEY_PREFIX)}


def is_orphan(record: RunRecord, now: datetime) -> bool:
    """Return whether a run's program came to its end without its agent, so that the outcome is still to be recorded.

    Only an agent leaves a copy of the record in the configuration. One that lives records the outcome within seconds.

    Args:
        record: The run.
        now: The present, by W&B's clock.
    """
    has_agent = bool(copied_keys(getattr(record.source, "rawconfig", {})))
    is_open = record.state == FINISHED and record.summary.get(STATE_KEY) == RUNNING
    seen = record.last_seen
    return has_agent and is_open and seen is not None and (now - seen).total_seconds() > STALE_SECONDS


def _unwrapped(text: Any) -> dict[str, Any]:
    """Read a configuration as W&B keeps it: every value is wrapped."""
    try:
        wrapped = json.loads(text or "{}")
    except (TypeError, ValueError, RecursionError):
        return {}
    items = wrapped.items() if isinstance(wrapped, dict) else ()
    return {key: item["value"] if isinstance(item, dict) and "value" in item else item for key, item in items}
