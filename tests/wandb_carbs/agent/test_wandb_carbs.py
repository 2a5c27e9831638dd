"""WandbCarbs with the real SDK, in this process."""

from __future__ import annotations

import base64
import contextlib
import gc
import json
import logging
import math
import os
import signal
import sqlite3
import urllib.request
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import wandb

from carbs import CARBS, CarbsError, CARBSParams, LinearSpace, LogSpace, ObservationInParam, Param
from wandb_carbs import Pow2WandbCarbs, WandbCarbs, WandbCarbsError, carbs_from_sweep, create_sweep, load_sweep
from wandb_carbs.agent import sigterm
from wandb_carbs.agent.publisher import RunPublisher
from wandb_carbs.sweep.path import SweepPath
from wandb_carbs.sweep.runs import RunReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ENTITY, PROJECT = "team", "project"
PARAMS = [
    Param("lr", LogSpace(min=1e-5, max=1e-1)),
    Param("batch", LinearSpace(min=16, max=128, is_integer=True)),
]
GOOD = {"carbs.state": "success", "carbs.objective": 0.5, "carbs.cost": 2.0}

# The SDK's own sweep() does what the SDK's own settings warn of.
pytestmark = pytest.mark.filterwarnings("ignore:Read the `app_url` setting:DeprecationWarning")


class Sweep:
    """A sweep on the local server, and runs in it: of this process by the SDK, of others by hand."""

    def __init__(self, environment: Any, monkeypatch: pytest.MonkeyPatch, params: list[Param], **options: Any) -> None:
        self.server = environment.server
        self.id = create_sweep("sweep", ENTITY, PROJECT, params, **options)
        self.path = f"{ENTITY}/{PROJECT}/{self.id}"
        monkeypatch.setenv("WANDB_SWEEP_ID", self.id)
        monkeypatch.setenv("WANDB_ENTITY", ENTITY)
        monkeypatch.setenv("WANDB_PROJECT", PROJECT)
        # The SDK reads these once.
        wandb.teardown()

    def post(self, path: str, body: dict[str, Any]) -> Any:
        key = base64.b64encode(f"api:{self.server.api_key}".encode()).decode()
        request = urllib.request.Request(self.server.url + path, json.dumps(body).encode())
        request.add_header("Authorization", f"Basic {key}")
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=30) as reply:
            return json.load(reply)

    def put(self, name: str, config: dict[str, Any], summary: dict[str, Any], *, exit_code: int | None = 0) -> None:
        """Add another process's run; without an exit code it is alive."""
        query = "mutation U($input: UpsertBucketInput!) { upsertBucket(input: $input) { bucket { id } } }"
        values = {
            "entityName": ENTITY,
            "modelName": PROJECT,
            "name": name,
            "sweep": self.id,
            "config": json.dumps({key: {"value": value} for key, value in config.items()}),
            "summaryMetrics": json.dumps(summary),
        }
        reply = self.post("/graphql", {"query": query, "variables": {"input": values}})
        assert "errors" not in reply, reply
        if exit_code is not None:
            self.post(f"/files/{ENTITY}/{PROJECT}/{name}/file_stream", {"complete": True, "exitcode": exit_code})

    def create_at_the_same_time(self, *names: str) -> None:
        with contextlib.closing(sqlite3.connect(self.server._data_dir / "wandb-carbs.db")) as db, db:
            marks = ", ".join("?" * len(names))
            db.execute(
                f"UPDATE runs SET created_at = (SELECT min(created_at) FROM runs) WHERE name IN ({marks})", names
            )

    def stored(self, run_id: str) -> tuple[dict[str, Any], dict[str, Any]]:
        run = wandb.Api().run(f"{ENTITY}/{PROJECT}/{run_id}")
        return dict(run.config), dict(run.summary_metrics)

    def counts(self) -> dict[str, int]:
        return {name: number for name, number in load_sweep(self.path).counts.items() if number}


