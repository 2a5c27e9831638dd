"""The run as it is written to W&B."""

from __future__ import annotations

import contextlib
import json
import math
import sqlite3
from typing import Any

import numpy as np
import pytest
import wandb

from carbs import CARBS, LinearSpace, LogSpace, Param
from wandb_carbs import WandbCarbs
from wandb_carbs.agent.publisher import RunPublisher
from wandb_carbs.sweep.path import SweepPath
from wandb_carbs.sweep.runs import RunReader

ENTITY, PROJECT = "team", "project"
PARAMS = [
    Param("lr", LogSpace(min=1e-5, max=1e-1)),
    Param("batch", LinearSpace(min=16, max=128, is_integer=True)),
]

# The SDK's own sweep() does what the SDK's own settings warn of.
pytestmark = pytest.mark.filterwarnings("ignore:Read the `app_url` setting:DeprecationWarning")


def test_user_values_survive(sweep: Any) -> None:
    run = wandb.init(config={"model": "mlp"})
    run.summary["note"] = "mine"
    trial = WandbCarbs(CARBS(params=PARAMS))
    trial.record_observation(0.5, 1)
    run.finish()
    config, summary = sweep.stored(run.id)
    assert config["model"] == "mlp"
    assert summary["note"] == "mine"
    assert summary["carbs.objective"] == 0.5


def test_numbers_that_json_lacks_are_written_as_the_sdk_does(sweep: Any) -> None:
    """Python would write them bare, as no other reader of JSON takes them."""
    run = wandb.init(config={"clip": np.inf})
    run.summary.update({"several": [math.nan, 1]})
    run.log({"loss": math.nan, "most": math.inf, "least": -math.inf})
    WandbCarbs(CARBS(params=PARAMS)).record_observation(0.5, 1)
    with contextlib.closing(sqlite3.connect(sweep.server._data_dir / "wandb-carbs.db")) as db:
        stored = db.execute("SELECT summary, config FROM runs WHERE name = ?", (run.id,)).fetchone()
    summary, config = (json.loads(text, parse_constant=pytest.fail) for text in stored)
    assert (summary["loss"], summary["most"], summary["least"]) == ("NaN", "Infinity", "-Infinity")
    assert summary["several"] == ["NaN", 1]
    assert config["clip"]["value"] == "Infinity"


def test_published_run_can_be_resumed(sweep: Any) -> None:
    """By its own part of the configuration the SDK knows a run that has begun; of another it would drop the rest."""
    sweep.put("run", {"lr": 1, "_wandb": {"t": {"1": [2]}}}, {}, exit_code=None)
    reader = RunReader(SweepPath.parse(sweep.path))
    RunPublisher(reader.one("run"), reader).suggestion({"lr": 2}, {"lr": 2}, {})
    stored = wandb.Api().run(f"{ENTITY}/{PROJECT}/run").rawconfig
    assert (stored["lr"], stored["_wandb"]["t"]) == (2, {"1": [2]})


def test_sdks_part_of_the_configuration_stays_on_the_server(sweep: Any) -> None:
    """Without it, the SDK would take a run that is killed now and resumed for one that never began."""
    run = wandb.init()
    begun = dict(wandb.Api().run(f"{ENTITY}/{PROJECT}/{run.id}").rawconfig["_wandb"])
    assert begun
    WandbCarbs(CARBS(params=PARAMS))
    with contextlib.closing(sqlite3.connect(sweep.server._data_dir / "wandb-carbs.db")) as db:
        stored = db.execute("SELECT config FROM runs WHERE name = ?", (run.id,)).fetchone()[0]
    assert begun.items() <= json.loads(stored)["_wandb"]["value"].items()
