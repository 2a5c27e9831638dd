"""A local server with a few runs, as a visitor of its pages sees it."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wandb_carbs.server.server import LocalServer

EVIL = '<script>alert("x")</script>'
CONFIG = {
    "method": "random",
    "name": "<i>sweep</i>",
    "metric": {"name": "loss", "goal": "minimize"},
    "parameters": {"x": {"min": 0, "max": 9}},
}
DEFINITION = {
    "carbs": {
        "params": [{"name": "x", "space": {"kind": "log", "min": 1, "max": 9}}],
        "config": {"better_direction_sign": -1},
    }
}


class Site:
    """A server with a sweep of three observed runs, one that is running and one that waits."""

    def __init__(self, server: LocalServer) -> None:
        self.server = server
        values = {"config": json.dumps(CONFIG), "projectName": "p", "description": json.dumps(DEFINITION)}
        made = self.graphql("mutation M($i: UpsertSweepInput!) { upsertSweep(input: $i) { sweep { name } } }", i=values)
        self.sweep = made["upsertSweep"]["sweep"]["name"]
        for number, (loss, cost) in enumerate([(1.0, 10.0), (2.0, 1.0), (3.0, 5.0)]):
            summary = {"carbs.state": "success", "carbs.objective": loss, "carbs.cost": cost, EVIL: EVIL}
            summary |= {"carbs.suggestion": json.dumps({"x": number + 4}), "carbs.predicted_objective": 1.5}
            self.run(f"r{number}", {"x": 7, EVIL: EVIL}, summary, complete=True)
        self.run("alive", {"x": 123457}, {})
        agent = self.graphql(
            "mutation M($s: String!) { createAgent(input: {sweep: $s}) { agent { id } } }", s=self.sweep
        )["createAgent"]["agent"]["id"]
        self.graphql("mutation M($a: ID!) { agentHeartbeat(input: {id: $a}) { commands } }", a=agent)

    def run(self, name: str, config: dict[str, Any], summary: dict[str, Any], **more: Any) -> None:
        values = {
            "name": name,
            "modelName": "p",
            "sweep": self.sweep,
            "displayName": f"{EVIL}{name}",
            "config": json.dumps({key: {"value": value} for key, value in config.items()}),
        }
        self.graphql("mutation M($i: UpsertBucketInput!) { upsertBucket(input: $i) { inserted } }", i=values)
        history = [
            {"_step": step, "_runtime": step / 2, "loss": 9 - step, "a/b": step, EVIL: step} for step in range(5)
        ]
        files = {
            "wandb-summary.json": {"offset": 0, "content": [json.dumps(summary)]},
            "wandb-history.jsonl": {"offset": 0, "content": [json.dumps(row) for row in history]},
            "output.log": {"offset": 0, "content": [f"ERROR 2026-11-27T00:00:00.5 {EVIL}", "plain"]},
        }
        self.post(f"/files/local/p/{name}/file_stream", {"files": files, **more})

    def graphql(self, query: str, **variables: Any) -> Any:
        reply = self.post("/graphql", {"query": query, "variables": variables})
        assert "errors" not in reply, reply
        return reply["data"]

    def post(self, path: str, body: Any) -> Any:
        key = base64.b64encode(f"api:{self.server.api_key}".encode()).decode()
        headers = {"Authorization": f"Basic {key}", "Content-Type": "application/json"}
        asked = urllib.request.Request(self.server.url + path, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(asked, timeout=20) as reply:
            return json.load(reply)

    def get(self, path: str, status: int = 200) -> tuple[str, dict[str, str]]:
        try:
            with urllib.request.urlopen(self.server.url + path, timeout=20) as reply:
                found, text, headers = reply.status, reply.read().decode(), dict(reply.headers)
        except urllib.error.HTTPError as error:
            with error:
                found, text, headers = error.code, error.read().decode(), dict(error.headers)
        assert found == status, text
        return text, headers

    def data(self, path: str) -> Any:
        return json.loads(self.get(f"/-/data/local/p/{path}")[0])
