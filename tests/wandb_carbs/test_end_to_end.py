"""Real processes with the real SDK against the local server."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import wandb

from carbs import LinearSpace, LogSpace, Param
from wandb_carbs import create_sweep, load_sweep

if TYPE_CHECKING:
    from collections.abc import Iterator

ENTITY, PROJECT = "team", "project"

# The SDK's own sweep() does what the SDK's own settings warn of.
pytestmark = pytest.mark.filterwarnings("ignore:Read the `app_url` setting:DeprecationWarning")

README = """
import sys
import wandb
from wandb_carbs import WandbCarbs, create_sweep
from carbs import CARBS, Param, LogSpace, LinearSpace

params = [
    Param(name='learning_rate', space=LogSpace(min=1e-5, max=1e-1)),
    Param(name='batch_size', space=LinearSpace(min=16, max=128, is_integer=True)),
]

def train():
    wandb.init()
    carbs = CARBS(params=params)
    wandb_carbs = WandbCarbs(carbs=carbs)
    suggestion = wandb_carbs.suggest()
    assert suggestion.pop("suggestion_uuid") == wandb.run.id
    assert {name: wandb.config[name] for name in suggestion} == suggestion
    wandb.log({"accuracy": 0.5})
    wandb_carbs.record_observation(objective=0.5, cost=2.0)
    wandb.finish()

wandb.agent(sys.argv[1], function=train, entity="team", project="project", count=int(sys.argv[2]))
"""

# Takes a suggestion, says so, and waits to be told how to go on.
WAITING = """
import json, sys
import wandb
from wandb_carbs import WandbCarbs
run = wandb.init(resume=sys.argv[1] or None)
trial = WandbCarbs.from_sweep()
print(json.dumps(trial.suggest()), flush=True)
for line in sys.stdin:
    exec(line)
    print("done", flush=True)
"""

IN_AGENT = """
import sys, threading
import wandb
from wandb_carbs import WandbCarbs

def train():
    with wandb.init() as run:
        trial = WandbCarbs.from_sweep()
        print(run.id, flush=True)
        threading.Event().wait(60)