@pytest.fixture
def make_sweep(wandb_env: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Sweep]]:
    yield lambda params=PARAMS, **options: Sweep(wandb_env, monkeypatch, params, **options)
    if wandb.run is not None:
        wandb.finish()


@pytest.fixture
def sweep(make_sweep: Callable[..., Sweep]) -> Sweep:
    return make_sweep()


def begin(**options: Any) -> WandbCarbs:
    wandb.init()
    return WandbCarbs(CARBS(params=PARAMS), **options)


def begin_nothing() -> WandbCarbs:
    return WandbCarbs(CARBS(params=PARAMS))


def test_outside_a_run(wandb_env: Any) -> None:
    assert wandb_env
    with pytest.raises(WandbCarbsError, match=r"call wandb.init\(\) before"):
        WandbCarbs(CARBS(params=PARAMS))


def test_outside_a_sweep(wandb_env: Any) -> None:
    assert wandb_env
    with wandb.init(project=PROJECT), pytest.raises(WandbCarbsError, match="not part of a sweep"):
        WandbCarbs(CARBS(params=PARAMS))


def test_run_in_another_project_than_its_sweep(sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would see no other run, and none would see it."""
    monkeypatch.setenv("WANDB_PROJECT", "elsewhere")
    wandb.teardown()
    with wandb.init() as run:
        expected = f"run {run.id} is in project {ENTITY}/elsewhere, where there is no sweep {sweep.id}"
        expected += ": set WANDB_ENTITY and WANDB_PROJECT"
        with pytest.raises(WandbCarbsError, match=expected):
            WandbCarbs(CARBS(params=PARAMS))
        with pytest.raises(WandbCarbsError, match=expected):
            WandbCarbs.from_sweep(run)


def test_name_that_wandb_hides_is_refused(sweep: Sweep) -> None:
    assert sweep
    carbs = CARBS(params=[Param("_lr", LogSpace(min=1e-5, max=1e-1))])
    with wandb.init(), pytest.raises(WandbCarbsError, match=r"\['_lr'\] must not begin with '_'"):
        WandbCarbs(carbs)


def list_late(monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """Let the first readings miss the runs."""
    read, missed = RunReader.all, []

    def late(reader: RunReader) -> Any:
        missed.append(reader)
        return [] if len(missed) <= times else read(reader)

    monkeypatch.setattr(RunReader, "all", late)


@pytest.mark.parametrize(("times", "warns"), [(1, False), (2, True)])
def test_run_that_is_listed_late_goes_on(
    sweep: Sweep, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, times: int, warns: bool
) -> None:
    list_late(monkeypatch, times)
    assert begin().suggest()
    assert ("does not list run" in caplog.text) is warns
    assert sweep.counts() == {"running": 1}


def test_disabled_run(wandb_env: Any) -> None:
    assert wandb_env
    with wandb.init(project=PROJECT, mode="offline"), pytest.raises(WandbCarbsError, match="WANDB_MODE"):
        WandbCarbs(CARBS(params=PARAMS))


def test_arguments_are_checked(sweep: Sweep) -> None:
    wandb.init()
    with pytest.raises(WandbCarbsError, match="must be a CARBS"):
        WandbCarbs(PARAMS)  # type: ignore[arg-type]
    with pytest.raises(WandbCarbsError, match="must be a run of this process"):
        WandbCarbs(CARBS(params=PARAMS), wandb_run="run")
    with pytest.raises(WandbCarbsError, match="'other' is not the sweep"):
        WandbCarbs(CARBS(params=PARAMS), sweep_id="other")
    assert WandbCarbs(CARBS(params=PARAMS), wandb.run, sweep.id).suggest()


@pytest.mark.parametrize(
    "variable",
    [
        "RANK",
        "LOCAL_RANK",
        "SLURM_PROCID",
        "OMPI_COMM_WORLD_RANK",
        "PMI_RANK",
        "PMIX_RANK",
        "MV2_COMM_WORLD_RANK",
    ],
)
def test_only_the_first_rank_may_ask(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "1")
    for ask in (begin_nothing, WandbCarbs.from_sweep):
        with pytest.raises(WandbCarbsError, match=f"{variable}=1.*broadcast"):
            ask()
    monkeypatch.setenv(variable, "0")
    with pytest.raises(WandbCarbsError, match=r"wandb.init\(\)"):
        WandbCarbs(CARBS(params=PARAMS))
    monkeypatch.setenv(variable, "1")
    with pytest.raises(WandbCarbsError, match=r"wandb.init\(\)"):
        WandbCarbs(CARBS(params=PARAMS), any_rank=True)


@pytest.mark.parametrize(
    "ranks",
    [{"SLURM_PROCID": "0", "LOCAL_RANK": "1"}, {"RANK": "8", "LOCAL_RANK": "0"}, {"RANK": "8", "SLURM_PROCID": "0"}],
)
def test_a_rank_on_the_machine_or_in_the_job_is_enough_to_refuse(
    ranks: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in ranks.items():
        monkeypatch.setenv(variable, value)
    with pytest.raises(WandbCarbsError, match="any_rank=True"):
        begin_nothing()


def test_first_of_a_job_within_another_launchers_task_may_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in {"SLURM_PROCID": "3", "PMIX_RANK": "3", "RANK": "0", "LOCAL_RANK": "0"}.items():
        monkeypatch.setenv(variable, value)
    with pytest.raises(WandbCarbsError, match=r"wandb.init\(\)"):
        begin_nothing()


def test_suggestion_is_in_the_config_and_plain(sweep: Sweep) -> None:
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


def test_user_values_survive(sweep: Sweep) -> None:
    run = wandb.init(config={"model": "mlp"})
    run.summary["note"] = "mine"
    trial = WandbCarbs(CARBS(params=PARAMS))
    trial.record_observation(0.5, 1)
    run.finish()
    config, summary = sweep.stored(run.id)
    assert config["model"] == "mlp"
    assert summary["note"] == "mine"
    assert summary["carbs.objective"] == 0.5


def test_numbers_that_json_lacks_are_written_as_the_sdk_does(sweep: Sweep) -> None:
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


def test_transformed_suggestion_may_hold_arrays_and_infinity(sweep: Sweep) -> None:
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


def test_cost_defaults_to_the_seconds_since(sweep: Sweep) -> None:
    trial = begin()
    trial.record_observation(0.5)
    _, summary = sweep.stored(trial.suggest()["suggestion_uuid"])
    assert 0 < summary["carbs.cost"] < 60


@pytest.mark.parametrize("cost", [0, -1, float("nan"), float("inf"), "2", 10**400, np.array([1.0, 2.0])])
def test_bad_cost_changes_nothing(sweep: Sweep, cost: Any) -> None:
    trial = begin()
    with pytest.raises(CarbsError, match="cost"):
        trial.record_observation(0.5, cost)
    assert sweep.counts() == {"running": 1}


def test_arrays_of_one_number_are_numbers(sweep: Sweep) -> None:
    trial = begin()
    trial.record_observation(np.array([[0.5]]), np.array([2.0]))  # type: ignore[arg-type]
    _, summary = sweep.stored(trial.suggest()["suggestion_uuid"])
    assert (summary["carbs.objective"], summary["carbs.cost"]) == (0.5, 2.0)


def test_second_observation_needs_allow_update(sweep: Sweep, caplog: pytest.LogCaptureFixture) -> None:
    trial = begin()
    trial.record_observation(0.5, 1)
    with pytest.raises(WandbCarbsError, match="allow_update=True"):
        trial.record_observation(0.6, 1)
    trial.record_failure("late")
    assert "it is kept" in caplog.text
    trial.record_observation(0.7, 1, allow_update=True)
    _, summary = sweep.stored(trial.suggest()["suggestion_uuid"])
    assert (summary["carbs.state"], summary["carbs.objective"]) == ("success", 0.7)


def outcome(sweep: Sweep, trial: WandbCarbs) -> tuple[str, str]:
    _, summary = sweep.stored(trial.suggest()["suggestion_uuid"])
    return summary["carbs.state"], summary["carbs.reason"]


def test_objective_that_is_no_number(sweep: Sweep) -> None:
    trial = begin()
    with pytest.raises(CarbsError, match="objective"):
        trial.record_observation("0.5", 1)  # type: ignore[arg-type]
    with pytest.raises(CarbsError, match="objective"):
        trial.record_observation(10**400, 1)
    trial.record_observation(float("nan"), 1)
    assert outcome(sweep, trial) == ("failure", "objective is nan")


class OutOfMemoryError(RuntimeError):
    """Named as torch's."""


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ValueError("bad shape"), ("failure", "exception: ValueError")),
        (OutOfMemoryError("CUDA"), ("failure", "out_of_memory")),
        (KeyboardInterrupt(), ("abandoned", "interrupted: KeyboardInterrupt")),
        (SystemExit(1), ("abandoned", "interrupted: SystemExit")),
        (Exception(), ("abandoned", "stopped")),
    ],
)
def test_exception_is_recorded_and_goes_on(sweep: Sweep, error: BaseException, expected: tuple[str, str]) -> None:
    trial = begin()
    with pytest.raises(type(error)), trial:
        raise error
    assert outcome(sweep, trial) == expected


