"""Artifacts, branches of runs, files and alerts with the unmodified W&B SDK, in processes of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.wandb_carbs.conftest import WandbEnv


def python(env: WandbEnv, code: str) -> Any:
    """Run a program that prints JSON on its last line."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=env.subprocess(),
        cwd=env.path,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.strip().splitlines()[-1])


def test_artifacts(wandb_env: WandbEnv) -> None:
    code = """
import json, os, pathlib, wandb
pathlib.Path("one.txt").write_text("one")
pathlib.Path("far.txt").write_text("far")

def make(**more):
    artifact = wandb.Artifact("d", "dataset", **more)
    artifact.add_file("one.txt")
    artifact.add_reference("file://" + os.path.abspath("far.txt"), name="far.txt")
    return artifact

def names(path):
    return sorted(os.listdir(path))

def fetched(artifact, path):
    # One after the other: without its cache, the SDK's own threads lose files now and then.
    for name in artifact.manifest.entries:
        artifact.get_entry(name).download(path, skip_cache=True)
    return names(path)

found = {}
with wandb.init(project="p", id="r") as run:
    run.log_artifact(make()).wait()
    found["same content"] = run.log_artifact(make(), aliases=["again"]).wait().version
    draft = wandb.Api().artifact("local/p/d:latest").new_draft()
    with draft.new_file("two.txt") as file:
        file.write("two")
    run.log_artifact(draft).wait()
    unlogged = wandb.Artifact("unlogged", "input")
    unlogged.add_file("one.txt")
    found["unlogged"] = run.use_artifact(unlogged).wait().version
    used = run.use_artifact("d:latest")
    found["used"] = [used.version, used.size, used.file_count]

with wandb.init(project="p", id="second") as run:
    run.log_artifact(wandb.Api().artifact("local/p/d:latest").new_draft()).wait()
    try:
        run.log_artifact(wandb.Artifact("elsewhere", "dataset", storage_region="moon")).wait()
    except Exception as error:
        found["region"] = str(error)
api = wandb.Api()
found["logged again"] = [artifact.name for artifact in api.run("local/p/second").logged_artifacts()]
newest = api.artifact("local/p/d:latest")
found["downloaded"] = names(newest.download("new"))
found["entry"] = pathlib.Path(newest.get_entry("one.txt").download("entry")).read_text()
found["files"] = [file.name for file in newest.files()]
found["inputs"] = sorted(artifact.name for artifact in api.run("local/p/r").used_artifacts())
found["outputs"] = sorted(artifact.name for artifact in api.run("local/p/r").logged_artifacts())
found["runs"] = [newest.logged_by().id, *[run.id for run in newest.used_by()]]
newest.aliases.append("mine")
newest.description = "text"
newest.tags = ["a", "b"]
newest.metadata["rows"] = 3
newest.save()
mine = api.artifact("local/p/d:mine")
found["changed"] = [mine.version, mine.aliases, mine.description, sorted(mine.tags), mine.metadata]
found["types"] = [kind.name for kind in api.artifact_types("local/p")]
found["collections"] = [one.name for one in api.artifact_collections("local/p", "dataset")]
found["versions"] = [one.version for one in api.artifacts("dataset", "local/p/d")]
found["tagged"] = [one.version for one in api.artifacts("dataset", "local/p/d", tags=["a"])]
found["exists"] = [api.artifact_exists(f"local/p/{name}:v0") for name in ("d", "nosuch")]
oldest = api.artifact("local/p/d:v0")
try:
    oldest.delete()
except Exception as error:
    found["refused"] = str(error)
oldest.delete(delete_aliases=True)
found["left"] = [one.version for one in api.artifacts("dataset", "local/p/d")]
found["inherited"] = fetched(api.artifact("local/p/d:latest"), "rest")
api.run("local/p/r").delete()
orphan = wandb.Api().artifact("local/p/d:latest")
found["after the run"] = [fetched(orphan, "orphan"), orphan.logged_by()]
found["projects"] = [project.name for project in wandb.Api().projects("local")]
try:
    wandb.Api().artifact("local/p/d:latest").link("wandb-registry-model/x")
except Exception as error:
    found["link"] = str(error)
print(json.dumps(found))
"""
    everything = ["far.txt", "one.txt", "two.txt"]
    found = python(wandb_env, code)
    assert "refused" in found
    assert "again" in found.pop("refused")
    assert found.pop("link")
    assert "moon" in found.pop("region")
    assert found == {
        "same content": "v0",
        "unlogged": "v0",
        "used": ["v1", 9, 3],
        "logged again": ["d:v1"],
        "downloaded": everything,
        "entry": "one",
        "files": everything,
        "inputs": ["d:v1", "unlogged:v0"],
        "outputs": ["d:v0", "d:v1"],
        "runs": ["r", "r"],
        "changed": ["v1", ["latest", "mine"], "text", ["a", "b"], {"rows": 3}],
        "types": ["dataset", "input"],
        "collections": ["d"],
        "versions": ["v1", "v0"],
        "tagged": ["v1"],
        "exists": [True, False],
        "left": ["v1"],
        "inherited": everything,
        "after the run": [everything, None],
        "projects": ["p"],
    }


