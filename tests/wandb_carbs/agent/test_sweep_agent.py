"""Programs that know nothing of us, run by our agent with the real SDK on one local server.

Every program logs what it was given: its loss is made of its values, so that an outcome that is recorded for another
configuration than the one that was trained cannot pass.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import math
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import wandb

from carbs import (
    CarbsError,
    CARBSParams,
    CategoricalSpace,
    LinearSpace,
    LogSpace,
    ObservationInParam,
    Param,
    unfinished,
)
from wandb_carbs import SweepDefinition, SweepPath, carbs_from_sweep, load_sweep, sweep_configuration
from wandb_carbs.agent import early_stop, publisher, sweep_agent
from wandb_carbs.agent.registration import EXIT, Command, Registration
from wandb_carbs.agent.runnable_sweep import load_runnable_sweep
from wandb_carbs.agent.sweep_agent import SweepAgent
from wandb_carbs.graphql import execute
from wandb_carbs.record import (
    ABANDONED,
    COST_KEY,
    FAILURE,
    OBJECTIVE_KEY,
    REASON_KEY,
    STATE_KEY,
    SUCCESS,
    Standing,
)
from wandb_carbs.server.server import LocalServer
from wandb_carbs.sweep.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

pytestmark = pytest.mark.filterwarnings("ignore:Read the `app_url` setting:DeprecationWarning")

PARAMS = (Param("lr", LogSpace(min=1e-4, max=1e-1)), Param("layers", LinearSpace(1, 4, is_integer=True)))
NO_ARGS = ["${env}", "${interpreter}", "${program}"]
OVER = "W&B has no more runs: the sweep is over, or has started all that it may have"
# The rest of each program: it has `lr` and `layers`.
TRAIN = """
import wandb
run = wandb.init()
for step in range(3):
    wandb.log({"loss": lr + layers + 2 - step, "hours": 0.5})
"""
ARGPARSE = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, required=True)
parser.add_argument("--layers", type=int, required=True)
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
lr, layers = args.lr, args.layers
"""
CONFIG = """
import wandb
run = wandb.init()
lr, layers = wandb.config.lr, wandb.config["layers"]
assert sorted(wandb.config.keys()) == ["layers", "lr"], wandb.config.keys()
wandb.log({"loss": lr + layers})
"""


@dataclass
class Stage:
    """A server, and a folder for programs.

    Attributes:
        folder: Where programs and the SDK's files are.
        environment: The environment of programs.
    """

    folder: Path
    environment: dict[str, str]

    def sweep(
        self,
        code: str,
        command: list[Any] | None = None,
        definition: Any = None,
        params: Sequence[Param] = PARAMS,
        constants: Any = None,
        **options: Any,
    ) -> SweepPath:
        """Create a sweep of a program."""
        program = self.folder / f"program-{len(list(self.folder.iterdir()))}.py"
        program.write_text(code)
        options = {"program": str(program), "command": command, **options}
        parameters = options.pop("parameters", None)
        config = CARBSParams(better_direction_sign=-1)
        sweep = sweep_configuration("programs", params, config, "loss", parameters=constants, **options)
        if definition:
            kept = SweepDefinition.from_json(sweep["description"])
            sweep["description"] = replace(kept, **definition).to_json()
        sweep["parameters"] = parameters or sweep["parameters"]
        return SweepPath("team", "project", wandb.sweep(sweep=sweep, entity="team", project="project"))

    def agent(self, path: SweepPath, count: int | None = 1) -> tuple[int, str]:
        """Run an agent in this process; return its exit code, and what it said."""
        lines: list[str] = []
        sweep = load_runnable_sweep(path)
        code = SweepAgent(sweep, count=count, environment=self.environment, say=lines.append).run()
        return code, "\n".join(lines)

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        """Start the command in a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "wandb_carbs.cli", "agent", *arguments],
            env={**self.environment, **variables},
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def fifo(self) -> Path:
        """Return a pipe in which a program says that it has come to a place."""
        path = self.folder / f"pipe-{len(list(self.folder.iterdir()))}"
        os.mkfifo(path)
        return path


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("programs")
    (folder / "files").mkdir()
    with LocalServer(folder / "files" / "server") as server, pytest.MonkeyPatch.context() as patch:
        for key in [key for key in os.environ if key.startswith("WANDB_")]:
            patch.delenv(key)
        settings = {
            **server.env(),
            "HOME": str(folder / "files"),
            "WANDB_DIR": str(folder / "files"),
            "WANDB_ERROR_REPORTING": "false",
            "WANDB_SILENT": "true",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }
        for key, value in settings.items():
            patch.setenv(key, value)
        patch.setattr(sweep_agent, "_POLL_SECONDS", 0.3)
        patch.setattr(publisher, "_ENDING_SECONDS", 0.0)  # this server is never late
        patch.chdir(folder / "files")  # Hydra leaves its outputs where it is started
        wandb.teardown()
        yield Stage(folder, {name: value for name, value in os.environ.items() if name != "WANDB_SERVICE"})
        wandb.teardown()


def only_run(path: SweepPath) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Return the record of the sweep's only run, and its suggestion."""
    [run] = load_sweep(path).runs
    return dict(run.record.summary), run.suggestion