def test_exception_of_a_run_marked_as_preempted_says_nothing_of_its_hyperparameters(sweep: Sweep) -> None:
    trial = begin()
    run = wandb.Api().run(f"{ENTITY}/{PROJECT}/{trial.suggest()['suggestion_uuid']}")
    wandb.run.mark_preempting()  # type: ignore[union-attr]
    while run.state != "preempting":  # the SDK sends it from another process
        run.load(force=True)
    with pytest.raises(RuntimeError), trial:
        raise RuntimeError("leaving")
    assert outcome(sweep, trial) == ("abandoned", "preempted")


@pytest.mark.parametrize(
    ("reason", "text"), [(ValueError("bad shape"), "ValueError: bad shape"), (np.array([1, 2]), "[1 2]")]
)
def test_reason_may_be_anything(sweep: Sweep, reason: object, text: str) -> None:
    with begin() as trial:
        trial.record_failure(reason)
    assert outcome(sweep, trial) == ("failure", text)


def test_end_of_the_block_records_what_the_sdk_had_refused(sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    trial = begin()
    with monkeypatch.context() as patch:
        patch.setattr(type(wandb.run.summary), "update", lambda *_: json.dumps({1}))  # type: ignore[union-attr]
        with pytest.raises(TypeError):
            trial.record_observation(0.5, 1)
    with pytest.raises(TypeError), trial:
        raise TypeError("refused")
    assert outcome(sweep, trial) == ("failure", "exception: TypeError")


def test_exception_can_be_held_back(sweep: Sweep) -> None:
    """The run then ends as failed, and the program goes on after the block."""
    with begin(raise_errors=False) as trial:
        raise ValueError("bad shape")
    assert wandb.run is None
    assert outcome(sweep, trial) == ("failure", "exception: ValueError")
    assert load_sweep(sweep.path).runs[0].record.state == "failed"


def test_exception_after_the_observation_changes_nothing(sweep: Sweep) -> None:
    trial = begin()
    trial.record_observation(0.5, 1)
    with pytest.raises(ValueError, match="late"), trial:
        raise ValueError("late")
    assert sweep.counts() == {"observation": 1}


def test_leaving_without_a_word_abandons(sweep: Sweep, caplog: pytest.LogCaptureFixture) -> None:
    with begin() as trial:
        pass
    assert "without recording" in caplog.text
    assert outcome(sweep, trial) == ("abandoned", "nothing was recorded")


def test_handler_of_sigterm_is_called_and_restored(sweep: Sweep) -> None:
    """A handler that lets the run go on lets it record its observation."""
    calls: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: calls.append(number))
    mine = signal.getsignal(signal.SIGTERM)
    try:
        with begin() as trial:
            os.kill(os.getpid(), signal.SIGTERM)
            assert calls == [signal.SIGTERM]
            assert outcome(sweep, trial) == ("abandoned", "SIGTERM")
            trial.record_observation(0.5, 1)
        assert signal.getsignal(signal.SIGTERM) is mine
        assert outcome(sweep, trial) == ("success", "")
    finally:
        signal.signal(signal.SIGTERM, before)