wandb.agent(sys.argv[1], function=train, entity="team", project="project", count=1)
"""


def params() -> list[Param]:
    return [
        Param("learning_rate", LogSpace(min=1e-5, max=1e-1)),
        Param("batch_size", LinearSpace(min=16, max=128, is_integer=True)),
    ]


@pytest.fixture
def sweep_id(wandb_env: Any) -> str:
    assert wandb_env
    return create_sweep("sweep", ENTITY, PROJECT, params())


class Program:
    """A program that waits for its next order, line by line."""

    def __init__(self, environment: dict[str, str], code: str, *arguments: str) -> None:
        command = [sys.executable, "-c", code, *arguments]
        self.process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def line(self) -> str:
        assert self.process.stdout is not None
        text = self.process.stdout.readline().strip()
        if not text:
            _, error = self.process.communicate(timeout=60)
            raise AssertionError(error)
        return text

    def do(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        assert self.line() == "done"

    def end(self) -> tuple[int, str]:
        _, error = self.process.communicate(timeout=60)
        return self.process.returncode, error

    def signal(self, number: int) -> int:
        self.process.send_signal(number)
        return self.end()[0]


@pytest.fixture
def start(wandb_env: Any, sweep_id: str) -> Iterator[Any]:
    programs: list[Program] = []

    def begin(code: str, *arguments: str) -> Program:
        environment = wandb_env.subprocess(WANDB_SWEEP_ID=sweep_id, WANDB_ENTITY=ENTITY, WANDB_PROJECT=PROJECT)
        if code is WAITING:
            environment["WANDB_RUN_ID"] = "the-run"
        programs.append(Program(environment, code, *arguments))
        return programs[-1]

    yield begin
    for program in programs:
        program.process.kill()
        program.process.communicate()


def run_of(run_id: str = "the-run") -> tuple[dict[str, Any], dict[str, Any]]:
    run = wandb.Api().run(f"{ENTITY}/{PROJECT}/{run_id}")
    return dict(run.config), dict(run.summary_metrics)


def counts(sweep_id: str) -> dict[str, int]:
    return {name: n for name, n in load_sweep(f"{ENTITY}/{PROJECT}/{sweep_id}").counts.items() if n}


def test_readme_program_as_one_process_and_as_three(wandb_env: Any, sweep_id: str) -> None:
    """All runs end as successes with different configurations, and no warning of locked values is printed."""
    environment = {**wandb_env.subprocess(), "WANDB_SILENT": "false", "PYTHONWARNINGS": "error::UserWarning"}
    for number in (1, 3):
        programs = [Program(environment, README, sweep_id, "1") for _ in range(number)]
        for program in programs:
            code, error = program.end()
            assert code == 0, error
            assert "locked" not in error
    history = load_sweep(f"{ENTITY}/{PROJECT}/{sweep_id}")
    assert history.counts["observation"] == len(history.runs) == 4
    assert len({json.dumps(run.suggestion) for run in history.runs}) == 4
    for run in history.runs:
        assert run.record.state == "finished"
        assert run.record.source.config == run.suggestion
        summary = run.record.summary
        assert (summary["carbs.objective"], summary["carbs.cost"], summary["accuracy"]) == (0.5, 2.0, 0.5)


def test_suggestion_and_outcome_are_visible_when_the_calls_return(start: Any) -> None:
    """Another process sees each within a second; here at once, by one request."""
    program = start(WAITING, "")
    suggestion = json.loads(program.line())
    config, summary = run_of()
    assert {**config, "suggestion_uuid": "the-run"} == suggestion
    assert summary["carbs.state"] == "running"
    assert summary["carbs.kind"] == "random"
    program.do("trial.record_observation(objective=3, cost=4)")
    _, summary = run_of()
    assert (summary["carbs.state"], summary["carbs.objective"], summary["carbs.cost"]) == ("success", 3, 4)


def test_killed_run_takes_up_its_suggestion(start: Any, sweep_id: str) -> None:
    """SIGKILL loses nothing, whether the run is resumed or just started again, and it stays one observation."""
    program = start(WAITING, "")
    suggestion = json.loads(program.line())
    program.signal(signal.SIGKILL)
    program = start(WAITING, "")
    assert json.loads(program.line()) == suggestion
    program.signal(signal.SIGKILL)
    program = start(WAITING, "allow")
    assert json.loads(program.line()) == suggestion
    program.do("trial.record_observation(objective=3, cost=4)")
    program.signal(signal.SIGKILL)
    assert counts(sweep_id) == {"observation": 1}
    program = start(WAITING, "")
    assert json.loads(program.line()) == suggestion
    program.process.communicate("trial.record_observation(objective=5, cost=6)\n", timeout=60)
    assert counts(sweep_id) == {"observation": 1}
    assert load_sweep(f"{ENTITY}/{PROJECT}/{sweep_id}").runs[0].record.summary["carbs.objective"] == 3


def test_sigterm_abandons(start: Any, sweep_id: str) -> None:
    """The place is free before the process ends by the signal, and the run can be resumed."""
    program = start(WAITING, "")
    suggestion = json.loads(program.line())
    assert program.signal(signal.SIGTERM) == -signal.SIGTERM
    _, summary = run_of()
    assert (summary["carbs.state"], summary["carbs.reason"]) == ("abandoned", "SIGTERM")
    assert counts(sweep_id) == {"abandoned": 1}
    program = start(WAITING, "allow")
    assert json.loads(program.line()) == suggestion
    program.do("trial.record_observation(objective=3, cost=4)")
    _, summary = run_of()
    assert (summary["carbs.state"], summary["carbs.reason"]) == ("success", "")


def test_sigterm_abandons_inside_wandb_agent(start: Any, sweep_id: str) -> None:
    program = start(IN_AGENT, sweep_id)
    run_id = program.line()
    program.signal(signal.SIGTERM)
    _, summary = run_of(run_id)
    assert (summary["carbs.state"], summary["carbs.reason"]) == ("abandoned", "SIGTERM")


RANKS = """
def train_model(config):
    if rank == 1:
        from wandb_carbs import WandbCarbsError
        try:
            WandbCarbs.from_sweep()
        except WandbCarbsError as error:
            assert "rank 1 of its job (SLURM_PROCID=1)" in str(error) and "broadcast" in str(error), error
        else:
            raise AssertionError("rank 1 was served")
    print(json.dumps(config), flush=True)
    return 0.5
"""


def test_one_suggestion_for_a_job_of_two_ranks(wandb_env: Any, sweep_id: str) -> None:
    """The documented program: both ranks train with the same configuration, W&B shows one run."""
    page = (Path(__file__).parents[2] / "docs" / "many-machines.md").read_text()
    recipe = next(part.partition("```")[0] for part in page.split("```python\n") if "SLURM_STEP_ID" in part)
    environment = wandb_env.subprocess(WANDB_SWEEP_ID=sweep_id, WANDB_ENTITY=ENTITY, WANDB_PROJECT=PROJECT)
    job = {"SLURM_JOB_ID": "4711", "SLURM_STEP_ID": "0"}
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", recipe.replace("accuracy =", f"{RANKS}\naccuracy =")],
            cwd=wandb_env.path,
            env={**environment, **job, "SLURM_PROCID": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in (1, 0)
    ]
    said = [program.communicate(timeout=120) for program in programs]
    assert [program.returncode for program in programs] == [0, 0], said
    assert said[0][0] == said[1][0]
    (run,) = load_sweep(f"{ENTITY}/{PROJECT}/{sweep_id}").runs
    assert json.loads(said[0][0]) == {**(run.suggestion or {}), "suggestion_uuid": run.record.id}
    assert counts(sweep_id) == {"observation": 1}
