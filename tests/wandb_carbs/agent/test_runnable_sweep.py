"""A run's objective and cost, as the sweep says that they are read."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from carbs import CARBSParams, LogSpace, Param
from wandb_carbs import SweepDefinition, SweepPath
from wandb_carbs.agent.runnable_sweep import RunnableSweep, values_of, words_of_sdk
from wandb_carbs.record import RunRecord
from wandb_carbs.sweep.reading import Reading


def sweep_of(metric: Reading | None, cost: Reading | None = None, sign: int = -1) -> RunnableSweep:
    definition = SweepDefinition((Param("lr", LogSpace(1e-4, 1e-1)),), CARBSParams(better_direction_sign=sign))
    return RunnableSweep(SweepPath("e", "p", "s"), definition, ("true",), None, {}, metric, cost)


def record_of(summary: dict[str, Any], rows: list[dict[str, Any]] | None = None, internal: Any = None) -> RunRecord:
    def scan_history(keys: list[str], _: int) -> list[dict[str, Any]]:
        found = [row for row in rows or [] if keys[0] in row]
        return [{key: row[key] for key in keys if key in row} for row in found]

    source = SimpleNamespace(
        scan_history=scan_history, rawconfig={"_wandb": {"t": {}} if internal is None else internal}
    )
    return RunRecord("r", "r", "finished", None, None, {}, summary, source)


def test_best_follows_the_goal_and_the_lowest_cost_is_the_best() -> None:
    rows = [{"acc": 0.3, "hours": 2.0}, {"acc": 0.9, "hours": 5.0}]
    read = values_of(
        sweep_of(Reading("acc", "best"), Reading("hours", "best"), 1), record_of({}, rows), 1.0, is_joined=True
    )
    assert (read.objective, read.cost, read.cost_metric) == (0.9, 2.0, "hours")


def test_without_a_metric_of_the_cost_it_is_the_seconds() -> None:
    read = values_of(
        sweep_of(None), record_of({"loss": 1.0, "_step": 3, "carbs.state": "running"}), 12.5, is_joined=True
    )
    assert (read.objective, read.metric, read.cost, read.cost_metric, read.logged) == (None, "", 12.5, "", ["loss"])


def test_the_parameters_are_named_with_those_that_hold_them() -> None:
    parameters = {"lr": {"min": 0, "max": 1}, "model": {"parameters": {"width": {"value": 3}}}}
    read = values_of(replace(sweep_of(None), parameters=parameters), record_of({}), 1.0, is_joined=True)
    assert read.parameters == ["lr", "model.width"]


def test_what_was_logged_inside_a_mapping_is_named_as_the_sweep_may_name_it() -> None:
    summary = {"val": {"loss": 1.0}, "_step": 3, "carbs.state": "running"}
    assert values_of(sweep_of(Reading("val/loss")), record_of(summary), 1.0, is_joined=True).logged == ["val.loss"]


def test_what_was_logged_as_a_metric_though_it_is_no_number_is_known() -> None:
    sweep = sweep_of(Reading("val.loss"), Reading("hours"))
    read = values_of(sweep, record_of({"val": {"loss": "0.5"}, "hours": True, "note": "x"}), 1.0, is_joined=True)
    assert (read.objective, read.cost, read.no_numbers) == (None, None, {"val.loss": "0.5", "hours": True})
    assert values_of(sweep, record_of({"val.loss": "NaN", "note": "x"}), 1.0, is_joined=True).no_numbers == {}


def test_the_words_of_the_sdk_are_apart_from_the_copy_of_the_record() -> None:
    assert words_of_sdk(record_of({}, internal={"t": {}, "carbs": {"carbs.state": "running"}})) == {"t": {}}
    assert words_of_sdk(record_of({}, internal={"carbs": {"carbs.state": "running"}})) == {}
    assert words_of_sdk(record_of({}, internal=3)) == {}


@pytest.mark.parametrize(("summary", "is_joined"), [({}, False), ({"loss": 1.0}, True)])
def test_a_metric_shows_that_the_run_was_joined(summary: dict[str, Any], *, is_joined: bool) -> None:
    sweep = sweep_of(Reading("loss"))
    assert values_of(sweep, record_of(summary), 1.0, is_joined=False).has_joined is is_joined
    assert values_of(sweep, record_of(summary), 1.0, is_joined=True).has_joined