def test_history_is_fed_and_told(sweep: Sweep, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "wandb_carbs")
    for i in range(3):
        sweep.put(f"good{i}", {"lr": 0.01, "batch": 20 + i}, GOOD)
    sweep.put("failed", {"lr": 0.1, "batch": 20}, {"carbs.state": "failure"}, exit_code=1)
    sweep.put("pending", {"lr": 0.001, "batch": 20}, {"carbs.state": "running"}, exit_code=None)
    sweep.put("starting", {}, {}, exit_code=None)
    sweep.put("crashed", {"lr": 0.001, "batch": 20}, {"carbs.state": "running"}, exit_code=1)
    carbs = CARBS(params=PARAMS)
    wandb.init()
    trial = WandbCarbs(carbs)
    assert len(carbs.success_observations) == 3
    assert carbs.success_observations[0] == ObservationInParam({"lr": 0.01, "batch": 20}, 0.5, 2.0)
    assert len(carbs.failure_observations) == 1
    assert set(carbs.outstanding_suggestions) == {"pending", "starting", trial.suggest()["suggestion_uuid"]}
    assert "observation 3, failure 1, running 1, foreseen 1, abandoned 1, skipped 0" in caplog.text


def test_an_optimizer_that_outlives_a_run_sees_nothing_twice(sweep: Sweep) -> None:
    carbs = CARBS(params=PARAMS)
    for _ in range(2):
        with wandb.init():
            WandbCarbs(carbs).record_observation(0.5, 1)
    with wandb.init():
        WandbCarbs(carbs)
        assert len(carbs.success_observations) == 2
    assert sweep.counts() == {"observation": 2, "abandoned": 1}