def expect_observation(path: SweepPath) -> dict[str, Any]:
    """Make sure that the sweep's only run has recorded what was trained."""
    record, suggestion = only_run(path)
    assert record[STATE_KEY] == SUCCESS, record.get(REASON_KEY)
    assert suggestion is not None
    assert record[OBJECTIVE_KEY] == pytest.approx(suggestion["lr"] + suggestion["layers"])
    assert 0 < record[COST_KEY] < 60
    return record


CLICK = """
import click
@click.command()
@click.option("--lr", type=float, required=True)
@click.option("--layers", type=int, required=True)
def main(lr, layers):
    exec(TRAIN, {"lr": lr, "layers": layers})
TRAIN = '''%s'''
main()
"""
FIRE = """
import fire
def main(lr, layers=1):
    exec(TRAIN, {"lr": lr, "layers": layers})
TRAIN = '''%s'''
fire.Fire(main)
"""
HYDRA = """
import hydra
from hydra.core.config_store import ConfigStore
ConfigStore.instance().store(name="config", node={"lr": 0.5, "layers": 1, "seed": 0})
@hydra.main(version_base=None, config_name="config")
def main(cfg):
    exec(TRAIN, {"lr": cfg.lr, "layers": cfg.layers})
TRAIN = '''%s'''
main()
"""
# absl refuses flags that nobody has defined.
ABSL = """
from absl import app, flags
flags.DEFINE_float("lr", None, "learning rate", required=True)
flags.DEFINE_integer("layers", None, "layers", required=True)
def main(_):
    exec(TRAIN, {"lr": flags.FLAGS.lr, "layers": flags.FLAGS.layers})
TRAIN = '''%s'''
app.run(main)
"""
JSON_FILE = """
import json, sys
values = json.load(open(sys.argv[1]))
lr, layers = values["lr"], values["layers"]
"""
LATE = """
class Callback:
    def on_train_begin(self):
        import wandb
        self.run = wandb.init(project="ignored", config={"model": "small"})
        assert (self.run.config.lr, self.run.config.layers) == (lr, layers)
    def on_log(self, loss):
        self.run.log({"train": {"loss": loss}, "loss": loss})
callback = Callback()
callback.on_train_begin()
callback.on_log(lr + layers)
"""


@pytest.mark.parametrize(
    ("code", "command"),
    [
        pytest.param(ARGPARSE + TRAIN, None, id="argparse"),
        pytest.param(CLICK % TRAIN, [*NO_ARGS, "${args_no_equals}"], id="click"),
        pytest.param(FIRE % TRAIN, None, id="fire"),
        pytest.param(HYDRA % TRAIN, [*NO_ARGS, "${args_no_hyphens}"], id="hydra"),
        pytest.param(ABSL % TRAIN, [*NO_ARGS, "${args_no_boolean_flags}"], id="absl"),
        pytest.param(JSON_FILE + TRAIN, ["python", "${program}", "${args_json_file}"], id="json file"),
        pytest.param(ARGPARSE + LATE, None, id="late wandb.init"),
    ],
)
def test_a_program_trains_with_the_suggestion(stage: Stage, code: str, command: list[Any] | None) -> None:
    path = stage.sweep(code, command)
    exit_code, said = stage.agent(path)
    assert exit_code == 0, said
    expect_observation(path)
    assert "succeeded" in said


