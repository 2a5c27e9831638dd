"""WandbCarbs with the real SDK, in this process."""

from __future__ import annotations

import doctest
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import wandb

from carbs import CARBS, CARBSParams, LinearSpace, LogSpace, Param
from wandb_carbs import WandbCarbs, carbs_from_sweep, load_sweep

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.wandb_carbs.conftest import WandbEnv

PARAMS = [
    Param("lr", LogSpace(min=1e-5, max=1e-1)),
    Param("batch", LinearSpace(min=16, max=128, is_integer=True)),
]
GOOD = {"carbs.state": "success", "carbs.objective": 0.5, "carbs.cost": 2.0}

# The SDK's own sweep() does what the SDK's own settings warn of.
pytestmark = pytest.mark.filterwarnings("ignore:Read the `app_url` setting:DeprecationWarning")


def begin(**options: Any) -> WandbCarbs:
    wandb.init()
    return WandbCarbs(CARBS(params=PARAMS), **options)


def test_suggestion_is_in_the_config_and_plain(sweep: Any) -> None:
    trial = begin()
    suggestion = trial.suggest()
    assert json.loads(json.dumps(suggestion)) == suggestion
    assert suggestion.pop("suggestion_uuid") == wandb.run.id  # type: ignore[union-attr]
    assert {name: wandb.config[name] for name in suggestion} == suggestion
    trial.suggest()["lr"] = 0
    assert trial.suggest()["lr"] == suggestion["lr"]
    config, summary = sweep.stored(trial.suggest()["suggestion_uuid"])
    assert config == suggestion
    assert summary["carbs.state"] == "running"


def test_transformed_suggestion_may_hold_arrays_and_infinity(sweep: Any) -> None:
    class Arrays(WandbCarbs):
        def _transform_suggestion(self, suggestion: dict[str, Any]) -> dict[str, Any]:
            rates = np.array([suggestion["lr"], 0.5])
            return {
                **suggestion,
                "lr": np.float32(0.5),
                "rates": rates,
                "sizes": (np.int64(3), {"x": np.array(2)}),
                "c": np.inf,
            }

        def _suggestion_from_run(self, run: Any) -> dict[str, Any]:
            assert run.config["c"] == np.inf
            return {"lr": run.config["rates"][0], "batch": run.config["batch"]}

    run = wandb.init()
    trial = Arrays(CARBS(params=PARAMS))
    suggestion = trial.suggest()
    assert (suggestion["lr"], suggestion["rates"][1], suggestion["sizes"]) == (0.5, 0.5, [3, {"x": 2}])
    assert run.config["rates"] == suggestion["rates"]
    trial.record_observation(0.5, 1)
    run.finish()
    with wandb.init():
        (seen,) = Arrays(CARBS(params=PARAMS))._carbs.success_observations
    assert (seen.input["lr"], seen.input["batch"]) == (suggestion["rates"][0], suggestion["batch"])
    assert sweep


def test_program_for_the_old_package(make_sweep: Callable[..., Any]) -> None:
    """44 parameters, half-bounded integers, legacy options, and a subclass that changes what the run gets."""
    params = [Param(f"p{i}", LogSpace(min=1e-4, max=1.0)) for i in range(20)]
    params += [
        Param(f"n{i}", LinearSpace(min=1, rounding_factor=4, is_integer=True), search_center=16) for i in range(20)
    ]
    params += [Param("k", LogSpace(min=1, is_integer=True), search_center=8), Param("x", LinearSpace(), 0.0)]
    params += [
        Param("beta", LogSpace(min=1e-3, max=0.5), 0.1),
        Param("steps", LinearSpace(min=1, max=5, is_integer=True)),
    ]
    sweep = make_sweep(None, carb_params=params)

    class Legacy(WandbCarbs):
        def __init__(self, carbs: CARBS, wandb_run: Any) -> None:
            self.model = "mlp"  # before the hooks are called
            super().__init__(carbs, wandb_run)

        def _transform_suggestion(self, suggestion: dict[str, Any]) -> dict[str, Any]:
            suggestion["one_minus_beta"] = 1 - suggestion.pop("beta")
            suggestion["steps"] *= 1000
            suggestion["run"] = self._wandb_run.id
            return suggestion

        def _suggestion_from_run(self, run: Any) -> dict[str, Any]:
            suggestion = super()._suggestion_from_run(run)
            suggestion["beta"] = 1 - run.config["one_minus_beta"]
            suggestion["steps"] = run.config["steps"] // 1000
            return suggestion

    with pytest.warns(DeprecationWarning, match="checkpoint_dir"):
        config = CARBSParams(
            better_direction_sign=1,
            seed=3,
            num_random_samples=2,
            initial_search_radius=0.5,
            resample_frequency=3,
            is_wandb_logging_enabled=False,
            checkpoint_dir="checkpoints",
        )
    for _ in range(3):
        carbs = CARBS(config, params)
        with wandb.init() as run:
            trial = Legacy(carbs, run)
            assert 0.5 <= run.config["one_minus_beta"] < 1
            assert run.config["steps"] in (1000, 2000, 3000, 4000, 5000)
            assert "beta" not in trial.suggest()
            trial.record_observation(objective=0.5, cost=3.0)
    assert len(carbs.success_observations) == 2
    config_stored, _ = sweep.stored(run.id)
    assert {**config_stored, "suggestion_uuid": run.id} == trial.suggest()


