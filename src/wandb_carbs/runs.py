"""Reading a sweep's runs, and writing to one, so that the other agents see it at once.

Requests to W&B for one run of `WandbCarbs`, beside those of the SDK's own logging: one sign-in and one page of up to
500 runs to read the sweep, one to publish the suggestion, one page to make sure that it arrived and that no agent chose
the same at the same time; then one to publish the outcome and one to make sure. Runs that have ended and reported are
not asked for again within a process.
"""

from __future__ import annotations

import inspect
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import wandb

from wandb_carbs.errors import WandbCarbsError
from wandb_carbs.retry import RETRY_SECONDS, with_retries
from wandb_carbs.state import FAILURE, STATE_KEY, SUCCESS, SUGGESTION_KEY, RunRecord, parse_timestamp

_PAGE = 500
_RECENT = 100
# Longer lists of known runs would make the filter itself the burden.
_MAX_EXCLUDED = 5000
_UPSERT = """
mutation UpsertBucket($id: String!, $config: JSONString, $summaryMetrics: JSONString) {
  upsertBucket(input: {id: $id, config: $config, summaryMetrics: $summaryMetrics}) { bucket { id } }
}
"""


@dataclass(frozen=True)
class SweepPath:
    """Where a sweep is.

    Attributes:
        entity: User or team.
        project: Project.
        sweep_id: The sweep's id.
    """

    entity: str
    project: str
    sweep_id: str

    @classmethod
    def parse(cls, text: str) -> SweepPath:
        """Read "entity/project/sweep", or a shorter form completed from W&B's settings.

        Raises:
            WandbCarbsError: If it is none, or the project is not known.
        """
        parts = text.strip("/").split("/") if isinstance(text, str) else []
        if not 1 <= len(parts) <= 3 or not all(parts):
            raise WandbCarbsError(f"sweep {text!r} must be named as entity/project/sweep")
        if len(parts) == 3:
            return cls(*parts)
        api = with_retries(f"read sweep {text!r}", wandb.Api)
        project = parts[0] if len(parts) == 2 else api.settings.get("project")
        entity = api.settings.get("entity") or with_retries("read the default entity", lambda: api.default_entity)
        if not project or not entity:
            raise WandbCarbsError(f"sweep {text!r} lacks its project; name it as entity/project/sweep")
        return cls(entity, project, parts[-1])

    def __str__(self) -> str:
        return f"{self.entity}/{self.project}/{self.sweep_id}"


_settled: dict[tuple[str, SweepPath], dict[str, RunRecord]] = {}
_settled_lock = threading.Lock()


def read_runs(sweep: SweepPath, *, limit: float = RETRY_SECONDS) -> list[RunRecord]:
    """Read all runs of a sweep, in the order in which they were created.

    Args:
        sweep: The sweep.
        limit: Seconds after which no new attempt is begun.

    Raises:
        WandbConnectionError: If they cannot be read.
    """
    key = (str(wandb.setup().settings.base_url), sweep)
    with _settled_lock:
        known = dict(_settled.get(key, {}))
    filters: dict[str, Any] = {"sweep": sweep.sweep_id}
    if 0 < len(known) <= _MAX_EXCLUDED:
        filters = {"$and": [filters, {"name": {"$nin": sorted(known)}}]}
    what = f"read the runs of sweep {sweep}"
    fresh = with_retries(what, lambda: _fetch(sweep, filters, "+created_at", None), limit=limit)
    known.update({record.id: record for record in fresh})
    with _settled_lock:
        settled = {id_: record for id_, record in known.items() if _is_settled(record)}
        _settled.setdefault(key, {}).update(settled)
    return sorted(known.values(), key=lambda record: record.order)


def read_recent_runs(sweep: SweepPath, *, limit: float = RETRY_SECONDS) -> list[RunRecord]:
    """Read a sweep's newest runs, at most 100, in one page.

    Raises:
        WandbConnectionError: If they cannot be read.
    """
    filters = {"sweep": sweep.sweep_id}
    what = f"read the newest runs of sweep {sweep}"
    return with_retries(what, lambda: _fetch(sweep, filters, "-created_at", _RECENT), limit=limit)


def read_run(path: str, *, limit: float = RETRY_SECONDS) -> RunRecord:
    """Read one run by its path.

    Raises:
        WandbConnectionError: If it cannot be read.
    """
    return with_retries(f"read run {path}", lambda: to_record(wandb.Api().run(path)), limit=limit)


def publish(
    record: RunRecord,
    *,
    config: Mapping[str, Any] | None = None,
    summary: Mapping[str, Any] | None = None,
    limit: float = RETRY_SECONDS,
) -> None:
    """Replace a run's configuration and summary on the server, in one request, before returning.

    The SDK's own way holds both back: the configuration for some seconds, the summary for up to 15.

    Args:
        record: The run, as read from the server.
        config: The whole configuration; None leaves it.
        summary: The whole summary; None leaves it.
        limit: Seconds after which no new attempt is begun.

    Raises:
        WandbConnectionError: If it cannot be written.
    """
    variables = {
        "id": record.source.storage_id,
        "config": None if config is None else to_json({key: {"value": value} for key, value in config.items()}),
        "summaryMetrics": None if summary is None else to_json(summary),
    }
    with_retries(f"write to run {record.name}", lambda: _execute(record.source, _UPSERT, variables), limit=limit)


def to_json(values: Mapping[str, Any]) -> str:
    """Write values as JSON; numpy scalars become numbers, what JSON cannot hold its text."""
    return json.dumps(values, default=_plain)


def to_record(run: Any) -> RunRecord:
    """Take what matters of a public API run.

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
        except ValueError:
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


def _fetch(sweep: SweepPath, filters: dict[str, Any], order: str, most: int | None) -> list[RunRecord]:
    # A fresh Api each time: it would answer the same question from memory.
    api = wandb.Api()
    known = inspect.signature(api.runs).parameters
    # Lazy runs would cost a request each as soon as their configuration is looked at.
    options = {name: False for name in ("lazy", "include_sweeps") if name in known}
    page = most or _PAGE
    runs = api.runs(f"{sweep.entity}/{sweep.project}", filters=filters, order=order, per_page=page, **options)
    records = []
    for run in runs:
        records.append(to_record(run))
        if len(records) == most:
            break
    return records


def _is_settled(record: RunRecord) -> bool:
    return record.has_ended and record.summary.get(STATE_KEY) in (SUCCESS, FAILURE)


def _execute(run: Any, document: str, variables: dict[str, Any]) -> None:
    service = getattr(run, "_service_api", None)
    if service is not None:
        service.execute_graphql(document, variables)
        return
    # Before 0.25 or so the public API spoke to the server itself, through a GraphQL client that the SDK brings along.
    from wandb_gql import gql  # type: ignore[import-not-found]  # noqa: PLC0415

    run.client.execute(gql(document), variable_values=variables)


def _plain(value: Any) -> Any:
    item = getattr(value, "item", None)
    return item() if callable(item) else str(value)