def test_a_program_that_finishes_early_and_crashes_on_its_way_out_keeps_its_result(stage: Stage) -> None:
    path = stage.sweep(ARGPARSE + TRAIN + "wandb.finish()\nimport os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n")
    exit_code, said = stage.agent(path)
    assert exit_code == 0
    assert "; then its program ended with signal 11" in said
    assert expect_observation(path)[REASON_KEY] == "SIGSEGV after the run was finished"


def test_an_exception_is_not_hidden_by_the_end_of_the_run(stage: Stage) -> None:
    """W&B has the run as finished, with what it had logged."""
    code = ARGPARSE + "import wandb\nwandb.init()\ntry:\n    wandb.log({'loss': 9})\n    1 / 0\n"
    path = stage.sweep(code + "finally:\n    wandb.finish()\n")
    exit_code, said = stage.agent(path)
    assert exit_code == 0
    [run] = load_sweep(path).runs
    assert (run.record.state, run.verdict.standing) == ("finished", Standing.FAILURE)
    assert run.verdict.reason == "exception: ZeroDivisionError"
    assert "Let `with wandb.init() as run:` finish the run" in said


SENT = """
import os, signal, time, wandb
run = wandb.init(settings=wandb.Settings(x_file_stream_transmit_interval=0.1))
wandb.log({"loss": 9.0})
while wandb.Api().run(run.path).summary.get("loss") != 9.0:
    time.sleep(0.05)
"""
PIPE = 'python "$0" "$@" | cat'


@pytest.mark.parametrize(
    ("shell", "ending", "state", "reason"),
    [
        (PIPE, "os.kill(os.getpid(), signal.SIGKILL)", ABANDONED, "the run was not finished"),
        ('python "$0" "$@"; echo done', "os.kill(os.getpid(), signal.SIGSEGV)", FAILURE, "SIGSEGV"),
        ('exec python "$0" "$@"', "os._exit(0)", ABANDONED, "the run was not finished"),
    ],
)
def test_a_training_that_died_behind_a_shell_is_no_result(
    stage: Stage, shell: str, ending: str, state: str, reason: str
) -> None:
    """W&B has a loss that was logged on the way, and the command ends with exit code 0."""
    path = stage.sweep(SENT + ending, ["bash", "-c", shell, "${program}", "${args}"])
    exit_code, said = stage.agent(path)
    assert exit_code == 0
    [run] = load_sweep(path).runs
    record = run.record.summary
    assert (record["loss"], record[STATE_KEY], record[REASON_KEY]) == (9.0, state, reason)
    assert "write `set -e -o pipefail` at the beginning of the script" in said


@pytest.mark.parametrize(
    "ending",
    [
        "",
        "os.fork() or os._exit(0)",
        "wandb.finish(); os.kill(os.getpid(), signal.SIGKILL)",
    ],
)
def test_a_training_that_came_to_its_end_behind_a_shell_is_an_observation(stage: Stage, ending: str) -> None:
    code = f"{ARGPARSE}{TRAIN}import os, signal\n{ending}\n"
    path = stage.sweep(code, ["bash", "-c", PIPE, "${program}", "${args}"])
    assert stage.agent(path)[0] == 0
    expect_observation(path)


def test_constants_and_nested_parameters_reach_the_program(stage: Stage) -> None:
    """A program whose own configuration holds another value of one of them is named."""
    code = """
import wandb
run = wandb.init(config={"net": {"width": 99}})
assert run.config.optim["name"] == "adam" and run.config.epochs == 3, dict(run.config)
wandb.log({"loss": run.config.optim["lr"] + run.config.layers})
"""
    params = (
        Param("optim.lr", LogSpace(min=1e-4, max=1e-1)),
        PARAMS[1],
        Param("net.width", LinearSpace(1, 8, is_integer=True)),
    )
    drawn = {"min": 0.0, "max": 1.0}
    parameters = {
        "optim": {"parameters": {"lr": drawn, "name": {"value": "adam"}}},
        "layers": {"values": [1, 2, 3, 4]},
        "net.width": {"min": 1, "max": 8},
        "epochs": {"value": 3},
    }
    path = stage.sweep(code, NO_ARGS, {"params": params}, parameters=parameters)
    ended, said = stage.agent(path)
    assert ended == 0
    assert "other values than the suggestion: net.width=99 (suggested: " in said
    record, suggestion = only_run(path)
    assert suggestion is not None
    assert record[OBJECTIVE_KEY] == pytest.approx(suggestion["optim.lr"] + suggestion["layers"])


