"""The points on a run's way are read from its rows, or it is said why they are not."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from logged_runs import BEGUN, PROGRESS, logged_run, rows_of, sweep_of_losses
from wandb_carbs.agent.curve import curve_keys
from wandb_carbs.agent.logged_curve import LoggedCurve, read_curve, unreported_note
from wandb_carbs.record import BEFORE_KEY, CURVE_KEY
from wandb_carbs.sweep.progress import Progress


def curve_of(
    rows: list[dict[str, Any]],
    *,
    is_whole: bool = True,
    progress: Progress | None = PROGRESS,
    cost: str = "",
    seconds: float = 0.0,
    spent: float = 0.0,
    begun: float | None = None,
    **run: Any,
) -> LoggedCurve:
    sweep, record = sweep_of_losses(progress, cost), logged_run(rows, **run)
    return read_curve(sweep, record, is_whole=is_whole, seconds=seconds, spent=spent, begun=begun)


def points(curve: LoggedCurve) -> Any:
    text = curve_keys(curve.points, is_whole=True).get(CURVE_KEY)
    return None if text is None else json.loads(text)


def test_the_end_of_a_run_and_what_has_no_number_are_no_points_on_its_way() -> None:
    assert points(curve_of(rows_of(4.0, "NaN", 2.0, 1.0))) == [[1, 4.0, 10.0], [3, 2.0, 30.0]]
    assert points(curve_of(rows_of(4.0), epochs=1)) is None


def test_a_sweep_that_does_not_ask_for_points_has_none() -> None:
    curve = curve_of(rows_of(4.0, 3.0, 2.0, 1.0), progress=None)
    assert (points(curve), curve.note) == (None, "")


def test_a_program_that_ought_to_report_its_points_and_does_not_is_no_silent_loss() -> None:
    curve = curve_of(rows_of(4.0, 3.0, 2.0, 1.0), progress=Progress("epochs"))
    assert points(curve) is None
    assert "write `progress: {parameter: epochs, metric: …}`" in curve.note
    assert curve_of(rows_of(4.0), progress=Progress("epochs"), is_whole=False).note == ""


def test_a_cost_that_is_a_metric_is_the_points_cost() -> None:
    rows = [{**row, "tokens": 100 * row["epoch"]} for row in rows_of(4.0, 3.0, 2.0, 1.0)]
    assert points(curve_of(rows, cost="tokens")) == [[1, 4.0, 100], [2, 3.0, 200], [3, 2.0, 300]]


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
    curve = curve_of(rows, **options)
    assert note in curve.note
    assert points(curve) is None


@pytest.mark.parametrize(
    ("schedule", "is_said"),
    [
        ("linear", True),
        ("cosine_with_restarts", True),
        ("polynomial", True),
        ("constant_with_warmup", False),
        ("inverse_sqrt", False),
        (None, False),
    ],
)
def test_a_trainer_that_plans_its_schedule_over_its_length_is_named(schedule: str | None, *, is_said: bool) -> None:
    """As the Trainer of transformers does unless it is told otherwise; its arguments are in the run's configuration."""
    record = replace(logged_run(rows_of(4.0, 3.0, 2.0, 1.0)), config={"lr_scheduler_type": schedule})
    curve = read_curve(sweep_of_losses(), record, is_whole=True)
    assert len(curve.points) == 3
    assert (f"lr_scheduler_type={schedule} plans the learning rate" in curve.note) == is_said
    sweep = sweep_of_losses()
    params = [replace(param, fixed=4 if param.name == "epochs" else None) for param in sweep.definition.params]
    equally_long = replace(sweep, definition=replace(sweep.definition, params=tuple(params)))
    curve = read_curve(equally_long, record, is_whole=True)
    assert (len(curve.points), curve.note) == (3, "")
    none = replace(logged_run(rows_of(4.0), epochs=1), config={"lr_scheduler_type": schedule})
    assert read_curve(sweep_of_losses(), none, is_whole=True).note == ""


def test_a_run_that_was_started_again_keeps_what_its_first_start_had_seen() -> None:
    """Seconds of both starts count, and those of the first one are known from its own record alone."""
    rows = [*rows_of(4.0, 3.0, start=BEGUN - 500), *rows_of(2.0, step=2, first=3)]
    before: dict[str, Any] = {BEFORE_KEY: BEGUN - 480}
    known: dict[str, Any] = {CURVE_KEY: json.dumps([[1, 4.0, 12.0], [2, 3.0, 22.0]])}
    rows += rows_of(1.0, step=3, first=4, start=BEGUN + 10)
    whole = curve_of(rows, spent=60.0, **before, **known)
    assert points(whole) == [[1, 4.0, 12.0], [2, 3.0, 22.0], [3, 2.0, 70.0]]
    assert points(curve_of(rows, spent=60.0, **before)) == [[3, 2.0, 70.0]]
    known = {CURVE_KEY: "odd"}
    assert points(curve_of(rows, spent=60.0, **before, **known)) == [[3, 2.0, 70.0]]


