"""Reading runs: how many requests, and what happens when W&B does not answer."""

from __future__ import annotations

import http.server
import json
import threading
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest
import wandb

from carbs import CARBS, LogSpace, Param
from wandb_carbs import SweepPath, WandbCarbs, WandbCarbsError, WandbConnectionError, create_sweep, load_sweep
from wandb_carbs.retry import is_transient, with_retries
from wandb_carbs.sweep.runs import RunReader

if TYPE_CHECKING:
    from collections.abc import Iterator

ENTITY, PROJECT = "team", "project"
PARAMS = [Param("lr", LogSpace(min=1e-5, max=1e-1))]

# The SDK's own sweep() does what the SDK's own settings warn of.
pytestmark = pytest.mark.filterwarnings("ignore:Read the `app_url` setting:DeprecationWarning")


class Proxy:
    """A proxy before the server that notes the GraphQL operations of the public API, and can refuse them."""

    def __init__(self, upstream: str) -> None:
        self.operations: list[str] = []
        self.refusals: list[int] = []
        self.refuses_all_with = 0
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if proxy.refuses_all_with:
                    self.answer(proxy.refuses_all_with, b"{}")
                    return
                by_public_api = "Public Client" in self.headers["User-Agent"]
                if by_public_api:
                    proxy.operations.append(self.name_of(json.loads(body)["query"]))
                if by_public_api and proxy.refusals and "viewer" not in json.loads(body)["query"]:
                    self.answer(proxy.refusals.pop(0), b'{"errors": [{"message": "refused"}]}')
                    return
                headers = {key: value for key, value in self.headers.items() if key != "Host"}
                try:
                    with urllib.request.urlopen(urllib.request.Request(upstream + self.path, body, headers)) as reply:
                        self.answer(reply.status, reply.read())
                except urllib.error.HTTPError as error:
                    self.answer(error.code, error.read())

            do_PUT = do_POST  # noqa: N815 - the base class finds it by name

            def name_of(self, query: str) -> str:
                return query.replace("#graphql", "").split("(")[0].split("{")[0].strip()

            def answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def taken(self) -> list[str]:
        taken, self.operations = self.operations, []
        return taken


