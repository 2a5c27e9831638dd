"""A run's outcome holds the points on its way where the sweep asks for them, however its program ended."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from carbs import CARBSParams, LogSpace, Param
from wandb_carbs.agent.outcome import STOPPED, Ending, Outcome
from wandb_carbs.agent.runnable_sweep import RunnableSweep
from wandb_carbs.agent.whole_outcome import whole_outcome
from wandb_carbs.record import (
    ABANDONED,
    BEFORE_KEY,
    BEGUN_KEY,
    COST_KEY,
    CURVE_KEY,
    FAILURE,
    REASON_KEY,
    STATE_KEY,
    STOPPED_KEY,
    SUCCESS,
    SUGGESTION_KEY,
    RunRecord,
)
from wandb_carbs.sweep.definition import SweepDefinition
from wandb_carbs.sweep.path import SweepPath
from wandb_carbs.sweep.progress import Progress
from wandb_carbs.sweep.reading import Reading

BEGUN = 1000.0
PARAMS = (Param("lr", LogSpace(1e-4, 1e-1)), Param("epochs", LogSpace(1, 100, is_integer=True)))


def rows_of(*losses: Any, start: float = BEGUN, step: int = 0, first: int = 1) -> list[dict[str, Any]]:
    """Return what a program logs, an epoch every ten seconds."""
    return [
        {"loss": loss, "epoch": first + place, "_step": step + place, "_timestamp": start + 10 * (place + 1)}
        for place, loss in enumerate(losses)
    ]


def outcome_of(
    rows: list[dict[str, Any]],
    *,
    ending: Ending = Ending(0),  # noqa: B008 - frozen
    progress: Progress | None = Progress("epochs", "epoch"),  # noqa: B008 - frozen
    cost: str = "",
    epochs: int = 4,
    spent: float = 0.0,
    begun: float | None = None,
    **summary: Any,
) -> Outcome:
    def scan_history(keys: list[str], _: int) -> list[dict[str, Any]]:
        needed = [key for key in keys if not key.startswith("_")]
        return [{key: row[key] for key in keys if key in row} for row in rows if all(key in row for key in needed)]

    losses = [row["loss"] for row in rows if "loss" in row]
    last = {"loss": losses[-1]} if losses else {}
    kept = {BEGUN_KEY: BEGUN, SUGGESTION_KEY: json.dumps({"lr": 0.01, "epochs": epochs}), **last, **summary}
    source = SimpleNamespace(scan_history=scan_history, rawconfig={})
    record = RunRecord("r", "r", "running", None, None, {}, kept, source)
    definition = SweepDefinition(PARAMS, CARBSParams(better_direction_sign=-1), progress=progress)
    sweep = RunnableSweep(
        SweepPath("e", "p", "s"),
        definition,
        (),
        None,
        {},
        Reading("loss"),
        Reading(cost) if cost else None,
    )
    return whole_outcome(sweep, record, ending, 45.0, is_joined=True, spent=spent, begun=begun)


def curve(outcome: Outcome) -> Any:
    text = outcome.keys.get(CURVE_KEY)
    return None if text is None else json.loads(text)


@pytest.mark.parametrize(
    ("ending", "state"),
    [
        (Ending(0), SUCCESS),
        (Ending(1, "Traceback (most recent call last):\nRuntimeError: shapes\n"), FAILURE),
        (Ending(-15), ABANDONED),
        (Ending(0, asked=STOPPED), ABANDONED),
    ],
)
def test_points_on_the_way_are_recorded_however_the_run_ended(ending: Ending, state: str) -> None:
    losses = [4.0, 3.0, 2.0, *([1.0] if state == SUCCESS else [])]
    outcome = outcome_of(rows_of(*losses), ending=ending)
    assert outcome.keys[STATE_KEY] == state
    assert curve(outcome) == [[1, 4.0, 10.0], [2, 3.0, 20.0], [3, 2.0, 30.0]]
    assert outcome.note == ""


def test_the_end_of_a_run_and_what_has_no_number_are_no_points_on_its_way() -> None:
    assert curve(outcome_of(rows_of(4.0, "NaN", 2.0, 1.0))) == [[1, 4.0, 10.0], [3, 2.0, 30.0]]
    assert curve(outcome_of(rows_of(4.0), epochs=1)) is None


def test_a_run_that_was_stopped_says_when() -> None:
    outcome = outcome_of(rows_of(4.0, 3.0), ending=Ending(-15, asked=STOPPED), spent=5.0)
    assert outcome.keys[REASON_KEY] == STOPPED
    assert json.loads(outcome.keys[STOPPED_KEY]) == {"why": "stopped in W&B", "seconds": 50.0, "progress": 2.0}
    plain = outcome_of(rows_of(4.0), ending=Ending(-15, asked=STOPPED), progress=None)
    assert json.loads(plain.keys[STOPPED_KEY]) == {"why": "stopped in W&B", "seconds": 45.0}
    assert STOPPED_KEY not in outcome_of(rows_of(4.0, 3.0)).keys


def test_a_sweep_that_does_not_ask_for_points_has_none() -> None:
    outcome = outcome_of(rows_of(4.0, 3.0, 2.0, 1.0), progress=None)
    assert (curve(outcome), outcome.note) == (None, "")


def test_a_program_that_ought_to_report_its_points_and_does_not_is_no_silent_loss() -> None:
    outcome = outcome_of(rows_of(4.0, 3.0, 2.0, 1.0), progress=Progress("epochs"))
    assert curve(outcome) is None
    assert "write `progress: {parameter: epochs, metric: …}`" in outcome.note
    assert outcome_of(rows_of(4.0), progress=Progress("epochs"), ending=Ending(-15)).note == ""


def test_a_cost_that_is_a_metric_is_the_points_cost() -> None:
    rows = [{**row, "tokens": 100 * row["epoch"]} for row in rows_of(4.0, 3.0, 2.0, 1.0)]
    assert curve(outcome_of(rows, cost="tokens", tokens=400)) == [[1, 4.0, 100], [2, 3.0, 200], [3, 2.0, 300]]


@pytest.mark.parametrize(
    ("rows", "options", "note"),
    [
        (rows_of(4.0, 3.0, 2.0, 1.0, first=0), {}, "write `first: 0` in a new sweep if it does, or `first: 1`"),
        (rows_of(4.0, 3.0, 2.0, 1.0, 0.5), {}, "write a metric of the same unit"),
        ([{"loss": 1.0, "_step": 0}], {}, "no row of a run holds both 'loss' and 'epoch'"),
        (rows_of(4.0, 3.0, 2.0, 1.0), {"cost": "tokens", "tokens": 9}, "have no cost, as 'tokens' is logged later"),
        (rows_of(4.0, 3.0, 2.0, 1.0) * 2, {}, "goes back within a run"),
    ],
)
def test_it_is_said_why_nothing_is_learnt_from_the_way(rows: Any, options: dict[str, Any], note: str) -> None:
    outcome = outcome_of(rows, **options)
    assert note in outcome.note
    assert outcome.keys[STATE_KEY] == SUCCESS
    assert curve(outcome) is None


def test_a_run_that_was_started_again_keeps_what_its_first_start_had_seen() -> None:
    """Seconds of both starts count, and those of the first one are known from its own record alone."""
    rows = [*rows_of(4.0, 3.0, start=BEGUN - 500), *rows_of(2.0, step=2, first=3)]
    before: dict[str, Any] = {BEFORE_KEY: BEGUN - 480}
    known: dict[str, Any] = {CURVE_KEY: json.dumps([[1, 4.0, 12.0], [2, 3.0, 22.0]])}
    rows += rows_of(1.0, step=3, first=4, start=BEGUN + 10)
    whole = outcome_of(rows, spent=60.0, **before, **known)
    assert curve(whole) == [[1, 4.0, 12.0], [2, 3.0, 22.0], [3, 2.0, 70.0]]
    assert curve(outcome_of(rows, spent=60.0, **before)) == [[3, 2.0, 70.0]]
    known = {CURVE_KEY: "odd"}
    assert curve(outcome_of(rows, spent=60.0, **before, **known)) == [[3, 2.0, 70.0]]


def test_a_long_way_is_eight_points_at_most() -> None:
    outcome = outcome_of(rows_of(*(1 / epoch for epoch in range(1, 51))), epochs=50)
    assert [place for place, _, _ in curve(outcome)] == [1, 2, 3, 4, 7, 11, 19, 30]


def test_a_cost_that_comes_after_each_row_of_the_objective_is_none_of_its_point() -> None:
    """At each row but the first there is one: that of the row before."""
    rows: list[dict[str, Any]] = []
    for row in rows_of(4.0, 3.0, 2.0, 1.0):
        place = 2 * row["_step"]
        later = {"tokens": 100 * row["epoch"], "_step": place + 1, "_timestamp": row["_timestamp"]}
        rows += [{**row, "_step": place}, later]
    outcome = outcome_of(rows, cost="tokens", tokens=400)
    assert (outcome.keys[COST_KEY], curve(outcome)) == (400, None)
    assert "have no cost, as 'tokens' is logged later" in outcome.note


def test_a_cost_that_falls_is_not_that_of_the_run_so_far() -> None:
    """The program goes on from a checkpoint, and counts its tokens from there."""
    old = [{**row, "tokens": 100 * row["epoch"]} for row in rows_of(4.0, 3.0, start=BEGUN - 500)]
    new = [{**row, "tokens": 50 * row["epoch"] - 100} for row in rows_of(2.0, 1.0, step=2, first=3)]
    known: dict[str, Any] = {BEFORE_KEY: BEGUN - 480, CURVE_KEY: "[[1, 4.0, 100], [2, 3.0, 200]]", "tokens": 100}
    outcome = outcome_of([*old, *new], cost="tokens", **known)
    assert curve(outcome) == [[1, 4.0, 100], [2, 3.0, 200]]
    assert "let 'tokens' be what the run has cost so far" in outcome.note


def test_seconds_are_those_of_the_program_and_not_of_its_suggestion() -> None:
    assert curve(outcome_of(rows_of(4.0, 3.0, 2.0, 1.0), begun=BEGUN + 6.0))[0] == [1, 4.0, 4.0]


def test_a_run_that_was_begun_anew_keeps_the_costs_of_the_start_that_came_there_first() -> None:
    """Those of the new start hold the seconds of the first one, which were of no use to it."""
    rows = [*rows_of(4.0, 3.0, start=BEGUN - 500), *rows_of(4.5, 3.5, 2.5, 1.5)]
    known: dict[str, Any] = {BEFORE_KEY: BEGUN - 480, CURVE_KEY: json.dumps([[1, 4.0, 12.0], [2, 3.0, 22.0]])}
    assert curve(outcome_of(rows, spent=60.0, **known)) == [[1, 4.0, 12.0], [2, 3.0, 22.0], [3, 2.5, 90.0]]