def test_a_long_way_is_eight_points_at_most() -> None:
    curve = curve_of(rows_of(*(1 / epoch for epoch in range(1, 51))), epochs=50)
    assert [place for place, _, _ in points(curve)] == [1, 2, 3, 4, 7, 11, 19, 30]


def test_a_cost_that_comes_after_each_row_of_the_objective_is_none_of_its_point() -> None:
    """At each row but the first there is one: that of the row before."""
    rows: list[dict[str, Any]] = []
    for row in rows_of(4.0, 3.0, 2.0, 1.0):
        place = 2 * row["_step"]
        later = {"tokens": 100 * row["epoch"], "_step": place + 1, "_timestamp": row["_timestamp"]}
        rows += [{**row, "_step": place}, later]
    curve = curve_of(rows, cost="tokens")
    assert points(curve) is None
    assert "have no cost, as 'tokens' is logged later" in curve.note


def test_a_cost_that_falls_is_not_that_of_the_run_so_far() -> None:
    """The program goes on from a checkpoint, and counts its tokens from there."""
    old = [{**row, "tokens": 100 * row["epoch"]} for row in rows_of(4.0, 3.0, start=BEGUN - 500)]
    new = [{**row, "tokens": 50 * row["epoch"] - 100} for row in rows_of(2.0, 1.0, step=2, first=3)]
    known: dict[str, Any] = {BEFORE_KEY: BEGUN - 480, CURVE_KEY: "[[1, 4.0, 100], [2, 3.0, 200]]", "tokens": 100}
    curve = curve_of([*old, *new], cost="tokens", **known)
    assert points(curve) == [[1, 4.0, 100], [2, 3.0, 200]]
    assert "let 'tokens' be what the run has cost so far" in curve.note


def test_seconds_are_those_of_the_program_and_not_of_its_suggestion() -> None:
    assert points(curve_of(rows_of(4.0, 3.0, 2.0, 1.0), begun=BEGUN + 6.0))[0] == [1, 4.0, 4.0]


@pytest.mark.parametrize(
    ("options", "costs"),
    [
        pytest.param({"seconds": 47.0}, [17.0, 27.0, 37.0], id="seven seconds after the last row"),
        pytest.param({"seconds": 47.0, "spent": 5.0}, [22.0, 32.0, 42.0], id="and an earlier start"),
        pytest.param({"seconds": 39.0}, [10.0, 20.0, 30.0], id="clocks that differ"),
        pytest.param({"seconds": 47.0, "is_whole": False}, [10.0, 20.0, 30.0, 40.0], id="interrupted"),
        pytest.param({"seconds": 47.0, "epochs": 7}, [10.0, 20.0, 30.0, 40.0], id="the last row was before its end"),
        pytest.param({"seconds": 47.0, "cost": "tokens"}, [1.0, 2.0, 3.0], id="a cost that is logged"),
    ],
)
def test_a_point_costs_what_a_run_that_ends_there_would(options: dict[str, Any], costs: list[float]) -> None:
    """Such a run ends like the whole one: its last checks, its uploads, the end of the interpreter."""
    rows: list[dict[str, Any]] = [{**row, "tokens": row["epoch"]} for row in rows_of(4.0, 3.0, 2.0, 1.0)]
    options = {"epochs": 5 if options.get("is_whole") is False else 4, **options}
    assert [cost for _, _, cost in points(curve_of(rows, **options))] == costs


def test_a_row_without_a_time_costs_no_other_its_own() -> None:
    rows = [{**row, "_timestamp": None} if row["epoch"] == 2 else row for row in rows_of(4.0, 3.0, 2.0, 1.0)]
    assert points(curve_of(rows, seconds=47.0)) == [[1, 4.0, 17.0], [3, 2.0, 37.0]]


def test_a_run_that_was_begun_anew_keeps_the_costs_of_the_start_that_came_there_first() -> None:
    """Those of the new start hold the seconds of the first one, which were of no use to it."""
    rows = [*rows_of(4.0, 3.0, start=BEGUN - 500), *rows_of(4.5, 3.5, 2.5, 1.5)]
    known: dict[str, Any] = {BEFORE_KEY: BEGUN - 480, CURVE_KEY: json.dumps([[1, 4.0, 12.0], [2, 3.0, 22.0]])}
    assert points(curve_of(rows, spent=60.0, **known)) == [[1, 4.0, 12.0], [2, 3.0, 22.0], [3, 2.5, 90.0]]


def test_a_program_that_records_itself_is_to_report_the_points_that_its_sweep_asks_for() -> None:
    def note(progress: Progress | None = PROGRESS, **run: Any) -> str:
        return unreported_note(sweep_of_losses(progress), logged_run(rows_of(4.0, 3.0), **run))

    assert "call trial.report(objective, progress) in its loop" in note()
    assert "`progress: epochs`" in note()
    reported: dict[str, Any] = {CURVE_KEY: "[[2, 3.5, 15.0]]"}
    assert note(**reported) == ""
    assert note(epochs=1) == ""  # nothing comes before
    assert note(Progress("epochs")) == note(None) == ""
