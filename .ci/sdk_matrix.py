"""Run the README's program on every SDK version that the package claims, against a local server.

Each version gets an environment of its own (uv, in a scratch folder), and runs the program both ways: `wandb.agent`
with a function, and `wandb agent` on the command line. The program also logs a histogram, a table, a plot, HTML and an
artifact, and sends an alert; all of it is looked for. A version that cannot be installed is a failure, not a skip.

    uv run python .ci/sdk_matrix.py [VERSION ...] [--environments FOLDER]
"""  # noqa: INP001 - a script

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from wandb_carbs.server import LocalServer

ROOT = Path(__file__).resolve().parents[1]
VERSIONS = ("0.19.11", "0.22.3", "0.25.1", "0.26.1", "0.28.0", "newest")
TIMEOUT = 600.0

TRAIN = """
import os, urllib.request
from carbs import CARBS, LinearSpace, LogSpace, Param
from wandb_carbs import WandbCarbs, create_sweep, load_sweep
import wandb

params = [
    Param(name="learning_rate", space=LogSpace(min=1e-5, max=1e-1)),
    Param(name="batch_size", space=LinearSpace(min=16, max=128, is_integer=True)),
]

def train():
    wandb.init()
    wandb_carbs = WandbCarbs(carbs=CARBS(params=params))
    suggestion = wandb_carbs.suggest()
    assert suggestion.pop("suggestion_uuid") == wandb.run.id
    assert {name: wandb.config[name] for name in suggestion} == suggestion
    table = wandb.Table(columns=["epoch", "loss"], data=[[1, 0.7], [2, 0.5]])
    media = {"histogram": wandb.Histogram([1, 2, 2]), "table": table, "curve": wandb.plot.line(table, "epoch", "loss")}
    wandb.log({"accuracy": 0.5, "text": wandb.Html("<b>bold</b>"), **media})
    wandb.alert("trouble", "the accuracy is low")
    artifact = wandb.Artifact("model", type="model")
    with artifact.new_file("weights.txt") as file:
        file.write(wandb.run.id)
    wandb.log_artifact(artifact)
    wandb_carbs.record_observation(objective=0.5, cost=2.0)
    wandb.finish()

def show(sweep):
    history = load_sweep(f"team/{os.environ['WANDB_PROJECT']}/{sweep}")
    different = len({str(run.suggestion) for run in history.runs})
    print("observations", history.counts["observation"], "of", len(history.runs), "different", different)
    for run in wandb.Api().runs(f"team/{os.environ['WANDB_PROJECT']}", {"sweep": sweep}):
        (model,) = [artifact for artifact in run.logged_artifacts() if artifact.type == "model"]
        assert open(os.path.join(model.download(), "weights.txt")).read() == run.id
        files = " ".join(file.name for file in run.files())
        assert "media/table" in files and "media/html" in files, files
        assert {"histogram", "accuracy", "text"} <= set(run.summary.keys())
        assert "the accuracy is low" in urllib.request.urlopen(run.url).read().decode()
"""
# Two runs by the agent of a function; then prints the sweep for the agent of the command line.
BY_FUNCTION = """
from train import *
project = os.environ["WANDB_PROJECT"]
sweep = create_sweep("function", "team", project, params)
wandb.agent(sweep, function=train, entity="team", project=project, count=2)
show(sweep)
command = ["python", "${program}"]
print("sweep", create_sweep("command", "team", project, params, program="program.py", command=command))
"""
BY_COMMAND = "import train\ntrain.train()\n"
SHOW = "import sys, train\ntrain.show(sys.argv[1])\n"


class Matrix:
    """All versions, each in an environment of its own.

    Args:
        environments: Folder of the environments; those that are there are used.
        scratch: Folder for everything else.
        server: The server that the programs talk to.
    """

    def __init__(self, environments: Path, scratch: Path, server: LocalServer) -> None:
        self._environments = environments
        self._scratch = scratch
        self._server = server

    def install(self, version: str) -> None:
        """Install the package as it is now, with one SDK version."""
        python = self._environments / version / "bin" / "python"
        requirement = "wandb" if version == "newest" else f"wandb=={version}"
        if not python.exists():
            run(["uv", "venv", "--quiet", "--python", sys.executable, str(python.parents[1])], {})
        anew = ["--upgrade-package", "wandb", "--reinstall-package", "wandb-carbs"]
        run(["uv", "pip", "install", "--quiet", "--python", str(python), *anew, str(ROOT), requirement], {})

    def check(self, version: str) -> str:
        """Run the program both ways; return what is wrong, empty if nothing is."""
        folder = self._scratch / version
        folder.mkdir(parents=True)
        (folder / "train.py").write_text(TRAIN)
        (folder / "program.py").write_text(BY_COMMAND)
        python = self._environments / version / "bin" / "python"
        settings = {
            **self._server.env(),
            "HOME": str(folder),
            "PATH": f"{python.parent}:{os.environ['PATH']}",
            "WANDB_DIR": str(folder),
            "WANDB_ENTITY": "team",
            "WANDB_ERROR_REPORTING": "false",
            "WANDB_PROJECT": f"sdk-{version.replace('.', '-')}",
        }
        said = run([str(python), "-c", BY_FUNCTION], settings, folder)
        sweep = said.rpartition("sweep ")[2].strip()
        run(
            [str(python), "-m", "wandb", "agent", "--count", "1", f"team/{settings['WANDB_PROJECT']}/{sweep}"],
            settings,
            folder,
        )
        wrong = [] if "observations 2 of 2 different 2\n" in said else [f"wandb.agent(function=...): {said}"]
        said = run([str(python), "-c", SHOW, sweep], settings, folder)
        wrong += [] if "observations 1 of 1 different 1\n" in said else [f"wandb agent: {said}"]
        return "; ".join(wrong)


def run(command: list[str], settings: dict[str, str], folder: Path | None = None) -> str:
    """Run a command; return what it printed."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("WANDB_")}
    done = subprocess.run(  # noqa: S603 - our own programs
        command,
        cwd=folder,
        env={**kept, **settings},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{command[:4]} ended with {done.returncode}: {done.stdout[-1000:]}\n{done.stderr[-3000:]}")
    return done.stdout


def main() -> int:
    """Check all versions, two at a time; return the number of those that fail."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("versions", nargs="*", default=VERSIONS)
    parser.add_argument("--environments", type=Path, help="folder that keeps the environments for the next time")
    options = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory() as scratch, LocalServer(Path(scratch) / "server") as server:
        environments = options.environments or Path(scratch) / "environments"
        matrix = Matrix(environments.absolute(), Path(scratch), server)

        def judge(version: str) -> tuple[str, str, float]:
            start = time.monotonic()
            try:
                matrix.install(version)
                problem = matrix.check(version)
            except (RuntimeError, OSError, subprocess.TimeoutExpired) as error:
                problem = str(error)
            return version, problem, time.monotonic() - start

        with ThreadPoolExecutor(2) as pool:
            for version, problem, seconds in pool.map(judge, options.versions):
                print(f"wandb {version}: {problem or 'ok'} ({seconds:.0f} s)", flush=True)  # noqa: T201
                failed += bool(problem)
    return failed


if __name__ == "__main__":
    sys.exit(main())