def test_a_sweep_of_wandbs_own_is_searched(stage: Stage) -> None:
    program = stage.folder / "own.py"
    program.write_text(CONFIG.replace('["layers", "lr"]', '["epochs", "layers", "lr"]'))
    sweep = {
        "method": "bayes",
        "metric": {"name": "loss", "goal": "minimize"},
        "program": str(program),
        "command": NO_ARGS,
        "parameters": {
            "lr": {"distribution": "log_uniform_values", "min": 1e-4, "max": 1e-1},
            "layers": {"distribution": "int_uniform", "min": 1, "max": 4},
            "epochs": {"value": 3},
        },
    }
    path = SweepPath("team", "project", wandb.sweep(sweep, entity="team", project="project"))
    assert stage.agent(path)[0] == 0
    expect_observation(path)
    assert "'loss' is minimised" in " ".join(load_runnable_sweep(path).notes)


def test_metric_and_cost_are_read_as_the_sweep_says(stage: Stage) -> None:
    code = CONFIG.replace('"loss": lr + layers', '"loss": 9.0')
    code += "for loss in [3.0, lr + layers, 5.0]:\n    wandb.log({'loss': loss, 'hours': loss / 2})\n"
    # As the SDK says it, which is to be silent in these tests.
    words = "wandb: WARNING Config item 'lr' was locked by 'sweep' (ignored update)."
    code += f"import sys\nprint({words!r}, file=sys.stderr)\n"
    path = stage.sweep(code, NO_ARGS, {"metric": Reading("loss", "best"), "cost": Reading("hours", "mean", 2)})
    exit_code, said = stage.agent(path)
    assert exit_code == 0
    assert said.count("the program writes lr into wandb.config, which W&B refuses") == 1
    record = expect_observation(path)
    assert record[COST_KEY] == pytest.approx((record[OBJECTIVE_KEY] + 5.0) / 4)


def test_folds_in_one_run_are_said_though_the_sdk_is_silent(stage: Stage) -> None:
    assert stage.environment["WANDB_SILENT"] == "true"
    code = "import time, wandb\nfor fold in range(2):\n    run = wandb.init(reinit=True)\n"
    # The SDK names its folders by the second.
    code += "    wandb.log({'loss': fold})\n    run.finish()\n    time.sleep(1 - time.time() % 1)\n"
    exit_code, said = stage.agent(stage.sweep(code, NO_ARGS))
    assert exit_code == 0
    assert said.count("the program calls wandb.init() more than once for one run") == 1


def test_a_program_that_always_fails_stops_the_agent_and_its_words_are_shown_once(stage: Stage) -> None:
    path = stage.sweep(ARGPARSE + "raise FileNotFoundError('data.csv')\n")
    code, said = stage.agent(path, count=9)
    assert code == 1
    assert said.count("counts as failure") == 3, said
    assert said.count("the program ended with exit code 1; its last words:") == 1
    assert said.splitlines()[-1].endswith("FileNotFoundError: data.csv (exit code 1)"), said
    assert "3 programs failed" in said.splitlines()[-1]


def test_a_loss_that_is_nan_is_a_failure(stage: Stage) -> None:
    path = stage.sweep(CONFIG + "wandb.log({'loss': float('nan')})\n", NO_ARGS)
    assert stage.agent(path)[0] == 0
    record, suggestion = only_run(path)
    assert (record[STATE_KEY], record[REASON_KEY]) == (FAILURE, "loss is nan")
    assert suggestion is not None


