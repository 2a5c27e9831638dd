"""Whole sweeps with the unmodified W&B SDK, each in processes of its own."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.wandb_carbs.conftest import WandbEnv

    from wandb_carbs.server.server import LocalServer

# The agents of the SDK poll every 5 s; that is all the tests change in it.
FUNCTION_AGENT = """
import json, os, sys, time
import wandb
import wandb.agents.pyagent
wandb.agents.pyagent.Agent.HEARTBEAT_SLEEP_SECONDS = 0.2
"""
CLI = """
import wandb.wandb_agent
wandb.wandb_agent.Agent.POLL_INTERVAL = 0.2
from wandb.cli.cli import cli
cli()
"""


def python(env: WandbEnv, code: str, *arguments: str, **extra: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=env.subprocess(**extra),
        cwd=env.path,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def result(output: str) -> Any:
    return json.loads(output.strip().splitlines()[-1])


def graphql(address: str, key: str, query: str, **variables: Any) -> Any:
    """Ask the server without the cost of a process that imports the SDK."""
    asked = urllib.request.Request(
        f"{address}/graphql",
        json.dumps({"query": query, "variables": variables}).encode(),
        {
            "Authorization": "Basic " + base64.b64encode(f"api:{key}".encode()).decode(),
            "Content-Type": "application/json",
        },
    )
    with urllib.request.urlopen(asked, timeout=20) as reply:
        return json.load(reply)["data"]


def read(env: dict[str, str], sweep: str, key: str) -> tuple[str, list[tuple[Any, str]]]:
    """Return a sweep's state, and one parameter and the state of each of its runs."""
    query = """query Q($s: String!) { project(name: "p") { sweep(sweepName: $s) {
        state runs { edges { node { state config } } } } } }"""
    found = graphql(env["WANDB_BASE_URL"], env["WANDB_API_KEY"], query, s=sweep)["project"]["sweep"]
    runs = [edge["node"] for edge in found["runs"]["edges"]]
    return found["state"], [(json.loads(run["config"])[key]["value"], run["state"]) for run in runs]


def create(env: dict[str, str], config: dict[str, Any]) -> str:
    query = 'mutation M($c: String!) { upsertSweep(input: {config: $c, projectName: "p"}) { sweep { name } } }'
    made = graphql(env["WANDB_BASE_URL"], env["WANDB_API_KEY"], query, c=json.dumps(config))
    name = made["upsertSweep"]["sweep"]["name"]
    assert isinstance(name, str)
    return name


