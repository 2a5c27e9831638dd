"""RunPublisher: the only writer to W&B."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from typing import Any

from wandb_carbs.agent import own_run
from wandb_carbs.agent.nesting import nested
from wandb_carbs.graphql import execute
from wandb_carbs.plain import plain, to_json
from wandb_carbs.record import (
    CONFIG_KEY,
    COPY_KEY,
    INTERNAL_KEY,
    KEY_PREFIX,
    PREEMPTING,
    SETTLED_KEY,
    SUGGESTION_KEY,
    RunRecord,
)
from wandb_carbs.retry import RETRY_SECONDS, with_retries
from wandb_carbs.sweep.runs import RunReader

logger = logging.getLogger("wandb_carbs")

_MAX_PUBLISHED = 3
# How late W&B may say that a run is over, and how often it is asked. The SDK tells W&B before the program ends.
_ENDING_SECONDS = 10.0
_STEP_SECONDS = 1.0


class RunPublisher:
    """Write one run's record to W&B, so that the others see it at once and it stays.

    The SDK holds the configuration back for some seconds and the summary for up to 15, and loses both when the process
    is killed. A value that is written to the server alone is soon overwritten by the values that the SDK holds. So
    every value goes both ways, to the SDK first. Where the SDK does not hold the run (another process has it, or it is
    finished), values go to the server alone.

    Args:
        record: The run as the server knows it.
        reader: Reads the run back.
        run: The run of this process, as `wandb.init` returned it; None if another process has it.
        limit: Seconds after which no new attempt to write is begun.

    Attributes:
        record: The run as the server knew it when it was last read.
        published: The keys of the record, as they went out with the suggestion.
    """

    def __init__(self, record: RunRecord, reader: RunReader, run: Any = None, limit: float = RETRY_SECONDS) -> None:
        self.record = record
        self.published: Mapping[str, Any] = {}
        self._reader = reader
        self._run = run
        self._limit = limit

    def note(self, keys: Mapping[str, Any]) -> dict[str, Any]:
        """Give flat summary keys to the SDK, which sends them when it likes to.

        Returns:
            The whole summary with them.

        Raises:
            WandbConnectionError: If the SDK does not hold the run, and W&B cannot be reached.
        """
        if own_run.is_open(self._run):
            return own_run.update_summary(self._run, keys)
        # The owner of another process's run reads it when there is something new to read.
        if self._run is not None:
            self.read()
        return {**self.record.summary, **keys}

    def leave(self, keys: Mapping[str, Any]) -> None:
        """Give flat summary keys to the SDK, if it holds the run: they stay if this process is killed some time later.

        Args:
            keys: The keys.
        """
        if own_run.is_open(self._run):
            self._run.summary.update(dict(keys))

    def read(self) -> RunRecord:
        """Read the run from the server.

        Raises:
            WandbConnectionError: If W&B cannot be reached.
        """
        self.record = self._reader.one(self.record.id)
        return self.record

    def read_end(self) -> RunRecord:
        """Read the run, whose program has ended, until W&B says so, too, which may be a little later.

        Returns:
            The run; it is alive in W&B if its program has not finished it.

        Raises:
            WandbConnectionError: If W&B cannot be reached.
        """
        until = time.monotonic() + _ENDING_SECONDS
        while not self.record.has_ended and time.monotonic() < until:
            time.sleep(_STEP_SECONDS)
            self.read()
        return self.record

    def suggestion(self, suggestion: Mapping[str, Any], values: Mapping[str, Any], keys: Mapping[str, Any]) -> None:
        """Publish a suggestion and the configuration that the run gets, together with flat summary keys.

        Args:
            suggestion: The point in the search space.
            values: The run's configuration, made of the suggestion.
            keys: Further summary keys.

        Raises:
            WandbConnectionError: If W&B cannot be reached.
        """
        recorded = suggestion_keys(suggestion, values, is_apart=CONFIG_KEY in self.record.summary)
        config = {key: value for key, value in self.record.config.items() if key != INTERNAL_KEY}
        if own_run.is_open(self._run):
            config = own_run.config_of(self._run)
            own_run.update_config(self._run, {**values, **nested(config, values)})
        config.update({**values, **nested(config, values)})
        summary = self.note({**keys, **recorded})
        self.published = {key: value for key, value in summary.items() if key.startswith(KEY_PREFIX)}
        self._write(config=config, summary=summary)

    def outcome(self, keys: Mapping[str, Any], summary: Mapping[str, Any]) -> None:
        """Publish flat summary keys that `note` has been given, and make sure that they stay.

        Args:
            keys: The keys.
            summary: The whole summary with them, as `note` returned it.

        Raises:
            WandbConnectionError: If W&B cannot be reached.
        """
        for _ in range(_MAX_PUBLISHED):
            self._write(summary=summary)
            # A summary that the SDK had under way may have arrived after ours, without it.
            written = self._reader.one(self.record.id).summary
            if all(written.get(key) == value for key, value in keys.items()):
                return
        logger.warning("The record of run %s was overwritten; W&B has it when the run ends", self.record.name)

    def settle(self, keys: Mapping[str, Any]) -> None:
        """Publish the outcome of a run whose agent is gone. Should that live after all, it corrects what this says.

        Raises:
            WandbConnectionError: If W&B cannot be reached.
        """
        marked = {**keys, SETTLED_KEY: True}
        self.outcome(marked, self.note(marked))

    def last_words(self, keys: Mapping[str, Any], limit: float) -> None:
        """Publish flat summary keys from a process that is about to end; nothing is read back.

        Raises:
            WandbConnectionError: If W&B cannot be reached.
        """
        self._write(summary=self.note(keys), limit=limit)

    def is_preempting(self) -> bool:
        """Return whether the run was marked as about to be pre-empted (`wandb.Run.mark_preempting`).

        Raises:
            WandbConnectionError: If W&B cannot be reached.
        """
        return self._reader.one(self.record.id).state == PREEMPTING

    def _write(
        self,
        *,
        summary: Mapping[str, Any],
        config: Mapping[str, Any] | None = None,
        limit: float | None = None,
    ) -> None:
        """Replace the run's summary, and its configuration unless None, on the server in one request.

        The SDK's own part of the configuration stays: without it, the SDK takes a run that is resumed for one that
        never began. The program of another process will replace the summary; so a copy of the record goes there, too.
        """
        source = self.record.source
        internal = {key: value for key, value in source.rawconfig.items() if key == INTERNAL_KEY}
        if self._run is None:
            internal = {INTERNAL_KEY: {**internal.get(INTERNAL_KEY, {}), COPY_KEY: self.published}}
        whole = None if config is None else {key: {"value": value} for key, value in {**config, **internal}.items()}
        variables = {
            "id": source.storage_id,
            "config": None if whole is None else to_json(whole),
            "summaryMetrics": to_json(summary),
        }
        with_retries(
            f"write to run {self.record.name}",
            lambda: execute(source, _UPSERT, variables),
            limit=self._limit if limit is None else limit,
        )


_UPSERT = """
mutation UpsertBucket($id: String!, $config: JSONString, $summaryMetrics: JSONString) {
  upsertBucket(input: {id: $id, config: $config, summaryMetrics: $summaryMetrics}) { bucket { id } }
}
"""


def suggestion_keys(suggestion: Mapping[str, Any], values: Mapping[str, Any], *, is_apart: bool) -> dict[str, Any]:
    """Return the flat summary keys of a suggestion.

    Args:
        suggestion: The point in the search space.
        values: The run's configuration, made of the suggestion.
        is_apart: Whether the run has recorded its configuration apart from the suggestion before.
    """
    keys = {SUGGESTION_KEY: _to_text(suggestion)}
    # Only where it differs: then the suggestion alone does not say it.
    if is_apart or dict(values) != dict(suggestion):
        keys[CONFIG_KEY] = _to_text(values)
    return keys


def _to_text(values: Mapping[str, Any]) -> str:
    # Python's JSON, in which infinity comes back as the number it was.
    return json.dumps(plain(values), default=str)
