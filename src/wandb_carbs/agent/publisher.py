"""Writing this process's run so that the others see it at once, and that it stays."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from wandb_carbs.agent import own_run
from wandb_carbs.graphql import execute
from wandb_carbs.plain import plain, to_json
from wandb_carbs.record import PREEMPTING, SUGGESTION_KEY, RunRecord
from wandb_carbs.retry import RETRY_SECONDS, with_retries
from wandb_carbs.sweep.runs import RunReader

logger = logging.getLogger("wandb_carbs")

_MAX_PUBLISHED = 3


class Reporter:
    """Writes a run's record both through the SDK and straight to the server.

    The SDK holds the configuration back for some seconds and the summary for up to 15, and loses both when the process
    is killed; the server alone would soon be overwritten by what the SDK holds. So every value goes both ways, to the
    SDK first.

    Args:
        run: The run of this process.
        record: The same run as the server knows it.
        reader: Reads the run back.
        limit: Seconds after which no new attempt to write is begun.
    """

    def __init__(self, run: Any, record: RunRecord, reader: RunReader, limit: float) -> None:
        self._reader = reader
        self.record = record
        self._run = run
        self._limit = limit

    def suggestion(self, values: Mapping[str, Any], keys: Mapping[str, Any]) -> None:
        """Publish the run's configuration, together with flat summary keys.

        Raises:
            WandbConnectionError: If W&B cannot be reached.
        """
        # The values of a sweep are locked; this is the one way past the lock that leaves no warning.
        self._run.config.update_locked(dict(values), user="carbs", _allow_val_change=True)
        # Python's JSON, in which infinity comes back as the number it was.
        suggestion = json.dumps(plain(values), default=str)
        summary = own_run.update_summary(self._run, {**keys, SUGGESTION_KEY: suggestion})
        publish(self.record, config=own_run.config_of(self._run), summary=summary, limit=self._limit)

    def outcome(self, keys: Mapping[str, Any], summary: Mapping[str, Any]) -> None:
        """Publish flat summary keys that the SDK has been given, and make sure that they stay.

        Args:
            keys: The keys.
            summary: The whole summary with them.

        Raises:
            WandbConnectionError: If W&B cannot be reached.
        """
        for _ in range(_MAX_PUBLISHED):
            publish(self.record, summary=summary, limit=self._limit)
            # A summary that the SDK had under way may have arrived after ours, without it.
            written = self._reader.one(self.record.id).summary
            if all(written.get(key) == value for key, value in keys.items()):
                return
        logger.warning("The record of run %s was overwritten; W&B has it when the run ends", self.record.name)

    def is_preempting(self) -> bool:
        """Tell whether the run was marked as about to be pre-empted (`wandb.Run.mark_preempting`).

        Raises:
            WandbConnectionError: If W&B cannot be reached.
        """
        return self._reader.one(self.record.id).state == PREEMPTING

    def last_words(self, keys: Mapping[str, Any], limit: float) -> None:
        """Publish flat summary keys from a process that is about to end.

        Raises:
            WandbConnectionError: If W&B cannot be reached.
        """
        publish(self.record, summary=own_run.update_summary(self._run, keys), limit=limit)


_UPSERT = """
mutation UpsertBucket($id: String!, $config: JSONString, $summaryMetrics: JSONString) {
  upsertBucket(input: {id: $id, config: $config, summaryMetrics: $summaryMetrics}) { bucket { id } }
}
"""


def publish(
    record: RunRecord,
    *,
    config: Mapping[str, Any] | None = None,
    summary: Mapping[str, Any] | None = None,
    limit: float = RETRY_SECONDS,
) -> None:
    """Replace a run's configuration and summary on the server, in one request, before returning.

    The SDK's own way holds both back: the configuration for some seconds, the summary for up to 15. What the SDK keeps
    for itself in the configuration stays: without it, the SDK takes a run that is resumed for one that never began.

    Args:
        record: The run, as read from the server.
        config: The whole configuration; None leaves it.
        summary: The whole summary; None leaves it.
        limit: Seconds after which no new attempt is begun.

    Raises:
        WandbConnectionError: If it cannot be written.
    """
    internal = {key: value for key, value in record.source.rawconfig.items() if key == "_wandb"}
    whole = None if config is None else {key: {"value": value} for key, value in {**config, **internal}.items()}
    variables = {
        "id": record.source.storage_id,
        "config": None if whole is None else to_json(whole),
        "summaryMetrics": None if summary is None else to_json(summary),
    }
    with_retries(f"write to run {record.name}", lambda: execute(record.source, _UPSERT, variables), limit=limit)