@pytest.fixture
def proxy(wandb_env: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    proxy = Proxy(wandb_env.server.url)
    monkeypatch.setenv("WANDB_BASE_URL", proxy.url)
    yield proxy
    if wandb.run is not None:
        wandb.finish()
    wandb.teardown()
    proxy.close()


@pytest.fixture
def sweep(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> SweepPath:
    sweep_id = create_sweep("sweep", ENTITY, PROJECT, PARAMS)
    for name, value in (("SWEEP_ID", sweep_id), ("ENTITY", ENTITY), ("PROJECT", PROJECT)):
        monkeypatch.setenv(f"WANDB_{name}", value)
    # The SDK reads these once.
    wandb.teardown()
    proxy.taken()
    return SweepPath(ENTITY, PROJECT, sweep_id)


def fill(server: Any, sweep: SweepPath, number: int) -> None:
    """Add finished runs straight to the server's storage."""
    from wandb_carbs.server.store import runs
    from wandb_carbs.server.store.database import Store
    from wandb_carbs.server.store.projects import ensure_project

    storage = Store(server._data_dir / "wandb-carbs.db")
    try:
        with storage.transaction() as db:
            project = ensure_project(db, ENTITY, PROJECT, storage.now())
            sweep_row = db.execute("SELECT id FROM sweeps WHERE name = ?", (sweep.sweep_id,)).fetchone()["id"]
            for i in range(number):
                run = runs.insert(db, project["id"], f"run-{i}", storage.now(), state="finished")
                config = json.dumps({"lr": {"value": 1e-5 * (1 + i)}})
                summary = json.dumps({"carbs.state": "success", "carbs.objective": i, "carbs.cost": 1.0})
                db.execute(
                    "UPDATE runs SET sweep_id = ?, config = ?, summary = ? WHERE id = ?",
                    (sweep_row, config, summary, run),
                )
    finally:
        storage.close()


def test_requests_of_one_run(sweep: SweepPath, proxy: Proxy) -> None:
    """As docs/many-machines.md says."""
    wandb.init()
    proxy.taken()
    trial = WandbCarbs(CARBS(params=PARAMS))
    assert proxy.taken() == [
        "query Viewer",
        "query Runs",
        "mutation UpsertBucket",
        "query Runs",
    ]
    trial.record_observation(0.5, 1)
    assert proxy.taken() == ["mutation UpsertBucket", "query Run"]
    wandb.finish()
    assert sweep


def test_requests_to_rebuild_the_optimizer(sweep: SweepPath, proxy: Proxy) -> None:
    """`from_sweep` adds two, whatever the size of the sweep."""
    with wandb.init():
        proxy.taken()
        WandbCarbs.from_sweep().record_observation(0.5, 1)
        taken = proxy.taken()
        assert taken[:2] == ["query Viewer", "query GetSweep"]
        assert len(taken) == 2 + 6
    assert sweep


def test_a_thousand_runs(wandb_env: Any, sweep: SweepPath, proxy: Proxy) -> None:
    """At most five requests; each further reading takes one for each 1000 runs, and shows what W&B says then."""
    fill(wandb_env.server, sweep, 1000)
    wandb.init()
    proxy.taken()
    start = time.monotonic()
    trial = WandbCarbs(CARBS(params=PARAMS))
    elapsed = time.monotonic() - start
    assert len(proxy.taken()) <= 5
    assert len(trial._carbs.success_observations) == 1000
    assert elapsed < 20  # what it takes by itself is measured elsewhere: this machine may be busy
    trial.record_observation(0.5, 1)
    wandb.finish()
    proxy.taken()
    assert len(RunReader(sweep).all()) == 1001
    assert len(load_sweep(sweep).runs) == 1001
    assert proxy.taken().count("query Runs") == 4


@pytest.mark.parametrize("status", [429, 503])
def test_refusals_that_pass_are_outlasted(sweep: SweepPath, proxy: Proxy, status: int) -> None:
    wandb.init()
    proxy.refusals += [status]
    trial = WandbCarbs(CARBS(params=PARAMS))
    proxy.refusals += [status]
    trial.record_observation(0.5, 1)
    wandb.finish()
    assert load_sweep(sweep).counts["observation"] == 1


def test_refusal_for_good_is_told_at_once(sweep: SweepPath, proxy: Proxy) -> None:
    assert sweep
    wandb.init()
    proxy.refusals += [403]
    with pytest.raises(WandbConnectionError, match=r"could not read the runs of sweep .*refused"):
        WandbCarbs(CARBS(params=PARAMS))
    wandb.finish()


def test_unknown_sweep(proxy: Proxy) -> None:
    assert proxy
    with pytest.raises(WandbConnectionError, match="there is no sweep team/project/none; "):
        load_sweep("team/project/none")


@pytest.mark.parametrize("name", ["", "a/b/c/d", "a//c"])
def test_malformed_sweep_name(name: str) -> None:
    with pytest.raises(WandbCarbsError, match="entity/project/sweep"):
        SweepPath.parse(name)


class RefusalError(Exception):
    """An error as the SDK raises it: with a response."""

    def __init__(self, status: int) -> None:
        super().__init__(f"status {status}")
        self.response = type("Response", (), {"status_code": status})()


@pytest.mark.parametrize(("status", "passes"), [(400, False), (404, False), (408, True), (429, True), (500, True)])
def test_which_answers_may_pass(status: int, passes: bool) -> None:
    wrapped = RuntimeError("wrapped")
    wrapped.__cause__ = RefusalError(status)
    assert is_transient(wrapped) is passes


@pytest.mark.parametrize("error", [ConnectionRefusedError(), TimeoutError()])
def test_no_answer_may_pass(error: Exception) -> None:
    assert is_transient(error)
    assert not is_transient(ValueError("Could not find project"))


class WandbApiFailedError(Exception):
    """Named as the SDK's: without a response where wandb-core ran out of time."""


@pytest.mark.parametrize("status", [429, 503])
def test_status_that_the_sdk_keeps_back_is_told(proxy: Proxy, status: int) -> None:
    proxy.refuses_all_with = status

    def fail() -> None:
        raise WandbApiFailedError("the service process is busy")

    with pytest.raises(WandbConnectionError, match=f"no answer from {proxy.url} .*{status}"):
        with_retries("ask", fail, limit=0)


def test_no_status_is_told_of_a_server_that_does_not_answer(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    wandb.teardown()

    def fail() -> None:
        raise WandbApiFailedError("the service process is busy")

    with pytest.raises(WandbConnectionError, match=r"no answer from http://127.0.0.1:9$"):
        with_retries("ask", fail, limit=0)
    assert proxy


def test_retries_end_with_what_was_tried() -> None:
    calls = []

    def fail() -> None:
        calls.append(1)
        raise ConnectionRefusedError("refused")

    with pytest.raises(WandbConnectionError, match=r"could not ask: \d+ attempt\(s\) in \d+ s, at last: refused"):
        with_retries("ask", fail, limit=1.6)
    assert len(calls) >= 2
