"""The command line as tests run it: in this process where they can, since a process of its own takes seconds."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import os
import subprocess
import sys
import urllib.request
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

import yaml

from carbs import Param
from environment import without_wandb
from wandb_carbs.cli import main
from wandb_carbs.server import LocalServer
from wandb_carbs.sweep.configuration import sweep_configuration


def run(
    *arguments: str, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, with no W&B settings but `env`."""
    return subprocess.run(
        [sys.executable, "-m", "wandb_carbs.cli", *arguments],
        env={**without_wandb(), **(env or {})},
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


def run_here(
    *arguments: str, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command in this process, with no W&B settings but `env`. The SDK keeps its first settings."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    code: Any = None
    with (
        patch.dict(os.environ, {**without_wandb(), **(env or {})}, clear=True),
        patch.object(sys, "argv", ["wandb-carbs", *arguments]),
        warnings.catch_warnings(),
        _working_in(cwd or Path.cwd()),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        # The SDK's own Api() does what the SDK's own settings warn of.
        warnings.simplefilter("ignore")
        try:
            main()
        except SystemExit as end:
            code = end.code
    texts = [stream.buffer.getvalue().decode() for stream in (out, err)]
    return subprocess.CompletedProcess(arguments, code or 0, *texts)


@contextlib.contextmanager
def _working_in(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def assert_fails(done: subprocess.CompletedProcess[str], *words: str, code: int = 1) -> None:
    """Check for one message without a traceback."""
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("Error: ") == 1
    assert done.stdout == ""
    for word in words:
        assert word in done.stderr


class Sweep:
    """A sweep on a local server.

    Attributes:
        env: Settings that point to the server.
        server: The server.
        path: The sweep's name.
        address: Its page.
        folder: A working folder.
    """

    def __init__(self, server: LocalServer, path: str, folder: Path) -> None:
        entity, project, sweep_id = path.split("/")
        self.env = {**server.env(), "WANDB_DIR": str(folder), "HOME": str(folder)}
        self.server = server
        self.path = path
        self.address = f"{server.url}/{entity}/{project}/sweeps/{sweep_id}"
        self.folder = folder

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command against the server."""
        return run_here(*arguments, env=self.env, cwd=self.folder)

    def create(self, params: list[Param], **options: Any) -> Sweep:
        """Create a sweep on the same server."""
        # As the SDK sends it.
        config = yaml.safe_dump(sweep_configuration("made", params, **options), sort_keys=False)
        query = """mutation M($c: String) { upsertSweep(input: {config: $c, entityName: "e", projectName: "p"}) {
            sweep { name } } }"""
        return Sweep(self.server, f"e/p/{self._ask(query, c=config)['upsertSweep']['sweep']['name']}", self.folder)

    def add_run(self, name: str, config: Mapping[str, Any], *, summary: str | None = None, **observed: Any) -> None:
        """Add a finished run.

        Args:
            name: Its id, after the sweep's.
            config: The suggestion.
            summary: Further members of its summary, as JSON has them without the braces.
            observed: `objective` and `cost`.
        """
        record = {"carbs.state": "success", **{f"carbs.{key}": value for key, value in observed.items()}}
        record["carbs.suggestion"] = json.dumps(config)
        text = json.dumps(record)[:-1] + (f", {summary}" if summary else "") + "}"
        entity, project, sweep_id = self.path.split("/")
        query = """mutation M($r: String, $e: String, $p: String, $w: String, $c: JSONString, $s: JSONString) {
            upsertBucket(input: {name: $r, entityName: $e, modelName: $p, sweep: $w, config: $c, summaryMetrics: $s}) {
            bucket { id } } }"""
        wrapped = json.dumps({key: {"value": value} for key, value in config.items()})
        run_id = f"{sweep_id}-{name}"
        self._ask(query, r=run_id, e=entity, p=project, w=sweep_id, c=wrapped, s=text)
        self._post(f"/files/{entity}/{project}/{run_id}/file_stream", {"complete": True, "exitcode": 0})

    def _ask(self, query: str, **variables: Any) -> Any:
        return self._post("/graphql", {"query": query, "variables": variables})["data"]

    def _post(self, path: str, body: object) -> Any:
        key = base64.b64encode(f"api:{self.server.api_key}".encode()).decode()
        asked = urllib.request.Request(
            self.server.url + path,
            json.dumps(body).encode(),
            {"Authorization": f"Basic {key}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(asked, timeout=20) as reply:
            return json.load(reply)

    def json(self, *arguments: str) -> object:
        """Run the command and return what it printed."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)
