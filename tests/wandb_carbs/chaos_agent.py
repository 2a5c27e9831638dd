"""An agent of the chaos test: says what it is about to do, and keeps a journal of its own of what it did.

Arguments: the journal's folder, the seed, the number of runs, the sweep; then for an agent that takes up an interrupted
run, the run's id. It is killed at any moment, so each entry of the journal is a file that appears whole or not at all.
"""

from __future__ import annotations

import json
import math
import os
import random
import sys
import threading
import uuid
from pathlib import Path
from typing import Any

import wandb
from wandb.agents import pyagent

from wandb_carbs import WandbCarbs, WandbCarbsError

ENTITY, PROJECT = "team", "project"


def say(phase: str, run_id: str = "-") -> None:
    """Tell the test what comes now, past the SDK's capture of the standard output."""
    os.write(1, f"{phase} {run_id}\n".encode())


def note(journal: Path, kind: str, run_id: str, **values: Any) -> None:
    """Write an entry that survives the death of this process."""
    name = f"{kind}-{run_id}-{uuid.uuid4().hex}"
    with (journal / f".{name}").open("w") as file:
        json.dump({"kind": kind, "run": run_id, **values}, file)
        file.flush()
        os.fsync(file.fileno())
    (journal / f".{name}").rename(journal / f"{name}.json")


def train(journal: Path, rng: random.Random) -> None:
    """Run a training of a moment, the outcome of which is like no other's."""
    say("init")
    with wandb.init(settings=wandb.Settings(init_timeout=300)) as run:
        say("suggest", run.id)
        trial = WandbCarbs.from_sweep(run)
        suggestion = trial.suggest()
        note(journal, "suggested", run.id, suggestion=suggestion)
        say("train", run.id)
        for step in range(3):
            threading.Event().wait(rng.uniform(0, 0.1))
            run.log({"step": step})
        peak = math.log10(suggestion["learning_rate"]) + 3
        objective = -(peak**2) - suggestion["layers"] / 10 + 0.01 * random.random()
        cost = suggestion["layers"] * (1 + 0.01 * random.random())
        failed = rng.random() < 0.05
        outcome = {"objective": objective, "cost": cost, "failed": failed}
        note(journal, "made", run.id, **outcome)
        say("record", run.id)
        if failed:
            trial.record_failure("diverged")
            if run.summary["carbs.state"] == "success":
                # Killed after its observation had arrived and before it was told so: that is kept.
                say("done", run.id)
                return
        else:
            try:
                trial.record_observation(objective, cost)
            except WandbCarbsError as error:
                if "has recorded its observation" not in str(error):
                    raise
                say("done", run.id)
                return
        note(journal, "acknowledged", run.id, **outcome)
        say("done", run.id)


def main() -> None:
    journal, seed, count, sweep = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
    rng = random.Random(seed)
    say("start")
    if len(sys.argv) > 5:
        os.environ.update(
            WANDB_ENTITY=ENTITY,
            WANDB_PROJECT=PROJECT,
            WANDB_SWEEP_ID=sweep,
            WANDB_RUN_ID=sys.argv[5],
            WANDB_RESUME="allow",
        )
        train(journal, rng)
    else:
        pyagent.Agent.HEARTBEAT_SLEEP_SECONDS = float(os.environ["CHAOS_PAUSE"])  # type: ignore[assignment]
        wandb.agent(sweep, function=lambda: train(journal, rng), entity=ENTITY, project=PROJECT, count=count)


if __name__ == "__main__":
    main()
