"""W&B's agent protocol: an agent registers, says every few seconds which runs it has, and gets commands."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import wandb

from wandb_carbs.errors import WandbCarbsError
from wandb_carbs.graphql import execute
from wandb_carbs.retry import INTERACTIVE_SECONDS, RETRY_SECONDS, describe, status_of, with_retries
from wandb_carbs.sweep.path import SweepPath

logger = logging.getLogger("wandb_carbs")

RUN, RESUME, STOP, EXIT = "run", "resume", "stop", "exit"
_NOT_FOUND = 404

_CREATE_AGENT = """
mutation CreateAgent($host: String!, $projectName: String, $entityName: String, $sweep: String!) {
  createAgent(input: {host: $host, projectName: $projectName, entityName: $entityName, sweep: $sweep}) { agent { id } }
}
"""
_ANNOUNCE = """
mutation UpsertBucket($name: String!, $project: String!, $entity: String!, $sweep: String!) {
  upsertBucket(input: {name: $name, modelName: $project, entityName: $entity, sweep: $sweep}) { bucket { id } }
}
"""
_HEARTBEAT = """
mutation Heartbeat($id: ID!, $metrics: JSONString, $runState: JSONString) {
  agentHeartbeat(input: {id: $id, metrics: $metrics, runState: $runState}) { agent { id } commands }
}
"""


class SweepDeletedError(WandbCarbsError):
    """W&B does not know the sweep, or the agent, any more."""


@dataclass(frozen=True)
class Command:
    """What W&B tells an agent to do.

    Attributes:
        kind: `run`, `resume`, `stop` or `exit`.
        run_id: The run; empty for `exit`.
        program: The sweep's program; None if it has none.
    """

    kind: str
    run_id: str = ""
    program: str | None = None


class Registration:
    """This process as an agent of a sweep.

    Args:
        sweep: The sweep.
    """

    def __init__(self, sweep: SweepPath) -> None:
        self._sweep = sweep
        self._api: Any = None
        self._id = ""

    def register(self) -> None:
        """Make this process an agent of the sweep, so that W&B lists it and gives it runs.

        Raises:
            WandbConnectionError: If W&B cannot be reached, or refuses: the sweep is over or deleted.
        """
        variables = {
            "host": socket.gethostname(),
            "projectName": self._sweep.project,
            "entityName": self._sweep.entity,
            "sweep": self._sweep.sweep_id,
        }
        reply = with_retries(
            f"register as an agent of sweep {self._sweep}",
            lambda: self._send(_CREATE_AGENT, variables),
            limit=INTERACTIVE_SECONDS,
        )
        self._id = reply["createAgent"]["agent"]["id"]

    def heartbeat(self, running: Iterable[str]) -> list[Command]:
        """Say which runs this agent has, and return what to do; an agent without runs asks for one.

        A W&B that does not answer has nothing to say: the next heartbeat comes soon.

        Args:
            running: Ids of the runs.

        Raises:
            SweepDeletedError: If W&B does not know the sweep or the agent any more.
        """
        state = json.dumps(dict.fromkeys(running, True))
        try:
            reply = self._send(_HEARTBEAT, {"id": self._id, "metrics": "{}", "runState": state})
            commands = json.loads(reply["agentHeartbeat"]["commands"])
            return [command for item in commands if (command := _to_command(item)) is not None]
        except Exception as error:
            if status_of(error) == _NOT_FOUND:
                raise SweepDeletedError(f"sweep {self._sweep}, or this agent of it, was deleted") from error
            logger.warning("W&B does not answer the agent's heartbeat: %s", describe(error))
            return []

    def announce(self, run_id: str, limit: float = RETRY_SECONDS) -> None:
        """Let W&B hear of a run whose program has not joined it yet: it exists, and lives.

        Args:
            run_id: The run.
            limit: Seconds after which no new attempt is begun.

        Raises:
            WandbConnectionError: If W&B cannot be reached.
        """
        sweep = self._sweep
        variables = {"name": run_id, "project": sweep.project, "entity": sweep.entity, "sweep": sweep.sweep_id}
        with_retries(f"announce run {run_id}", lambda: self._send(_ANNOUNCE, variables), limit=limit)

    def _send(self, document: str, variables: Mapping[str, Any]) -> Any:
        try:
            if self._api is None:
                self._api = wandb.Api()
            return execute(self._api, document, variables)
        except Exception:
            self._api = None
            raise


def _to_command(item: Any) -> Command | None:
    kind = item.get("type") if isinstance(item, Mapping) else None
    if kind not in (RUN, RESUME, STOP, EXIT) or (kind != EXIT and not isinstance(item.get("run_id"), str)):
        logger.warning("W&B gave an unknown command, which is ignored: %.200r", item)
        return None
    program = item.get("program")
    return Command(str(kind), item.get("run_id") or "", None if program is None else str(program))
