"""Agents and the server are killed at random moments, and nothing is lost, invented or done twice.

The short test is part of every run; the long one is `uv run pytest -m chaos -s`, sized by the environment:
`CHAOS_AGENTS` (8), `CHAOS_RUNS` (200), `CHAOS_KILLS` (40), `CHAOS_SERVER_KILLS` (3), `CHAOS_SEED` (random, printed).
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import random
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import wandb

from carbs import LinearSpace, LogSpace, Param, Pow2Space
from wandb_carbs import create_sweep

if TYPE_CHECKING:
    from collections.abc import Iterator

ENTITY, PROJECT = "team", "project"
AGENT = Path(__file__).with_name("chaos_agent.py")
SERVE = (
    "import sys, pathlib, wandb_carbs.local as l; l.serve(port=int(sys.argv[2]), data_dir=pathlib.Path(sys.argv[1]))"
)
PARAMS = [
    Param("learning_rate", LogSpace(min=1e-5, max=1e-1), search_center=1e-3),
    Param("layers", LinearSpace(min=1, max=8, is_integer=True)),
    Param("batch_size", Pow2Space(min=8, max=64)),
]
# How long after the beginning of a phase an agent is killed, at most: a little more than the phase takes.
PHASES = {"start": 2.0, "init": 1.5, "suggest": 0.5, "train": 0.3, "record": 0.15, "done": 0.3}
MARK = "CHAOS_MARK"
# A busy machine makes everything slower, so there is no deadline for the whole: the test fails if no agent has said
# anything for so many seconds. One that starts while the server is away says nothing for two minutes.
SILENCE = 400.0

# The SDK's own sweep() does what the SDK's own settings warn of.
pytestmark = pytest.mark.filterwarnings("ignore:Read the `app_url` setting:DeprecationWarning")


@dataclass(frozen=True)
class Size:
    """How much chaos there is.

    Attributes:
        agents: Agents at a time.
        runs: Runs to be acknowledged.
        kills: Agents to be killed, at most.
        server_kills: Times that the server is killed.
        seed: Decides who is killed when.
        pause: Seconds between an agent's heartbeats; the SDK's are 5.
    """

    agents: int
    runs: int
    kills: int
    server_kills: int
    seed: int
    pause: float = 5.0


@dataclass
class Server:
    """A server process that can be killed and started again on the same folder and port."""

    folder: Path
    port: int = 0
    process: subprocess.Popen[str] = field(init=False)
    settings: dict[str, str] = field(default_factory=dict)

    def start(self) -> None:
        command = [sys.executable, "-c", SERVE, str(self.folder), str(self.port)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        for _ in range(2):
            name, _, value = self.process.stdout.readline().strip().removeprefix("export ").partition("=")
            self.settings[name] = value
        self.port = int(self.settings["WANDB_BASE_URL"].rpartition(":")[2])

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def env(self) -> dict[str, str]:
        return self.settings


class Chaos:
    """Runs agents until enough runs are acknowledged, and kills them and the server meanwhile."""

    def __init__(self, size: Size, server: Server, environment: dict[str, str], sweep: str, folder: Path) -> None:
        self.size = size
        self.sweep = sweep
        self.journal = folder / "journal"
        self.journal.mkdir()
        self.mark = secrets.token_hex(8)
        self.killed: Counter[str] = Counter()
        self.outages: list[float] = []
        self.deaths: list[str] = []
        self._server = server
        self._environment = environment
        self._errors = folder
        self._lock = threading.Lock()
        self._left = size.kills
        self._over = threading.Event()
        self._acknowledged = threading.Condition()
        self._failures: list[BaseException] = []
        self._heard = time.monotonic()

    def run(self) -> None:
        threads = [threading.Thread(target=self._guarded, args=(self._keep, slot)) for slot in range(self.size.agents)]
        threads.append(threading.Thread(target=self._guarded, args=(self._break_server,)))
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                while thread.is_alive():
                    thread.join(timeout=SILENCE / 10)
                    assert time.monotonic() - self._heard < SILENCE, f"no agent has said anything for {SILENCE} s"
        finally:
            self._over.set()
            self.kill_all(self.mark)
        if self._failures:
            raise self._failures[0]

    def entries(self, kind: str) -> list[dict[str, Any]]:
        paths = self.journal.glob(f"{kind}-*.json")
        return [json.loads(path.read_text()) for path in sorted(paths, key=lambda path: path.stat().st_mtime_ns)]

    def number(self) -> int:
        return len(list(self.journal.glob("acknowledged-*.json")))

    def start_agent(self, name: str, count: int, run_id: str = "") -> subprocess.Popen[bytes]:
        arguments = [
            str(self.journal),
            f"{self.size.seed}/{name}",
            str(count),
            self.sweep,
            *([run_id] if run_id else []),
        ]
        with (self._errors / f"agent-{name}.log").open("wb") as log:
            return subprocess.Popen(
                [sys.executable, str(AGENT), *arguments],
                env={**self._environment, MARK: f"{self.mark}/{name}/", "CHAOS_PAUSE": str(self.size.pause)},
                stdout=subprocess.PIPE,
                stderr=log,
            )

    def kill_all(self, mark: str) -> None:
        """Kill every process that has the mark in its environment, wandb's own among them."""
        for path in Path("/proc").glob("[0-9]*/environ"):
            # Others' processes must not be read, and any may end meanwhile.
            with contextlib.suppress(OSError):
                if f"{MARK}={mark}".encode() in path.read_bytes():
                    os.kill(int(path.parent.name), signal.SIGKILL)

    def _guarded(self, target: Any, *arguments: Any) -> None:
        try:
            target(*arguments)
        except BaseException as error:  # noqa: BLE001 - raised again by `run`
            self._failures.append(error)
            self._over.set()
            with self._acknowledged:
                self._acknowledged.notify_all()

    def _keep(self, slot: int) -> None:
        """Keep an agent alive: what is killed is started again, sometimes to take up the run that was killed."""
        rng = random.Random(f"{self.size.seed}/{slot}")
        lost = ""
        generation = 0
        while not self._over.is_set():
            name = f"{slot}-{generation}"
            generation += 1
            lost = self._live(name, rng, lost if rng.random() < 0.5 else "")
            with self._acknowledged:
                self._acknowledged.notify_all()
            if self.number() >= self.size.runs:
                self._over.set()

    def _live(self, name: str, rng: random.Random, resumed: str) -> str:
        """Start one agent and see it to its end; return the run that it was killed in, if it can be taken up."""
        victim = rng.choice(list(PHASES))
        nth, delay, is_whole = rng.randint(1, 2), rng.uniform(0, PHASES[victim]), rng.random() < 0.5
        rest = math.ceil((self.size.runs - self.number()) / self.size.agents)
        count = 1 if resumed else max(1, min(rng.randint(3, 8), rest))
        process = self.start_agent(name, count, resumed)
        assert process.stdout is not None
        seen: Counter[str] = Counter()
        current = ["", ""]
        killer: threading.Timer | None = None
        kill = threading.Event()

        def end() -> None:
            kill.set()
            if is_whole:
                self.kill_all(f"{self.mark}/{name}/")
            process.kill()

        for line in process.stdout:
            current = line.decode().split()
            phase = current[0]
            self._heard = time.monotonic()
            seen[phase] += 1
            if phase == "done":
                with self._acknowledged:
                    self._acknowledged.notify_all()
            if phase == victim and seen[phase] == nth and killer is None and self._may_kill():
                killer = threading.Timer(delay, end)
                killer.start()
        if killer is not None:
            killer.cancel()
            killer.join()
        process.stdout.close()
        code = process.wait()
        if kill.is_set():
            self.killed[current[0]] += 1
            phase, run_id = current
            return run_id if phase in ("suggest", "train", "record") else ""
        if killer is not None:
            with self._lock:
                self._left += 1  # it ended before
        if code:
            self.deaths.append(f"agent {name} ended with {code} after {current}")
        return ""

    def _may_kill(self) -> bool:
        with self._lock:
            self._left -= 1
            if self._left < 0:
                self._left = 0
                return False
            return True

    def _break_server(self) -> None:
        """Kill the server each time that a further share of the runs is done."""
        rng = random.Random(f"{self.size.seed}/server")
        for number in range(1, self.size.server_kills + 1):
            goal = self.size.runs * number // (self.size.server_kills + 1)
            with self._acknowledged:
                self._acknowledged.wait_for(lambda goal=goal: self.number() >= goal or self._over.is_set())  # type: ignore[misc]
            if self._over.wait(rng.uniform(0, 1)):
                return
            outage = rng.uniform(0, 3)
            self._server.kill()
            self._over.wait(outage)
            self._server.start()
            self.outages.append(outage)