def test_from_sweep_needs_no_second_declaration(
    make_sweep: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "train.py")])
    (tmp_path / "rules_beside_the_program.py").write_text("def fits(values):\n    return values['batch'] == 48\n")
    make_sweep(config=CARBSParams(better_direction_sign=-1, seed=4), is_valid="rules_beside_the_program:fits")
    with wandb.init():
        trial = WandbCarbs.from_sweep()
        assert trial._carbs.params == tuple(PARAMS)
        assert trial._carbs.config == CARBSParams(better_direction_sign=-1, seed=4)
        assert trial.suggest()["batch"] == 48
        trial.record_failure("diverged")


class Renaming(WandbCarbs):
    """A program with names and values of its own, within the bounds of the search space."""

    def _transform_suggestion(self, suggestion: dict[str, Any]) -> dict[str, Any]:
        return {"optimizer_lr": suggestion["lr"], "batch": 144 - suggestion["batch"]}

    def _suggestion_from_run(self, run: Any) -> dict[str, Any]:
        return {"lr": run.config["optimizer_lr"], "batch": 144 - run.config["batch"]}


def test_every_reader_sees_the_point_of_the_search_space(sweep: Any) -> None:
    """Not the configuration that a subclass made of it, nor W&B's draw in it."""
    with wandb.init(config={"lr": 0.09}):
        trial = Renaming.from_sweep()
        point = trial._taken.point
        assert trial.suggest()["batch"] == 144 - int(point["batch"])
        trial.record_observation(0.5, 1)
    (run,) = load_sweep(sweep.path).runs
    assert run.suggestion == point
    (seen,) = carbs_from_sweep(sweep.path).success_observations
    assert seen.input == point
    with wandb.init():
        assert WandbCarbs.from_sweep()._carbs.success_observations == [seen]


def test_resumed_run_gets_the_configuration_that_it_had(sweep: Any) -> None:
    """Though its transformation is another at every call, and the SDK has emptied the configuration."""
    calls = []

    class Counting(WandbCarbs):
        def _transform_suggestion(self, suggestion: dict[str, Any]) -> dict[str, Any]:
            calls.append(1)
            return {**suggestion, "call": len(calls)}

    sweep.use_run_id("again")
    with wandb.init():
        first = Counting.from_sweep().suggest()
    with wandb.init():
        trial = Counting.from_sweep()
        assert trial.suggest() == first
        trial.record_observation(0.5, 1)


def test_runs_of_older_packages_are_read_from_their_configuration(sweep: Any) -> None:
    sweep.put("old", {"optimizer_lr": 0.01, "batch": 124}, GOOD)
    carbs = CARBS(params=PARAMS)
    wandb.init()
    Renaming(carbs)
    assert [observation.input for observation in carbs.success_observations] == [{"lr": 0.01, "batch": 20}]


def test_the_example_of_the_docstring_runs(wandb_env: WandbEnv, tmp_path: Path) -> None:
    """Against a server, in a process of its own, as users copy it."""
    program = doctest.script_from_examples(str(WandbCarbs.__doc__))
    read = 'import wandb_carbs as w; print(w.load_sweep(f"local/my-project/{sweep_id}").counts["observation"])'
    done = subprocess.run(
        [sys.executable, "-c", f"{program}\n{read}"],
        env=wandb_env.subprocess(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "1"