def test_out_of_memory_is_told_from_the_last_words(stage: Stage) -> None:
    path = stage.sweep(ARGPARSE + TRAIN + "raise RuntimeError('CUDA out of memory. Tried to allocate 20 GiB')\n")
    assert stage.agent(path)[0] == 0
    record, _ = only_run(path)
    assert (record[STATE_KEY], record[REASON_KEY]) == (FAILURE, "out_of_memory")


def test_a_program_that_never_calls_wandb_is_explained_and_not_started_again(stage: Stage) -> None:
    path = stage.sweep("lr = 0.1\n", NO_ARGS)
    code, said = stage.agent(path, count=None)
    assert code == 1
    assert "does not read wandb.config" in said
    assert "without calling wandb.init()" in said
    record, _ = only_run(path)
    assert (record[STATE_KEY], record[REASON_KEY]) == (ABANDONED, "wandb.init() was not called")


def test_a_program_that_does_not_know_its_arguments_is_explained(stage: Stage) -> None:
    parameters = {**{name: {"min": 1, "max": 4} for name in ("lr", "layers")}, "warmup": {"value": None}}
    path = stage.sweep(
        "import argparse\nargparse.ArgumentParser().parse_args()\n" + CONFIG, None, parameters=parameters
    )
    code, said = stage.agent(path, count=None)
    assert code == 1
    assert said.startswith("null of 'warmup' is passed to the program as the text None")
    assert "${args_no_hyphens}" in said
    record, _ = only_run(path)
    assert record[STATE_KEY] == ABANDONED
    assert "unrecognized arguments: --" in record[REASON_KEY]


def test_booleans_that_argparse_would_not_read_are_named_before_a_run(stage: Stage) -> None:
    code = "parser.add_argument('--bias', type=bool)"
    params = (PARAMS[0], Param("bias", CategoricalSpace((True, False))))
    as_text, as_switches = (["python", "${program}", f"${{{name}}}"] for name in ("args", "args_switches"))
    hints = [load_runnable_sweep(stage.sweep(code, line, params=params)).hint for line in (as_text, as_switches)]
    assert "'bias', which the command passes as text" in hints[0]
    assert hints[1] == ""


def test_a_program_with_its_own_wandb_carbs_takes_up_the_suggestion(stage: Stage) -> None:
    code = """
import wandb
from wandb_carbs import WandbCarbs
with wandb.init() as run, WandbCarbs.from_sweep(run) as trial:
    values = trial.suggest()
    assert (values["lr"], values["layers"]) == (run.config.lr, run.config.layers)
    run.log({"loss": 99.0})
    trial.record_observation(values["lr"] + values["layers"], cost=3.5)
"""
    path = stage.sweep(code, NO_ARGS)
    assert stage.agent(path)[0] == 0
    assert expect_observation(path)[COST_KEY] == 3.5


def test_a_running_program_is_seen_as_such_though_it_replaces_the_summary(stage: Stage) -> None:
    """Another agent must see the suggestion for as long as the program runs; then the program is killed."""
    ready = stage.fifo()
    code = (
        CONFIG
        + f"""
import os, threading
open({str(ready)!r}, "w").write(str(os.getpid()))
threading.Event().wait(60)
"""
    )
    path = stage.sweep(code, NO_ARGS)
    result: list[tuple[int, str]] = []
    thread = threading.Thread(target=lambda: result.append(stage.agent(path)))
    thread.start()
    pid = int(ready.read_text())
    # W&B itself keeps the program's summary only, which the SDK would send in 15 s.
    source = wandb.Api().run(f"team/project/{load_sweep(path).runs[0].record.id}")
    document = (
        "mutation M($id: String, $s: JSONString) { upsertBucket(input: {id: $id, summaryMetrics: $s}) { inserted } }"
    )
    execute(source, document, {"id": source.storage_id, "s": json.dumps({"loss": 0.5})})
    [run] = load_sweep(path).runs
    assert run.record.summary["loss"] == 0.5
    assert run.verdict.standing.value == "running"
    assert run.suggestion is not None
    os.kill(pid, signal.SIGKILL)
    thread.join()
    assert result[0][0] == 0
    record, suggestion = only_run(path)
    assert (record[STATE_KEY], record[REASON_KEY]) == (ABANDONED, "killed by SIGKILL")
    assert suggestion is None