def eventually(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 40
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def test_function_agent_runs_a_sweep(local_server: LocalServer, wandb_env: WandbEnv) -> None:
    code = """
config = {
    "method": "bayes",
    "metric": {"name": "loss", "goal": "minimize"},
    "parameters": {"x": {"min": 0.0, "max": 1.0}, "kind": {"values": ["a", "b"]}},
    "run_cap": 3,
}
sweep_id = wandb.sweep(config, project="p")
losses = []
# Metrics with the values that the SDK is to keep of each, and three values for each run.
kept = {"low": "min", "extremes": "min,max", "both": "min,last", "copied": "copy", "deep.low": "min", "mean": "mean"}
logged = [[5.0, 1.0, 9.0], [2.0, 3.0, 3.0], [4.0, 4.0, 2.5]]

def train():
    with wandb.init() as run:
        losses.append(3.0 - len(losses))
        run.config.update_locked({"x": float(len(losses))}, user="carbs", _allow_val_change=True)
        for name, summary in kept.items():
            run.define_metric(name, summary=summary)
        for step, value in enumerate(logged[len(losses) - 1]):
            flat = {name: value for name in kept if name != "deep.low"}
            run.log({"loss": losses[-1] + 2 - step, **flat, "deep": {"low": value}})
        run.summary.update({"carbs.state": "success", "carbs.cost": 1.5})
        print("hello from", run.id)

wandb.agent(sweep_id, train, project="p", count=3)
api = wandb.Api()
sweep = api.sweep(f"local/p/{sweep_id}")
runs = api.runs("local/p", filters={"summary_metrics.carbs.state": {"$exists": True}}, order="-created_at")
first = sweep.runs[0]
print(json.dumps({
    "sweep": [sweep.state, sweep.expected_run_count, len(sweep.runs), sweep.best_run().id, sweep.config["method"]],
    "ids": [run.id for run in sweep.runs],
    "reversed": [run.id for run in runs],
    "states": sorted({run.state for run in runs}),
    "x": [run.config["x"] for run in sweep.runs],
    "summary": [first.summary["carbs.state"], first.summary.get("carbs.cost"), first.summary["loss"]],
    "history": [row["loss"] for row in first.history(pandas=False)],
    "sampled": [row["loss"] for row in first.history(keys=["loss"], pandas=False)],
    "scanned": [row["loss"] for row in first.scan_history()],
    "scanned keys": [row["loss"] for row in first.scan_history(keys=["loss"])],
    "step": first.lastHistoryStep,
    "files": sorted(file.name for file in first.files()),
    "python": bool(first.metadata),
    "sweeps": [found.id == sweep_id for found in api.project("p").sweeps()],
    "agents": [agent.total_runs for agent in sweep.agents()],
    "url": sweep.url,
    "best": {sign + name: sweep.best_run(f"{sign}summary_metrics.{name}").id for sign in "+-" for name in kept},
    "kept": [dict(first.summary["extremes"]), first.summary["copied"], dict(first.summary["deep"]["low"])],
}))
"""
    found = result(python(wandb_env, FUNCTION_AGENT + code))
    ids = found["ids"]
    assert found["sweep"] == ["RUNNING", 3, 3, ids[2], "bayes"]
    assert found["reversed"] == ids[::-1]
    assert found["states"] == ["finished"]
    assert found["x"] == [1.0, 2.0, 3.0]
    assert found["summary"] == ["success", 1.5, 3.0]
    for way in ("history", "sampled", "scanned", "scanned keys"):
        assert found[way] == [5.0, 4.0, 3.0]
    assert found["step"] == 2
    assert {"config.yaml", "wandb-summary.json", "wandb-metadata.json"} <= set(found["files"])
    assert found["python"]
    assert found["sweeps"] == [True]
    assert found["agents"] == [3]
    assert found["url"].startswith(f"{local_server.url}/local/p/sweeps/")
    assert found["kept"] == [{"min": 1, "max": 9}, 9.0, {"min": 1}]
    best = {
        "+low": 0,
        "+extremes": 0,
        "+both": 2,
        "+copied": 2,
        "+deep.low": 0,
        "+mean": 1,
        "-low": 2,
        "-extremes": 0,
        "-both": 0,
        "-copied": 0,
        "-deep.low": 2,
        "-mean": 0,
    }
    assert found["best"] == {order: ids[place] for order, place in best.items()}


TRAIN = """
import os, signal, sys
import wandb
with wandb.init() as run:
    how = dict(argument.lstrip("-").split("=") for argument in sys.argv[1:])["how"]
    assert run.config["how"] == how
    run.summary["how"] = how
    if how == "raise":
        raise RuntimeError
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "wait":
        open("waiting", "w").close()
        signal.pause()
"""


def test_cli_agent_tells_endings_apart(local_server: LocalServer, wandb_env: WandbEnv) -> None:
    (wandb_env.path / "train.py").write_text(TRAIN)
    values = ["kill", "raise", "ok"]
    config = {"method": "grid", "program": "train.py", "parameters": {"how": {"values": values}}}
    sweep = create(local_server.env(), config)
    python(wandb_env, CLI, "agent", f"local/p/{sweep}")
    expected = ("FINISHED", list(zip(values, ["crashed", "failed", "finished"], strict=True)))
    eventually(lambda: read(local_server.env(), sweep, "how") == expected, "an ending is not told")


def test_states_of_a_sweep_reach_its_agent(local_server: LocalServer, wandb_env: WandbEnv) -> None:
    (wandb_env.path / "train.py").write_text(TRAIN)
    config = {"method": "random", "program": "train.py", "parameters": {"how": {"value": "wait"}}}
    sweep = create(local_server.env(), config)
    path = f"local/p/{sweep}"
    command = """
import json, sys
import wandb
from wandb.cli.cli import cli
states = []
for option in ("--pause", "--resume", "--stop", "--resume", "--cancel"):
    cli(["sweep", option, sys.argv[1]], standalone_mode=False)
    states.append(wandb.Api().sweep(sys.argv[1]).state)
print(json.dumps(states))
"""
    with subprocess.Popen(
        [sys.executable, "-c", CLI, "agent", path],
        env=wandb_env.subprocess(),
        cwd=wandb_env.path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as agent:
        try:
            eventually((wandb_env.path / "waiting").exists, "the run has not started")
            states = result(python(wandb_env, command, path))
            assert states == ["PAUSED", "RUNNING", "FINISHED", "RUNNING", "CANCELED"]
            agent.wait(40)
        finally:
            agent.kill()
    expected = ("CANCELED", [("wait", "killed")])
    eventually(lambda: read(local_server.env(), sweep, "how") == expected, "the run is not killed")


def test_run_resumes_where_it_was(wandb_env: WandbEnv) -> None:
    code = """
import json, wandb
seen = []
for part in range(2):
    with wandb.init(project="p", id="again", resume="allow", config={"part": part}) as run:
        seen.append(run.resumed)
        run.log({"loss": part})
        run.log({"loss": part})
run = wandb.Api().run("local/p/again")
print(json.dumps([seen, run.state, [row["_step"] for row in run.history(pandas=False)]]))
"""
    seen, state, steps = result(python(wandb_env, code))
    assert seen == [False, True]
    assert state == "finished"
    assert steps == [0, 1, 2, 3]


def test_several_writers_of_one_run(wandb_env: WandbEnv) -> None:
    code = """
import json, wandb
for rank in (1, 0):
    is_first = rank == 0
    settings = wandb.Settings(
        mode="shared", x_label=f"rank_{rank}", x_primary=is_first, x_update_finish_state=is_first
    )
    with wandb.init(project="p", id="many", config={f"rank_{rank}": rank}, settings=settings) as run:
        for value in range(3):
            run.log({f"loss_{rank}": value})
run = wandb.Api().run("local/p/many")
rows = list(run.scan_history())
print(json.dumps({
    "steps": [row["_step"] for row in rows],
    "losses": [[row[key] for row in rows if key in row] for key in ("loss_0", "loss_1")],
    "kept": [run.state, dict(run.config), run.summary["loss_0"], run.summary["loss_1"]],
}))
"""
    found = result(python(wandb_env, code))
    assert found["steps"] == list(range(6))
    assert found["losses"] == [[0, 1, 2], [0, 1, 2]]
    assert found["kept"] == ["finished", {"rank_0": 0, "rank_1": 1}, 2, 2]


def test_api_edits_stops_and_deletes_runs(wandb_env: WandbEnv) -> None:
    code = """
import json, wandb
with wandb.init(project="p", config={"a": 1}) as run:
    run.summary["s"] = 1
found = wandb.Api().run(run.path)
found.config["a"] = 2
found.summary["s"] = 2
found.tags.append("edited")
found.update()
again = wandb.Api().run(run.path)
print(json.dumps([again.config, again.summary["s"], again.tags, again.state]))
again.delete()
try:
    wandb.Api().run(run.path)
except Exception as error:
    print(json.dumps(str(error)))
"""
    edited, gone = python(wandb_env, code).strip().splitlines()[-2:]
    assert json.loads(edited) == [{"a": 2}, 2, ["edited"], "finished"]
    assert "Could not find run" in gone


def test_sweep_survives_the_servers_death(tmp_path: Path, wandb_env: WandbEnv) -> None:
    """The server is killed in the middle of a run; the agent waits for its return and finishes the sweep."""
    serve = """
import sys
from pathlib import Path
from wandb_carbs.local import serve
serve(port=int(sys.argv[1]), data_dir=Path(sys.argv[2]))
"""
    code = """
def train():
    with wandb.init() as run:
        run.log({"x": run.config["x"]})
        open(f"started-{run.config['x']}", "w").close()
        while run.config["x"] == 1 and not os.path.exists("go"):
            time.sleep(0.05)

wandb.agent(sys.argv[1], train, project="p")
"""
    folder = tmp_path / "mortal"

    def start(port: int) -> tuple[subprocess.Popen[str], dict[str, str]]:
        process = subprocess.Popen(
            [sys.executable, "-c", serve, str(port), str(folder)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        exports = [process.stdout.readline().removeprefix("export ").strip().split("=", 1) for _ in range(2)]
        return process, dict(exports)

    server, exports = start(0)
    try:
        sweep = create(exports, {"method": "grid", "parameters": {"x": {"values": [0, 1, 2]}}})
        with subprocess.Popen(
            [sys.executable, "-c", FUNCTION_AGENT + code, sweep],
            env=wandb_env.subprocess(**exports),
            cwd=wandb_env.path,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as agent:
            try:
                eventually((wandb_env.path / "started-1").exists, "the second run has not started")
                server.send_signal(signal.SIGKILL)
                server.communicate()
                (wandb_env.path / "go").touch()
                server, again = start(int(exports["WANDB_BASE_URL"].rpartition(":")[2]))
                assert again == exports
                assert agent.wait(60) == 0
            finally:
                agent.kill()
        assert read(exports, sweep, "x") == ("FINISHED", [(x, "finished") for x in range(3)])
    finally:
        server.terminate()
        server.communicate()


def test_tables_artifacts_models_and_code_arrive(wandb_env: WandbEnv) -> None:
    code = """
import json, pathlib, sys, wandb
pathlib.Path("program.py").write_text("print(1)")
pathlib.Path("weights.bin").write_bytes(b"w" * 1000)
with wandb.init(project="p", id="r") as run:
    run.log({"t": wandb.Table(columns=["a"], data=[[1], [2]])})
    for content in ("first", "second"):
        artifact = wandb.Artifact("data", "dataset", metadata={"rows": 3})
        with artifact.new_file("folder/part.txt") as file:
            file.write(content)
        run.log_artifact(artifact, aliases=["best"] if content == "first" else None).wait()
    run.log_model("weights.bin", name="net")
    run.log_code(".", include_fn=lambda path: path.endswith("program.py"))
found = wandb.Api().run("local/p/r")
stored = {file.name: file for file in found.files()}
table = next(name for name in stored if name.startswith("media/table/t_"))
best = wandb.Api().artifact("local/p/data:best")
newest = wandb.Api().artifact("local/p/data:latest")
print(json.dumps({
    "state": found.state,
    "summary": found.summary["t"]["_type"],
    "table": json.load(stored[table].download("got"))["data"],
    "logged": sorted((artifact.name, artifact.type) for artifact in found.logged_artifacts()),
    "versions": [best.version, best.metadata, newest.version, newest.aliases],
    "content": [pathlib.Path(a.download(a.version), "folder/part.txt").read_text() for a in (best, newest)],
}))
"""
    found = result(python(wandb_env, code))
    assert found["state"] == "finished"
    assert found["summary"] == "table-file"
    assert found["table"] == [[1], [2]]
    logged = {name.partition(":")[0]: kind for name, kind in found["logged"]}
    assert logged.pop("data") == "dataset"
    assert logged.pop("net") == "model"
    assert sorted(logged.values()) == ["code", "run_table"]
    assert found["versions"] == ["v0", {"rows": 3}, "v1", ["latest"]]
    assert found["content"] == ["first", "second"]


def test_bad_sweep_is_told(wandb_env: WandbEnv) -> None:
    code = """
import wandb
try:
    wandb.sweep({"method": "random", "parameters": {"x": {"min": 2, "max": 1}}}, project="p")
except Exception as error:
    print(error)
"""
    assert "must not exceed" in python(wandb_env, code)


def test_fixture_serves_the_sdk_of_this_process(local_server: LocalServer, wandb_env: WandbEnv) -> None:
    import wandb

    assert os.environ["WANDB_BASE_URL"] == local_server.url
    with wandb.init(project="p", config={"a": 1}) as run:
        run.summary["b"] = 2
    found = wandb.Api().run(f"local/p/{run.id}")
    assert (found.config, found.summary["b"], found.state) == ({"a": 1}, 2, "finished")
    assert (wandb_env.path / "wandb").is_dir()
