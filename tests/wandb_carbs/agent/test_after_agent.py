"""A program whose agent was killed, and which an exception ends, is no success though it has finished its run."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING

import pytest

from carbs import CARBSParams
from live_sweep import ENTITY, PROJECT, Sweep
from wandb_carbs import SweepPath
from wandb_carbs.agent.after_agent import command_for, main, record_failure
from wandb_carbs.agent.orphans import settle
from wandb_carbs.agent.runnable_sweep import load_runnable_sweep
from wandb_carbs.record import BEGUN_KEY, FAILURE, REASON_KEY, STATE_KEY, SUCCESS, SUGGESTION_KEY
from wandb_carbs.sweep.runs import RunReader

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.filterwarnings("ignore:Read the `app_url` setting:DeprecationWarning")

TRACEBACK = "wandb: Find logs at: ./wandb\nTraceback (most recent call last):\nRuntimeError: shapes do not fit\n"


@pytest.mark.slow
def test_an_exception_is_recorded_and_nothing_else(
    make_sweep: Callable[..., Sweep], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep = make_sweep(config=CARBSParams(better_direction_sign=-1), metric_name="loss", command=["true"])
    point = {"lr": 0.01, "batch": 32}
    keys = {STATE_KEY: "running", SUGGESTION_KEY: json.dumps(point), BEGUN_KEY: 1e6}
    logged = {"loss": 0.5, "_timestamp": 1e6 + 20, "_runtime": 8.0, "_wandb": {"runtime": 10}}

    def put(name: str, state: str = "running", exit_code: int | None = 0) -> None:
        config = {**point, "_wandb": {"t": {}, "carbs": keys}}
        sweep.put(name, config, {**keys, **logged, STATE_KEY: state}, exit_code=exit_code)
        sweep.was_heard_of(name, minutes=0 if exit_code is None else 10)

    put("hidden")
    put("refused")
    put("well")
    put("recorded", SUCCESS)
    put("alive", exit_code=None)
    path = SweepPath(ENTITY, PROJECT, sweep.id)
    # The agent that is next was quicker.
    reader = RunReader(path)
    assert set(settle(load_runnable_sweep(path), reader, reader.all())) == {"hidden", "refused", "well"}
    arguments = command_for(path, "hidden")[3:]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TRACEBACK.encode())))
    main(arguments)
    assert capsys.readouterr().err == "run hidden ended without its agent, and is recorded as failure\n"
    summary = reader.one("hidden").summary
    assert (summary[STATE_KEY], summary[REASON_KEY]) == (FAILURE, "exception: RuntimeError")
    # The agent had seen the exit code before it was killed.
    assert record_failure(path, "refused", "no such layer\n", 3) == FAILURE
    assert reader.one("refused").summary[REASON_KEY] == "exit code 3"
    assert record_failure(path, "well", f"ValueError: it was caught\n{TRACEBACK.splitlines()[0]}\n") == ""
    assert record_failure(path, "recorded", TRACEBACK) == record_failure(path, "alive", TRACEBACK) == ""
    assert reader.one("well").summary[STATE_KEY] == SUCCESS


def test_a_sweep_that_cannot_be_reached_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TRACEBACK.encode())))
    with pytest.raises(SystemExit, match=r"^run r ended without its agent, and cannot be recorded: .*'a//b'"):
        main(["a//b", "r"])