def publish_the_same_meanwhile(sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Let another agent, of whose run the first read knew nothing, publish just the same; return what, once it has."""
    drawn: list[Any] = []
    read = RunReader.changed

    def late(reader: RunReader, *arguments: Any) -> Any:
        if not drawn:
            drawn.extend(sweep.stored(wandb.run.id))  # type: ignore[union-attr]
            sweep.put("other", drawn[0], {"carbs.state": "running"}, exit_code=None)
        return read(reader, *arguments)

    monkeypatch.setattr(RunReader, "changed", late)
    return drawn


def test_equal_configuration_published_meanwhile_is_drawn_again(sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = publish_the_same_meanwhile(sweep, monkeypatch)
    suggestion = begin().suggest()
    suggestion.pop("suggestion_uuid")
    assert suggestion != drawn[0]
    assert sweep.stored(wandb.run.id)[0] == suggestion  # type: ignore[union-attr]


def test_two_agents_do_not_repeat_the_same_run_at_once(
    make_sweep: Callable[..., Sweep], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Repeats are equal to a run that is over on purpose, but not to one under way."""
    params = [Param("layers", LinearSpace(min=1, max=3, is_integer=True))]
    config = CARBSParams(num_random_samples=3, resample_frequency=1)
    sweep = make_sweep(params)
    for layers in (1, 2, 3):
        summary = {"carbs.state": "success", "carbs.objective": float(layers), "carbs.cost": 2.0**layers}
        sweep.put(f"run-{layers}", {"layers": layers}, summary)
    drawn = publish_the_same_meanwhile(sweep, monkeypatch)
    wandb.init()
    suggestion = WandbCarbs(CARBS(config, params)).suggest()
    values, summary = drawn
    assert summary["carbs.kind"] == "resample"
    assert suggestion["layers"] != values["layers"]
    assert sweep.stored(suggestion["suggestion_uuid"])[1]["carbs.kind"] == "resample"


def test_published_run_can_be_resumed(sweep: Sweep) -> None:
    """By its own part of the configuration the SDK knows a run that has begun; of another it would drop the rest."""
    sweep.put("run", {"lr": 1, "_wandb": {"t": {"1": [2]}}}, {}, exit_code=None)
    reader = RunReader(SweepPath.parse(sweep.path))
    RunPublisher(reader.one("run"), reader).suggestion({"lr": 2}, {"lr": 2}, {})
    assert wandb.Api().run(f"{ENTITY}/{PROJECT}/run").rawconfig == {"lr": 2, "_wandb": {"t": {"1": [2]}}}


@pytest.mark.parametrize(("batch", "is_kept"), [(64, True), (65, False)])
def test_resumed_suggestion_obeys_the_rule(
    sweep: Sweep, batch: int, is_kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = {"_wandb": {"t": {"1": [2]}}}
    sweep.put("mine", {"lr": 0.01, "batch": batch, **begun}, {"carbs.state": "running"}, exit_code=1)
    monkeypatch.setenv("WANDB_RUN_ID", "mine")
    wandb.init(resume="allow")
    found = WandbCarbs.from_sweep(is_valid=lambda values: values["batch"] % 2 == 0).suggest()
    assert found["batch"] % 2 == 0
    assert ((found["lr"], found["batch"]) == (0.01, 64)) is is_kept


@pytest.mark.parametrize("state", ["running", "abandoned"])
def test_configuration_of_an_abandoned_run_is_left_to_it(make_sweep: Callable[..., Sweep], state: str) -> None:
    """It may be started again, and would then be the second run of that configuration."""
    params = [replace(param, search_center=center) for param, center in zip(PARAMS, (0.01, 32), strict=True)]
    sweep = make_sweep(params)
    sweep.put("lost", {"lr": 0.01, "batch": 32}, {"carbs.state": state}, exit_code=1)
    wandb.init()
    suggestion = WandbCarbs.from_sweep().suggest()
    assert (suggestion["lr"], suggestion["batch"]) != (0.01, 32)
    assert abs(math.log10(suggestion["lr"]) + 2) < 1
    assert sweep.counts() == {"abandoned": 1, "running": 1}


def test_few_configurations_are_used_up_by_abandoned_runs(make_sweep: Callable[..., Sweep]) -> None:
    sweep = make_sweep([Param("depth", LinearSpace(min=1, max=2, is_integer=True))])
    for depth in (1, 2):
        sweep.put(f"lost{depth}", {"depth": depth}, {"carbs.state": "running"}, exit_code=1)
    wandb.init()
    assert WandbCarbs.from_sweep().suggest()["depth"] in (1, 2)


def test_heartbeat_of_another_century_does_not_outdate_the_others(sweep: Sweep) -> None:
    values = {"lr": 0.001, "batch": 20}
    for name in ("pending", "odd"):
        sweep.put(name, values, {"carbs.state": "running"}, exit_code=None)
    with contextlib.closing(sqlite3.connect(sweep.server._data_dir / "wandb-carbs.db")) as db, db:
        db.execute("UPDATE runs SET heartbeat_at = heartbeat_at + 2300000000000000 WHERE name = 'odd'")
    assert sweep.counts() == {"running": 2}
    trial = begin()
    assert "pending" in trial._carbs.outstanding_suggestions
    assert sweep.counts() == {"running": 3}


def test_garbage_is_skipped_with_one_warning_each(sweep: Sweep, caplog: pytest.LogCaptureFixture) -> None:
    good = {"lr": 0.01, "batch": 20}
    garbage: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
        "no-lr": ({"batch": 20}, GOOD),
        "text": ({**good, "lr": "0.01"}, GOOD),
        "outside": ({**good, "lr": 5}, GOOD),
        "fraction": ({**good, "batch": 20.5}, GOOD),
        "nested": ({**good, "lr": {"value": 1}}, GOOD),
        "nan": (good, {**GOOD, "carbs.objective": float("nan")}),
        "text-cost": (good, {**GOOD, "carbs.cost": "2"}),
        "no-objective": (good, {"carbs.state": "success", "carbs.cost": 1}),
        "odd-state": (good, {"carbs.state": {"max": 1}}),
        "foreign": ({}, {"loss": 1}),
        "damaged": (good, {**GOOD, "carbs.suggestion": '{"lr": "x"}'}),
        "moved-in": ({"width": 3}, {**GOOD, "carbs.suggestion": '{"width": 3}', "carbs.kind": "model"}),
        "list": (good, {**GOOD, "carbs.objective": [0.5], "carbs.suggestion": "[1]"}),
        "huge": (good, {**GOOD, "carbs.cost": 10**400}),
        "endless": (good, {**GOOD, "carbs.cost": float("inf")}),
        "free": (good, {**GOOD, "carbs.cost": 0}),
    }
    for name, (config, summary) in garbage.items():
        sweep.put(name, config, summary)
    sweep.put("good", {**good, "added_later": 3}, {**GOOD, "carbs.suggestion": "no json"})
    sweep.put("deep", good, {**GOOD, "carbs.suggestion": "[" * 50_000})
    sweep.create_at_the_same_time("good", "no-lr", "nan")
    carbs = CARBS(params=PARAMS)
    for _ in range(2):
        with wandb.init():
            WandbCarbs(carbs).record_observation(0.5, 1)
    assert len(carbs.success_observations) == 3
    for name in garbage:
        assert caplog.text.count(f"({name})") == 2  # one for each trial
    assert len(carbs_from_sweep(sweep.path).success_observations) == 4


def test_run_that_cannot_be_read_is_skipped_alone(
    sweep: Sweep, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("good", "broken"):
        sweep.put(name, {"lr": 0.01, "batch": 20}, GOOD)
    monkeypatch.setattr(
        wandb.apis.public.Run, "config", property(lambda run: [1] if run.id == "broken" else run._attrs["config"])
    )
    assert len(begin()._carbs.success_observations) == 1
    assert "(broken): it cannot be read: TypeError" in caplog.text
    assert sweep.counts() == {"observation": 1, "running": 1, "skipped": 1}


def test_pow2_parameters_are_exponents_to_the_optimizer(make_sweep: Callable[..., Sweep]) -> None:
    params = [Param("log_batch", LinearSpace(min=2, max=6, is_integer=True)), PARAMS[0]]
    sweep = make_sweep(params)
    sweep.put("good", {"log_batch": 16, "lr": 0.01}, GOOD)
    sweep.put("no-power", {"log_batch": 17, "lr": 0.01}, GOOD)
    carbs = CARBS(params=params)
    run = wandb.init()
    trial = Pow2WandbCarbs(carbs, {"log_batch"}, wandb_run=run)
    assert [observation.input["log_batch"] for observation in carbs.success_observations] == [4]
    assert trial.suggest()["log_batch"] in (4, 8, 16, 32, 64)
    assert run.config["log_batch"] == trial.suggest()["log_batch"]


def test_program_for_the_old_package(make_sweep: Callable[..., Sweep]) -> None:
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


def test_from_sweep_needs_no_second_declaration(make_sweep: Callable[..., Sweep]) -> None:
    make_sweep(config=CARBSParams(better_direction_sign=-1, seed=4))
    with wandb.init():
        trial = WandbCarbs.from_sweep()
        assert trial._carbs.params == tuple(PARAMS)
        assert trial._carbs.config == CARBSParams(better_direction_sign=-1, seed=4)
        trial.record_failure("diverged")


def test_forgotten_trials_are_let_go(sweep: Sweep) -> None:

    assert sweep
    trial = begin()
    assert any(reference() is not None for reference in sigterm._watchers)
    del trial
    gc.collect()
    assert all(reference() is None for reference in sigterm._watchers)