def test_incremental_tables_keep_all_their_parts(wandb_env: WandbEnv) -> None:
    code = """
import json, wandb
with wandb.init(project="p", id="r") as run:
    table = wandb.Table(columns=["x"], log_mode="INCREMENTAL")
    for x in range(3):
        table.add_data(x)
        run.log({"t": table})
artifact = wandb.Api().artifact("local/p/run-r-incr-t:latest")
last = max(path for path in artifact.manifest.entries if path.endswith(".table.json"))
table = artifact.get(last.removesuffix(".table.json"))
print(json.dumps([artifact.version, sorted(x for row in table.data for x in row)]))
"""
    assert python(wandb_env, code) == ["v2", [0, 1, 2]]


def test_runs_branch_and_their_data_are_read(wandb_env: WandbEnv) -> None:
    code = """
import json, pathlib, urllib.request, wandb
with wandb.init(project="p", id="parent") as run:
    for step in range(5):
        run.log({"loss": 10 - step})
with wandb.init(project="p", id="child", fork_from="parent?_step=2") as run:
    run.log({"loss": 100})
with wandb.init(project="p", resume_from="parent?_step=1") as run:
    run.log({"loss": 200})
    print("hello")
    run.alert("trouble", "loss is high", level="WARN")
    pathlib.Path("kept.txt").write_text("x")
    pathlib.Path("gone.txt").write_text("x")
    run.save("*.txt")

def rows(name):
    return [[row["_step"], row["loss"]] for row in wandb.Api().run(f"local/p/{name}").scan_history()]

found = {"parent": rows("parent"), "child": rows("child")}
run = wandb.Api().run("local/p/parent")
next(file for file in run.files() if file.name == "gone.txt").delete()
page = urllib.request.urlopen(run.url).read().decode()
found["alert"] = [word in page for word in ("WARN", "trouble", "loss is high")]
found["files"] = [file.name for file in run.files() if file.name.endswith(".txt")]
found["by key"] = len(list(run.scan_history(keys=["loss"], page_size=1)))
found["console"] = "hello" in [line.content for line in run.console_logs()]
try:
    run.download_history_exports("exports")
except Exception as error:
    found["exports"] = type(error).__name__
try:
    wandb.init(project="p", fork_from="nosuch?_step=2")
except Exception as error:
    found["no parent"] = str(error)
run.delete()
run.delete()
print(json.dumps(found))
"""
    found = python(wandb_env, code)
    assert "nosuch" in found.pop("no parent")
    assert found == {
        "parent": [[0, 10], [1, 9], [2, 200]],
        "child": [[0, 10], [1, 9], [2, 8], [3, 100]],
        "alert": [True, True, True],
        "files": ["kept.txt", "requirements.txt"],
        "by key": 3,
        "console": True,
        "exports": "IncompleteRunHistoryError",
    }