def test_a_run_that_is_stopped_in_wandb_is_asked_to_end(stage: Stage) -> None:
    ready = stage.fifo()
    code = CONFIG + f"\nopen({str(ready)!r}, 'w').write(run.id)\nimport threading\nthreading.Event().wait(60)\n"
    path = stage.sweep(code, NO_ARGS)
    thread = threading.Thread(target=stage.agent, args=(path,))
    thread.start()
    run = wandb.Api().run(f"team/project/{ready.read_text()}")
    execute(run, "mutation StopRun($id: ID!) { stopRun(input: {id: $id}) { success } }", {"id": run.storage_id})
    thread.join()
    record, _ = only_run(path)
    assert (record[STATE_KEY], record[REASON_KEY]) == (ABANDONED, "stopped")


def test_points_on_the_way_teach_the_next_run_however_a_run_ended(stage: Stage) -> None:
    """The first run comes to its end, the second one is interrupted after two of its four layers."""
    code = """
import time
import wandb
with wandb.init() as run:
    for layer in range(1, run.config.layers + 1):
        time.sleep(0.02)
        run.log({"loss": 1 / layer, "layer": layer})
        if layer == 2 and run.config.lr == 0.02:
            raise KeyboardInterrupt
"""
    first = [{"lr": lr, "layers": 4} for lr in (0.01, 0.02)]
    path = stage.sweep(code, NO_ARGS, progress={"parameter": "layers", "metric": "layer"}, initial=first)
    stage.agent(path, 2)
    history = load_sweep(path)
    assert {name: number for name, number in history.counts.items() if number} == {"observation": 1, "abandoned": 1}
    whole, interrupted = carbs_from_sweep(history).success_observations
    assert whole.input == first[0]
    ways = [(*seen.points, seen) for seen in (whole, interrupted)]
    assert [[(point.input["layers"], point.output) for point in way] for way in ways] == [
        [(1, 1.0), (2, 0.5), (3, pytest.approx(1 / 3)), (4, 0.25)],
        [(1, 1.0), (2, 0.5)],
    ]
    for way in ways:
        costs = [point.cost for point in way]
        assert costs == sorted(costs)
        assert 0 < costs[0] < costs[-1]
    assert {point.input["lr"] for point in ways[1]} == {0.02}


@pytest.mark.parametrize("is_constant", [False, True])
def test_a_hopeless_run_is_stopped_if_the_sweep_says_so_and_counts_as_the_shorter_run_that_it_was(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, *, is_constant: bool
) -> None:
    """After two of its four layers it waits to be stopped."""
    monkeypatch.setattr(early_stop, "_LEAST_PAUSE", 0.1)
    monkeypatch.setattr(unfinished, "_EXCUSED", 10**20)  # not even by chance
    code = """
import threading
import wandb
with wandb.init(settings=wandb.Settings(x_file_stream_transmit_interval=0.5)) as run:
    for layer in range(1, run.config.layers + 1):
        run.log({"loss": 9 + 1 / layer, "layer": layer})
        if layer == 2:
            threading.Event().wait(60)
"""
    known = tuple(
        ObservationInParam({"lr": lr, "layers": layers}, abs(math.log10(lr) + 3) + 1 / layers, layers / 100)
        for lr, layers in ((0.001, 1), (0.001, 3), (0.01, 2), (0.003, 4), (0.0003, 2), (0.0001, 1), (0.1, 1))
    )
    wholes = tuple(
        ObservationInParam(
            {"lr": lr, "layers": 4},
            abs(math.log10(lr) + 3) + 1 / 4,
            4.0,
            points=[
                ObservationInParam({"lr": lr, "layers": layers}, abs(math.log10(lr) + 3) + 1 / layers, layers)
                for layers in (1, 2, 3)
            ],
        )
        for lr in (0.001, 0.01, 0.003, 0.0003, 0.0001)
    )
    progress = {"parameter": "layers", "metric": "layer", "stop": True}
    searched: dict[str, Any] = {"params": PARAMS}
    if is_constant:
        searched = {"params": PARAMS[:1], "constants": {"layers": {"value": 4}}}
    hopeless = {"lr": 0.1, "layers": 4}
    old = {"old_runs": wholes if is_constant else known}
    path = stage.sweep(code, NO_ARGS, old, **searched, progress=progress, initial=[hopeless])
    _, words = stage.agent(path)
    assert "is stopped: it improves the frontier with a probability of" in words
    assert " s, as a run of layers=2: loss 9.5" in words
    record, suggestion = only_run(path)
    seen = carbs_from_sweep(path).success_observations[-1]
    assert suggestion == seen.input == {"lr": 0.1, "layers": 2}
    assert (record[STATE_KEY], record[OBJECTIVE_KEY]) == (SUCCESS, 9.5)
    assert [point.input["layers"] for point in seen.points] == [1]
    assert json.loads(record["carbs.stopped"])["progress"] == 2
    assert 0 < record[COST_KEY] < 60


