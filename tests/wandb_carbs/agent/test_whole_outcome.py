"""A run's outcome holds the points on its way where the sweep asks for them, however its program ended."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from logged_runs import PROGRESS, logged_run, rows_of, sweep_of_losses
from wandb_carbs.agent.outcome import STOPPED, Ending, Outcome
from wandb_carbs.agent.whole_outcome import whole_outcome
from wandb_carbs.record import (
    ABANDONED,
    CONFIG_KEY,
    COST_KEY,
    CURVE_KEY,
    FAILURE,
    OBJECTIVE_KEY,
    REASON_KEY,
    STATE_KEY,
    STOPPED_KEY,
    SUCCESS,
    SUGGESTED_KEY,
    SUGGESTION_KEY,
)
from wandb_carbs.sweep.progress import Progress


def outcome_of(
    rows: list[dict[str, Any]],
    ending: Ending,
    *,
    progress: Progress | None = PROGRESS,
    spent: float = 0.0,
    advised: str = "",
) -> Outcome:
    run = replace(logged_run(rows), state="finished" if ending.exit_code == 0 else "running")
    return whole_outcome(sweep_of_losses(progress), run, ending, 45.0, is_joined=True, spent=spent, advised=advised)


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
    outcome = outcome_of(rows_of(*losses), ending)
    assert outcome.keys[STATE_KEY] == state
    after = 5.0 if state == SUCCESS else 0.0  # a run that ends at a point takes these seconds to end, too
    assert json.loads(outcome.keys[CURVE_KEY]) == [[1, 4.0, 10 + after], [2, 3.0, 20 + after], [3, 2.0, 30 + after]]
    assert outcome.note == ""


def test_a_note_on_the_way_of_a_run_is_one_of_its_outcome() -> None:
    outcome = outcome_of(rows_of(4.0, 3.0, 2.0, 1.0, 0.5), Ending(0))
    assert (outcome.keys[STATE_KEY], CURVE_KEY in outcome.keys) == (SUCCESS, False)
    assert "write a metric of the same unit" in outcome.note


def test_a_run_that_was_stopped_says_when() -> None:
    outcome = outcome_of(rows_of(4.0, 3.0), Ending(-15, asked=STOPPED), spent=5.0)
    assert outcome.keys[REASON_KEY] == STOPPED
    assert json.loads(outcome.keys[STOPPED_KEY]) == {"why": "stopped in W&B", "seconds": 50.0, "progress": 2.0}
    plain = outcome_of(rows_of(4.0), Ending(-15, asked=STOPPED), progress=None)
    assert json.loads(plain.keys[STOPPED_KEY]) == {"why": "stopped in W&B", "seconds": 45.0}
    assert STOPPED_KEY not in outcome_of(rows_of(4.0, 3.0), Ending(0)).keys


def test_a_run_that_was_stopped_as_advised_counts_as_the_shorter_run_that_it_was() -> None:
    keys = outcome_of(rows_of(4.0, 3.0, 2.0), Ending(-15, asked=STOPPED), advised="is no good").keys
    assert (keys[STATE_KEY], keys[OBJECTIVE_KEY], keys[COST_KEY]) == (SUCCESS, 2.0, 30.0)
    assert json.loads(keys[SUGGESTION_KEY]) == {"lr": 0.01, "epochs": 3}
    assert CONFIG_KEY not in keys
    assert json.loads(keys[CURVE_KEY]) == [[1, 4.0, 10.0], [2, 3.0, 20.0]]
    assert json.loads(keys[STOPPED_KEY]) == {"why": "is no good", "progress": 3}
    assert json.loads(keys[SUGGESTED_KEY]) == {"lr": 0.01, "epochs": 4}
    assert keys["carbs.predicted_objective"] is None  # nothing was predicted of it


def test_a_run_that_came_to_its_end_though_it_was_to_stop_counts_as_the_whole_run() -> None:
    """Its program ignores SIGTERM, or had its last epoch behind it."""
    ended = outcome_of(rows_of(4.0, 3.0, 2.0, 1.0), Ending(0, asked=STOPPED), advised="is no good").keys
    assert (ended[STATE_KEY], ended[OBJECTIVE_KEY], ended[COST_KEY]) == (SUCCESS, 1.0, 45.0)
    assert json.loads(ended[CURVE_KEY])[-1] == [3, 2.0, 35.0]
    assert STOPPED_KEY not in ended
    killed = outcome_of(rows_of(4.0, 3.0, 2.0, 1.0), Ending(-9, asked=STOPPED), advised="is no good").keys
    assert json.loads(killed[SUGGESTION_KEY])["epochs"] == 3


def test_a_run_that_died_behind_a_shell_at_its_last_epoch_is_not_whole() -> None:
    run = logged_run(rows_of(4.0, 3.0, 2.0, 1.0))
    keys = whole_outcome(sweep_of_losses(), run, Ending(0), 45.0, is_joined=True).keys
    assert (keys[STATE_KEY], keys[REASON_KEY]) == (ABANDONED, "the run was not finished")
    assert json.loads(keys[CURVE_KEY])[-1] == [3, 2.0, 30.0], "its points on the way are learnt"


def test_points_of_an_earlier_start_are_no_points_at_the_end_of_a_run_that_was_stopped() -> None:
    run = logged_run(rows_of(4.0, 3.0, 2.0), epochs=8, **{CURVE_KEY: "[[2, 3.5, 15.0], [3, 2.5, 25.0]]"})
    ending = Ending(-15, asked=STOPPED)
    keys = whole_outcome(sweep_of_losses(), run, ending, 45.0, is_joined=True, spent=25.0, advised="is no good").keys
    assert json.loads(keys[SUGGESTION_KEY])["epochs"] == 3
    assert [place for place, _, _ in json.loads(keys[CURVE_KEY])] == [1, 2]


def test_a_run_that_ended_otherwise_or_left_no_point_is_not_changed_by_the_advice() -> None:
    whole = outcome_of(rows_of(4.0, 3.0, 2.0, 1.0), Ending(0), advised="is no good").keys
    assert (whole[STATE_KEY], whole[OBJECTIVE_KEY]) == (SUCCESS, 1.0)
    assert STOPPED_KEY not in whole
    empty = outcome_of([], Ending(-15, asked=STOPPED), advised="is no good").keys
    assert (empty[STATE_KEY], empty[REASON_KEY]) == (ABANDONED, STOPPED)
    assert json.loads(empty[STOPPED_KEY]) == {"why": "is no good", "seconds": 45.0}
