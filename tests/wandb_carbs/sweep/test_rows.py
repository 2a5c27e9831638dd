"""A sweep's runs as rows of a table."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import pytest

from carbs import CARBSParams, LogSpace, Param, ParamDict
from wandb_carbs import JudgedRun, RunRecord, Standing, SweepDefinition, SweepHistory, SweepPath, Verdict
from wandb_carbs.sweep import rows

START = datetime(2025, 1, 1, tzinfo=timezone.utc)


def run(name: str, standing: Standing, reason: str = "", **summary: Any) -> JudgedRun:
    record = RunRecord(name, name.title(), "finished", START, None, {}, {f"carbs.{k}": v for k, v in summary.items()})
    suggestion: ParamDict | None = None if standing in (Standing.STARTING, Standing.SKIPPED) else {"lr": 0.01}
    return JudgedRun(record, Verdict(standing, reason), suggestion)


def history(*runs: JudgedRun, sign: int = -1) -> SweepHistory:
    definition = SweepDefinition((Param("lr", LogSpace(1e-4, 1e-1)),), CARBSParams(better_direction_sign=sign))
    return SweepHistory(SweepPath("e", "p", "s"), definition, runs)


CHEAP = run("cheap", Standing.OBSERVATION, objective=2, cost=1, kind="random")
POOR = run("poor", Standing.OBSERVATION, objective=3.0, cost=5.0)
GOOD = run("good", Standing.OBSERVATION, objective=1.0, cost=9.0, kind=7)
FAILED = run("failed", Standing.FAILURE, "nan", objective=5.0, cost=3.0)
ALIVE = run("alive", Standing.RUNNING)
NEW = run("new", Standing.STARTING)
ALL = history(GOOD, CHEAP, FAILED, ALIVE, POOR, NEW)


def test_every_run_is_a_row_in_order() -> None:
    found = rows.rows(ALL)
    assert [row.id for row in found] == ["good", "cheap", "failed", "alive", "poor", "new"]
    cheap, failed, new = found[1], found[2], found[5]
    assert cheap == rows.Row(
        id="cheap",
        name="Cheap",
        state="observation",
        wandb_state="finished",
        kind="random",
        objective=2.0,
        cost=1.0,
        created_at="2025-01-01T00:00:00+00:00",
        reason="",
        config={"lr": 0.01},
    )
    assert isinstance(cheap.objective, float)
    assert found[0].kind is None, "what is no text says no kind"
    assert (failed.objective, failed.cost, failed.reason) == (None, None, "nan")
    assert new.config == {}


@pytest.mark.parametrize("text", ['{"why": "is no good", "progress": 5}', "[]", '{"why": 3}', 7])
def test_a_run_that_was_stopped_early_says_why(text: Any) -> None:
    [row] = rows.rows(history(run("a", Standing.OBSERVATION, objective=1, cost=1, stopped=text)))
    assert row.reason == ("stopped early: it is no good" if "good" in str(text) else "")


def test_constants_and_the_suggestions_of_all_runs_are_shown() -> None:
    """Also of a run that counts as nothing: nothing was learnt from it, but it has run."""
    suggestion = json.dumps({"lr": 0.02})
    gone = replace(run("gone", Standing.ABANDONED, suggestion=suggestion), suggestion=None)
    odd = run("odd", Standing.SKIPPED, suggestion='{"lr": NaN}')
    parameters = {
        "lr": {"value": 0.5},
        "wd": {"values": [0.1]},
        "opt": {"parameters": {"name": {"value": "adam"}}},
        "x": {"min": 1, "max": 2},
    }
    whole = replace(history(CHEAP, gone, odd, NEW), configuration={"parameters": parameters})
    constants = {"wd": 0.1, "opt.name": "adam"}
    assert [row.config for row in rows.rows(whole)] == [
        {"lr": 0.01, **constants},
        {"lr": 0.02, **constants},
        {"lr": "NaN", **constants},
        {},
    ]
    assert rows.columns(whole) == ["lr"]
    assert rows.columns(whole, with_constants=True) == ["lr", "wd", "opt.name"]


def test_observations_and_what_is_alive() -> None:
    assert [row.id for row in rows.observations(ALL)] == ["good", "cheap", "poor"]
    assert [row.id for row in rows.running(ALL)] == ["alive", "new"]
    assert rows.columns(ALL) == ["lr"]


@pytest.mark.parametrize(("sign", "members"), [(-1, ["cheap", "good"]), (1, ["cheap", "poor"])])
def test_the_frontier_is_by_increasing_cost(sign: int, members: list[str]) -> None:
    assert [row.id for row in rows.find_frontier(history(GOOD, POOR, FAILED, CHEAP, sign=sign))] == members
    assert rows.find_frontier(history(FAILED, sign=sign)) == []