def test_a_run_that_is_deleted_in_wandb_does_not_hold_up_the_agent(stage: Stage) -> None:
    ready, go = stage.fifo(), stage.fifo()
    code = CONFIG + f"\nopen({str(ready)!r}, 'w').write(run.id)\nopen({str(go)!r}).read()\n"
    path = stage.sweep(code, NO_ARGS)
    said: list[tuple[int, str]] = []
    thread = threading.Thread(target=lambda: said.append(stage.agent(path)))
    thread.start()
    run_id = ready.read_text()
    wandb.Api().run(f"team/project/{run_id}").delete()
    go.write_text("1")
    thread.join()
    [(code_of_agent, words)] = said
    assert code_of_agent == 0
    assert f"run {run_id} was deleted in W&B: nothing is recorded" in words
    assert not load_sweep(path).runs


def test_an_agent_obeys_the_sweeps_rule_and_ends_when_the_sweep_has_its_runs(stage: Stage) -> None:
    (stage.folder / "rules_of_sweeps.py").write_text("def fits(values):\n    return values['layers'] == 4\n")
    path = stage.sweep(CONFIG, NO_ARGS, run_cap=1, is_valid="rules_of_sweeps:fits")
    assert stage.agent(path, count=None)[0] == 0
    assert expect_observation(path)[OBJECTIVE_KEY] > 4


def test_a_run_that_no_suggestion_can_be_found_for_says_why(stage: Stage) -> None:
    (stage.folder / "rules_that_break.py").write_text("def fits(values):\n    raise ValueError('no such layer')\n")
    path = stage.sweep(CONFIG, NO_ARGS, is_valid="rules_that_break:fits")
    with pytest.raises(CarbsError, match="no such layer"):
        stage.agent(path)
    record, _ = only_run(path)
    assert record[STATE_KEY] == ABANDONED
    assert "no such layer" in record[REASON_KEY]


def test_ctrl_c_waits_for_the_program_and_sigterm_ends_it(stage: Stage) -> None:
    ready, go = stage.fifo(), stage.fifo()
    code = CONFIG + f"\nopen({str(ready)!r}, 'w').write('1')\nopen({str(go)!r}).read()\n"
    path = stage.sweep(code, NO_ARGS)
    process = stage.start(str(path))
    ready.read_text()
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    while "waiting for the program to end" not in process.stderr.readline():
        assert process.poll() is None
    go.write_text("on")
    process.communicate()
    assert process.returncode == 130
    expect_observation(path)

    second = stage.sweep(code, NO_ARGS)
    process = stage.start(str(second))
    ready.read_text()
    process.send_signal(signal.SIGTERM)
    process.communicate()
    assert process.returncode == 143
    record, _ = only_run(second)
    assert (record[STATE_KEY], record[REASON_KEY]) == (ABANDONED, "SIGTERM")


def test_a_forwarded_sigterm_reaches_the_program_once(stage: Stage) -> None:
    """A second one may mean that the program is to end without a checkpoint."""
    ready, asked = stage.fifo(), stage.folder / "asked"
    code = (
        CONFIG
        + f"""
import signal, threading
asked, first = [], threading.Event()
signal.signal(signal.SIGTERM, lambda *_: (asked.append(1), first.set()))
open({str(ready)!r}, "w").write("1")
first.wait()
threading.Event().wait(0.3)  # until another one would be here, too
open({str(asked)!r}, "w").write(str(len(asked)))
"""
    )
    path = stage.sweep(code, NO_ARGS)
    process = stage.start(str(path), "--forward-signals")
    ready.read_text()
    process.send_signal(signal.SIGTERM)
    process.communicate()
    assert process.returncode == 143
    assert asked.read_text() == "1"