def verify(chaos: Chaos) -> Counter[str]:
    """Compare the journal of what was done with what `wandb.Api` shows; return how many runs have which state."""
    path = f"{ENTITY}/{PROJECT}"
    runs = list(wandb.Api().runs(path, filters={"sweep": chaos.sweep}, per_page=1000, lazy=False))
    summaries = {run.id: dict(run.summary_metrics) for run in runs}
    assert len(summaries) == len(runs)
    made: dict[str, list[dict[str, Any]]] = {}
    for entry in chaos.entries("made"):
        made.setdefault(entry["run"], []).append(entry)
    suggested: dict[str, list[Any]] = {}
    for entry in chaos.entries("suggested"):
        suggested.setdefault(entry["run"], []).append(entry["suggestion"])

    for run_id, suggestions in suggested.items():
        assert all(suggestion == suggestions[0] for suggestion in suggestions), f"run {run_id} changed its suggestion"
    acknowledged = {entry["run"]: entry for entry in chaos.entries("acknowledged")}
    for run_id, entry in acknowledged.items():
        summary = summaries[run_id]
        if entry["failed"]:
            assert summary["carbs.state"] == "failure", run_id
        else:
            values = [summary.get(f"carbs.{key}") for key in ("state", "objective", "cost")]
            assert values == ["success", entry["objective"], entry["cost"]], run_id
    configurations: dict[str, str] = {}
    for run in runs:
        summary = summaries[run.id]
        if summary.get("carbs.state") == "success":
            outcome = (summary["carbs.objective"], summary["carbs.cost"], False)
            known = [(entry["objective"], entry["cost"], entry["failed"]) for entry in made.get(run.id, [])]
            assert outcome in known, f"nobody made the observation of {run.id}"
            suggestion = {key: value for key, value in suggested[run.id][0].items() if key != "suggestion_uuid"}
            assert {key: run.config.get(key) for key in suggestion} == suggestion, run.id
        if "carbs.suggestion" in summary and summary.get("carbs.kind") != "resample":
            key = json.dumps(json.loads(summary["carbs.suggestion"]), sort_keys=True)
            assert key not in configurations, f"{run.id} and {configurations[key]} have the same configuration {key}"
            configurations[key] = run.id
    return Counter(str(summary.get("carbs.state")) for summary in summaries.values())


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "server")
    server.start()
    yield server
    server.kill()


def unleash(size: Size, server: Server, tmp_path: Path, point_to: Any) -> None:
    print(f"\n{size}")  # noqa: T201 - what a failure is found again by
    environment = point_to(server)
    sweep = create_sweep("chaos", ENTITY, PROJECT, PARAMS)
    chaos = Chaos(size, server, environment.subprocess(), sweep, tmp_path)
    start = time.monotonic()
    chaos.run()
    elapsed = time.monotonic() - start
    print(  # noqa: T201 - likewise
        f"{chaos.number()} acknowledged in {elapsed:.0f} s; killed {dict(chaos.killed)}; server down for "
        f"{[round(outage, 1) for outage in chaos.outages]} s; agents that ended otherwise: {chaos.deaths}"
    )
    print(f"states {dict(verify(chaos))}")  # noqa: T201 - likewise
    assert chaos.number() >= size.runs
    assert len(chaos.outages) == size.server_kills
    # The search goes on.
    before = chaos.number()
    try:
        output, _ = chaos.start_agent("last", 1).communicate(timeout=SILENCE)
    finally:
        chaos.kill_all(chaos.mark)
    assert b"done" in output
    assert chaos.number() == before + 1
    verify(chaos)


@pytest.mark.timeout(0)
def test_killed_agents_and_a_killed_server_lose_nothing(server: Server, tmp_path: Path, point_to: Any) -> None:
    unleash(Size(agents=3, runs=20, kills=7, server_kills=1, seed=0, pause=0.5), server, tmp_path, point_to)


@pytest.mark.chaos
@pytest.mark.timeout(0)
def test_long_chaos(server: Server, tmp_path: Path, point_to: Any) -> None:
    def number(name: str, default: int) -> int:
        return int(os.environ.get(f"CHAOS_{name}", default))

    size = Size(
        agents=number("AGENTS", 8),
        runs=number("RUNS", 200),
        kills=number("KILLS", 40),
        server_kills=number("SERVER_KILLS", 3),
        seed=number("SEED", secrets.randbelow(10**6)),
    )
    unleash(size, server, tmp_path, point_to)