def test_a_program_whose_agent_is_killed_goes_on_and_the_next_agent_records_it(stage: Stage) -> None:
    ready, go = stage.fifo(), stage.fifo()
    code = (
        CONFIG.replace('"loss": lr', '"loss": 9')
        + f"""
import sys
open({str(ready)!r}, "w").write(run.id)
open({str(go)!r}).read()
for _ in range(80):  # more than a pipe holds
    print("a line".ljust(1000), file=sys.stderr)
wandb.log({{"loss": lr + layers}})
run.finish()
print("the end", file=sys.stderr)
"""
    )
    path = stage.sweep(code, NO_ARGS, run_cap=1)
    process = stage.start(str(path))
    run_id = ready.read_text()
    process.kill()
    process.wait()
    go.write_text("on")
    assert process.stderr is not None
    # Not to its end, which the SDK's service holds open for a while.
    lines = list(itertools.takewhile(lambda line: line != "the end\n", process.stderr))
    assert sum(line.startswith("a line ") for line in lines) == 80, lines
    # Its agent may be alive, and about to record it.
    assert stage.agent(path, count=None) == (0, OVER)
    with contextlib.closing(sqlite3.connect(stage.folder / "files" / "server" / "wandb-carbs.db")) as db, db:
        db.execute("UPDATE runs SET heartbeat_at = heartbeat_at - 600000000 WHERE name = ?", (run_id,))
        db.execute("UPDATE runs SET created_at = created_at - 600000000 WHERE name = ?", (run_id,))
    code_, said = stage.agent(path, count=None)
    assert code_ == 0
    assert said == f"{OVER}\nrun {run_id} had ended without its agent, and is recorded now: success"
    expect_observation(path)
    assert stage.agent(path, count=None) == (0, OVER)
    process.communicate()


def test_an_agent_that_gets_no_run_says_why(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    path = stage.sweep(CONFIG, NO_ARGS)
    answers: Iterator[list[Command]] = iter([[], [], [], [], [Command(EXIT)]])
    monkeypatch.setattr(Registration, "heartbeat", lambda *_: next(answers))
    said = f"waiting for W&B to give a run; a sweep that is paused gives none\n{OVER}"
    assert stage.agent(path, count=None) == (0, said)


def test_one_agent_for_each_gpu(stage: Stage) -> None:
    code = CONFIG.replace("wandb.log({", "import os\nwandb.log({'gpu': os.environ['CUDA_VISIBLE_DEVICES'], ")
    path = stage.sweep(code, NO_ARGS)
    process = stage.start(str(path), "--gpus", "0,3", "--count", "1")
    _, error = process.communicate()
    assert process.returncode == 0, error
    runs = load_sweep(path).runs
    assert sorted(run.record.summary["gpu"] for run in runs) == ["0", "3"]
    assert len({tuple((run.suggestion or {}).items()) for run in runs}) == 2


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"parameters": {"lr": {"min": 0.0, "max": 1.0}, "momentum": {"min": 0.0, "max": 1.0}}}, "'momentum'"),
        ({"program": "nowhere.py"}, "does not exist in"),
        ({"program": "python -m nowhere"}, "does not exist in .*, python, -m, nowhere, "),
        ({"program": None}, "neither a program nor a command"),
        ({"command": ["python", "${argz}"]}, "argz"),
        ({"is_valid": "nowhere_at_all:fits"}, "cannot be loaded from"),
    ],
)
def test_a_sweep_that_cannot_be_run_is_refused_before_a_run_is_taken(
    stage: Stage, options: dict[str, Any], problem: str
) -> None:
    path = stage.sweep(CONFIG, **options)
    with pytest.raises(ValueError, match=problem):
        stage.agent(path)
    assert not load_sweep(path).runs
